/* SPDX-License-Identifier: Apache-2.0 */
#include "base/text.h"
#include "tests/support/table.h"

static const struct duration_row {
    const char *name, *text;
    bool is_ok;
    int64_t us;
} durations[] = {
    {"duration: seconds", "10s", true, 10000000},
    {"duration: milliseconds", "250ms", true, 250000},
    {"duration: months are 30 days", "1M", true, INT64_C(2592000000000)},
    {"duration: years are 365 days", "1y", true, INT64_C(31536000000000)},
    {"duration: zero needs no unit", "0", true, 0},
    {"duration: a number needs one", "5", false, 0},
    {"duration: unknown unit", "5q", false, 0},
    {"duration: too large", "9223372036854775807y", false, 0},
    {"duration: empty", "", false, 0},
};

static void test_duration(void **state)
{
    const struct duration_row *row = *state;
    int64_t us = -1;
    assert_int_equal(text_to_duration_us(text_of(row->text), &us), row->is_ok);
    if (row->is_ok)
        assert_int_equal(us, row->us);
}

static const struct number_row {
    const char *name, *text;
    bool is_ok;
    int64_t value;
} numbers[] = {
    {"int64: plain", "42", true, 42},
    {"int64: least", "-9223372036854775808", true, INT64_MIN},
    {"int64: most", "9223372036854775807", true, INT64_MAX},
    {"int64: one beyond", "9223372036854775808", false, 0},
    {"int64: a sign alone", "-", false, 0},
    {"int64: trailing", "12x", false, 0},
};

static void test_number(void **state)
{
    const struct number_row *row = *state;
    int64_t value = 0;
    assert_int_equal(text_to_int64(text_of(row->text), &value), row->is_ok);
    if (row->is_ok)
        assert_int_equal(value, row->value);
}

static const struct utf8_row {
    const char *name, *bytes;
    bool is_ok;
} utf8s[] = {
    {"utf8: ascii", "plain text of more than eight bytes", true},
    {"utf8: two, three, four bytes", "\xC3\xA9\xE2\x82\xAC\xF0\x9F\x94\x94", true},
    {"utf8: overlong slash", "\xC0\xAF", false},
    {"utf8: surrogate", "\xED\xA0\x80", false},
    {"utf8: beyond U+10FFFF", "\xF4\x90\x80\x80", false},
    {"utf8: cut", "abc\xE2\x82", false},
    {"utf8: lone continuation", "\x80", false},
};

static void test_utf8(void **state)
{
    const struct utf8_row *row = *state;
    assert_int_equal(text_is_utf8(text_of(row->bytes)), row->is_ok);
}

static void test_split_gives_every_piece(void **state)
{
    (void)state;
    struct text rest = TEXT("a,,b,");
    struct text piece;
    const char *want[] = {"a", "", "b", ""};
    for (size_t i = 0; i < 4; i++) {
        assert_true(text_split(&rest, ',', &piece));
        assert_true(text_equal(piece, text_of(want[i])));
    }
    assert_false(text_split(&rest, ',', &piece));
}

static void test_base64_pads(void **state)
{
    (void)state;
    char out[16];
    assert_int_equal(text_to_base64(TEXT("foob"), out), 8);
    assert_memory_equal(out, "Zm9vYg==", 8);
    assert_int_equal(text_to_base64(TEXT(""), out), 0);
}

static void test_order_and_case(void **state)
{
    (void)state;
    assert_true(text_compare(TEXT("ab"), TEXT("abc")) < 0);
    assert_true(text_compare(TEXT("b"), TEXT("abc")) > 0);
    assert_int_equal(text_compare(TEXT("x"), TEXT("x")), 0);
    assert_true(text_equal_nocase(TEXT("SSHd"), TEXT("sshD")));
    assert_int_equal(text_find(TEXT("haystack"), TEXT("st")), 3);
    assert_int_equal(text_find(TEXT("haystack"), TEXT("zz")), 8);
}

static void test_sizes(void **state)
{
    (void)state;
    uint64_t bytes = 0;
    assert_true(text_to_size_bytes(TEXT("64KiB"), &bytes));
    assert_int_equal(bytes, 65536);
    assert_true(text_to_size_bytes(TEXT("20GiB"), &bytes));
    assert_int_equal(bytes, UINT64_C(20) << 30);
    assert_false(text_to_size_bytes(TEXT("5 bananas"), &bytes));
    assert_false(text_to_size_bytes(TEXT("99999999TiB"), &bytes) && bytes < 1);
}

int main(void)
{
    struct CMUnitTest tests[64];
    size_t n = 0;
    for (size_t i = 0; i < sizeof durations / sizeof *durations; i++)
        tests[n++] = ROW(test_duration, &durations[i]);
    for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++)
        tests[n++] = ROW(test_number, &numbers[i]);
    for (size_t i = 0; i < sizeof utf8s / sizeof *utf8s; i++)
        tests[n++] = ROW(test_utf8, &utf8s[i]);
    tests[n++] = (struct CMUnitTest)cmocka_unit_test(test_split_gives_every_piece);
    tests[n++] = (struct CMUnitTest)cmocka_unit_test(test_base64_pads);
    tests[n++] = (struct CMUnitTest)cmocka_unit_test(test_order_and_case);
    tests[n++] = (struct CMUnitTest)cmocka_unit_test(test_sizes);
    return _cmocka_run_group_tests("test_text", tests, n, NULL, NULL);
}
