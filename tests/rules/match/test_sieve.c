/* SPDX-License-Identifier: Apache-2.0 */
#include "rules/match/sieve.h"
#include "tests/support/table.h"
#include <stdlib.h>
#include <string.h>

/* The sieve may say a place too many, never one too few. */

enum { LENGTH = 1000, GRAMS = 24 };

static uint64_t next(uint64_t *state)
{
    *state ^= *state << 13;
    *state ^= *state >> 7;
    *state ^= *state << 17;
    return *state;
}

static uint32_t gram_of(const char *at)
{
    uint32_t gram = 0;
    memcpy(&gram, at, sizeof gram);
    return gram | UINT32_C(0x20202020);
}

static bool begins_here(const uint32_t *grams, uint32_t count, const char *at)
{
    for (uint32_t i = 0; i < count; i++)
        if (gram_of(at) == grams[i])
            return true;
    return false;
}

/* Every place where a gram begins is in some block, and in its bits. */
static void assert_finds_all(const struct sieve *s, const uint32_t *grams, uint32_t count,
                             struct text t)
{
    bool *said = calloc(t.len + SIEVE_BLOCK, sizeof *said);
    uint32_t places = 0;
    for (size_t at = sieve_next(s, t, 0, &places); at < t.len;
         at = sieve_next(s, t, at + SIEVE_BLOCK, &places)) {
        assert_int_equal(at % SIEVE_BLOCK, 0);
        assert_true(places != 0);
        for (uint32_t bit = 0; bit < SIEVE_BLOCK; bit++)
            said[at + bit] = (places >> bit & 1) != 0;
    }
    for (size_t i = 0; i + GRAM_BYTES <= t.len; i++)
        if (begins_here(grams, count, t.at + i))
            assert_true(said[i]);
    free(said);
}

static void test_finds_every_place(void **state)
{
    (void)state;
    uint64_t random = 20140205;
    char text[LENGTH];
    for (unsigned round = 0; round < 300; round++) {
        uint32_t grams[GRAMS];
        uint32_t count = 1 + (uint32_t)(next(&random) % GRAMS);
        size_t len = 1 + next(&random) % LENGTH;
        for (size_t i = 0; i < len; i++)
            text[i] = "abcdABCD/\\.1 "[next(&random) % 13];
        for (uint32_t i = 0; i < count; i++) {
            char gram[GRAM_BYTES];
            for (int k = 0; k < GRAM_BYTES; k++)
                gram[k] = "abcd/1"[next(&random) % 6];
            grams[i] = gram_of(gram);
        }
        struct sieve s;
        if (!sieve_build(&s, grams, count))
            continue; /* this processor cannot */
        assert_finds_all(&s, grams, count, (struct text){text, len});
    }
}

static void test_passes_over_what_has_none(void **state)
{
    (void)state;
    struct sieve s;
    uint32_t gram = gram_of("mimi");
    uint32_t places = 0;
    struct text t = TEXT("0123456789 0123456789 0123456789 0123456789 0123456789 0123456789");
    if (!sieve_build(&s, &gram, 1))
        skip();
    assert_int_equal(sieve_next(&s, t, 0, &places), t.len);
}

static void test_refuses_too_many(void **state)
{
    (void)state;
    struct sieve s;
    uint32_t grams[SIEVE_GRAMS + 1];
    for (uint32_t i = 0; i <= SIEVE_GRAMS; i++)
        grams[i] = UINT32_C(0x20202020) | i << 24;
    assert_false(sieve_build(&s, grams, SIEVE_GRAMS + 1));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_finds_every_place),
        cmocka_unit_test(test_passes_over_what_has_none),
        cmocka_unit_test(test_refuses_too_many),
    };
    return cmocka_run_group_tests_name("test_sieve", tests, NULL, NULL);
}
