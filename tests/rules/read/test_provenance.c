/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/rules/harness.h"

/* Windows live on where the content hash of their correlation stays: what is behind it, and what is
 * not. And one lateness for all links of a chain. */

#define DECODER(name, service, pattern)                                                            \
    "---\ndecoder: " name "\nprogram: " name "\nlogsource: {product: linux, service: " service     \
    "}\npatterns: [{name: p, pcre2: '" pattern "'}]\n"
#define MAPPING(name, product, field)                                                              \
    "---\nmapping: " name "\nwhen: {field: " name ", exists: true}\nfields: {User: " field         \
    "}\nlogsources: [{product: " product "}]\n"
#define RULES                                                                                      \
    "---\ntitle: A\nname: a\nlogsource: {product: linux, service: one}\n"                          \
    "detection: {s: {user: bob}, condition: s}\n"                                                  \
    "---\ntitle: B\nname: b\nlogsource: {product: mail}\n"                                         \
    "detection: {s: {User: bob}, condition: s}\n"                                                  \
    "---\ntitle: C\nname: c\ncorrelation: {type: event_count, rules: [a, b], timespan: 1m, "       \
    "condition: {gte: 2}}\n"                                                                       \
    "---\ntitle: D\ncorrelation: {type: event_count, rules: [c], timespan: 1m, "                   \
    "condition: {gte: 2}}\n"
#define ALL                                                                                        \
    DECODER("x", "one", "(?<user>a)")                                                              \
    DECODER("y", "two", "(?<user>b)") MAPPING("m", "mail", "u") MAPPING("n", "web", "v") RULES

static void contents(const char *yaml, bool has_routing, struct hash128 out[2],
                     struct hash128 *out_all)
{
    struct harness h;
    uint32_t count = 0;
    assert_int_equal(
        harness_open_with(&h, yaml, (struct ruleset_options){.has_routing = has_routing}),
        STATUS_OK);
    assert_string_equal(h.messages, "");
    const struct correlation *all = ruleset_correlations(h.ruleset, &count);
    assert_int_equal(count, 2);
    for (uint32_t i = 0; i < 2; i++)
        out[i] = all[i].rule->content;
    *out_all = ruleset_hash(h.ruleset);
    harness_close(&h);
}

static const struct row {
    const char *name, *yaml;
    bool has_routing, is_same;
} rows[] = {
    {"nothing is edited", ALL, true, true},
    {"a decoder of its log source",
     DECODER("x", "one", "(?<user>A)") DECODER("y", "two", "(?<user>b)") MAPPING("m", "mail", "u")
         MAPPING("n", "web", "v") RULES,
     true, false},
    {"a decoder of another",
     DECODER("x", "one", "(?<user>a)") DECODER("y", "two", "(?<user>B)") MAPPING("m", "mail", "u")
         MAPPING("n", "web", "v") RULES,
     true, true},
    {"a mapping of its log source",
     DECODER("x", "one", "(?<user>a)") DECODER("y", "two", "(?<user>b)") MAPPING("m", "mail", "uu")
         MAPPING("n", "web", "v") RULES,
     true, false},
    {"a mapping of another",
     DECODER("x", "one", "(?<user>a)") DECODER("y", "two", "(?<user>b)") MAPPING("m", "mail", "u")
         MAPPING("n", "web", "vv") RULES,
     true, true},
    {"one more of another", ALL DECODER("z", "three", "(?<user>c)"), true, true},
    {"one more of its log source", ALL DECODER("z", "one", "(?<user>c)"), true, false},
    {"of another, but without routing",
     DECODER("x", "one", "(?<user>a)") DECODER("y", "two", "(?<user>B)") MAPPING("m", "mail", "u")
         MAPPING("n", "web", "v") RULES,
     false, false},
};

static void test_content(void **state)
{
    const struct row *row = *state;
    struct hash128 before[2], after[2], all[2];
    contents(ALL, row->has_routing, before, &all[0]);
    contents(row->yaml, row->has_routing, after, &all[1]);
    for (size_t i = 0; i < 2; i++) /* the chain's upper link as the lower one */
        assert_int_equal(hash_equal(before[i], after[i]), row->is_same);
    /* but a swap of any decoder is a swap that the journal tells */
    assert_int_equal(hash_equal(all[0], all[1]), row == rows);
}

#define LINK(name, rules, more)                                                                    \
    "---\ntitle: " name "\nname: " name "\ncorrelation: {type: event_count, rules: [" rules        \
    "], timespan: 1m, condition: {gte: 2}}\n"                                                      \
    "tocsin: {" more "}\n"

static void test_one_lateness_in_a_chain(void **state)
{
    (void)state;
    struct harness h;
    uint32_t count = 0;
    assert_int_equal(harness_open(&h, "title: A\nname: a\nlogsource: {category: test}\n"
                                      "detection: {s: {a: 1}, condition: s}\n" /* */
                                  LINK("c1", "a", "lateness: 5s") LINK("c2", "a", "")
                                      LINK("c3", "c1, c2", "") LINK("c4", "c3", "lateness: 2s")
                                          LINK("c5", "a", "lateness: 1s") LINK("c6", "a", "")),
                     STATUS_OK);
    const struct correlation *all = ruleset_correlations(h.ruleset, &count);
    assert_int_equal(count, 6);
    static const int64_t seconds[] = {5, 5, 5, 5, 1, 0};
    for (uint32_t i = 0; i < count; i++)
        assert_true(all[i].lateness_us == seconds[i] * 1000000);
    harness_close(&h);
}

int main(void)
{
    struct CMUnitTest tests[sizeof rows / sizeof *rows + 1];
    size_t n = 0;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        tests[n++] = ROW(test_content, &rows[i]);
    tests[n++] = (struct CMUnitTest)cmocka_unit_test(test_one_lateness_in_a_chain);
    return cmocka_run_group_tests_name("test_provenance", tests, NULL, NULL);
}
