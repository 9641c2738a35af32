/* SPDX-License-Identifier: Apache-2.0 */
#include "correlator/wide.h"
#include "tests/support/table.h"

static const fixed128 large = (fixed128)1 << 126;

static void test_more_than_128_bits(void **state)
{
    (void)state;
    struct wide sum = {0};
    for (uint32_t i = 0; i < 1000; i++)
        sum = wide_add(sum, wide_of(large));
    assert_int_equal(wide_compare(sum, wide_times(large, 1000)), 0);
    assert_true(wide_compare(sum, wide_times(large, 999)) > 0);
    assert_true(wide_compare(sum, wide_times(large, 1001)) < 0);
    assert_true(wide_divide(sum, 1000) == large);
    for (uint32_t i = 0; i < 2000; i++)
        sum = wide_subtract(sum, wide_of(large));
    assert_int_equal(wide_compare(sum, wide_times(-large, 1000)), 0);
    assert_true(wide_divide(sum, 1000) == -large);
    for (uint32_t i = 0; i < 1000; i++)
        sum = wide_add(sum, wide_of(large));
    assert_int_equal(wide_compare(sum, (struct wide){0}), 0);
}

static void test_small_numbers(void **state)
{
    (void)state;
    for (int a = -30; a <= 30; a++) {
        for (int b = -30; b <= 30; b++) {
            struct wide x = wide_of(a);
            struct wide y = wide_of(b);
            assert_true(wide_divide(wide_add(x, y), 1) == a + b);
            assert_true(wide_divide(wide_subtract(x, y), 1) == a - b);
            assert_int_equal(wide_compare(x, y), a < b ? -1 : a > b);
        }
        for (uint32_t n = 1; n < 9; n++) {
            assert_true(wide_divide(wide_times(a, n), 1) == (fixed128)a * (int)n);
            assert_true(wide_divide(wide_of(a), n) == a / (int)n);
        }
    }
}

/* What does not fit is clamped, not wrapped. */
static void test_clamps(void **state)
{
    (void)state;
    fixed128 most = wide_divide(wide_times(large, 1000), 1);
    assert_true(most > large);
    assert_true(wide_divide(wide_times(-large, 1000), 1) == -most);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_more_than_128_bits),
        cmocka_unit_test(test_small_numbers),
        cmocka_unit_test(test_clamps),
    };
    return cmocka_run_group_tests_name("test_wide", tests, NULL, NULL);
}
