/* SPDX-License-Identifier: Apache-2.0 */
#include "base/digit.h"
#include "tests/support/table.h"
#include <string.h>

static const char decimal[] = "0123456789";
static const char lower[] = "0123456789abcdef";
static const char upper[] = "0123456789ABCDEF";

static int place(const char *digits, int c)
{
    const char *at = c ? strchr(digits, c) : NULL;
    return at ? (int)(at - digits) : -1;
}

static void test_every_byte(void **state)
{
    (void)state;
    for (int c = 0; c < 256; c++) {
        int want = place(lower, c) >= 0 ? place(lower, c) : place(upper, c);
        assert_int_equal(digit_is((char)c), place(decimal, c) >= 0);
        assert_int_equal(digit_of_hex((char)c), want);
    }
}

static void test_low_four_bits(void **state)
{
    (void)state;
    for (unsigned value = 0; value < 512; value++)
        assert_int_equal(digit_hex(value), lower[value % 16]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_every_byte),
        cmocka_unit_test(test_low_four_bits),
    };
    return cmocka_run_group_tests_name("test_digit", tests, NULL, NULL);
}
