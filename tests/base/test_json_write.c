/* SPDX-License-Identifier: Apache-2.0 */
#include "base/json_write.h"
#include "tests/support/table.h"
#include <math.h>

static const struct number_row {
    const char *name;
    double value;
    const char *want;
} numbers[] = {
    {"double: whole", 60, "[60]"},
    {"double: short", 0.1, "[0.1]"},
    {"double: large", 1e20, "[1e+20]"},
    {"double: small", 1e-9, "[1e-09]"},
    {"double: negative", -2.5, "[-2.5]"},
    {"double: zero", 0, "[0]"},
    {"double: not a number", (double)NAN, "[null]"},
    {"double: a million", 1000000, "[1000000]"},
};

static void test_double(void **state)
{
    const struct number_row *row = *state;
    struct buffer b;
    buffer_init(&b, 1000);
    json_write_open(&b, NULL, '[');
    json_write_double(&b, NULL, row->value);
    json_write_close(&b, ']');
    assert_true(text_equal(buffer_text(&b), text_of(row->want)));
    buffer_fini(&b);
}

static void test_everything_in_one(void **state)
{
    (void)state;
    struct buffer b;
    buffer_init(&b, 4096);
    json_write_open(&b, NULL, '{');
    json_write_string(&b, "a", TEXT("q\"\\\n\x01\xC3\xA9\xFF"));
    json_write_open(&b, "list", '[');
    json_write_int(&b, NULL, INT64_MIN);
    json_write_uint(&b, NULL, UINT64_MAX);
    json_write_bool(&b, NULL, true);
    json_write_null(&b, NULL);
    json_write_close(&b, ']');
    json_write_time(&b, "t", 0);
    json_write_close(&b, '}');
    const char *want =
        "{\"a\":\"q\\\"\\\\\\n\\u0001\xC3\xA9\\u00ff\",\"list\":[-9223372036854775808,"
        "18446744073709551615,true,null],\"t\":\"1970-01-01T00:00:00.000000Z\"}";
    assert_true(text_equal(buffer_text(&b), text_of(want)));
    buffer_fini(&b);
}

static void test_a_full_buffer_says_so(void **state)
{
    (void)state;
    struct buffer b;
    buffer_init(&b, 16);
    json_write_string(&b, NULL, TEXT("longer than sixteen bytes"));
    assert_true(b.has_failed);
    assert_true(b.len <= 16);
    buffer_fini(&b);
}

int main(void)
{
    struct CMUnitTest tests[16];
    size_t n = 0;
    for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++)
        tests[n++] = ROW(test_double, &numbers[i]);
    tests[n++] = (struct CMUnitTest)cmocka_unit_test(test_everything_in_one);
    tests[n++] = (struct CMUnitTest)cmocka_unit_test(test_a_full_buffer_says_so);
    return _cmocka_run_group_tests("test_json_write", tests, n, NULL, NULL);
}
