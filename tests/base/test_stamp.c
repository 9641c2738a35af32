/* SPDX-License-Identifier: Apache-2.0 */
#include "base/stamp.h"
#include "base/timestamp.h"
#include "tests/support/table.h"

/* Now is 2014-02-06T12:00Z, the zone without a name +01:00. `want` NULL: no time stands there. */
static const struct row {
    const char *name, *text, *want;
    size_t len; /* bytes of it, 0: all */
} rows[] = {
    {"plain", "Feb  5 13:37:45", "2014-02-05T12:37:45Z", 0},
    {"plain, a host behind", "Feb  5 13:37:45 web1", "2014-02-05T12:37:45Z", 15},
    {"plain, an address behind", "Feb  5 13:37:45 10.0.0.1", "2014-02-05T12:37:45Z", 15},
    {"plain, a host in capitals behind", "Feb  5 13:37:45 FW1 x", "2014-02-05T12:37:45Z", 15},
    {"one blank", "Feb 5 13:37:45", "2014-02-05T12:37:45Z", 0},
    {"zero", "Feb 05 13:37:45", "2014-02-05T12:37:45Z", 0},
    {"no-break spaces",
     "Feb\xC2\xA0\xC2\xA0"
     "5 13:37:45",
     "2014-02-05T12:37:45Z", 0},
    {"no-break space in Latin-1", "Feb\xA0 5 13:37:45", "2014-02-05T12:37:45Z", 0},
    {"decimals", "Feb  5 13:37:45.123456789", "2014-02-05T12:37:45.123456Z", 0},
    {"zone name", "Feb  5 13:37:45 UTC", "2014-02-05T13:37:45Z", 0},
    {"zone name in summer", "Feb  5 13:37:45 CEST: x", "2014-02-05T11:37:45Z", 20},
    {"zone name that nobody knows", "Feb  5 13:37:45 DST: x", "2014-02-05T12:37:45Z", 19},
    {"offset", "Feb  5 13:37:45 +0530", "2014-02-05T08:07:45Z", 0},
    {"year behind", "Feb  5 13:37:45 2012", "2012-02-05T12:37:45Z", 0},
    {"year in the middle", "Feb  5 2012 13:37:45", "2012-02-05T12:37:45Z", 0},
    {"year in front", "2012 Feb  5 13:37:45", "2012-02-05T12:37:45Z", 0},
    {"zone, then year", "Wed Feb  5 13:37:45 UTC 2014", "2014-02-05T13:37:45Z", 0},
    {"weekday", "Wed Feb  5 13:37:45 2014", "2014-02-05T12:37:45Z", 0},
    {"half days", "Feb 5, 2014 1:37:45 PM", "2014-02-05T12:37:45Z", 0},
    {"half days, midnight", "Feb 5, 2014 12:00:01 AM", "2014-02-04T23:00:01Z", 0},
    {"half days, noon", "Feb 5, 2014 12:00:01 PM", "2014-02-05T11:00:01Z", 0},
    {"leap second", "Feb  5 13:37:60", "2014-02-05T12:37:59.999999Z", 0},
    {"no such day", "Feb 30 13:37:45", NULL, 0},
    {"no such hour", "Feb  5 25:37:45", NULL, 0},
    {"no seconds", "Feb  5 13:37", NULL, 0},
    {"a word", "February is here", NULL, 0},
    {"an address that begins like a year", "Feb  5 13:37:45 2001:db8::7 x", "2014-02-05T12:37:45Z",
     15},
    {"ISO, basic", "20140205T133745Z", "2014-02-05T13:37:45Z", 0},
    {"ISO, basic, decimals", "20140205T133745.25+0100", "2014-02-05T12:37:45.25Z", 0},
    {"dots between", "2014.02.05 13:37:45", "2014-02-05T12:37:45Z", 0},
    {"Kibana's", "Feb 5, 2014 @ 13:37:45.908", "2014-02-05T12:37:45.908Z", 0},
    {"a month whole", "February 5, 2014 1:37:45 PM", "2014-02-05T12:37:45Z", 0},
    {"weekday and month whole", "Wednesday, February 5, 2014 1:37:45 PM", "2014-02-05T12:37:45Z",
     0},
    {"a month whole behind the day", "5 February 2014 13:37:45", "2014-02-05T12:37:45Z", 0},
    {"a word that begins like a month", "Marching 5 13:37:45 x", NULL, 0},
    {"the day first, dashes", "15-02-2014 13:37:45", "2014-02-15T12:37:45Z", 0},
    {"the month first, dashes", "02-15-2014 13:37:45", "2014-02-15T12:37:45Z", 0},
    {"JavaScript's", "Wed Feb 05 2014 13:37:45 GMT+0100", "2014-02-05T12:37:45Z", 0},
    {"RFC 850", "Wednesday, 05-Feb-14 13:37:45 UTC", "2014-02-05T13:37:45Z", 0},
    {"Oracle's", "05-FEB-14 01:37:45 PM", "2014-02-05T12:37:45Z", 0},
    {"a comma between", "2/5/2014, 1:37:45 PM", "2014-02-05T12:37:45Z", 0},
    {"ISO, a comma before decimals", "2014-02-05T13:37:45,5Z", "2014-02-05T13:37:45.5Z", 0},
    {"ISO", "2014-02-05T13:37:45Z", "2014-02-05T13:37:45Z", 0},
    {"ISO, offset", "2014-02-05T13:37:45.5-02:30", "2014-02-05T16:07:45.5Z", 0},
    {"ISO, short offset", "2014-02-05T13:37:45+02", "2014-02-05T11:37:45Z", 0},
    {"ISO, no zone", "2014-02-05T13:37:45", "2014-02-05T12:37:45Z", 0},
    {"ISO, blank", "2014-02-05 13:37:45,123 - INFO", "2014-02-05T12:37:45.123Z", 23},
    {"ISO, blank before the zone", "2014-02-05 13:37:45 +0000 x", "2014-02-05T13:37:45Z", 25},
    {"ISO, slashes", "2014/02/05 13:37:45", "2014-02-05T12:37:45Z", 0},
    {"ISO, no seconds", "2014-02-05T13:37Z", "2014-02-05T13:37:00Z", 0},
    {"ISO, day 65", "2014-02-65T13:37:45Z", NULL, 0},
    {"ISO, 29 February", "2014-02-29T13:37:45Z", NULL, 0},
    {"web server", "05/Feb/2014:13:37:45 +0100", "2014-02-05T12:37:45Z", 0},
    {"mail", "Wed, 5 Feb 2014 13:37:45 GMT", "2014-02-05T13:37:45Z", 0},
    {"dashes", "05-Feb-2014 13:37:45.277", "2014-02-05T12:37:45.277Z", 0},
    {"month first", "02/05/2014 1:37:45 PM", "2014-02-05T12:37:45Z", 0},
    {"day first, for it can be nothing else", "14/02/2014:13:37:45 GMT", "2014-02-14T13:37:45Z", 0},
    {"year first in two digits", "14/02/05 13:37:45 INFO", "2014-02-05T12:37:45Z", 17},
    {"day and month only", "05 Feb 13:37:45.119 * x", "2014-02-05T12:37:45.119Z", 19},
    {"seconds", "1391607465", "2014-02-05T13:37:45Z", 0},
    {"seconds with decimals", "1391607465.5 x", "2014-02-05T13:37:45.5Z", 12},
    {"milliseconds", "1391607465123", "2014-02-05T13:37:45.123Z", 0},
    {"microseconds", "1391607465123456", "2014-02-05T13:37:45.123456Z", 0},
    {"nanoseconds", "1391607465123456789", "2014-02-05T13:37:45.123456Z", 0},
    {"a number", "123456789", NULL, 0},
    {"a long number", "9391607465", NULL, 0},
    {"nothing", "", NULL, 0},
};

static struct stamp_reader reader(void)
{
    struct stamp_reader r = {.zone_s = 3600};
    assert_true(timestamp_parse(TEXT("2014-02-06T12:00:00Z"), 0, &r.near_us, NULL));
    return r;
}

static void test_time(void **state)
{
    const struct row *row = *state;
    struct stamp_reader r = reader();
    struct stamp s;
    struct text text = text_of(row->text);
    int64_t want = 0;
    bool is_time = stamp_read(&r, text, &s);
    assert_int_equal(is_time, row->want != NULL);
    if (!is_time)
        return;
    assert_true(timestamp_parse(text_of(row->want), 0, &want, NULL));
    assert_true(s.us == want);
    assert_int_equal(s.len, row->len ? row->len : text.len);
}

static void test_guesses(void **state)
{
    (void)state;
    struct stamp_reader r = reader();
    struct stamp s;
    assert_true(stamp_read(&r, TEXT("Feb  5 13:37:45"), &s));
    assert_false(s.has_year || s.has_zone);
    assert_true(stamp_read(&r, TEXT("Feb  5 2014 13:37:45 UTC"), &s));
    assert_true(s.has_year && s.has_zone);
    assert_true(stamp_read(&r, TEXT("1391607465"), &s));
    assert_true(s.has_year && s.has_zone);
}

/* 04/03/2014 means what its source says; unsaid, the month is taken to stand first, with a flag. */
static void test_order_of_dates(void **state)
{
    (void)state;
    static const struct {
        uint32_t dates;
        const char *text, *want;
        bool is_assumed;
    } orders[] = {
        {0, "04/03/2014 13:37:45", "2014-04-03T12:37:45Z", true},
        {RECORD_MONTH_FIRST, "04/03/2014 13:37:45", "2014-04-03T12:37:45Z", false},
        {RECORD_DAY_FIRST, "04/03/2014 13:37:45", "2014-03-04T12:37:45Z", false},
        {0, "14/03/2014 13:37:45", "2014-03-14T12:37:45Z", false},
        {RECORD_DAY_FIRST, "04/03/2014 1:37:45 PM", "2014-03-04T12:37:45Z", false},
    };
    for (size_t i = 0; i < sizeof orders / sizeof *orders; i++) {
        struct stamp_reader r = reader();
        struct stamp s;
        int64_t want_us = 0;
        r.dates = orders[i].dates;
        assert_true(timestamp_parse(text_of(orders[i].want), 0, &want_us, NULL));
        assert_true(stamp_read(&r, text_of(orders[i].text), &s));
        assert_true(s.us == want_us);
        assert_int_equal(s.is_order_assumed, orders[i].is_assumed);
    }
}

static void test_whole(void **state)
{
    (void)state;
    struct stamp_reader r = reader();
    struct stamp s;
    assert_true(stamp_read_whole(&r, TEXT(" 2014-02-05T13:37:45Z\n"), &s));
    assert_true(stamp_read_whole(&r, TEXT("/Date(1391607465123)/"), &s));
    assert_false(stamp_read_whole(&r, TEXT("2014-02-05T13:37:45Z x"), &s));
    assert_true(stamp_read_whole(&r, TEXT("/Date(1391607465123+0100)/"), &s));
    assert_true(stamp_read_whole(&r, TEXT("20140205133745"), &s));
    assert_true(stamp_read_whole(&r, TEXT("1391607465,123"), &s));
    assert_true(s.us == INT64_C(1391607465123000));
    assert_false(stamp_read_whole(&r, TEXT("20149905133745"), &s));
    assert_true(stamp_read_whole(&r, TEXT("2014-02-05 13:37:45.1 +0100 CET"), &s));
    assert_true(stamp_read_whole(&r, TEXT("2014-02-05 13:37:45.1 +0300 +03 m=+0.5"), &s));
    assert_true(stamp_read_whole(&r, TEXT("2014-02-05T13:37:45+01:00[Europe/Paris]"), &s));
    assert_true(stamp_read_whole(
        &r, TEXT("Wed Feb 05 2014 13:37:45 GMT+0100 (Central European Standard Time)"), &s));
    assert_false(stamp_read_whole(&r, TEXT("2014-02-05T13:37:45+01:00 then more"), &s));
}

int main(void)
{
    enum { ROWS = sizeof rows / sizeof *rows };
    struct CMUnitTest tests[ROWS + 3];
    size_t n = 0;
    for (size_t i = 0; i < ROWS; i++)
        tests[n++] = ROW(test_time, &rows[i]);
    tests[n++] = (struct CMUnitTest)cmocka_unit_test(test_guesses);
    tests[n++] = (struct CMUnitTest)cmocka_unit_test(test_order_of_dates);
    tests[n++] = (struct CMUnitTest)cmocka_unit_test(test_whole);
    return _cmocka_run_group_tests("test_stamp", tests, n, NULL, NULL);
}
