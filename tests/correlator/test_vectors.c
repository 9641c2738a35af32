/* SPDX-License-Identifier: Apache-2.0 */
#include "base/yaml.h"
#include "tests/support/feeds.h"
#include "tests/support/table.h"
#include <jansson.h>
#include <math.h>

/*
 * The timelines of sigma/vectors_spec_correlation.jsonl: what level, edge and consume must give,
 * in time order without lateness and in order of arrival with a lateness above the disorder. The
 * rules are read by a reader of this test's own, just large enough for them.
 */

static const struct {
    const char *name, *id, *action;
} events_of_rules[] = {
    {"failed", "11111111-1111-4111-8111-111111111111", "fail"},
    {"success", "22222222-2222-4222-8222-222222222222", "ok"},
    {"priv", "33333333-3333-4333-8333-333333333333", "priv"},
};
enum { EVENT_RULES = 3, MOST_FIELDS = 4 };

struct reference {
    const char *action; /* NULL: a correlation */
    uint32_t correlation;
    struct text fields[MOST_FIELDS]; /* group-by, aliases resolved */
};
struct compiled {
    struct feeds_rules rules;
    struct text titles[FEEDS_RULES], names[FEEDS_RULES];
    struct reference inputs[FEEDS_RULES][8];
    struct text values[FEEDS_RULES][MOST_FIELDS];
    struct arena arena;
};

static const struct yaml_node *get(const struct yaml_node *node, const char *key)
{
    return yaml_get(node, text_of(key));
}

static enum correlation_type type_of(struct text name)
{
    static const char *const names[] = {"event_count",      "value_count", "temporal",
                                        "temporal_ordered", "value_sum",   "value_avg"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (text_equal(name, text_of(names[i])))
            return (enum correlation_type)i;
    fail_msg("type %.*s", TEXT_ARG(name));
    return CORRELATION_EVENT_COUNT;
}

static uint32_t list(const struct yaml_node *node, struct text *out)
{
    if (!node)
        return 0;
    if (node->kind == YAML_SCALAR) {
        out[0] = node->value;
        return 1;
    }
    for (uint32_t i = 0; i < node->count; i++)
        out[i] = node->items[i]->value;
    return node->count;
}

static struct reference refer(const struct compiled *c, struct text name)
{
    for (uint32_t i = 0; i < EVENT_RULES; i++)
        if (text_equal(name, text_of(events_of_rules[i].name)) ||
            text_equal(name, text_of(events_of_rules[i].id)))
            return (struct reference){.action = events_of_rules[i].action};
    for (uint32_t i = 0; i < c->rules.count; i++)
        if (text_equal(name, c->names[i]))
            return (struct reference){.correlation = i};
    fail_msg("rule %.*s", TEXT_ARG(name));
    return (struct reference){0};
}

/* "a and (b or not c)", by precedence: or < and < not. */
struct reader {
    struct text rest;
    struct correlation *correlation;
    const struct text *names;
};

static bool eat(struct reader *r, const char *word)
{
    r->rest = text_trim(r->rest);
    if (!text_starts(r->rest, text_of(word)))
        return false;
    r->rest = text_skip(r->rest, strlen(word));
    return true;
}

static void step(struct reader *r, enum step_kind kind, uint32_t input)
{
    r->correlation->steps[r->correlation->step_count++] = (struct step){kind, input};
}

static void read_or(struct reader *r);

static void read_not(struct reader *r)
{
    if (eat(r, "not ")) {
        read_not(r);
        step(r, STEP_NOT, 0);
    } else if (eat(r, "(")) {
        read_or(r);
        assert_true(eat(r, ")"));
    } else {
        for (uint32_t i = 0; i < r->correlation->input_count; i++) {
            char name[64];
            (void)snprintf(name, sizeof name, "%.*s", TEXT_ARG(r->names[i]));
            if (eat(r, name)) {
                step(r, STEP_INPUT, i);
                return;
            }
        }
        fail_msg("condition at %.*s", TEXT_ARG(r->rest));
    }
}

static void read_and(struct reader *r)
{
    read_not(r);
    while (eat(r, "and ")) {
        read_not(r);
        step(r, STEP_AND, 0);
    }
}

static void read_or(struct reader *r)
{
    read_and(r);
    while (eat(r, "or ")) {
        read_and(r);
        step(r, STEP_OR, 0);
    }
}

static void read_bounds(struct correlation *c, const struct yaml_node *condition)
{
    static const char *const names[] = {"lt", "lte", "gt", "gte", "eq", "neq"};
    for (uint32_t i = 0; i < 6; i++) {
        const struct yaml_node *than = get(condition, names[i]);
        if (!than)
            continue;
        char number[32];
        (void)snprintf(number, sizeof number, "%.*s", TEXT_ARG(than->value));
        feeds_bound(c, (enum bound_operator)i, number);
    }
}

static void link_chain(struct compiled *out, uint32_t parent, uint32_t child, uint32_t input)
{
    struct correlation *p = &out->rules.correlations[parent];
    out->rules.links[parent][p->link_count++] =
        (struct chain_link){.correlation = child, .input = input, .group_from = {0}};
    out->rules.correlations[child].depth = p->depth + 1;
}

static void compile_one(struct compiled *out, const struct yaml_node *document)
{
    const struct yaml_node *node = get(document, "correlation");
    if (!node)
        return;
    int64_t span = 0;
    assert_true(text_to_duration_us(get(node, "timespan")->value, &span));
    struct correlation *c = feeds_add_rule(&out->rules, type_of(get(node, "type")->value), span);
    out->titles[c->index] = get(document, "title")->value;
    out->names[c->index] = get(document, "name") ? get(document, "name")->value : TEXT_NONE;
    struct text names[8];
    c->input_count = list(get(node, "rules"), names);
    struct text fields[MOST_FIELDS] = {{0}};
    uint32_t field_count = list(get(node, "group-by"), fields);
    for (uint32_t i = 0; i < c->input_count; i++) {
        struct reference *r = &out->inputs[c->index][i];
        *r = refer(out, names[i]);
        for (uint32_t j = 0; j < field_count; j++) {
            const struct yaml_node *alias =
                yaml_get(yaml_get(get(node, "aliases"), fields[j]), names[i]);
            r->fields[j] = alias ? alias->value : fields[j];
        }
        if (!r->action)
            link_chain(out, r->correlation, c->index, i);
    }
    const struct yaml_node *condition = get(node, "condition");
    if (condition && condition->kind == YAML_MAPPING) {
        read_bounds(c, condition);
        c->value_count = list(get(condition, "field"), out->values[c->index]);
    } else if (condition) {
        struct reader r = {condition->value, c, names};
        read_or(&r);
    }
}

static struct compiled *compile(const char *yaml)
{
    struct compiled *out = calloc(1, sizeof *out);
    assert_non_null(out);
    arena_init(&out->arena, 1 << 24);
    struct yaml_file file;
    struct error err;
    if (yaml_parse(text_of(yaml), &out->arena, &file, &err))
        fail_msg("%s", err.text);
    for (uint32_t i = 0; i < file.count; i++)
        compile_one(out, file.documents[i]);
    return out;
}

/* All fields of a tuple as one text; false where one is missing. */
static bool tuple(const json_t *event, const struct text *fields, char *out)
{
    struct buffer b;
    buffer_init(&b, FEEDS_TEXT - 1);
    bool is_whole = true;
    for (uint32_t i = 0; i < MOST_FIELDS && fields[i].len; i++) {
        char name[64];
        (void)snprintf(name, sizeof name, "%.*s", TEXT_ARG(fields[i]));
        const json_t *value = json_object_get(event, name);
        is_whole = is_whole && value;
        if (json_is_string(value))
            buffer_printf(&b, "%s%s", i ? "|" : "", json_string_value(value));
        else if (json_is_integer(value))
            buffer_printf(&b, "%s%lld", i ? "|" : "", (long long)json_integer_value(value));
    }
    memset(out, 0, FEEDS_TEXT);
    if (b.len)
        memcpy(out, b.at, b.len);
    buffer_fini(&b);
    return is_whole;
}

static struct feeds_event event_of(const struct compiled *c, const json_t *line)
{
    const json_t *event = json_object_get(line, "event");
    const char *action = json_string_value(json_object_get(event, "action"));
    struct feeds_event e = {.event_us =
                                llround(json_number_value(json_object_get(line, "t")) * 1e6)};
    for (uint32_t i = 0; i < c->rules.count; i++) {
        for (uint32_t j = 0; j < c->rules.correlations[i].input_count; j++) {
            const struct reference *r = &c->inputs[i][j];
            struct feeds_one *one = &e.feeds[e.count];
            if (!r->action || strcmp(r->action, action) != 0)
                continue;
            *one = (struct feeds_one){.correlation = i, .input = j};
            if (!tuple(event, r->fields, one->group))
                continue;
            if (!tuple(event, c->values[i], one->value))
                one->value[0] = 0;
            e.count++;
        }
    }
    return e;
}

static int by_time(const void *a, const void *b)
{
    const struct feeds_event *x = a;
    const struct feeds_event *y = b;
    return x->event_us < y->event_us ? -1 : x->event_us > y->event_us;
}

/* "r00 u1 @20000000" lines as "20 EC" lines, in the order of the vector. */
static void expect(const struct compiled *c, const json_t *want, const char *policy,
                   const struct feeds_run *run, const char *how, const char *name)
{
    struct buffer b;
    buffer_init(&b, 1 << 16);
    const json_t *times = json_object_get(want, "times");
    const json_t *fired = json_object_get(want, policy);
    for (size_t i = 0; i < json_array_size(times); i++) {
        const json_t *titles = json_array_get(fired, i);
        for (size_t j = 0; j < json_array_size(titles); j++) {
            struct text title = text_of(json_string_value(json_array_get(titles, j)));
            uint32_t rule = 0;
            while (!text_equal(c->titles[rule], title))
                rule++;
            buffer_printf(&b, "r%02u @%lld\n", rule,
                          llround(json_number_value(json_array_get(times, i)) * 1e6));
        }
    }
    struct buffer got;
    buffer_init(&got, 1 << 16);
    struct text rest = buffer_text(&run->out);
    struct text line;
    while (text_split(&rest, '\n', &line))
        if (line.len)
            buffer_printf(&got, "%.*s %.*s\n", 3, line.at,
                          TEXT_ARG(text_skip(line, text_find_byte(line, '@'))));
    if (!text_equal(buffer_text(&got), buffer_text(&b)))
        fail_msg("%s, %s, %s:\nwant\n%.*s\ngot\n%.*s", name, policy, how, TEXT_ARG(buffer_text(&b)),
                 TEXT_ARG(buffer_text(&got)));
    buffer_fini(&got);
    buffer_fini(&b);
}

static void run_vector(const json_t *vector, enum fire_policy fire, const char *policy,
                       bool is_sorted)
{
    struct compiled *c = compile(json_string_value(json_object_get(vector, "rules")));
    const json_t *timeline = json_object_get(vector, "timeline_in_arrival_order");
    uint32_t count = (uint32_t)json_array_size(timeline);
    struct feeds_event *events = calloc(count, sizeof *events);
    for (uint32_t i = 0; i < count; i++)
        events[i] = event_of(c, json_array_get(timeline, i));
    if (is_sorted)
        qsort(events, count, sizeof *events, by_time);
    int64_t journal_us = 0;
    for (uint32_t i = 0; i < count; i++) {
        journal_us = events[i].event_us > journal_us ? events[i].event_us : journal_us;
        events[i].journal_us = journal_us;
    }
    for (uint32_t i = 0; i < c->rules.count; i++) {
        c->rules.correlations[i].fire = fire;
        c->rules.correlations[i].lateness_us = is_sorted ? 0 : 600000000;
    }
    struct feeds_run run;
    feeds_open(&run, &c->rules, 2, 1 << 20);
    run.has_ids = false;
    feeds_push(&run, events, count, true);
    expect(c, json_object_get(vector, "expected_in_time_order"), policy, &run,
           is_sorted ? "in time order" : "held",
           json_string_value(json_object_get(vector, "name")));
    feeds_close(&run);
    free(events);
    arena_fini(&c->arena);
    free(c);
}

static void test_vectors(void **state)
{
    (void)state;
    static const char *const policies[] = {"edge", "level", "consume"};
    const char *corpora = getenv("TOCSIN_CORPORA");
    if (!corpora)
        SKIP_BECAUSE("TOCSIN_CORPORA is not set");
    char path[4200];
    (void)snprintf(path, sizeof path, "%s/sigma/vectors_spec_correlation.jsonl", corpora);
    FILE *f = fopen(path, "r");
    assert_non_null(f);
    uint32_t count = 0;
    char *line = NULL;
    size_t room = 0;
    while (getline(&line, &room, f) > 0) {
        json_t *vector = json_loads(line, 0, NULL);
        assert_non_null(vector);
        for (uint32_t i = 0; i < 6; i++)
            run_vector(vector, (enum fire_policy)(i % 3), policies[i % 3], i < 3);
        json_decref(vector);
        count++;
    }
    free(line);
    (void)fclose(f);
    assert_int_equal(count, 36);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_vectors)};
    return cmocka_run_group_tests_name("test_vectors", tests, NULL, NULL);
}
