/* SPDX-License-Identifier: Apache-2.0 */
#include "correlator/int192.h"
#include "tests/support/table.h"

static const fixed128 large = (fixed128)1 << 126;

static void test_more_than_128_bits(void **state)
{
    (void)state;
    struct int192 sum = {0};
    for (uint32_t i = 0; i < 1000; i++)
        sum = int192_add(sum, int192_of(large));
    assert_int_equal(int192_compare(sum, int192_times(large, 1000)), 0);
    assert_true(int192_compare(sum, int192_times(large, 999)) > 0);
    assert_true(int192_compare(sum, int192_times(large, 1001)) < 0);
    assert_true(int192_divide(sum, 1000) == large);
    for (uint32_t i = 0; i < 2000; i++)
        sum = int192_subtract(sum, int192_of(large));
    assert_int_equal(int192_compare(sum, int192_times(-large, 1000)), 0);
    assert_true(int192_divide(sum, 1000) == -large);
    for (uint32_t i = 0; i < 1000; i++)
        sum = int192_add(sum, int192_of(large));
    assert_int_equal(int192_compare(sum, (struct int192){0}), 0);
}

static void test_small_numbers(void **state)
{
    (void)state;
    for (int a = -30; a <= 30; a++) {
        for (int b = -30; b <= 30; b++) {
            struct int192 x = int192_of(a);
            struct int192 y = int192_of(b);
            assert_true(int192_divide(int192_add(x, y), 1) == a + b);
            assert_true(int192_divide(int192_subtract(x, y), 1) == a - b);
            assert_int_equal(int192_compare(x, y), a < b ? -1 : a > b);
        }
        for (uint32_t n = 1; n < 9; n++) {
            assert_true(int192_divide(int192_times(a, n), 1) == (fixed128)a * (int)n);
            assert_true(int192_divide(int192_of(a), n) == a / (int)n);
        }
    }
}

/* What does not fit is clamped, not wrapped. */
static void test_clamps(void **state)
{
    (void)state;
    fixed128 most = int192_divide(int192_times(large, 1000), 1);
    assert_true(most > large);
    assert_true(int192_divide(int192_times(-large, 1000), 1) == -most);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_more_than_128_bits),
        cmocka_unit_test(test_small_numbers),
        cmocka_unit_test(test_clamps),
    };
    return cmocka_run_group_tests_name("test_int192", tests, NULL, NULL);
}
