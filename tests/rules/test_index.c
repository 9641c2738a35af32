/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/rules/random_rules.h"
#include "tests/support/table.h"

/* The index finds what plain evaluation finds, on random rules and events. The seed is printed and
 * may be given: test_index SEED. */

static uint64_t next(uint64_t *state)
{
    *state ^= *state << 13;
    *state ^= *state >> 7;
    *state ^= *state << 17;
    return *state;
}

static void test_index_is_plain_evaluation(void **state)
{
    uint64_t seed = *(const uint64_t *)*state;
    uint64_t random = seed | 1;
    uint8_t bytes[768];
    print_message("seed %llu\n", (unsigned long long)seed);
    for (unsigned round = 0; round < 1500; round++) {
        for (size_t i = 0; i < sizeof bytes; i++)
            bytes[i] = (uint8_t)(next(&random) >> 24);
        if (!random_rules_agree(bytes, sizeof bytes))
            fail_msg("round %u of seed %llu", round, (unsigned long long)seed);
    }
}

int main(int argc, char **argv)
{
    uint64_t seed = argc > 1 ? strtoull(argv[1], NULL, 10) : 20261122;
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_prestate(test_index_is_plain_evaluation, &seed),
    };
    return cmocka_run_group_tests_name("test_index", tests, NULL, NULL);
}
