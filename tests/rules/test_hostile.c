/* SPDX-License-Identifier: Apache-2.0 */
#include "base/buffer.h"
#include "tests/rules/harness.h"

/* Rules and events that mean harm: bounded work, and a counter or an error that says so. */

#define HEAD "title: t\nlogsource: {category: test}\n"

static void open_buffer(struct harness *h, struct buffer *yaml, struct ruleset_options options)
{
    buffer_byte(yaml, 0);
    assert_false(yaml->has_failed);
    assert_int_equal(harness_open_with(h, yaml->at, options), STATUS_OK);
}

struct sum {
    const char *name;
    double value;
};

static void find_metric(void *context, const struct metric *m)
{
    struct sum *s = context;
    if (strcmp(m->name, s->name) == 0)
        s->value += m->value;
}

static double metric_of(const struct harness *h, const char *name)
{
    struct sum s = {name, 0};
    matcher_metrics(h->matcher, find_metric, &s);
    return s.value;
}

static void test_ten_thousand_rules(void **state)
{
    (void)state;
    struct buffer yaml;
    struct harness h;
    buffer_init(&yaml, 16 << 20);
    for (unsigned i = 0; i < 10000; i++)
        buffer_printf(&yaml,
                      "---\ntitle: r%u\nlogsource: {category: test}\ndetection:\n  s:\n"
                      "    f|contains: 'needle%05u'\n    g: value%u\n  condition: s\n",
                      i, i, i % 10);
    open_buffer(&h, &yaml, (struct ruleset_options){.is_strict = true});
    assert_int_equal(ruleset_get_summary(h.ruleset)->rules, 10000);
    assert_true(harness_match_json(&h, TEXT("{\"f\":\"a needle04711 b\",\"g\":\"value1\"}")));
    assert_int_equal(h.result.detection_count, 1);
    /* The index led to a few rules, not to ten thousand. */
    assert_true(metric_of(&h, "rules_candidates_total") < 10);
    harness_close(&h);
    buffer_fini(&yaml);
}

static void test_fifty_thousand_values(void **state)
{
    (void)state;
    static const char *const modifiers[] = {"", "|contains", "|endswith"};
    for (size_t m = 0; m < 3; m++) {
        struct buffer yaml;
        struct harness h;
        buffer_init(&yaml, 16 << 20);
        buffer_printf(&yaml, HEAD "detection:\n  s:\n    f%s:\n", modifiers[m]);
        for (unsigned i = 0; i < 50000; i++)
            buffer_printf(&yaml, "      - bad%05u.example\n", i);
        buffer_printf(&yaml, "  condition: s\n");
        open_buffer(&h, &yaml, (struct ruleset_options){.is_strict = true});
        assert_true(harness_match_json(&h, TEXT("{\"f\":\"BAD49999.example\"}")));
        assert_false(harness_match_json(&h, TEXT("{\"f\":\"good.example\"}")));
        harness_close(&h);
        buffer_fini(&yaml);
    }
}

static void test_deep_condition_is_refused(void **state)
{
    (void)state;
    struct buffer yaml;
    struct harness h;
    buffer_init(&yaml, 1 << 20);
    buffer_printf(&yaml, HEAD "detection:\n  s: {f: a}\n  condition: ");
    for (unsigned i = 0; i < 1000; i++)
        buffer_printf(&yaml, "not (");
    buffer_byte(&yaml, 's');
    for (unsigned i = 0; i < 1000; i++)
        buffer_byte(&yaml, ')');
    buffer_byte(&yaml, '\n');
    open_buffer(&h, &yaml, (struct ruleset_options){.is_strict = false});
    assert_non_null(strstr(h.messages, "limit:5"));
    harness_close(&h);
    buffer_fini(&yaml);
}

static void test_deep_yaml_is_refused(void **state)
{
    (void)state;
    struct buffer yaml;
    struct harness h;
    buffer_init(&yaml, 1 << 20);
    buffer_printf(&yaml, HEAD "detection: ");
    for (unsigned i = 0; i < 2000; i++)
        buffer_byte(&yaml, '[');
    open_buffer(&h, &yaml, (struct ruleset_options){.is_strict = false});
    assert_non_null(strstr(h.messages, "bad-yaml"));
    harness_close(&h);
    buffer_fini(&yaml);
}

static void test_exploding_regex_meets_a_limit(void **state)
{
    (void)state;
    struct harness h;
    struct buffer json;
    assert_int_equal(harness_open(&h, HEAD "detection:\n  s:\n    f|re: '^(a+)+(b+)+$'\n"
                                           "  condition: s\n"),
                     STATUS_OK);
    buffer_init(&json, 1 << 20);
    buffer_printf(&json, "{\"f\":\"");
    for (unsigned i = 0; i < 30000; i++)
        buffer_byte(&json, i < 15000 ? 'a' : 'b');
    buffer_printf(&json, "!\"}");
    assert_false(harness_match_json(&h, buffer_text(&json)));
    assert_true(metric_of(&h, "rules_regex_limits_total") >= 1);
    uint32_t count = 0;
    assert_true(matcher_costs(h.matcher, &count)[0].limits >= 1);
    harness_close(&h);
    buffer_fini(&json);
}

static void test_stars_over_a_long_field(void **state)
{
    (void)state;
    struct harness h;
    struct buffer json;
    assert_int_equal(harness_open(&h, HEAD "detection:\n  s:\n    f: '*a*a*a*a*a*a*a*a*a*a*b*'\n"
                                           "  condition: s\n"),
                     STATUS_OK);
    buffer_init(&json, 1 << 20);
    buffer_printf(&json, "{\"f\":\"");
    for (unsigned i = 0; i < 65536; i++)
        buffer_byte(&json, 'a');
    buffer_printf(&json, "\"}");
    assert_false(harness_match_json(&h, buffer_text(&json)));
    harness_close(&h);
    buffer_fini(&json);
}

static void test_huge_event_is_cut_and_counted(void **state)
{
    (void)state;
    struct harness h;
    struct buffer json;
    assert_int_equal(harness_open(&h, HEAD "detection:\n  s:\n    f|contains: needle\n"
                                           "  condition: s\n"),
                     STATUS_OK);
    buffer_init(&json, 32 << 20);
    buffer_printf(&json, "{\"f\":\"needle ");
    char *room = buffer_reserve(&json, 16 << 20);
    assert_non_null(room);
    memset(room, 'X', 16 << 20);
    json.len += 16 << 20;
    buffer_printf(&json, "\"}");
    assert_true(harness_match_json(&h, buffer_text(&json)));
    assert_true(metric_of(&h, "rules_cut_values_total") >= 1);
    harness_close(&h);
    buffer_fini(&json);
}

static void test_many_stars_in_a_condition(void **state)
{
    (void)state;
    struct harness h;
    assert_int_equal(
        harness_open(&h, HEAD "detection:\n  aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa: {f: x}\n"
                              "  condition: 1 of *a*a*a*a*a*a*a*a*a*a*a*a*a*a*a*a*a*a*a*a*b\n"),
        STATUS_OK);
    assert_non_null(strstr(h.messages, "unknown-selection"));
    harness_close(&h);
}

static void test_bytes_that_are_no_text(void **state)
{
    (void)state;
    struct harness h;
    static const char line[] = "x\0y\xFF\xFE needle \xC3";
    assert_int_equal(harness_open(&h, HEAD "detection:\n  s: [needle]\n  condition: s\n"),
                     STATUS_OK);
    h.record.raw = (struct text){line, sizeof line - 1};
    event_reset(&h.event, &h.record);
    h.event.message = h.record.raw;
    matcher_match(h.matcher, &h.event, &h.arena, &h.result);
    assert_int_equal(h.result.detection_count, 1);
    harness_close(&h);
}

static void test_full_arena_is_counted(void **state)
{
    (void)state;
    struct harness h;
    struct arena small;
    assert_int_equal(harness_open(&h, HEAD "detection: {s: {f: a}, condition: s}\n"), STATUS_OK);
    assert_true(harness_match_json(&h, TEXT("{\"f\":\"a\",\"user\":\"x\"}")));
    matcher_reset(h.matcher, &h.result);
    arena_init(&small, 16);
    matcher_match(h.matcher, &h.event, &small, &h.result);
    assert_int_equal(h.result.detection_count, 0);
    assert_true(h.result.refused >= 1);
    arena_fini(&small);
    harness_close(&h);
}

/* A hundred kilobytes that stand for millions of parts: refused by name, before they are made. */
static void test_a_selection_named_again_and_again(void **state)
{
    (void)state;
    static const struct {
        unsigned selections, times;
        const char *each, *between;
        bool is_list;
    } rows[] = {
        {3000, 6000, "1 of s*", " and ", false},
        {3000, 6000, "all of s*", " or ", false},
        {1, 30000, "s0", " and not ", false},
        {3000, 4000, "1 of s*", "", true},
    };
    for (size_t row = 0; row < sizeof rows / sizeof *rows; row++) {
        struct buffer yaml;
        struct harness h;
        buffer_init(&yaml, 1 << 20);
        buffer_append(&yaml, TEXT(HEAD "detection:\n"));
        for (unsigned i = 0; i < rows[row].selections; i++)
            buffer_printf(&yaml, "  s%u:\n    f%u: v\n    g: w\n", i, i);
        buffer_append(&yaml, TEXT("  condition: "));
        for (unsigned i = 0; i < rows[row].times; i++)
            buffer_printf(&yaml, "%s%s",
                          rows[row].is_list ? "\n    - "
                          : i               ? rows[row].between
                                            : "",
                          rows[row].each);
        buffer_append(&yaml, TEXT("\n\0"));
        assert_false(yaml.has_failed);
        (void)harness_open_with(&h, yaml.at, (struct ruleset_options){.has_lints = true});
        assert_int_equal(ruleset_get_summary(h.ruleset)->rules, 0);
        assert_non_null(strstr(h.messages, "limit:"));
        harness_close(&h);
        buffer_fini(&yaml);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_ten_thousand_rules),
        cmocka_unit_test(test_fifty_thousand_values),
        cmocka_unit_test(test_deep_condition_is_refused),
        cmocka_unit_test(test_deep_yaml_is_refused),
        cmocka_unit_test(test_exploding_regex_meets_a_limit),
        cmocka_unit_test(test_stars_over_a_long_field),
        cmocka_unit_test(test_huge_event_is_cut_and_counted),
        cmocka_unit_test(test_many_stars_in_a_condition),
        cmocka_unit_test(test_bytes_that_are_no_text),
        cmocka_unit_test(test_full_arena_is_counted),
        cmocka_unit_test(test_a_selection_named_again_and_again),
    };
    return cmocka_run_group_tests_name("test_hostile", tests, NULL, NULL);
}
