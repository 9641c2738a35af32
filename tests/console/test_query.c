/* SPDX-License-Identifier: Apache-2.0 */
#include "base/timestamp.h"
#include "console/query.h"
#include "tests/support/table.h"
#include <string.h>

static const struct row {
    const char *name, *query, *error; /* NULL: good */
    const char *a;                    /* the value of "a" */
} rows[] = {
    {"empty", "", NULL, ""},
    {"one", "a=1", NULL, "1"},
    {"two", "b=2&a=1", NULL, "1"},
    {"no value", "a", NULL, ""},
    {"escapes", "a=%41%2Bb+c", NULL, "A+b c"},
    {"an equals sign in the value", "a=x=y", NULL, "x=y"},
    {"unknown", "c=1", "'c'", NULL},
    {"nearly known", "aa=1", "'aa'", NULL},
    {"empty name", "=1", "''", NULL},
    {"nothing between", "a=1&&b=2", "''", NULL},
    {"twice", "a=1&a=2", "twice", NULL},
    {"broken escape", "a=%4", "broken", NULL},
    {"not hexadecimal", "a=%zz", "broken", NULL},
    {"NUL", "a=%00", "broken", NULL},
};

static void test_query(void **state)
{
    const struct row *row = *state;
    struct arena arena;
    arena_init(&arena, 1 << 16);
    struct error err = {0};
    enum status status = query_check(text_of(row->query), "a,b", &arena, &err);
    if (row->error) {
        assert_true(status != STATUS_OK);
        assert_non_null(strstr(err.text, row->error));
    } else {
        assert_int_equal(status, STATUS_OK);
        assert_true(text_equal(query_get(text_of(row->query), TEXT("a"), &arena), text_of(row->a)));
    }
    arena_fini(&arena);
}

enum { NOW = 1000000000 };
static const struct time_row {
    const char *name, *text;
    int64_t want; /* -1: refused */
} times[] = {
    {"time: none", "", 7},
    {"time: whole", "1970-01-01T00:00:02Z", 2000000},
    {"time: with a zone", "1970-01-01T01:00:02+01:00", 2000000},
    {"time: a date", "1970-01-02", INT64_C(86400000000)},
    {"time: ago", "10s", NOW - 10000000},
    {"time: no such day", "1970-02-30", -1},
    {"time: words", "yesterday", -1},
    {"time: no unit", "10", -1},
};

static void test_time(void **state)
{
    const struct time_row *row = *state;
    int64_t got = -5;
    struct error err = {0};
    enum status status = query_time(text_of(row->text), "since", NOW, 7, &got, &err);
    assert_int_equal(status, row->want < 0 ? STATUS_INVALID : STATUS_OK);
    if (row->want >= 0)
        assert_int_equal(got, row->want);
    else
        assert_memory_equal(err.text, "since", 5);
}

int main(void)
{
    enum { ROWS = sizeof rows / sizeof *rows, TIMES = sizeof times / sizeof *times };
    struct CMUnitTest tests[ROWS + TIMES];
    for (size_t i = 0; i < ROWS; i++)
        tests[i] = ROW(test_query, &rows[i]);
    for (size_t i = 0; i < TIMES; i++)
        tests[ROWS + i] = ROW(test_time, &times[i]);
    return cmocka_run_group_tests_name("test_query", tests, NULL, NULL);
}
