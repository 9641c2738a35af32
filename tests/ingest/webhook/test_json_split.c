/* SPDX-License-Identifier: Apache-2.0 */
#include "ingest/webhook/json_split.h"
#include "tests/support/table.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Objects with '|' between them, then what is left behind "//". */
static const struct row {
    const char *name, *body, *want;
} rows[] = {
    {"split: nothing", "", "//"},
    {"split: white space", " \n\t", "//"},
    {"split: one", "{\"a\":1}", "{\"a\":1}|//"},
    {"split: none between", "{}{\"a\":[{}]}{}", "{}|{\"a\":[{}]}|{}|//"},
    {"split: lines", "{}\n{}\r\n\n{}\n", "{}|{}|{}|//"},
    {"split: brackets in strings", "{\"a\":\"}{\"}{\"b\":\"]\"}",
     "{\"a\":\"}{\"}|{\"b\":\"]\"}|//"},
    {"split: escaped quotes", "{\"a\\\"}\":\"\\\\\"}{}", "{\"a\\\"}\":\"\\\\\"}|{}|//"},
    {"split: cut object", "{} {\"a\":", "{}|//{\"a\":"},
    {"split: cut string", "{\"a", "//{\"a"},
    {"split: cut escape", "{\"a\\", "//{\"a\\"},
    {"split: no object", "{}, {}", "{}|//, {}"},
    {"split: an array", "[{}]", "//[{}]"},
};

static void test_split(void **state)
{
    const struct row *row = *state;
    const size_t len = strlen(row->body);
    char *copy = malloc(len ? len : 1); /* exactly sized: a byte too far is seen */
    char got[256] = "";
    size_t used = 0;
    assert_non_null(copy);
    memcpy(copy, row->body, len);
    struct text rest = {copy, len};
    struct text object;
    while (json_split_next(&rest, &object))
        used += (size_t)snprintf(got + used, sizeof got - used, "%.*s|", TEXT_ARG(object));
    (void)snprintf(got + used, sizeof got - used, "//%.*s", TEXT_ARG(rest));
    free(copy);
    assert_string_equal(got, row->want);
}

int main(void)
{
    struct CMUnitTest tests[32];
    size_t n = 0;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        tests[n++] = ROW(test_split, &rows[i]);
    return _cmocka_run_group_tests("test_json_split", tests, n, NULL, NULL);
}
