/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/rules/harness.h"
#include "tests/support/table.h"
#include <jansson.h>

/* Real Windows events, as evtx_dump writes them, that must fire a public rule, routing on. */

struct run {
    struct harness h;
    char wanted[160]; /* the case at hand, and what is known of it */
    unsigned needed, fired, wrong, cases;
};

static bool fired(const struct harness *h, const char *id)
{
    for (uint32_t i = 0; i < h->result.detection_count; i++)
        if (text_equal(h->result.detections[i]->rule->id, text_of(id)))
            return true;
    return false;
}

static void end_case(struct run *r)
{
    if (r->needed && r->fired < r->needed) {
        print_error("%s: fired %u times, want %u\n", r->wanted, r->fired, r->needed);
        r->wrong++;
    }
    r->fired = 0;
    r->needed = 0;
}

static void run_line(struct run *r, const char *line)
{
    json_t *one = json_loads(line, 0, NULL);
    assert_non_null(one);
    const char *name = json_string_value(json_object_get(one, "case"));
    const json_t *expected = json_object_get(one, "expected");
    const char *tail = strlen(name) > 150 ? name + strlen(name) - 150 : name;
    if (strcmp(tail, r->wanted) != 0) {
        end_case(r);
        (void)snprintf(r->wanted, sizeof r->wanted, "%s", tail);
        r->needed = json_is_integer(expected) ? (unsigned)json_integer_value(expected) : 0;
        r->cases++;
    }
    r->needed += json_is_string(expected);
    char *event = json_dumps(json_object_get(one, "event"), JSON_COMPACT);
    arena_reset(&r->h.arena);
    (void)harness_match_json(&r->h, text_of(event));
    r->fired += fired(&r->h, json_string_value(json_object_get(one, "rule_id")));
    free(event);
    json_decref(one);
}

static void test_every_case_fires(void **state)
{
    (void)state;
    char path[4096];
    char *line = NULL;
    size_t size = 0;
    struct error err = {.code = STATUS_OK};
    const char *corpora = getenv("TOCSIN_CORPORA");
    if (!corpora)
        SKIP_BECAUSE("TOCSIN_CORPORA is not set");
    struct run *r = calloc(1, sizeof *r);
    assert_non_null(r);
    (void)snprintf(path, sizeof path, "%s/sigma", corpora);
    const char *paths[] = {path};
    const struct ruleset_options options = {
        .paths = paths,
        .path_count = 1,
        .share = SOURCE_DIR "/rules/share",
        .has_routing = true,
    };
    arena_init(&r->h.arena, 64 << 20);
    r->h.record.position = 1;
    assert_int_equal(ruleset_load(&options, &r->h.ruleset, &err), STATUS_OK);
    assert_int_equal(matcher_new(r->h.ruleset, &r->h.matcher, &err), STATUS_OK);
    (void)snprintf(path, sizeof path, "%s/sigma/regression.jsonl", corpora);
    FILE *f = fopen(path, "r");
    assert_non_null(f);
    while (getline(&line, &size, f) > 0)
        run_line(r, line);
    end_case(r);
    (void)fclose(f);
    free(line);
    print_message("%u cases, %u wrong\n", r->cases, r->wrong);
    unsigned wrong = r->wrong;
    harness_close(&r->h);
    free(r);
    assert_int_equal(wrong, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_every_case_fires),
    };
    return cmocka_run_group_tests_name("test_regression", tests, NULL, NULL);
}
