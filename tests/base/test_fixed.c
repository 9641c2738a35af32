/* SPDX-License-Identifier: Apache-2.0 */
#include "base/fixed.h"
#include "tests/support/table.h"

static const struct row {
    const char *name, *text, *want; /* want NULL: refused */
} rows[] = {
    {"fixed: whole", "42", "42"},
    {"fixed: decimals", "2.50", "2.5"},
    {"fixed: negative", "-0.000000001", "-0.000000001"},
    {"fixed: tenth decimal is cut", "0.0000000019", "0.000000001"},
    {"fixed: exponent", "1.5e3", "1500"},
    {"fixed: small exponent", "15e-1", "1.5"},
    {"fixed: plus", "+7", "7"},
    {"fixed: zero", "0.0", "0"},
    {"fixed: large", "1234567890123456789012345678", "1234567890123456789012345678"},
    {"fixed: too large", "1e40", NULL},
    {"fixed: empty", "", NULL},
    {"fixed: point alone", ".", NULL},
    {"fixed: two points", "1.2.3", NULL},
    {"fixed: text", "abc", NULL},
};

static void test_fixed_row(void **state)
{
    const struct row *row = *state;
    fixed128 value = 0;
    assert_int_equal(fixed_parse(text_of(row->text), &value), row->want != NULL);
    if (!row->want)
        return;
    char out[48];
    size_t len = fixed_format(value, out);
    assert_true(text_equal((struct text){out, len}, text_of(row->want)));
}

int main(void)
{
    struct CMUnitTest tests[32];
    size_t n = 0;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        tests[n++] = ROW(test_fixed_row, &rows[i]);
    return _cmocka_run_group_tests("test_fixed", tests, n, NULL, NULL);
}
