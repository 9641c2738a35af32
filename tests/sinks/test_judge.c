/* SPDX-License-Identifier: Apache-2.0 */
#include "sinks/judge.h"
#include "tests/support/table.h"
#include <string.h>

enum { HTTP, MAIL };

static const struct row {
    const char *name;
    int medium;
    enum transfer_end end;
    int code;
    enum delivery_state state;
    bool is_down, must_disable;
} rows[] = {
    {"http 200", HTTP, TRANSFER_ANSWERED, 200, DELIVERY_DELIVERED, false, false},
    {"http 204", HTTP, TRANSFER_ANSWERED, 204, DELIVERY_DELIVERED, false, false},
    {"http 302", HTTP, TRANSFER_ANSWERED, 302, DELIVERY_FAILED_TEMP, true, false},
    {"http 400", HTTP, TRANSFER_ANSWERED, 400, DELIVERY_FAILED_PERM, false, false},
    {"http 401", HTTP, TRANSFER_ANSWERED, 401, DELIVERY_FAILED_TEMP, true, false},
    {"http 403", HTTP, TRANSFER_ANSWERED, 403, DELIVERY_FAILED_TEMP, true, false},
    {"http 404", HTTP, TRANSFER_ANSWERED, 404, DELIVERY_FAILED_TEMP, true, false},
    {"http 408", HTTP, TRANSFER_ANSWERED, 408, DELIVERY_FAILED_TEMP, true, false},
    {"http 410", HTTP, TRANSFER_ANSWERED, 410, DELIVERY_FAILED_PERM, false, true},
    {"http 413", HTTP, TRANSFER_ANSWERED, 413, DELIVERY_FAILED_PERM, false, false},
    {"http 422", HTTP, TRANSFER_ANSWERED, 422, DELIVERY_FAILED_PERM, false, false},
    {"http 425", HTTP, TRANSFER_ANSWERED, 425, DELIVERY_FAILED_TEMP, false, false},
    {"http 429", HTTP, TRANSFER_ANSWERED, 429, DELIVERY_FAILED_TEMP, false, false},
    {"http 500", HTTP, TRANSFER_ANSWERED, 500, DELIVERY_FAILED_TEMP, true, false},
    {"http 503", HTTP, TRANSFER_ANSWERED, 503, DELIVERY_FAILED_TEMP, true, false},
    {"http 101", HTTP, TRANSFER_ANSWERED, 101, DELIVERY_FAILED_TEMP, true, false},
    {"http 999", HTTP, TRANSFER_ANSWERED, 999, DELIVERY_FAILED_TEMP, true, false},
    {"http not reached", HTTP, TRANSFER_UNREACHED, 0, DELIVERY_FAILED_TEMP, true, false},
    {"http address refused", HTTP, TRANSFER_REFUSED, 0, DELIVERY_FAILED_PERM, true, false},
    {"http no answer", HTTP, TRANSFER_AMBIGUOUS, 0, DELIVERY_FAILED_TEMP, true, false},
    {"http abandoned", HTTP, TRANSFER_ABANDONED, 0, DELIVERY_FAILED_TEMP, true, false},
    {"mail 250", MAIL, TRANSFER_ANSWERED, 250, DELIVERY_ACCEPTED, false, false},
    {"mail 421", MAIL, TRANSFER_ANSWERED, 421, DELIVERY_FAILED_TEMP, true, false},
    {"mail 450", MAIL, TRANSFER_ANSWERED, 450, DELIVERY_FAILED_TEMP, false, false},
    {"mail 452", MAIL, TRANSFER_ANSWERED, 452, DELIVERY_FAILED_TEMP, false, false},
    {"mail 454", MAIL, TRANSFER_ANSWERED, 454, DELIVERY_FAILED_TEMP, true, false},
    {"mail 535", MAIL, TRANSFER_ANSWERED, 535, DELIVERY_FAILED_TEMP, true, false},
    {"mail 550", MAIL, TRANSFER_ANSWERED, 550, DELIVERY_FAILED_PERM, false, false},
    {"mail 554", MAIL, TRANSFER_ANSWERED, 554, DELIVERY_FAILED_PERM, false, false},
    {"mail not reached", MAIL, TRANSFER_UNREACHED, 0, DELIVERY_FAILED_TEMP, true, false},
    {"mail no answer", MAIL, TRANSFER_AMBIGUOUS, 0, DELIVERY_UNKNOWN, true, false},
    {"mail abandoned", MAIL, TRANSFER_ABANDONED, 0, DELIVERY_UNKNOWN, true, false},
};

static void test_judge(void **state)
{
    const struct row *row = *state;
    struct transfer_reply reply = {.end = row->end, .code = row->code, .retry_after_us = 7};
    struct attempt a = {0};
    if (row->medium == HTTP)
        judge_http(&reply, &a);
    else
        judge_mail(&reply, &a);
    assert_int_equal(a.state, row->state);
    assert_int_equal(a.is_down, row->is_down);
    assert_int_equal(a.must_disable, row->must_disable);
    assert_int_equal(a.http_status, row->code);
    assert_true(a.detail[0] != '\0');
    bool may_wait =
        row->medium == HTTP && row->end == TRANSFER_ANSWERED && row->state == DELIVERY_FAILED_TEMP;
    assert_int_equal(a.retry_after_us, may_wait ? 7 : 0);
}

static void test_server_words_are_one_printable_line(void **state)
{
    (void)state;
    struct transfer_reply reply = {
        .end = TRANSFER_ANSWERED, .code = 550, .why = "550 no\x1b[2J\r\nx"};
    struct attempt a = {0};
    judge_mail(&reply, &a);
    assert_string_equal(a.detail, "answered 550: refused; 550 no?[2J??x");
}

int main(void)
{
    enum { COUNT = sizeof rows / sizeof *rows };
    struct CMUnitTest tests[COUNT + 1];
    for (size_t i = 0; i < COUNT; i++)
        tests[i] = ROW(test_judge, &rows[i]);
    tests[COUNT] = (struct CMUnitTest)cmocka_unit_test(test_server_words_are_one_printable_line);
    return cmocka_run_group_tests_name("test_judge", tests, NULL, NULL);
}
