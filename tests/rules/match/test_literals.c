/* SPDX-License-Identifier: Apache-2.0 */
#include "base/substring.h"
#include "rules/match/gate.h"
#include "rules/match/literal.h"
#include "tests/support/table.h"
#include <stdio.h>
#include <stdlib.h>

/* Literals, the gate and the substring search against the plainest code that can say the same. */

enum { LITERALS = 300, LENGTH = 12, TEXT_LENGTH = 400 };

struct hits {
    bool found[LITERALS];
};

static void take(void *context, uint32_t id)
{
    ((struct hits *)context)->found[id] = true;
}

static uint64_t next(uint64_t *state)
{
    *state ^= *state << 13;
    *state ^= *state >> 7;
    *state ^= *state << 17;
    return *state;
}

static size_t plain_find(struct text t, struct text needle)
{
    for (size_t i = 0; i + needle.len <= t.len; i++)
        if (!needle.len || memcmp(t.at + i, needle.at, needle.len) == 0)
            return i;
    return t.len;
}

static bool plain(const struct literal *l, struct text t)
{
    if (l->place == LITERAL_AT_START)
        return text_starts(t, l->text);
    if (l->place == LITERAL_AT_END)
        return text_ends(t, l->text);
    return plain_find(t, l->text) < t.len;
}

/* Three letters, so that much is found and much is nearly found. */
static void fill(uint64_t *random, char *at, size_t len)
{
    for (size_t i = 0; i < len; i++)
        at[i] = "abc"[next(random) % 3];
}

static void test_literals_are_found(void **state)
{
    (void)state;
    uint64_t random = 42;
    for (unsigned round = 0; round < 40; round++) {
        char bytes[LITERALS][LENGTH];
        struct literal items[LITERALS];
        uint32_t count = 1 + (uint32_t)(next(&random) % LITERALS);
        for (uint32_t i = 0; i < count; i++) {
            size_t len = LITERAL_LEAST + next(&random) % (LENGTH - LITERAL_LEAST + 1);
            fill(&random, bytes[i], len);
            items[i] =
                (struct literal){{bytes[i], len}, (enum literal_place)(next(&random) % 3), i};
        }
        AUTO(literals) set = NULL;
        assert_int_equal(literals_new(items, count, &set, NULL), STATUS_OK);
        for (unsigned k = 0; k < 20; k++) {
            size_t len = next(&random) % TEXT_LENGTH;
            char *text = malloc(len + 1); /* exactly sized: one byte too far is seen */
            assert_non_null(text);
            fill(&random, text, len);
            struct hits hits = {{false}};
            literals_find(set, (struct text){text, len}, take, &hits);
            for (uint32_t i = 0; i < count; i++)
                assert_int_equal(hits.found[i], plain(&items[i], (struct text){text, len}));
            free(text);
        }
    }
}

static void test_substring_is_plain_search(void **state)
{
    (void)state;
    uint64_t random = 7;
    for (unsigned round = 0; round < 20000; round++) {
        size_t len = next(&random) % 80;
        size_t needle_len = next(&random) % 8;
        char *text = malloc(len + 1);
        char needle[8];
        assert_non_null(text);
        fill(&random, text, len);
        fill(&random, needle, needle_len);
        struct text t = {text, len};
        struct text n = {needle, needle_len};
        assert_int_equal(substring_find(t, n), needle_len ? plain_find(t, n) : 0);
        free(text);
    }
}

static struct event event_of(struct record *record, struct text raw)
{
    *record = (struct record){.raw = raw};
    return (struct event){.record = record, .message = raw};
}

static void test_gate(void **state)
{
    (void)state;
    static const struct {
        const char *raw;
        bool is_open;
    } rows[] = {
        {"{\"a\":\"nothing of note\"}", false},
        {"{\"a\":\"xx MimiKatz yy\"}", true},
        {"{\"a\":\"SEKURLSA::logonpasswords\"}", true},
        {"{\"a\":\"C:\\\\users\\\\bob\"}", false},
        {"{\"a\":\"\\u006dimikatz\"}", true}, /* an m, disguised */
        {"{\"a\":\"mimi\xE2\x84\xAA"
         "atz\"}",
         true},     /* the Kelvin sign folds to k */
        {"", true}, /* nothing to judge by */
    };
    static const struct text keywords[] = {{"mimikatz", 8}, {"sekurlsa::", 10}};
    AUTO(gate) g = gate_new(keywords, 2);
    assert_non_null(g);
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct record record;
        struct event e = event_of(&record, text_of(rows[i].raw));
        assert_int_equal(gate_is_open(g, &e), rows[i].is_open);
    }
}

static void test_gate_sees_what_is_not_raw(void **state)
{
    (void)state;
    static const struct text keywords[] = {{"mimikatz", 8}};
    struct record record;
    AUTO(gate) g = gate_new(keywords, 1);
    assert_non_null(g);
    struct event e = event_of(&record, TEXT("plain line"));
    assert_false(gate_is_open(g, &e));
    assert_true(event_add(&e, TEXT("tool"), TEXT("Mimikatz"))); /* as a decoder sets it */
    assert_true(gate_is_open(g, &e));
    event_fini(&e);
}

static void test_no_gate_for_what_json_changes(void **state)
{
    (void)state;
    static const struct text keywords[] = {{"mimikatz", 8}, {"a\\b\\c\"d", 7}};
    AUTO(gate) g = gate_new(keywords, 2);
    assert_null(g);
}

/* Keywords of a few letters in any case: whatever holds one gets through, whole or as a value. */
static void test_gate_lets_every_keyword_through(void **state)
{
    (void)state;
    enum { KEYWORDS = 120, KEYWORD = 9 };
    static char bytes[KEYWORDS][KEYWORD];
    uint64_t random = 99;
    for (unsigned round = 0; round < 60; round++) {
        struct text keywords[KEYWORDS];
        uint32_t count = 1 + (uint32_t)(next(&random) % KEYWORDS); /* with a sieve, and too many */
        for (uint32_t i = 0; i < count; i++) {
            keywords[i] = (struct text){bytes[i], 4 + next(&random) % (KEYWORD - 4)};
            for (size_t k = 0; k < keywords[i].len; k++)
                bytes[i][k] = "abcdefgh-_9"[next(&random) % 11];
        }
        AUTO(gate) g = gate_new(keywords, count);
        assert_non_null(g);
        for (unsigned k = 0; k < 200; k++) {
            size_t len = next(&random) % 150;
            char *text = malloc(len + 1); /* exactly sized */
            char lower[150];
            assert_non_null(text);
            for (size_t i = 0; i < len; i++) {
                text[i] = "abcdefghABCDEFGH-_9 .\xC3"[next(&random) % 22];
                lower[i] = (char)(text[i] >= 'A' && text[i] <= 'Z' ? text[i] + 32 : text[i]);
            }
            bool is_inside = false;
            for (uint32_t i = 0; i < count; i++)
                is_inside |= plain_find((struct text){lower, len}, keywords[i]) < len;
            assert_true(!is_inside || gate_admits(g, (struct text){text, len}, true));
            free(text);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_literals_are_found),
        cmocka_unit_test(test_substring_is_plain_search),
        cmocka_unit_test(test_gate),
        cmocka_unit_test(test_gate_sees_what_is_not_raw),
        cmocka_unit_test(test_no_gate_for_what_json_changes),
        cmocka_unit_test(test_gate_lets_every_keyword_through),
    };
    return cmocka_run_group_tests_name("test_literals", tests, NULL, NULL);
}
