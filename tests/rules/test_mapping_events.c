/* SPDX-License-Identifier: Apache-2.0 */
#include "rules/decode/mapping.h"
#include "rules/match/ruleset_state.h"
#include "tests/rules/harness.h"
#include "tests/support/table.h"
#include <dirent.h>
#include <jansson.h>

/* Each mapping that ships has events (mapping_events/<mapping>.jsonl, invented) that must fire a
 * given public rule, routing on, or, where there is none, get a log source and the usual names. */

static bool fired(const struct harness *h, const char *id)
{
    for (uint32_t i = 0; i < h->result.detection_count; i++)
        if (text_equal(h->result.detections[i]->rule->id, text_of(id)))
            return true;
    return false;
}

static bool is_text(struct text got, json_t *want)
{
    const char *text = json_string_value(want);
    return text_equal(got, text ? text_of(text) : TEXT(""));
}

/* Nothing said: right. */
static bool has_logsource(const struct harness *h, json_t *want)
{
    bool is_there = !want;
    for (uint32_t i = 0; i < h->event.logsource_count; i++) {
        const struct logsource *s = &h->event.logsources[i];
        is_there |= is_text(s->category, json_object_get(want, "category")) &&
                    is_text(s->product, json_object_get(want, "product")) &&
                    is_text(s->service, json_object_get(want, "service"));
    }
    return is_there;
}

/* The field as a rule would name it has this value, and it is the first that the event has. */
static bool has_field(struct harness *h, const char *name, const char *value)
{
    struct text names[MAPPING_NAMES];
    const uint32_t count =
        mapping_resolve(h->ruleset->mappings, h->event.mapping, text_of(name), &h->arena, names);
    for (uint32_t i = 0; i < count; i++) {
        const struct field *f = event_field(&h->event, names[i]);
        if (f)
            return text_equal(json_value(f, &h->arena), text_of(value));
    }
    return false;
}

static bool has_fields(struct harness *h, json_t *want)
{
    const char *name = NULL;
    json_t *value = NULL;
    bool is_right = true;
    json_object_foreach(want, name, value)
    {
        const bool is_one = has_field(h, name, json_string_value(value));
        if (!is_one)
            print_error("'%s' is not '%s'\n", name, json_string_value(value));
        is_right &= is_one;
    }
    return is_right;
}

static bool is_mapping(const struct harness *h, const char *file)
{
    const struct text name = mapping_name(h->ruleset->mappings, h->event.mapping);
    return name.len && text_equal(text_head(text_of(file), strlen(file) - strlen(".jsonl")), name);
}

static unsigned run_line(struct harness *h, const char *file, unsigned number, const char *line)
{
    json_t *one = json_loads(line, 0, NULL);
    assert_non_null(one);
    const char *rule = json_string_value(json_object_get(one, "rule"));
    json_t *logsource = json_object_get(one, "logsource");
    char *event = json_dumps(json_object_get(one, "event"), JSON_COMPACT);
    assert_true(rule || logsource);
    assert_non_null(event);
    arena_reset(&h->arena);
    (void)harness_match_json(h, text_of(event));
    bool is_right = is_mapping(h, file);
    if (!is_right)
        print_error("%s:%u: another mapping\n", file, number);
    if (rule && !fired(h, rule)) {
        print_error("%s:%u: rule %s did not fire\n", file, number, rule);
        is_right = false;
    }
    if (!has_logsource(h, logsource)) {
        print_error("%s:%u: not the log source\n", file, number);
        is_right = false;
    }
    if (!has_fields(h, json_object_get(one, "fields"))) {
        print_error("%s:%u: see above\n", file, number);
        is_right = false;
    }
    free(event);
    json_decref(one);
    return !is_right;
}

static unsigned run_file(struct harness *h, const char *file, unsigned *out_events)
{
    char path[4096];
    char *line = NULL;
    size_t size = 0;
    unsigned wrong = 0;
    unsigned number = 0;
    (void)snprintf(path, sizeof path, SOURCE_DIR "/tests/rules/mapping_events/%s", file);
    FILE *f = fopen(path, "r");
    assert_non_null(f);
    while (getline(&line, &size, f) > 0)
        wrong += run_line(h, file, ++number, line);
    (void)fclose(f);
    free(line);
    assert_true(number >= 3);
    *out_events += number;
    return wrong;
}

static void test_every_event_fires(void **state)
{
    (void)state;
    const char *corpora = getenv("TOCSIN_CORPORA");
    if (!corpora)
        SKIP_BECAUSE("TOCSIN_CORPORA is not set");
    char path[4096];
    (void)snprintf(path, sizeof path, "%s/sigma", corpora);
    const char *paths[] = {path};
    const struct ruleset_options options = {
        .paths = paths,
        .path_count = 1,
        .share = SOURCE_DIR "/rules/share",
        .has_routing = true,
    };
    struct harness *h = calloc(1, sizeof *h);
    assert_non_null(h);
    arena_init(&h->arena, 64 << 20);
    h->record.position = 1;
    assert_int_equal(ruleset_load(&options, &h->ruleset, NULL), STATUS_OK);
    assert_int_equal(matcher_new(h->ruleset, &h->matcher, NULL), STATUS_OK);
    DIR *folder = opendir(SOURCE_DIR "/tests/rules/mapping_events");
    assert_non_null(folder);
    unsigned wrong = 0;
    unsigned events = 0;
    for (struct dirent *e = readdir(folder); e; e = readdir(folder))
        if (text_ends(text_of(e->d_name), TEXT(".jsonl")))
            wrong += run_file(h, e->d_name, &events);
    (void)closedir(folder);
    harness_close(h);
    free(h);
    print_message("%u events, %u wrong\n", events, wrong);
    assert_int_equal(wrong, 0);
    assert_true(events > 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_every_event_fires)};
    return cmocka_run_group_tests_name("test_mapping_events", tests, NULL, NULL);
}
