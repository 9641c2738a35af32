/* SPDX-License-Identifier: Apache-2.0 */
#include "base/stamp_pattern.h"
#include "base/timestamp.h"
#include "tests/support/table.h"

static const struct row {
    const char *name, *pattern, *text, *want; /* want NULL: no such time */
    bool has_year, has_zone;
} rows[] = {
    {"date and time", "%Y-%m-%d %H:%M:%S", "2026-11-28 12:00:01", "2026-11-28T11:00:01Z", true,
     false},
    {"short forms", "%F %T", "2026-11-28 12:00:01", "2026-11-28T11:00:01Z", true, false},
    {"american", "%D %T", "11/28/26 12:00:01", "2026-11-28T11:00:01Z", true, false},
    {"day first", "%d/%m/%Y-%H:%M:%S.%f", "03/04/2026-12:00:01.5", "2026-04-03T11:00:01.5Z", true,
     false},
    {"nine decimals", "%F %T.%f", "2026-11-28 12:00:01.123456789", "2026-11-28T11:00:01.123456Z",
     true, false},
    {"zone in digits", "%FT%T%z", "2026-11-28T12:00:01-0530", "2026-11-28T17:30:01Z", true, true},
    {"zone with colon", "%FT%T%z", "2026-11-28T12:00:01+02:00", "2026-11-28T10:00:01Z", true, true},
    {"zone Z", "%FT%T%z", "2026-11-28T12:00:01Z", "2026-11-28T12:00:01Z", true, true},
    {"zone by name", "%b %d %Y %T %Z", "Nov 28 2026 12:00:01 EST", "2026-11-28T17:00:01Z", true,
     true},
    {"zone nobody knows", "%F %T %Z", "2026-11-28 12:00:01 XYZ", "2026-11-28T11:00:01Z", true,
     false},
    {"no year", "%b %e %T", "Nov  8 12:00:01", "2026-11-08T11:00:01Z", false, false},
    {"no year, one before", "%b %e %T", "Dec 31 12:00:01", "2026-12-31T11:00:01Z", false, false},
    {"month and weekday in full", "%A, %d %B %Y %H:%M", "Saturday, 28 November 2026 12:00",
     "2026-11-28T11:00:00Z", true, false},
    {"two digits of the last century", "%y%m%d%H%M%S", "991128120001", "1999-11-28T11:00:01Z", true,
     false},
    {"no separators", "%Y%m%d%H%M%S", "20261128120001", "2026-11-28T11:00:01Z", true, false},
    {"afternoon", "%m/%d/%Y %I:%M:%S %p", "11/28/2026 1:00:01 PM", "2026-11-28T12:00:01Z", true,
     false},
    {"midnight", "%m/%d/%Y %I:%M:%S %p", "11/28/2026 12:00:01 am", "2026-11-27T23:00:01Z", true,
     false},
    {"day of the year", "%Y/%j %T", "2024/366 12:00:00", "2024-12-31T11:00:00Z", true, false},
    {"no such day of the year", "%Y/%j %T", "2026/366 12:00:00", NULL, false, false},
    {"epoch", "%s.%f", "1772600000.123", "2026-03-04T04:53:20.123Z", true, true},
    {"epoch twice, the last counts", "%s-%s", "999999999999-1772600000", "2026-03-04T04:53:20Z",
     true, true},
    {"around it", "at %F", "  at   2026-11-28 ", "2026-11-27T23:00:00Z", true, false},
    {"percent", "%%%F", "%2026-11-28", "2026-11-27T23:00:00Z", true, false},
    {"leap second", "%F %T %z", "2016-12-31 23:59:60 +0000", "2016-12-31T23:59:59.999999Z", true,
     true},
    {"too long", "%F", "2026-11-28 1", NULL, false, false},
    {"too short", "%F %T", "2026-11-28 12:00", NULL, false, false},
    {"no such month", "%F", "2026-13-28", NULL, false, false},
    {"no such day", "%F", "2026-02-30", NULL, false, false},
    {"no such hour", "%F %T", "2026-02-03 24:00:00", NULL, false, false},
    {"other words", "%d %b %Y", "28 Foo 2026", NULL, false, false},
    {"nothing", "%F", "", NULL, false, false},
};

static void test_time(void **state)
{
    const struct row *row = *state;
    struct stamp_reader r = {.zone_s = 3600};
    struct stamp s = {0};
    int64_t want = 0;
    assert_true(timestamp_parse(TEXT("2026-11-28T12:00:00Z"), 0, &r.near_us, NULL));
    assert_null(stamp_pattern_fault(text_of(row->pattern)));
    assert_int_equal(stamp_pattern_read(&r, text_of(row->pattern), text_of(row->text), &s),
                     row->want != NULL);
    if (!row->want)
        return;
    assert_true(timestamp_parse(text_of(row->want), 0, &want, NULL));
    assert_true(s.us == want);
    assert_int_equal(s.has_year, row->has_year);
    assert_int_equal(s.has_zone, row->has_zone);
}

static void test_faults(void **state)
{
    (void)state;
    static const char *const wrong[] = {"%Y-%m-%d %Q", "%F %",     "%H:%M:%S", "%Y %d",
                                        "%j %T",       "%F %H %p", ""};
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++)
        assert_non_null(stamp_pattern_fault(text_of(wrong[i])));
}

int main(void)
{
    enum { ROWS = sizeof rows / sizeof *rows };
    struct CMUnitTest tests[ROWS + 1];
    size_t n = 0;
    for (size_t i = 0; i < ROWS; i++)
        tests[n++] = ROW(test_time, &rows[i]);
    tests[n++] = (struct CMUnitTest)cmocka_unit_test(test_faults);
    return _cmocka_run_group_tests("test_stamp_pattern", tests, n, NULL, NULL);
}
