/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/rules/harness.h"

/* Warnings and hints of `check`: one row each, and a rule that has none. */

#define HEAD "title: t\nlogsource: {category: test}\n"
#define BASE                                                                                       \
    "title: a\nname: a\nlogsource: {category: test}\ndetection: {s: {x: 1}, condition: s}\n---\n"

static const struct row {
    const char *name, *yaml, *want; /* "code:line" that must be among the findings */
} rows[] = {
    {"unused selection", HEAD "detection:\n  s: {f: a}\n  t: {g: b}\n  condition: s\n",
     "unused-selection:5"},
    {"a slip of the pen", HEAD "levle: high\ndetection: {s: {f: abcd}, condition: s}\n",
     "unknown-key:3"},
    {"never: a value and its opposite", HEAD "detection:\n  s: {f: a}\n  condition: s and not s\n",
     "never-true:5"},
    {"always: a value or its opposite", HEAD "detection:\n  s: {f: a}\n  condition: s or not s\n",
     "always-true:5"},
    {"never: two values of one field",
     HEAD "detection:\n  s: {f: abc}\n  t: {f: xyz}\n  condition: s and t\n", "never-matches:6"},
    {"never: an empty range", HEAD "detection:\n  s:\n    f|lt: 5\n    f|gt: 9\n  condition: s\n",
     "never-matches:4"},
    {"never: less and at least the same",
     HEAD "detection:\n  s:\n    f|lt: 5\n    f|gte: 5\n  condition: s\n", "never-matches:4"},
    {"never: a map and its opposite",
     HEAD "detection:\n  s: {f: a, g: b}\n  condition: s and not s\n", "never-true:5"},
    {"always: a map or its opposite",
     HEAD "detection:\n  s: {f: a, g: b}\n  condition: s or not s\n", "always-true:5"},
    {"never: not there, but a value",
     HEAD "detection:\n  s: {f: a}\n  t: {f|exists: false}\n  condition: s and t\n",
     "never-true:6"},
    {"never: null and a value",
     HEAD "detection:\n  s: {f: a}\n  t: {f: null}\n  condition: s and t\n", "never-matches:6"},
    {"never: equal, but starting otherwise",
     HEAD "detection:\n  s:\n    f: abc\n    f|startswith: x\n  condition: s\n", "never-matches:4"},
    {"never: one of a list, but another",
     HEAD "detection:\n  s: {f: [x, y, z]}\n  t: {f: w}\n  condition: s and t\n",
     "never-matches:6"},
    {"never: all of two values", HEAD "detection:\n  s:\n    f|all: [a, b]\n  condition: s\n",
     "never-matches:4"},
    {"never: neq of what it is",
     HEAD "detection:\n  s: {f|neq: A}\n  t: {f: a}\n  condition: s and t\n", "never-true:6"},
    {"never: an address outside",
     HEAD "detection:\n  s:\n    f|cidr: 10.0.0.0/8\n    f: 192.0.2.1\n  condition: s\n",
     "never-matches:4"},
    {"never: two networks",
     HEAD "detection:\n  s:\n    f|cidr|all: [10.0.0.0/8, 192.0.2.0/24]\n  condition: s\n",
     "never-matches:4"},
    {"never: the end of what is left out",
     HEAD
     "detection:\n  s: {f|endswith: a.exe}\n  t: {f|endswith: .exe}\n  condition: s and not t\n",
     "never-true:6"},
    {"never: the 13th month", HEAD "detection:\n  s: {f|month: 13}\n  condition: s\n",
     "never-true:4"},
    {"never: a minute above", HEAD "detection:\n  s: {f|minute|gte: 60}\n  condition: s\n",
     "never-true:4"},
    {"a dead value in a list", HEAD "detection:\n  s:\n    f|month: [12, 13]\n  condition: s\n",
     "dead-value:4"},
    {"a value that the rest leaves out",
     HEAD "detection:\n  s:\n    f|endswith: [a.exe, b.dll]\n  t: {f|endswith: .dll}\n  condition: "
          "s and not t\n",
     "dead-value:5"},
    {"a regex with its end inside",
     HEAD "detection:\n  s:\n    f|re: 'abcd$efgh'\n  condition: s\n", "dead-value:5"},
    {"a field is enough", HEAD "detection:\n  s: {f: '*'}\n  condition: s\n",
     "every-event-with-field:4"},
    {"duplicate, written otherwise",
     "id: 1\n" HEAD "detection: {s: {f: '*ABCD', g: [x, y, z]}, condition: s}\n---\nid: 2\n" HEAD
     "detection: {t: {g: [z, y, x], f|endswith: abcd}, condition: t}\n",
     "duplicate-rule:9"},
    {"rule without entity", HEAD "detection: {s: {f: abcd}, condition: s}\n", "missing-entity:2"},
    {"a chain waits longer",
     BASE "title: c\nname: c\ncorrelation: {type: event_count, rules: [a], timespan: 1m, "
          "condition: {gte: 2}}\ntocsin: {lateness: 1s}\n---\ntitle: d\ncorrelation: {type: "
          "event_count, rules: [c], timespan: 1m, condition: {gte: 2}}\ntocsin: {lateness: 9s}\n",
     "chain-lateness:"},
    {"every event", HEAD "detection:\n  s: {f: a}\n  condition: not s\n", "every-event:4"},
    {"plain regex", HEAD "detection:\n  s:\n    f|re: '^abc.*def$'\n  condition: s\n",
     "plain-regex:5"},
    {"all alone", HEAD "detection:\n  s:\n    f|contains|all: abcd\n  condition: s\n",
     "all-alone:5"},
    {"broad log source",
     "title: t\nlogsource: {definition: x}\ndetection: {s: {f: abcd}, condition: s}\n",
     "broad-logsource:2"},
    {"a regex that explodes", HEAD "detection:\n  s: {f|re: '(a+)+$'}\n  condition: s\n",
     "exploding-regex:4"},
    {"a regex that explodes behind a word",
     HEAD "detection:\n  s: {f|re: 'user=(\\w+\\s?)*end'}\n  condition: s\n", "exploding-regex:4"},
    {"a regex that explodes by branches",
     HEAD "detection:\n  s: {f|re: '(?:x|x)*y'}\n  condition: s\n", "exploding-regex:4"},
    {"a regex that explodes by a group in a group",
     HEAD "detection:\n  s: {f|re: '^(([a-z])+.)+[A-Z]([a-z])+$'}\n  condition: s\n",
     "exploding-regex:4"},
    {"a regex that explodes by a class that leaves out",
     HEAD "detection:\n  s: {f|re: '([^,]+)*;'}\n  condition: s\n", "exploding-regex:4"},
    {"a regex that explodes by a count",
     HEAD "detection:\n  s: {f|re: '(a|ab?){20}z'}\n  condition: s\n", "exploding-regex:4"},
    {"unrouted log source", HEAD "detection: {s: {f: abcd}, condition: s}\n",
     "unrouted-logsource:2"},
    {"duplicate rule",
     "id: 1\n" HEAD "detection: {s: {f: a}, condition: s}\n---\nid: 2\n" HEAD
     "detection: {s: {f: a}, condition: s}\n",
     "duplicate-rule:9"},
    {"correlation without entity",
     BASE "title: c\ncorrelation: {type: event_count, rules: [a], timespan: 1m, "
          "condition: {gte: 2}}\n",
     "missing-entity:7"},
    {"correlation by something without a kind",
     BASE "title: c\ncorrelation: {type: event_count, rules: [a], group-by: [u], timespan: 1m, "
          "condition: {gte: 2}}\n",
     "missing-entity:7"},
    {"lt holds at the first event",
     BASE "title: c\ncorrelation: {type: event_count, rules: [a], group-by: [u], timespan: 1m, "
          "condition: {lt: 2}}\n",
     "holds-at-first:7"},
    {"eq 0 without absence",
     BASE "title: c\ncorrelation: {type: event_count, rules: [a], group-by: [u], timespan: 1m, "
          "condition: {eq: 0}}\n",
     "never-true:7"},
    {"a range of nothing",
     BASE "title: c\ncorrelation: {rules: [a], group-by: [u], timespan: 1m, type: event_count, "
          "condition: {gt: 9, lt: 3}}\n",
     "never-true:7"},
    {"no whole number between",
     BASE "title: c\ncorrelation: {rules: [a], group-by: [u], timespan: 1m, type: event_count, "
          "condition: {gt: 2, lt: 3}}\n",
     "never-true:7"},
    {"half an event",
     BASE "title: c\ncorrelation: {rules: [a], group-by: [u], timespan: 1m, type: event_count, "
          "condition: {eq: 1.5}}\n",
     "never-true:7"},
    {"any count",
     BASE "title: c\ncorrelation: {rules: [a], group-by: [u], timespan: 1m, type: event_count, "
          "condition: {gte: 0}}\n",
     "always-true:7"},
    {"a sum's range of nothing",
     BASE "title: c\ncorrelation: {rules: [a], group-by: [u], timespan: 1m, type: value_sum, "
          "condition: {field: v, gt: 9, lt: 3}}\n",
     "never-true:7"},
    {"an expression and its opposite",
     BASE "title: c\ncorrelation: {rules: [a], group-by: [u], timespan: 1m, type: temporal, "
          "condition: a and not a}\n",
     "never-true:7"},
    {"an expression of nothing",
     BASE "title: c\ncorrelation: {rules: [a], group-by: [u], timespan: 1m, type: temporal, "
          "condition: not a}\n",
     "always-true:7"},
    {"temporal of one",
     BASE "title: c\ncorrelation: {rules: [a], group-by: [u], timespan: 1m, type: temporal}\n",
     "single-rule:7"},
    {"an alias of nobody",
     BASE "title: c\ncorrelation: {rules: [a], group-by: [u], timespan: 1m, type: event_count, "
          "condition: {gte: 2}, aliases: {x: {a: y}}}\n",
     "unused-alias:7"},
    {"an alias of some",
     BASE "title: c\ncorrelation: {rules: [a], group-by: [u], timespan: 1m, type: event_count, "
          "condition: {gte: 2}, aliases: {u: {}}}\n",
     "partial-alias:7"},
    {"a rule twice",
     BASE "title: c\ncorrelation: {type: event_count, rules: [a, a], group-by: [u], timespan: 1m, "
          "condition: {gte: 2}}\n",
     "duplicate-reference:7"},
    {"a rule that the expression leaves out",
     BASE
     "title: b\nname: b\nlogsource: {category: test}\ndetection: {s: {x: 2}, condition: s}\n"
     "---\ntitle: c\ncorrelation: {type: temporal, rules: [a, b], group-by: [u], timespan: 1m, "
     "condition: a}\n",
     "unused-rule:12"},
    {"meaning elsewhere",
     BASE "title: c\ntocsin: {fire: consume}\ncorrelation: {type: event_count, rules: [a], "
          "group-by: [u], timespan: 1m, condition: {gte: 2}}\n",
     "tocsin-meaning:"},
    {"filter reads the other way",
     BASE "title: f\nlogsource: {category: test}\nfilter: {rules: [a], s: {u: x}, "
          "condition: not s}\n",
     "filter-mode:"},
    {"filter for nobody",
     BASE "title: f\nlogsource: {category: test}\nfilter: {rules: [z], s: {u: x}, condition: s}\n",
     "unknown-rule:"},
    {"filter of another log source",
     BASE "title: f\nlogsource: {category: other}\nfilter: {rules: [a], s: {u: x}, condition: s}\n",
     "filter-logsource:"},
};

static void test_is_told(void **state)
{
    const struct row *row = *state;
    struct harness h;
    assert_int_equal(harness_open_with(&h, row->yaml, (struct ruleset_options){.has_lints = true}),
                     STATUS_OK);
    if (!strstr(h.messages, row->want))
        fail_msg("want '%s', was told '%s'", row->want, h.messages);
    const struct ruleset_summary *s = ruleset_get_summary(h.ruleset);
    assert_int_equal(s->errors, 0);
    assert_true(s->warnings + s->hints > 0);
    harness_close(&h);
}

/* What is right is not told: each of these looks a little like one above. */
static const struct row fine[] = {
    {"two ways",
     HEAD "tocsin: {entity: [{field: f, kind: host}]}\ndetection:\n  s: {f: abcd}\n"
          "  t: {f: efgh}\n  condition: s or t\n",
     "unrouted-logsource:2 "},
    {"a range",
     HEAD "tocsin: {entity: [{field: f, kind: host}]}\ndetection:\n  s:\n    f|gt: 5\n"
          "    f|lt: 9\n    g: abcd\n  condition: s\n",
     "unrouted-logsource:2 "},
    {"an exception",
     HEAD "tocsin: {entity: [{field: f, kind: host}]}\ndetection:\n"
          "  s: {f|endswith: .exe}\n  t: {f|endswith: a.exe}\n"
          "  condition: s and not t\n",
     "unrouted-logsource:2 "},
    {"case",
     HEAD "tocsin: {entity: [{field: f, kind: host}]}\ndetection:\n  s: {f|cased: Abcd}\n"
          "  t: {f: abcd}\n  condition: s and t\n",
     "unrouted-logsource:2 "},
    {"a list's parts",
     HEAD "tocsin: {entity: [{field: f, kind: host}]}\ndetection:\n  s:\n"
          "    f|contains|all: [abcd, efgh]\n  condition: s\n",
     "unrouted-logsource:2 "},
    {"regexes that repeat and do not explode",
     HEAD "tocsin: {entity: [{field: f, kind: host}]}\ndetection:\n  s:\n"
          "    f|re:\n      - '(a+b)+cdef'\n      - '(?>a+)+bcde'\n      - '(\\.[a-z]+)+$'\n"
          "      - '(\\d{1,3}\\.){3}\\d{1,3}'\n      - '(a++)+bcde'\n      - '[(a+)+]{3}bcde'\n"
          "      - '\\(a+\\)+bcde'\n  condition: s\n",
     "unrouted-logsource:2 every-event-with-field:5 "},
    {"a regex with an escaped dollar",
     HEAD "tocsin: {entity: [{field: f, kind: host}]}\ndetection:\n  s:\n"
          "    f|re: 'abcd\\$e[fg]h'\n  condition: s\n",
     "unrouted-logsource:2 "},
};

static void test_is_not_told(void **state)
{
    const struct row *row = *state;
    struct harness h;
    assert_int_equal(harness_open_with(&h, row->yaml, (struct ruleset_options){.has_lints = true}),
                     STATUS_OK);
    assert_string_equal(h.messages, row->want);
    harness_close(&h);
}

static void test_silent_without_lints(void **state)
{
    const struct row *row = *state;
    struct harness h;
    assert_int_equal(harness_open(&h, row->yaml), STATUS_OK);
    assert_string_equal(h.messages, "");
    harness_close(&h);
}

int main(void)
{
    enum { COUNT = sizeof rows / sizeof *rows, FINE = sizeof fine / sizeof *fine };
    struct CMUnitTest tests[2 * COUNT + FINE];
    size_t n = 0;
    for (size_t i = 0; i < FINE; i++)
        tests[n++] = ROW(test_is_not_told, &fine[i]);
    for (size_t i = 0; i < COUNT; i++) {
        tests[n++] = ROW(test_is_told, &rows[i]);
        tests[n++] = ROW(test_silent_without_lints, &rows[i]);
    }
    return _cmocka_run_group_tests("test_lint", tests, n, NULL, NULL);
}
