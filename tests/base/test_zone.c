/* SPDX-License-Identifier: Apache-2.0 */
#include "base/record.h"
#include "base/zone.h"
#include "tests/support/table.h"

static const struct row {
    const char *name, *zone;
    bool is_read;
    int32_t want_s;
} rows[] = {
    {"zone: Z", "Z", true, 0},
    {"zone: UTC", "UTC", true, 0},
    {"zone: east", "+01:00", true, 3600},
    {"zone: west without a colon", "-0530", true, -19800},
    {"zone: furthest east", "+14:00", true, 50400},
    {"zone: zero west", "-00:00", true, 0},
    {"zone: nothing", "", false, 0},
    {"zone: a name", "Europe/Berlin", false, 0},
    {"zone: no sign", "01:00", false, 0},
    {"zone: words behind", "Z and more", false, 0},
    {"zone: longer than any", "+01:00+01:00+01:00+01:00+01:00+01:00+01:00+01:00", false, 0},
};

static void test_zone_is_read(void **state)
{
    const struct row *row = *state;
    int32_t got_s = -1;
    assert_int_equal(zone_parse(row->zone, &got_s), row->is_read);
    assert_int_equal(got_s, row->is_read ? row->want_s : -1);
}

static void test_a_record_keeps_its_zone(void **state)
{
    (void)state;
    for (int32_t zone_s = -86340; zone_s <= 86340; zone_s += 900) {
        struct record r = {.flags = RECORD_TRUNCATED | record_zone_flags(zone_s)};
        assert_int_equal(record_zone_s(&r, 1), zone_s);
        assert_true(r.flags & RECORD_TRUNCATED);
    }
    struct record plain = {.flags = RECORD_EXEMPT};
    assert_int_equal(record_zone_s(&plain, 3600), 3600);
}

int main(void)
{
    enum { ROWS = sizeof rows / sizeof *rows };
    struct CMUnitTest tests[ROWS + 1];
    for (size_t i = 0; i < ROWS; i++)
        tests[i] = ROW(test_zone_is_read, &rows[i]);
    tests[ROWS] = (struct CMUnitTest)cmocka_unit_test(test_a_record_keeps_its_zone);
    return cmocka_run_group_tests_name("test_zone", tests, NULL, NULL);
}
