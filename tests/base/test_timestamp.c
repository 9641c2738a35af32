/* SPDX-License-Identifier: Apache-2.0 */
#include "base/timestamp.h"
#include "tests/support/table.h"

static const struct row {
    const char *name, *text;
    int32_t zone_s;
    const char *want; /* NULL: refused */
} rows[] = {
    {"parse: rfc 3339", "2014-02-05T00:00:01Z", 0, "2014-02-05T00:00:01.000000Z"},
    {"parse: microseconds", "1985-04-12T23:20:50.52Z", 0, "1985-04-12T23:20:50.520000Z"},
    {"parse: offset", "1996-12-19T16:39:57-08:00", 0, "1996-12-20T00:39:57.000000Z"},
    {"parse: offset without colon", "1996-12-19T16:39:57+0130", 0, "1996-12-19T15:09:57.000000Z"},
    {"parse: space and zone given", "2020-10-18 10:56:18.799", 7200, "2020-10-18T08:56:18.799000Z"},
    {"parse: leap second", "1990-12-31T23:59:60Z", 0, "1990-12-31T23:59:59.999999Z"},
    {"parse: leap day", "2024-02-29T12:00:00Z", 0, "2024-02-29T12:00:00.000000Z"},
    {"parse: no leap day", "2023-02-29T12:00:00Z", 0, NULL},
    {"parse: month 13", "2023-13-01T12:00:00Z", 0, NULL},
    {"parse: hour 24", "2023-01-01T24:00:00Z", 0, NULL},
    {"parse: trailing bytes", "2023-01-01T00:00:00Zx", 0, NULL},
    {"parse: before 1970", "1969-12-31T23:59:59.5Z", 0, "1969-12-31T23:59:59.500000Z"},
    {"parse: year 1", "0001-01-01T00:00:00Z", 0, "0001-01-01T00:00:00.000000Z"},
};

static void test_parse(void **state)
{
    const struct row *row = *state;
    int64_t us = 0;
    bool is_ok = timestamp_parse(text_of(row->text), row->zone_s, &us, NULL);
    assert_int_equal(is_ok, row->want != NULL);
    if (!row->want)
        return;
    char out[TIMESTAMP_LEN + 1];
    timestamp_format(us, out);
    assert_string_equal(out, row->want);
}

static void test_every_day_round_trips(void **state)
{
    (void)state;
    for (int64_t day = -200000; day < 200000; day += 7) {
        int64_t us = day * INT64_C(86400000000) + 12345;
        struct civil c;
        timestamp_to_civil(us, &c);
        assert_true(timestamp_is_civil(&c));
        assert_int_equal(timestamp_from_civil(&c), us);
    }
}

static void test_prefix_is_measured(void **state)
{
    (void)state;
    int64_t us = 0;
    size_t len = 0;
    assert_true(timestamp_parse(TEXT("2003-10-11T22:14:15.003Z host"), 0, &us, &len));
    assert_int_equal(len, 24);
}

int main(void)
{
    struct CMUnitTest tests[32];
    size_t n = 0;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        tests[n++] = ROW(test_parse, &rows[i]);
    tests[n++] = (struct CMUnitTest)cmocka_unit_test(test_every_day_round_trips);
    tests[n++] = (struct CMUnitTest)cmocka_unit_test(test_prefix_is_measured);
    return _cmocka_run_group_tests("test_timestamp", tests, n, NULL, NULL);
}
