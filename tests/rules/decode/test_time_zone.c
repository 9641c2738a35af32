/* SPDX-License-Identifier: Apache-2.0 */
#include "base/buffer.h"
#include "base/timestamp.h"
#include "rules/decode/time_zone.h"
#include "tests/support/table.h"
#include <stdlib.h>
#include <string.h>

/* What clocks showed, by a file of two changes and the rule behind them. */

static void put(struct buffer *b, uint64_t value, int bytes)
{
    for (int i = bytes - 1; i >= 0; i--)
        buffer_byte(b, (char)(value >> (8 * i)));
}

static void put_header(struct buffer *b, uint32_t times, uint32_t types, uint32_t chars)
{
    const uint32_t counts[] = {0, 0, 0, times, types, chars};
    buffer_append(b, TEXT("TZif2"));
    put(b, 0, 8);
    put(b, 0, 7);
    for (size_t i = 0; i < sizeof counts / sizeof *counts; i++)
        put(b, counts[i], 4);
}

static int64_t us_of(const char *time)
{
    int64_t us = 0;
    assert_true(timestamp_parse(text_of(time), 0, &us, NULL));
    return us;
}

/* UTC+1; +2 from 30 March 2025, +1 again from 26 October; then the rule. */
static void write_file(struct buffer *b, const char *rule)
{
    put_header(b, 0, 1, 1);
    put(b, 0, 6 + 1);
    put_header(b, 2, 2, 9);
    put(b, (uint64_t)(us_of("2025-03-30T01:00:00Z") / 1000000), 8);
    put(b, (uint64_t)(us_of("2025-10-26T01:00:00Z") / 1000000), 8);
    put(b, 1, 1);
    put(b, 0, 1);
    put(b, 3600, 4);
    put(b, 0, 2);
    put(b, 7200, 4);
    put(b, 0x0104, 2);
    buffer_append(b, TEXT("CET\0CEST\0"));
    buffer_byte(b, '\n');
    buffer_append(b, text_of(rule));
    buffer_byte(b, '\n');
}

#define BERLIN "CET-1CEST,M3.5.0,M10.5.0/3"
#define SYDNEY "AEST-10AEDT,M10.1.0,M4.1.0/3"

static const struct row {
    const char *name, *rule, *local;
    int hours;
} rows[] = {
    {"before the first change", BERLIN, "2025-01-01T00:00:00Z", 1},
    {"just before", BERLIN, "2025-03-30T01:59:59Z", 1},
    {"an hour that is skipped", BERLIN, "2025-03-30T02:30:00Z", 1},
    {"just behind", BERLIN, "2025-03-30T03:00:00Z", 2},
    {"an hour that comes twice", BERLIN, "2025-10-26T02:30:00Z", 2},
    {"behind it", BERLIN, "2025-10-26T03:00:00Z", 1},
    {"rule: winter", BERLIN, "2030-01-15T12:00:00Z", 1},
    {"rule: summer", BERLIN, "2030-07-15T12:00:00Z", 2},
    {"rule: last Sunday of March", BERLIN, "2030-03-31T03:00:00Z", 2},
    {"rule: the day before", BERLIN, "2030-03-30T23:00:00Z", 1},
    {"rule: summer over the new year", SYDNEY, "2030-01-15T12:00:00Z", 11},
    {"rule: winter in July", SYDNEY, "2030-07-15T12:00:00Z", 10},
    {"rule: no summer", "<+03>-3", "2030-07-15T12:00:00Z", 3},
    {"rule: west", "EST5EDT4,M3.2.0,M11.1.0", "2030-07-15T12:00:00Z", -4},
    {"rule: none", "", "2030-07-15T12:00:00Z", 1},
    {"rule: nonsense", "CET-1CEST,J60,M99.9.9", "2030-07-15T12:00:00Z", 1},
};

static void test_offset(void **state)
{
    const struct row *row = *state;
    struct arena arena;
    struct buffer file;
    const struct time_zone *z = NULL;
    arena_init(&arena, 1 << 20);
    buffer_init(&file, 1 << 12);
    write_file(&file, row->rule);
    assert_int_equal(time_zone_read(buffer_text(&file), &arena, &z), STATUS_OK);
    assert_int_equal(time_zone_offset(z, us_of(row->local) / 1000000), row->hours * 3600);
    buffer_fini(&file);
    arena_fini(&arena);
}

/* Cut anywhere, or with any byte another: read or refused, never more than there is. */
static void test_damage(void **state)
{
    (void)state;
    struct buffer file;
    const struct time_zone *z = NULL;
    buffer_init(&file, 1 << 12);
    write_file(&file, BERLIN);
    for (size_t i = 0; i < file.len; i++) {
        struct arena arena;
        arena_init(&arena, 1 << 20);
        char *copy = malloc(file.len);
        assert_non_null(copy);
        memcpy(copy, file.at, file.len);
        char *cut = malloc(i ? i : 1);
        assert_non_null(cut);
        memcpy(cut, file.at, i);
        if (time_zone_read((struct text){cut, i}, &arena, &z) == STATUS_OK)
            (void)time_zone_offset(z, INT64_C(1900000000));
        copy[i] = (char)0xFF;
        if (time_zone_read((struct text){copy, file.len}, &arena, &z) == STATUS_OK)
            (void)time_zone_offset(z, INT64_C(1900000000));
        free(copy);
        free(cut);
        arena_fini(&arena);
    }
    buffer_fini(&file);
}

static void test_the_systems_own(void **state)
{
    (void)state;
    struct arena arena;
    const struct time_zone *z = NULL;
    arena_init(&arena, 1 << 20);
    assert_int_equal(time_zone_load(TEXT("../../../etc/passwd"), &arena, &z), STATUS_NOTFOUND);
    assert_int_equal(time_zone_load(TEXT("No/Where"), &arena, &z), STATUS_NOTFOUND);
    if (time_zone_load(TEXT("Europe/Berlin"), &arena, &z) != STATUS_OK)
        skip(); /* no tzdata here */
    assert_int_equal(time_zone_offset(z, us_of("2026-01-15T12:00:00Z") / 1000000), 3600);
    assert_int_equal(time_zone_offset(z, us_of("2026-07-15T12:00:00Z") / 1000000), 7200);
    assert_int_equal(time_zone_offset(z, us_of("2060-07-15T12:00:00Z") / 1000000), 7200);
    arena_fini(&arena);
}

int main(void)
{
    enum { ROWS = sizeof rows / sizeof *rows };
    struct CMUnitTest tests[ROWS + 2];
    size_t n = 0;
    for (size_t i = 0; i < ROWS; i++)
        tests[n++] = ROW(test_offset, &rows[i]);
    tests[n++] = (struct CMUnitTest)cmocka_unit_test(test_damage);
    tests[n++] = (struct CMUnitTest)cmocka_unit_test(test_the_systems_own);
    return _cmocka_run_group_tests("test_time_zone", tests, n, NULL, NULL);
}
