/* SPDX-License-Identifier: Apache-2.0 */
#include "console/command_body.h"
#include "tests/support/table.h"
#include <string.h>

static const struct row {
    const char *name, *incident, *body, *want; /* "!...": the error says so */
    const char *key;
} rows[] = {
    {"empty body", "inc_1", "", "{\"do\":\"ack\",\"incident\":\"inc_1\"}", ""},
    {"empty object", "inc_1", "{}", "{\"do\":\"ack\",\"incident\":\"inc_1\"}", ""},
    {"members stay", "inc_1", "{\"by\":\"ann\",\"n\":{\"x\":[1]}}",
     "{\"by\":\"ann\",\"n\":{\"x\":[1]},\"do\":\"ack\",\"incident\":\"inc_1\"}", ""},
    {"no incident", "", "{\"title\":\"t\"}", "{\"title\":\"t\",\"do\":\"ack\"}", ""},
    {"the id is data", "a\",\"do\":\"close", "",
     "{\"do\":\"ack\",\"incident\":\"a\\\",\\\"do\\\":\\\"close\"}", ""},
    {"not JSON", "inc_1", "by=ann", "!not JSON", ""},
    {"an array", "inc_1", "[]", "!object", ""},
    {"cut off", "inc_1", "{\"by\":", "!not JSON", ""},
    {"a name twice", "inc_1", "{\"by\":\"a\",\"by\":\"b\"}", "!not JSON", ""},
    {"says do", "inc_1", "{\"do\":\"close\"}", "!path", ""},
    {"says incident", "inc_1", "{\"incident\":\"inc_2\"}", "!path", ""},
    {"id that is not UTF-8", "\xff", "", "!UTF-8", ""},
    {"a key of the header", "", "{\"title\":\"t\"}",
     "{\"title\":\"t\",\"do\":\"ack\",\"idempotency_key\":\"k \\\"1\"}", "k \"1"},
    {"a key of the body", "", "{\"idempotency_key\":\"k\"}", "!header", ""},
};

static void test_order(void **state)
{
    const struct row *row = *state;
    struct buffer out;
    buffer_init(&out, 4096);
    struct error err = {0};
    enum status status = command_body_write(TEXT("ack"), text_of(row->incident), text_of(row->body),
                                            text_of(row->key), &out, &err);
    if (row->want[0] == '!') {
        assert_true(status != STATUS_OK);
        assert_non_null(strstr(err.text, row->want + 1));
        assert_int_equal(out.len, 0);
    } else {
        assert_int_equal(status, STATUS_OK);
        assert_true(text_equal(buffer_text(&out), text_of(row->want)));
    }
    buffer_fini(&out);
}

int main(void)
{
    enum { ROWS = sizeof rows / sizeof *rows };
    struct CMUnitTest tests[ROWS];
    for (size_t i = 0; i < ROWS; i++)
        tests[i] = ROW(test_order, &rows[i]);
    return cmocka_run_group_tests_name("test_command_body", tests, NULL, NULL);
}
