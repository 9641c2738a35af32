/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/rules/harness.h"
#include <sys/stat.h>

/* Local tuning of foreign rules, and the value lists behind placeholders. */

#define RULE                                                                                       \
    "title: A\nid: one\nlogsource: {category: test}\ndetection: {s: {a: 1}, condition: s}\n---\n"  \
    "title: C\nid: two\ncorrelation: {type: event_count, rules: [one], timespan: 1m, "             \
    "condition: {gte: 2}, generate: true}\n"

static enum status open_over(struct harness *h, const char *overrides)
{
    char path[64];
    harness_write(path, overrides);
    enum status status =
        harness_open_with(h, RULE, (struct ruleset_options){.overrides = path, .has_lints = false});
    (void)unlink(path);
    return status;
}

static void test_changes_a_rule(void **state)
{
    (void)state;
    struct harness h;
    assert_int_equal(open_over(&h, "one: {level: low, confidence: 0.5, open: never, suppress: 1h}\n"
                                   "two: {fire: consume, level: critical}\n"),
                     STATUS_OK);
    assert_string_equal(h.messages, "");
    uint32_t count = 0;
    const struct rule *const *rules = ruleset_rules(h.ruleset, &count);
    assert_int_equal(rules[0]->level, LEVEL_LOW);
    assert_true(rules[0]->confidence == 0.5);
    assert_int_equal(rules[0]->open, OPEN_NEVER);
    assert_true(rules[0]->suppress_us == INT64_C(3600000000));
    assert_int_equal(rules[1]->level, LEVEL_CRITICAL);
    assert_int_equal(ruleset_correlations(h.ruleset, &count)[0].fire, FIRE_CONSUME);
    harness_close(&h);
}

static void test_switches_off(void **state)
{
    (void)state;
    struct harness h;
    assert_int_equal(open_over(&h, "two: {enabled: false}\n"), STATUS_OK);
    assert_int_equal(ruleset_get_summary(h.ruleset)->correlations, 0);
    assert_int_equal(ruleset_get_summary(h.ruleset)->rules, 1);
    harness_close(&h);
}

static void test_exception_leaves_out(void **state)
{
    (void)state;
    struct harness h;
    assert_int_equal(open_over(&h, "one:\n  not: {match: {u: svc}, owner: me, reason: known, "
                                   "end: 2999-01-01}\n"),
                     STATUS_OK);
    assert_true(harness_match_json(&h, TEXT("{\"a\":1,\"u\":\"bob\"}")));
    assert_false(harness_match_json(&h, TEXT("{\"a\":1,\"u\":\"svc\"}")));
    harness_close(&h);
}

static void test_exception_ends(void **state)
{
    (void)state;
    struct harness h;
    assert_int_equal(open_over(&h, "one:\n  not: [{match: {u: svc}, owner: me, reason: known, "
                                   "end: 2001-01-01}]\n"),
                     STATUS_OK);
    assert_true(harness_match_json(&h, TEXT("{\"a\":1,\"u\":\"svc\"}")));
    harness_close(&h);
}

static void test_mistakes_are_told(void **state)
{
    (void)state;
    static const char *const rows[] = {
        "one: {levle: low}\n",
        "one: {level: hgih}\n",
        "one: {not: {match: {u: x}, owner: me, reason: r}}\n", /* no end */
        "one: {not: {match: {u: x}, owner: me, reason: r, end: soon}}\n",
        "two: {not: {match: {u: x}, owner: me, reason: r, end: 2999-01-01}}\n",
        "- one\n",
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct harness h;
        assert_int_equal(open_over(&h, rows[i]), STATUS_OK);
        assert_true(ruleset_get_summary(h.ruleset)->errors > 0);
        harness_close(&h);
    }
}

static void test_lists_fill_placeholders(void **state)
{
    (void)state;
    struct harness h;
    char folder[] = "/tmp/tocsin-lists-XXXXXX";
    char path[128];
    assert_non_null(mkdtemp(folder));
    (void)snprintf(path, sizeof path, "%s/admins.txt", folder);
    FILE *f = fopen(path, "w");
    assert_non_null(f);
    (void)fputs("# who may\nroot\n\n  alice \n10.0.0.0/8\n", f);
    (void)fclose(f);
    assert_int_equal(
        harness_open_with(&h,
                          "title: A\nlogsource: {category: test}\ndetection:\n  s:\n"
                          "    u|expand: ['%Admins%', '\\%none\\%']\n  condition: s\n---\n"
                          "title: B\nlogsource: {category: test}\ndetection:\n  s:\n"
                          "    c|expand|contains: ' --user=%admins% '\n  condition: s\n",
                          (struct ruleset_options){.lists = folder}),
        STATUS_OK);
    assert_string_equal(h.messages, "");
    assert_true(harness_match_json(&h, TEXT("{\"u\":\"Root\"}")));
    assert_true(harness_match_json(&h, TEXT("{\"u\":\"alice\"}")));
    assert_true(harness_match_json(&h, TEXT("{\"u\":\"10.1.2.3\"}")));
    assert_true(harness_match_json(&h, TEXT("{\"u\":\"%none%\"}")));
    assert_false(harness_match_json(&h, TEXT("{\"u\":\"bob\"}")));
    assert_true(harness_match_json(&h, TEXT("{\"c\":\"x --user=alice y\"}")));
    assert_false(harness_match_json(&h, TEXT("{\"c\":\"x --user=bob y\"}")));
    harness_close(&h);
    (void)unlink(path);
    (void)rmdir(folder);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_changes_a_rule),       cmocka_unit_test(test_switches_off),
        cmocka_unit_test(test_exception_leaves_out), cmocka_unit_test(test_exception_ends),
        cmocka_unit_test(test_mistakes_are_told),    cmocka_unit_test(test_lists_fill_placeholders),
    };
    return cmocka_run_group_tests_name("test_override", tests, NULL, NULL);
}
