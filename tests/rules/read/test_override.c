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

/* By journal time, not by the clock of whoever loads it. */
static void test_exception_ends(void **state)
{
    (void)state;
    struct harness h;
    const int64_t end_us = INT64_C(978393599000000); /* 2001-01-01T23:59:59Z */
    assert_int_equal(open_over(&h, "one:\n  not: [{match: {u: svc}, owner: me, reason: known, "
                                   "end: 2001-01-01}]\n"),
                     STATUS_OK);
    h.record.journal_us = end_us;
    assert_false(harness_match_json(&h, TEXT("{\"a\":1,\"u\":\"svc\"}")));
    h.record.journal_us = end_us + 1;
    assert_true(harness_match_json(&h, TEXT("{\"a\":1,\"u\":\"svc\"}")));
    harness_close(&h);
}

static void test_explain_shows_the_exception(void **state)
{
    (void)state;
    struct harness h;
    struct buffer out;
    buffer_init(&out, 1 << 20);
    assert_int_equal(open_over(&h, "one:\n  not: {match: {u: svc}, owner: me, reason: known, "
                                   "end: 2999-01-01}\n"),
                     STATUS_OK);
    assert_false(harness_match_json(&h, TEXT("{\"a\":1,\"u\":\"svc\"}")));
    matcher_explain(h.matcher, &h.event, NULL, &out);
    buffer_byte(&out, 0);
    assert_non_null(strstr(out.at, "\"name\":\"exception: known\",\"matched\":true"));
    assert_non_null(strstr(out.at, "(journal time)"));
    buffer_fini(&out);
    harness_close(&h);
}

static void hashes_of(const char *overrides, struct hash128 *out_content, struct hash128 *out_all)
{
    struct harness h;
    uint32_t count = 0;
    assert_int_equal(open_over(&h, overrides), STATUS_OK);
    *out_content = ruleset_correlations(h.ruleset, &count)[0].rule->content;
    *out_all = ruleset_hash(h.ruleset);
    harness_close(&h);
}

/* What changes by the day decides anew, but windows live on. */
static void test_exceptions_keep_windows(void **state)
{
    (void)state;
    struct hash128 content[2], all[2];
    hashes_of("{}\n", &content[0], &all[0]);
    hashes_of("one: {not: {match: {u: svc}, owner: me, reason: r, end: 2999-01-01}}\n", &content[1],
              &all[1]);
    assert_true(hash_equal(content[0], content[1]));
    assert_false(hash_equal(all[0], all[1]));
}

#define PAIR                                                                                       \
    "title: A\nname: a\nlogsource: {category: test}\ndetection: {s: {a: 1}, condition: s}\n---\n"  \
    "title: B\nname: b\nlogsource: {category: test}\ndetection: {s: {b: 1}, condition: s}\n---\n"  \
    "title: C\nname: c\ncorrelation: {type: event_count, rules: [a, b], timespan: 1m, "            \
    "group-by: [who], aliases: {who: {a: u, b: user}}, condition: {gte: 2}}\n---\n"                \
    "title: D\nname: d\ncorrelation: {type: event_count, rules: [a, b], timespan: 1m, "            \
    "group-by: [who], aliases: {who: {a: u, b: user}}, condition: {gte: 2}}\n"

static enum status open_pair(struct harness *h, const char *overrides)
{
    char path[64];
    harness_write(path, overrides);
    enum status status = harness_open_with(h, PAIR, (struct ruleset_options){.overrides = path});
    (void)unlink(path);
    return status;
}

/* Which of C (1) and D (2) is told of an event. */
static unsigned told(struct harness *h, struct text json)
{
    unsigned which = 0;
    (void)harness_match_json(h, json);
    for (uint32_t i = 0; i < h->result.feed_count; i++)
        which |= 1u << h->result.feeds[i].correlation->index;
    return which;
}

/* An exception of a correlation: by its group, whatever a rule calls that, by any field of its
 * rules' events; for it alone, and until it ends. */
static const struct excepted {
    const char *name, *match, *event;
    unsigned told;
} excepted[] = {
    {"excepted: the group, first rule", "{who: svc}", "{\"a\":1,\"u\":\"SVC\"}", 2},
    {"excepted: the group, second rule", "{who: svc}", "{\"b\":1,\"user\":\"svc\"}", 2},
    {"excepted: another group", "{who: svc}", "{\"a\":1,\"u\":\"bob\"}", 3},
    {"excepted: the group by a modifier", "{who|startswith: sv}", "{\"b\":1,\"user\":\"svc\"}", 2},
    {"excepted: a list of groups", "{who: [bob, svc]}", "{\"a\":1,\"u\":\"bob\"}", 2},
    {"excepted: a field of the event", "{host: h1}", "{\"a\":1,\"u\":\"bob\",\"host\":\"h1\"}", 2},
    {"excepted: a field that differs", "{host: h1}", "{\"a\":1,\"u\":\"bob\",\"host\":\"h2\"}", 3},
    {"excepted: group and field", "{who: svc, host: h1}", "{\"a\":1,\"u\":\"svc\",\"host\":\"h2\"}",
     3},
    {"excepted: one of two", "[{who: svc}, {host: h1}]",
     "{\"b\":1,\"user\":\"bob\",\"host\":\"h1\"}", 2},
    {"excepted: the rule's own field of that name", "{u: svc}", "{\"a\":1,\"u\":\"svc\"}", 2},
};

static void test_excepted(void **state)
{
    const struct excepted *row = *state;
    struct harness h;
    char overrides[256];
    const int64_t end_us = INT64_C(978393599000000); /* 2001-01-01T23:59:59Z */
    (void)snprintf(overrides, sizeof overrides,
                   "c: {not: {match: %s, owner: me, reason: known, end: 2001-01-01}}\n",
                   row->match);
    assert_int_equal(open_pair(&h, overrides), STATUS_OK);
    assert_string_equal(h.messages, "");
    h.record.journal_us = end_us;
    assert_int_equal(told(&h, text_of(row->event)), row->told);
    h.record.journal_us = end_us + 1;
    assert_int_equal(told(&h, text_of(row->event)), 3);
    harness_close(&h);
}

static void test_explain_shows_the_excepted(void **state)
{
    (void)state;
    struct harness h;
    struct buffer out;
    buffer_init(&out, 1 << 20);
    assert_int_equal(
        open_pair(&h, "c: {not: {match: {who: svc}, owner: me, reason: r, end: 2999-01-01}}\n"),
        STATUS_OK);
    assert_int_equal(told(&h, TEXT("{\"a\":1,\"u\":\"svc\"}")), 2);
    matcher_explain(h.matcher, &h.event, NULL, &out);
    buffer_byte(&out, 0);
    assert_non_null(strstr(out.at, "\"withheld_from\":[\"C\"]"));
    buffer_fini(&out);
    harness_close(&h);
}

static void test_excepted_keeps_windows(void **state)
{
    (void)state;
    static const char *const overrides[] = {
        "{}\n", "c: {not: {match: {who: svc}, owner: me, reason: r, end: 2999-01-01}}\n"};
    struct hash128 content[2], all[2];
    for (size_t i = 0; i < 2; i++) {
        struct harness h;
        uint32_t count = 0;
        assert_int_equal(open_pair(&h, overrides[i]), STATUS_OK);
        content[i] = ruleset_correlations(h.ruleset, &count)[0].rule->content;
        all[i] = ruleset_hash(h.ruleset);
        harness_close(&h);
    }
    assert_true(hash_equal(content[0], content[1]));
    assert_false(hash_equal(all[0], all[1]));
}

/* What counts correlations sees no event: refused by name. */
static void test_excepted_chain(void **state)
{
    (void)state;
    char path[64];
    struct harness h;
    harness_write(path, "e: {not: {match: {who: x}, owner: me, reason: r, end: 2999-01-01}}\n");
    assert_int_equal(
        harness_open_with(&h,
                          PAIR "---\ntitle: E\nname: e\ncorrelation: {type: temporal, rules: [c, "
                               "d], timespan: 1m, group-by: [who]}\n",
                          (struct ruleset_options){.overrides = path}),
        STATUS_OK);
    assert_string_equal(h.messages, "override:1 ");
    assert_non_null(strstr(h.first, "counts correlations"));
    (void)unlink(path);
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
        "two: {not: {match: {u: x}, owner: me, reason: r}}\n", /* of a correlation: the same */
        "two: {not: {match: {u: x}, owner: me, reason: r, end: soon}}\n",
        "two: {not: {match: {u|contians: x}, owner: me, reason: r, end: 2999-01-01}}\n",
        "two: {not: {owner: me, reason: r, end: 2999-01-01}}\n",
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
    (void)fputs("# who may\nroot\n\n  alice \n10.0.0.0/8\n*svc\n", f);
    (void)fclose(f);
    assert_int_equal(
        harness_open_with(&h,
                          "title: A\nlogsource: {category: test}\ndetection:\n  s:\n"
                          "    u|expand: ['%Admins%', '\\%none\\%']\n  condition: s\n---\n"
                          "title: B\nlogsource: {category: test}\ndetection:\n  s:\n"
                          "    c|expand|contains: ' --user=%admins% '\n  condition: s\n---\n"
                          "title: C\nlogsource: {category: test}\ndetection:\n  s:\n"
                          "    p|expand: 'C:\\Users\\%admins%\\Temp'\n  condition: s\n---\n"
                          "title: D\nlogsource: {category: test}\ndetection:\n  s:\n"
                          "    d|expand: 'D:\\\\%admins%\\\\%admins%\\%'\n  condition: s\n",
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
    /* inside a longer value, behind the backslash of a path */
    assert_true(harness_match_json(&h, TEXT("{\"p\":\"C:\\\\Users\\\\alice\\\\Temp\"}")));
    assert_true(harness_match_json(&h, TEXT("{\"p\":\"C:\\\\Users\\\\my-svc\\\\Temp\"}")));
    assert_false(harness_match_json(&h, TEXT("{\"p\":\"C:\\\\Users\\\\bob\\\\Temp\"}")));
    assert_false(harness_match_json(&h, TEXT("{\"p\":\"C:\\\\Users%admins%\\\\Temp\"}")));
    assert_true(harness_match_json(&h, TEXT("{\"d\":\"D:\\\\root\\\\alice%\"}")));
    assert_false(harness_match_json(&h, TEXT("{\"d\":\"D:\\\\root\\\\bob%\"}")));
    harness_close(&h);
    (void)unlink(path);
    (void)rmdir(folder);
}

static void put_list(const char *path, const char *text)
{
    FILE *f = fopen(path, "w");
    assert_non_null(f);
    (void)fputs(text, f);
    (void)fclose(f);
}

static void test_lists_keep_windows(void **state)
{
    (void)state;
    char folder[] = "/tmp/tocsin-lists-XXXXXX";
    char path[128];
    struct hash128 content[2], all[2];
    static const char *const values[] = {"root\n", "\xef\xbb\xbfroot\r\nalice\n"};
    assert_non_null(mkdtemp(folder));
    (void)snprintf(path, sizeof path, "%s/admins.txt", folder);
    for (size_t i = 0; i < 2; i++) {
        struct harness h;
        uint32_t count = 0;
        put_list(path, values[i]);
        assert_int_equal(
            harness_open_with(&h,
                              "title: A\nname: one\nlogsource: {category: test}\ndetection:\n"
                              "  s:\n    u|expand: '%admins%'\n  condition: s\n---\n"
                              "title: C\ncorrelation: {type: event_count, rules: [one], "
                              "timespan: 1m, condition: {gte: 2}, generate: true}\n",
                              (struct ruleset_options){.lists = folder}),
            STATUS_OK);
        assert_true(harness_match_json(&h, TEXT("{\"u\":\"root\"}")));
        assert_int_equal(harness_match_json(&h, TEXT("{\"u\":\"alice\"}")), i == 1);
        content[i] = ruleset_correlations(h.ruleset, &count)[0].rule->content;
        all[i] = ruleset_hash(h.ruleset);
        harness_close(&h);
    }
    assert_true(hash_equal(content[0], content[1]));
    assert_false(hash_equal(all[0], all[1]));
    (void)unlink(path);
    (void)rmdir(folder);
}

int main(void)
{
    enum { ROWS = sizeof excepted / sizeof *excepted };
    struct CMUnitTest rows[ROWS];
    for (size_t i = 0; i < ROWS; i++)
        rows[i] = ROW(test_excepted, &excepted[i]);
    int failed = _cmocka_run_group_tests("test_excepted", rows, ROWS, NULL, NULL);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_explain_shows_the_excepted),
        cmocka_unit_test(test_excepted_keeps_windows),
        cmocka_unit_test(test_excepted_chain),
        cmocka_unit_test(test_changes_a_rule),
        cmocka_unit_test(test_switches_off),
        cmocka_unit_test(test_exception_leaves_out),
        cmocka_unit_test(test_exception_ends),
        cmocka_unit_test(test_mistakes_are_told),
        cmocka_unit_test(test_lists_fill_placeholders),
        cmocka_unit_test(test_explain_shows_the_exception),
        cmocka_unit_test(test_exceptions_keep_windows),
        cmocka_unit_test(test_lists_keep_windows),
    };
    return failed + cmocka_run_group_tests_name("test_override", tests, NULL, NULL);
}
