/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/rules/harness.h"

/* What is refused, by which code and in which line: a rule is never skipped in silence. */

#define HEAD "title: t\nlogsource: {category: test}\n"
#define TWO                                                                                        \
    "title: a\nname: a\nlogsource: {category: test}\ndetection: {s: {x: 1}, condition: s}\n---\n"  \
    "title: b\nname: b\nlogsource: {category: test}\ndetection: {s: {x: 2}, condition: s}\n---\n"
#define RELATION(body) TWO "title: c\ncorrelation:\n" body

static const struct row {
    const char *name, *yaml, *want; /* "code:line", or "" for none */
} rows[] = {
    {"fine", HEAD "detection: {s: {f: a}, condition: s}\n", ""},
    {"no yaml", "title: [\n", "bad-yaml:"},
    {"no rule", "hello: world\n", "unknown-document:1"},
    {"no mapping", "- a\n", "unknown-document:1"},
    {"no title", "logsource: {category: test}\ndetection: {s: {f: a}, condition: s}\n",
     "missing-title:1"},
    {"no logsource", "title: t\ndetection: {s: {f: a}, condition: s}\n", "missing-logsource:"},
    {"a logsource of one's own",
     "title: t\nlogsource: {category: test, tenant: x}\ndetection: {s: {f: a}, condition: s}\n",
     "unknown-key:2"},
    {"no condition", HEAD "detection: {s: {f: a}}\n", "missing-condition:3"},
    {"absence of a plain rule",
     HEAD "detection: {s: {f: a}, condition: s}\ntocsin: {absence: true}\n", "bad-absence:4"},
    {"unknown modifier", HEAD "detection:\n  s:\n    f|contain: a\n  condition: s\n",
     "unknown-modifier:5"},
    {"two places", HEAD "detection:\n  s:\n    f|contains|endswith: a\n  condition: s\n",
     "modifier-conflict:5"},
    {"flag before re", HEAD "detection:\n  s:\n    f|i|re: a\n  condition: s\n",
     "modifier-conflict:5"},
    {"exists with contains", HEAD "detection:\n  s:\n    f|exists|contains: a\n  condition: s\n",
     "modifier-conflict:5"},
    {"exists wants a boolean", HEAD "detection:\n  s:\n    f|exists: yes\n  condition: s\n",
     "bad-value:5"},
    {"bad regex", HEAD "detection:\n  s:\n    f|re: '('\n  condition: s\n", "bad-regex:5"},
    {"bad network", HEAD "detection:\n  s:\n    f|cidr: 10.0.0.0/33\n  condition: s\n",
     "bad-network:5"},
    {"lt wants a number", HEAD "detection:\n  s:\n    f|lt: a\n  condition: s\n", "bad-value:5"},
    {"null keyword", HEAD "detection:\n  s:\n    - null\n  condition: s\n", "bad-value:5"},
    {"null with contains", HEAD "detection:\n  s:\n    f|contains: null\n  condition: s\n",
     "bad-value:5"},
    {"empty list", HEAD "detection:\n  s:\n    f: []\n  condition: s\n", "empty-list:5"},
    {"empty selection", HEAD "detection:\n  s: {}\n  condition: s\n", "empty-selection:4"},
    {"nested mapping", HEAD "detection:\n  s:\n    f: {g: 1}\n  condition: s\n", "bad-value:5"},
    {"encoded wildcard", HEAD "detection:\n  s:\n    f|base64: a*\n  condition: s\n",
     "modifier-conflict:5"},
    {"unresolved placeholder inside a longer value",
     HEAD "detection:\n  s:\n    f|expand: 'C:\\Users\\%user_names%\\Temp'\n  condition: s\n",
     "unresolved-placeholder:5"},
    {"unresolved placeholder without its end",
     HEAD "detection:\n  s:\n    f|expand: 'C:\\Users\\\\%user_names'\n  condition: s\n",
     "unresolved-placeholder:5"},
    {"an escaped percent sign",
     HEAD "detection:\n  s:\n    f|expand: '\\%none\\% 5\\%'\n  condition: s\n", ""},
    {"unresolved placeholder", HEAD "detection:\n  s:\n    f|expand: '%x%'\n  condition: s\n",
     "unresolved-placeholder:5"},
    {"unknown selection", HEAD "detection:\n  s: {f: a}\n  condition: sel\n",
     "unknown-selection:5"},
    {"no selection like it", HEAD "detection:\n  s: {f: a}\n  condition: 1 of x*\n",
     "unknown-selection:5"},
    {"a star alone", HEAD "detection:\n  s: {f: a}\n  condition: s*\n", "bad-condition:5"},
    {"open parenthesis", HEAD "detection:\n  s: {f: a}\n  condition: (s\n", "bad-condition:5"},
    {"nothing behind and", HEAD "detection:\n  s: {f: a}\n  condition: s and\n", "bad-condition:5"},
    {"two selections", HEAD "detection:\n  s: {f: a}\n  condition: s s\n", "bad-condition:5"},
    {"aggregation", HEAD "detection:\n  s: {f: a}\n  condition: s | count() > 5\n",
     "aggregation:5"},
    {"timeframe", HEAD "detection:\n  s: {f: a}\n  timeframe: 5m\n  condition: s\n",
     "aggregation:5"},
    {"bad level", HEAD "level: hihg\ndetection: {s: {f: a}, condition: s}\n", "bad-level:3"},
    {"bad status", HEAD "status: new\ndetection: {s: {f: a}, condition: s}\n", "bad-status:3"},
    {"unknown tocsin key", HEAD "tocsin:\n  familly: x\ndetection: {s: {f: a}, condition: s}\n",
     "tocsin-key:4"},
    {"bad entity kind",
     HEAD "tocsin:\n  entity: [{field: a, kind: person}]\ndetection: {s: {f: a}, condition: s}\n",
     "tocsin-key:4"},
    {"bad confidence", HEAD "tocsin:\n  confidence: 2\ndetection: {s: {f: a}, condition: s}\n",
     "tocsin-key:4"},
    {"bad breaker", HEAD "tocsin:\n  max_entities: many\ndetection: {s: {f: a}, condition: s}\n",
     "tocsin-key:4"},
    {"duplicate id",
     "id: 1\n" HEAD "detection: {s: {f: a}, condition: s}\n---\nid: 1\n" HEAD
     "detection: {s: {f: a}, condition: s}\n",
     "duplicate-id:6"},
    {"one id of a global document for two rules",
     "action: global\n" HEAD "id: 1\nname: one\ndetection: {s: {f: a}, condition: s}\n---\n"
     "action: repeat\nlogsource: {category: test-1}\n---\n"
     "action: repeat\nlogsource: {category: test-2}\n",
     ""},
    {"an id written twice below a global document",
     "action: global\n" HEAD "---\nid: 1\ndetection: {s: {f: a}, condition: s}\n---\n"
     "id: 1\ndetection: {s: {f: b}, condition: s}\n",
     "duplicate-id:8"},
    {"duplicate key", HEAD "detection:\n  s: {f: a}\n  s: {f: b}\n  condition: s\n", "bad-yaml:"},
    {"bad action", "action: jump\n" HEAD "detection: {s: {f: a}, condition: s}\n", "bad-value:1"},
    {"correlation: fine",
     RELATION("  type: event_count\n  rules: [a]\n  group-by: [u]\n  timespan: 1m\n"
              "  condition: {gte: 3}\n"),
     ""},
    {"correlation: unknown rule",
     RELATION("  type: event_count\n  rules: [z]\n  timespan: 1m\n  condition: {gte: 3}\n"),
     "unknown-rule:"},
    {"correlation: unknown type",
     RELATION("  type: event_cuont\n  rules: [a]\n  timespan: 1m\n  condition: {gte: 3}\n"),
     "bad-type:13"},
    {"correlation: unknown key",
     RELATION("  type: event_count\n  rule: [a]\n  timespan: 1m\n  condition: {gte: 3}\n"),
     "unknown-key:14"},
    {"correlation: bad timespan",
     RELATION("  type: event_count\n  rules: [a]\n  timespan: 1 minute\n  condition: {gte: 3}\n"),
     "bad-timespan:15"},
    {"correlation: milliseconds",
     RELATION("  type: event_count\n  rules: [a]\n  timespan: 10ms\n  condition: {gte: 3}\n"),
     "bad-timespan:15"},
    {"correlation: no condition", RELATION("  type: event_count\n  rules: [a]\n  timespan: 1m\n"),
     "bad-condition:"},
    {"correlation: no field",
     RELATION("  type: value_count\n  rules: [a]\n  timespan: 1m\n  condition: {gte: 3}\n"),
     "bad-condition:16"},
    {"correlation: three bounds",
     RELATION("  type: event_count\n  rules: [a]\n  timespan: 1m\n"
              "  condition: {gte: 3, lt: 9, neq: 5}\n"),
     "bad-condition:16"},
    {"correlation: expression for a count",
     RELATION("  type: event_count\n  rules: [a]\n  timespan: 1m\n  condition: a and b\n"),
     "bad-condition:16"},
    {"correlation: expression names a stranger",
     RELATION("  type: temporal\n  rules: [a, b]\n  timespan: 1m\n  condition: a and z\n"),
     "bad-condition:16"},
    {"correlation: rules by id, alias and expression by name",
     "id: 1\nname: a\n" HEAD "detection: {s: {f: a}, condition: s}\n---\n"
     "id: 2\nname: b\n" HEAD "detection: {s: {f: b}, condition: s}\n---\n"
     "title: c\ncorrelation:\n  type: temporal\n  rules: [1, 2]\n  timespan: 1m\n"
     "  group-by: [ip]\n  condition: a and b\n  aliases: {ip: {a: src, b: src_ip}}\n",
     ""},
    {"correlation: rules by name, alias and expression by id",
     "id: 1\nname: a\n" HEAD "detection: {s: {f: a}, condition: s}\n---\n"
     "id: 2\nname: b\n" HEAD "detection: {s: {f: b}, condition: s}\n---\n"
     "title: c\ncorrelation:\n  type: temporal\n  rules: [a, b]\n  timespan: 1m\n"
     "  group-by: [ip]\n  condition: 1 and 2\n  aliases: {ip: {1: src, 2: src_ip}}\n",
     ""},
    {"correlation: alias of one rule by id and by name",
     "id: 1\nname: a\n" HEAD "detection: {s: {f: a}, condition: s}\n---\n"
     "title: c\ncorrelation:\n  type: event_count\n  rules: [a]\n  timespan: 1m\n"
     "  group-by: [ip]\n  condition: {gte: 2}\n  aliases: {ip: {1: src, a: src_ip}}\n",
     "bad-aliases:"},
    {"correlation: alias of a stranger",
     RELATION("  type: temporal\n  rules: [a, b]\n  timespan: 1m\n"
              "  aliases: {ip: {z: src}}\n"),
     "bad-aliases:16"},
    {"correlation: absence without eq 0",
     RELATION("  type: event_count\n  rules: [a]\n  timespan: 1m\n  condition: {gte: 3}\n"
              "tocsin: {absence: true}\n"),
     "bad-absence:"},
    {"correlation: itself",
     "title: c\nname: c\ncorrelation: {type: event_count, rules: [c], timespan: 1m, "
     "condition: {gte: 2}}\n",
     "cycle:"},
    {"filter: fine",
     TWO "title: f\nlogsource: {category: test}\nfilter: {rules: [a], s: {u: x}, condition: s}\n",
     ""},
    {"filter: no rules",
     TWO "title: f\nlogsource: {category: test}\nfilter: {s: {u: x}, condition: s}\n",
     "bad-filter:"},
    {"filter: unknown mode",
     TWO "title: f\nlogsource: {category: test}\nfilter: {rules: [a], s: {u: x}, condition: s}\n"
         "tocsin: {mode: or}\n",
     "tocsin-key:"},
};

static void test_is_told(void **state)
{
    const struct row *row = *state;
    struct harness h;
    assert_int_equal(harness_open(&h, row->yaml), STATUS_OK);
    if (row->want[0] ? !strstr(h.messages, row->want) : h.messages[0] != 0)
        fail_msg("want '%s', was told '%s' (%s)", row->want, h.messages, h.first);
    assert_int_equal(ruleset_get_summary(h.ruleset)->errors, row->want[0] ? 1 : 0);
    harness_close(&h);
}

/* With is_strict the same rules fail the load, and the first error comes back. */
static void test_strict_refuses(void **state)
{
    const struct row *row = *state;
    char path[64];
    struct error err = {.code = STATUS_OK};
    struct ruleset *r = NULL;
    harness_write(path, row->yaml);
    const char *paths[] = {path};
    const struct ruleset_options options = {.paths = paths, .path_count = 1, .is_strict = true};
    enum status status = ruleset_load(&options, &r, &err);
    (void)unlink(path);
    assert_int_equal(status, row->want[0] ? STATUS_INVALID : STATUS_OK);
    if (row->want[0])
        assert_non_null(strstr(err.text, path));
    assert_int_equal(r != NULL, !row->want[0]);
    ruleset_unref(r);
}

static void test_suggests(void **state)
{
    (void)state;
    struct harness h;
    assert_int_equal(
        harness_open(&h, HEAD "detection:\n  s:\n    f|startwith: a\n  condition: s\n"), STATUS_OK);
    assert_non_null(strstr(h.first, "did you mean 'startswith'?"));
    harness_close(&h);
}

/* What other languages call a comparison is told by its name here, not by like letters. */
static void test_suggests_comparisons(void **state)
{
    (void)state;
    static const char *const words[][2] = {{"ge", "gte"}, {"le", "lte"}, {">=", "gte"},
                                           {"ne", "neq"}, {"==", "eq"},  {"gtt", "gt"}};
    for (size_t i = 0; i < sizeof words / sizeof *words; i++) {
        char yaml[1024];
        char want[64];
        struct harness h;
        (void)snprintf(yaml, sizeof yaml,
                       RELATION("  type: event_count\n  rules: [a]\n  timespan: 1m\n"
                                "  condition: {'%s': 3}\n"),
                       words[i][0]);
        (void)snprintf(want, sizeof want, "did you mean '%s'?", words[i][1]);
        assert_int_equal(harness_open(&h, yaml), STATUS_OK);
        assert_non_null(strstr(h.first, want));
        harness_close(&h);
    }
}

/* A correlation's rules by id and its alias by name: each event is grouped by its own field. */
static void test_alias_by_the_other_label(void **state)
{
    (void)state;
    static const char *const labels[][4] = {{"1", "2", "a", "b"}, {"a", "b", "1", "2"}};
    for (size_t i = 0; i < 2; i++) {
        char yaml[2048];
        struct harness h;
        (void)snprintf(yaml, sizeof yaml,
                       "id: 1\nname: a\n" HEAD "detection: {s: {f: a}, condition: s}\n---\n"
                       "id: 2\nname: b\n" HEAD "detection: {s: {f: b}, condition: s}\n---\n"
                       "title: c\ncorrelation:\n  type: event_count\n  rules: [%s, %s]\n"
                       "  timespan: 1m\n  group-by: [who]\n  condition: {gte: 2}\n"
                       "  aliases: {who: {%s: TargetUserName, %s: User}}\n",
                       labels[i][0], labels[i][1], labels[i][2], labels[i][3]);
        assert_int_equal(harness_open(&h, yaml), STATUS_OK);
        (void)harness_match_json(&h, TEXT("{\"f\":\"a\",\"TargetUserName\":\"eve\"}"));
        assert_int_equal(h.result.feed_count, 1);
        struct hash128 key = h.result.feeds[0].key;
        (void)harness_match_json(&h, TEXT("{\"f\":\"b\",\"User\":\"eve\"}"));
        assert_int_equal(h.result.feed_count, 1);
        assert_int_equal(h.result.feeds[0].input, 1);
        assert_true(hash_equal(h.result.feeds[0].key, key));
        harness_close(&h);
    }
}

/* One rule in parts by `action`: each is a rule, and what names the whole means them all. */
static void test_parts_of_a_repeated_rule(void **state)
{
    (void)state;
    struct harness h;
    uint32_t count = 0;
    assert_int_equal(harness_open(&h, "action: global\ntitle: t\nid: one\nname: many\n"
                                      "detection: {s: {f: a}, condition: s}\n---\n"
                                      "action: repeat\nlogsource: {category: test-1}\n---\n"
                                      "action: repeat\nlogsource: {category: test-2}\n"
                                      "detection: {s: {g: b}}\n---\n"
                                      "action: reset\n---\n"
                                      "title: c\ncorrelation: {type: event_count, rules: [many], "
                                      "timespan: 1m, condition: {gte: 2}}\n"),
                     STATUS_OK);
    assert_string_equal(h.messages, "");
    const struct rule *const *rules = ruleset_rules(h.ruleset, &count);
    assert_int_equal(count, 3);
    assert_true(text_equal(rules[0]->id, TEXT("one")));
    assert_true(text_equal(rules[1]->id, TEXT("one.2")));
    assert_true(text_equal(rules[1]->name, TEXT("many.2")));
    (void)harness_match_json(&h, TEXT("{\"f\":\"a\"}"));
    assert_int_equal(h.result.feed_count, 1);
    (void)harness_match_json(&h, TEXT("{\"f\":\"a\",\"g\":\"b\"}"));
    assert_int_equal(h.result.feed_count, 2);
    harness_close(&h);
}

static enum status allow_few(const struct correlation *one, uint32_t count, struct error *err)
{
    assert_int_equal(count, 1);
    if (one->bounds[0].than <= 5 * FIXED_ONE)
        return STATUS_OK;
    return error_set(err, STATUS_LIMIT, one->rule->line, "more than five");
}

/* What the correlator cannot hold is refused by name, and the rest is loaded. */
static void test_correlator_may_refuse(void **state)
{
    (void)state;
    struct harness h;
    uint32_t count = 0;
    assert_int_equal(harness_open_with(
                         &h,
                         "title: a\nname: a\nlogsource: {category: test}\n"
                         "detection: {s: {f: 1}, condition: s}\n---\ntitle: five\ncorrelation: "
                         "{type: event_count, rules: [a], timespan: 1m, condition: {gte: 5}}\n---\n"
                         "title: six\ncorrelation: {type: event_count, rules: [a], timespan: 1m, "
                         "condition: {gte: 6}}\n",
                         (struct ruleset_options){.allows = allow_few}),
                     STATUS_OK);
    assert_string_equal(h.messages, "limit:10 ");
    assert_string_equal(h.first, "more than five");
    (void)ruleset_correlations(h.ruleset, &count);
    assert_int_equal(count, 1);
    harness_close(&h);
}

static void test_missing_path(void **state)
{
    (void)state;
    struct error err = {.code = STATUS_OK};
    struct ruleset *r = NULL;
    const char *paths[] = {"/nowhere/at/all"};
    const struct ruleset_options options = {.paths = paths, .path_count = 1};
    assert_int_equal(ruleset_load(&options, &r, &err), STATUS_IO);
    assert_null(r);
    assert_non_null(strstr(err.text, "/nowhere/at/all"));
}

int main(void)
{
    enum { COUNT = sizeof rows / sizeof *rows };
    struct CMUnitTest tests[2 * COUNT + 6];
    size_t n = 0;
    for (size_t i = 0; i < COUNT; i++) {
        tests[n++] = ROW(test_is_told, &rows[i]);
        tests[n++] = ROW(test_strict_refuses, &rows[i]);
    }
    tests[n++] = (struct CMUnitTest)cmocka_unit_test(test_suggests);
    tests[n++] = (struct CMUnitTest)cmocka_unit_test(test_suggests_comparisons);
    tests[n++] = (struct CMUnitTest)cmocka_unit_test(test_alias_by_the_other_label);
    tests[n++] = (struct CMUnitTest)cmocka_unit_test(test_parts_of_a_repeated_rule);
    tests[n++] = (struct CMUnitTest)cmocka_unit_test(test_missing_path);
    tests[n++] = (struct CMUnitTest)cmocka_unit_test(test_correlator_may_refuse);
    return _cmocka_run_group_tests("test_rule_errors", tests, n, NULL, NULL);
}
