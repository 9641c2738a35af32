/* SPDX-License-Identifier: Apache-2.0 */
#include "journal/crc.h"
#include "tests/support/table.h"
#include <string.h>

/* RFC 3720 appendix B.4 */
static const struct row {
    const char *name;
    int first, step;
    size_t len;
    uint32_t want;
} rows[] = {
    {"32 zeros", 0, 0, 32, 0x8A9136AA},
    {"32 ones", 0xFF, 0, 32, 0x62A8AB43},
    {"rising", 0, 1, 32, 0x46DD794E},
    {"falling", 31, -1, 32, 0x113FDB5C},
    {"nothing", 0, 0, 0, 0},
};

static void test_known(void **state)
{
    const struct row *row = *state;
    uint8_t bytes[32];
    for (size_t i = 0; i < sizeof bytes; i++)
        bytes[i] = (uint8_t)(row->first + (int)i * row->step);
    assert_int_equal(crc_of(bytes, row->len, 0), row->want);
    assert_int_equal(crc_by_table(bytes, row->len, 0), row->want);
}

static void test_any_split(void **state)
{
    (void)state;
    uint8_t bytes[100];
    for (size_t i = 0; i < sizeof bytes; i++)
        bytes[i] = (uint8_t)(i * 37 + 11);
    uint32_t whole = crc_of(bytes, sizeof bytes, 0);
    for (size_t at = 0; at <= sizeof bytes; at++) {
        uint32_t head = crc_of(bytes, at, 0);
        assert_int_equal(head, crc_by_table(bytes, at, 0));
        assert_int_equal(crc_of(bytes + at, sizeof bytes - at, head), whole);
    }
}

int main(void)
{
    struct CMUnitTest tests[sizeof rows / sizeof *rows + 1];
    size_t n = 0;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        tests[n++] = ROW(test_known, &rows[i]);
    tests[n++] = (struct CMUnitTest)cmocka_unit_test(test_any_split);
    return _cmocka_run_group_tests("test_crc", tests, n, NULL, NULL);
}
