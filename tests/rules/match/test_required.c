/* SPDX-License-Identifier: Apache-2.0 */
#include "rules/match/required.h"
#include "tests/support/table.h"
#include <stdio.h>
#include <string.h>

/* The literals that a regular expression cannot do without. */

static const struct row {
    const char *name, *pattern, *want; /* literals joined by '|'; "" for none */
} rows[] = {
    {"plain", "abcd", "abcd"},
    {"folded", "AbCd", "abcd"},
    {"anchors", "^abcd$", "abcd"},
    {"the longest run", "ab.*cdef.*gh", "cdef"},
    {"optional last", "abcd?", "abc"},
    {"optional middle", "abc?def", "def"},
    {"star drops one", "abcx*", "abc"},
    {"plus keeps one", "abcx+y", "abcx"},
    {"counted from zero", "abx{0,3}", "ab"},
    {"counted from one", "abx{1,3}", "abx"},
    {"a brace alone", "ab{c", "ab{c"},
    {"class", "ab[cd]efg", "efg"},
    {"class with bracket", "[]x]abc", "abc"},
    {"class with a false name", "[[:a]|abc", ""},
    {"named class", "[[:alpha:]]abc", "abc"},
    {"alternatives", "abc|defg", "abc|defg"},
    {"one alternative too short", "abc|d", ""},
    {"group with alternatives", "xyz(abc|defgh)", "xyz"},
    {"only a group with alternatives", "(abc|defg)", "abc|defg"},
    {"nested wrapping", "(?:(abc|defg))", "abc|defg"},
    {"group", "ab(cdef)gh", "cdef"},
    {"optional group", "ab(cdef)?gh", "ab"},
    {"escapes", "a\\.b\\\\c", "a.b\\c"},
    {"classes break", "ab\\d+cde", "cde"},
    {"word boundary breaks", "ab\\bcde", "cde"},
    {"hexadecimal is not read", "\\x41bcdef", ""},
    {"back reference is not read", "(abc)\\1", ""},
    {"quoting is not read", "\\Qa|b\\E", ""},
    {"extended is not read", "(?x) ab c", ""},
    {"flag inside", "(?i)abcd", "abcd"},
    {"looking around", "(?=.*foo)barbaz", "barbaz"},
    {"looking away", "(?!foobar)baz", "baz"},
    {"nothing", ".*", ""},
    {"empty", "", ""},
};

static void test_literals(void **state)
{
    const struct row *row = *state;
    struct arena arena;
    struct text out[REQUIRED_LITERALS];
    char joined[256] = "";
    arena_init(&arena, 1 << 16);
    uint32_t count = required_literals(text_of(row->pattern), &arena, out);
    for (uint32_t i = 0; i < count; i++) {
        size_t used = strlen(joined);
        (void)snprintf(joined + used, sizeof joined - used, "%s%.*s", i ? "|" : "",
                       TEXT_ARG(out[i]));
    }
    assert_string_equal(joined, row->want);
    arena_fini(&arena);
}

static void test_wildcard_would_do(void **state)
{
    (void)state;
    static const struct {
        const char *pattern;
        bool is_wildcard;
    } lines[] = {
        {"abc", true},  {"^abc.*def$", true}, {"a\\.b", true}, {"a+b", false},
        {"a|b", false}, {"a.b", false},       {"\\d", false},  {"[ab]", false},
    };
    for (size_t i = 0; i < sizeof lines / sizeof *lines; i++)
        assert_int_equal(required_is_wildcard(text_of(lines[i].pattern)), lines[i].is_wildcard);
}

int main(void)
{
    enum { COUNT = sizeof rows / sizeof *rows };
    struct CMUnitTest tests[COUNT + 1];
    size_t n = 0;
    for (size_t i = 0; i < COUNT; i++)
        tests[n++] = ROW(test_literals, &rows[i]);
    tests[n++] = (struct CMUnitTest)cmocka_unit_test(test_wildcard_would_do);
    return _cmocka_run_group_tests("test_required", tests, n, NULL, NULL);
}
