/* SPDX-License-Identifier: Apache-2.0 */
#include "base/json_scan.h"
#include "rules/match/gate.h"
#include "tests/support/table.h"
#include <string.h>

/* A gate may let too much in, never keep a keyword out. */

static const struct text keywords[] = {{"mimikatz", 8}, {"/etc/shadow", 11}, {"sekurlsa", 8}};

static const struct row {
    const char *name, *value;
    bool is_plain, is_in;
} rows[] = {
    {"as it is", "run mimikatz now", true, true},
    {"in capitals", "run MimiKatz now", true, true},
    {"at the start", "sekurlsa::logonpasswords", true, true},
    {"at the end", "cat /etc/shadow", true, true},
    {"with JSON's escaped slashes", "cat \\/etc\\/shadow", false, true},
    {"a letter written as a code point", "mimi\\u006batz", false, true},
    {"alone", "mimikatz", true, true},
    {"nothing of it", "an ordinary line about a disk", true, false},
    {"empty", "", true, false},
};

static void test_admits(void **state)
{
    const struct row *row = *state;
    AUTO(gate) g = gate_new(keywords, 3);
    assert_non_null(g);
    bool admits = gate_admits(g, text_of(row->value), row->is_plain);
    if (row->is_in)
        assert_true(admits);
    else if (gate_has_sieve(g))
        assert_false(admits);
}

/* A keyword in a value deep inside, or in the line alone, opens it. */
static void test_is_open_for_an_event(void **state)
{
    (void)state;
    AUTO(gate) g = gate_new(keywords, 3);
    struct arena arena;
    arena_init(&arena, 1 << 20);
    static const struct {
        const char *json;
        bool is_in;
    } events[] = {
        {"{\"a\":{\"b\":[1,\"x mimikatz y\"]}}", true},
        {"{\"a\":\"\\/etc\\/shadow\"}", true},
        {"{\"a\":{\"b\":[1,\"a line about nothing at all\"]},\"c\":\"quite so\"}", false},
    };
    for (size_t i = 0; i < sizeof events / sizeof *events; i++) {
        struct record r = {.raw = text_of(events[i].json)};
        struct event e = {0};
        size_t at = 0;
        event_reset(&e, &r);
        assert_int_equal(json_scan(r.raw, NULL, &arena, &e, &at), STATUS_OK);
        e.message = r.raw;
        assert_true(gate_is_open(g, &e) || !events[i].is_in);
        event_fini(&e);
    }
    arena_fini(&arena);
}

/* Too short to be looked for without searching: then there is no gate. */
static void test_needs_four_characters(void **state)
{
    (void)state;
    static const struct text few[] = {{"abc", 3}};
    assert_null(gate_new(few, 1));
}

int main(void)
{
    enum { ROWS = sizeof rows / sizeof *rows };
    struct CMUnitTest tests[ROWS + 2];
    size_t n = 0;
    for (size_t i = 0; i < ROWS; i++)
        tests[n++] = ROW(test_admits, &rows[i]);
    tests[n++] = (struct CMUnitTest)cmocka_unit_test(test_is_open_for_an_event);
    tests[n++] = (struct CMUnitTest)cmocka_unit_test(test_needs_four_characters);
    return _cmocka_run_group_tests("test_gate", tests, n, NULL, NULL);
}
