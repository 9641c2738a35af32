/* SPDX-License-Identifier: Apache-2.0 */
#include "sinks/letter.h"
#include "tests/support/table.h"
#include <string.h>

static const struct row {
    const char *name, *text, *display, *bare; /* bare NULL: refused */
} rows[] = {
    {"address: bare", "soc@example.org", "", "soc@example.org"},
    {"address: spaces around", "  soc@example.org ", "", "soc@example.org"},
    {"address: with a name", "SOC on duty <soc@example.org>", "SOC on duty", "soc@example.org"},
    {"address: no at", "soc", NULL, NULL},
    {"address: no user", "@example.org", NULL, NULL},
    {"address: no host", "soc@", NULL, NULL},
    {"address: line end", "soc@example.org\r\nBcc: x@y.z", NULL, NULL},
    {"address: line end in the name", "A\nBcc: x@y.z <soc@example.org>", NULL, NULL},
    {"address: two", "a@b.c, d@e.f", NULL, NULL},
    {"address: space inside", "a b@c.d", NULL, NULL},
    {"address: quote in the name", "\"A\" <a@b.c>", NULL, NULL},
    {"address: not ASCII", "so\xc3\xa8@example.org", NULL, NULL},
    {"address: a name that is not", "Caff\xc3\xa8 <soc@example.org>", "Caff\xc3\xa8",
     "soc@example.org"},
    {"address: empty", "", NULL, NULL},
};

static void test_address(void **state)
{
    const struct row *row = *state;
    struct letter_address a;
    bool is_good = letter_read_address(text_of(row->text), &a);
    assert_int_equal(is_good, row->bare != NULL);
    if (!is_good)
        return;
    assert_true(text_equal(a.display, text_of(row->display)));
    assert_true(text_equal(a.bare, text_of(row->bare)));
}

static const struct letter_address to[] = {{{"", 0}, {"duty@example.org", 16}},
                                           {{"Due", 3}, {"two@example.org", 15}}};

static const char *written(struct buffer *out, enum notice_kind kind, const char *subject,
                           const char *body)
{
    struct delivery d = {.id = TEXT("dlv_01"),
                         .incident = TEXT("inc_01"),
                         .kind = kind,
                         .priority = 1,
                         .queued_us = INT64_C(1795327231000000)};
    buffer_init(out, 1 << 16);
    letter_write(&(struct letter){.from = {TEXT("SOC"), TEXT("soc@example.org")},
                                  .to = to,
                                  .to_count = 2,
                                  .subject = text_of(subject),
                                  .body = text_of(body),
                                  .delivery = &d},
                 out);
    buffer_byte(out, '\0');
    assert_false(out->has_failed);
    return out->at;
}

static void test_headers(void **state)
{
    (void)state;
    struct buffer out;
    const char *mail = written(&out, NOTICE_OPENED, "[P1] opened: x", "hello\n");
    assert_non_null(strstr(mail, "From: \"SOC\" <soc@example.org>\r\n"));
    assert_non_null(strstr(mail, "To: <duty@example.org>,\r\n \"Due\" <two@example.org>\r\n"));
    assert_non_null(strstr(mail, "Subject: [P1] opened: x\r\n"));
    assert_non_null(strstr(mail, "Date: Sun, 22 Nov 2026 06:00:31 +0000\r\n"));
    assert_non_null(strstr(mail, "Importance: high\r\n"));
    assert_non_null(strstr(mail, "\r\n\r\nhello\r\n"));
    buffer_fini(&out);
}

static void test_mails_of_one_incident_thread(void **state)
{
    (void)state;
    struct buffer first, later;
    const char *opened = written(&first, NOTICE_OPENED, "s", "b");
    const char *resolved = written(&later, NOTICE_RESOLVED, "s", "b");
    assert_non_null(strstr(opened, "Message-ID: <inc_01@example.org>\r\n"));
    assert_null(strstr(opened, "References:"));
    assert_non_null(strstr(resolved, "Message-ID: <dlv_01@example.org>\r\n"));
    assert_non_null(strstr(resolved, "References: <inc_01@example.org>\r\n"));
    assert_non_null(strstr(resolved, "In-Reply-To: <inc_01@example.org>\r\n"));
    buffer_fini(&first);
    buffer_fini(&later);
}

static void test_same_bytes_at_every_try(void **state)
{
    (void)state;
    struct buffer one, two;
    const char *a = written(&one, NOTICE_RAISED, "caff\xc3\xa8", "b");
    const char *b = written(&two, NOTICE_RAISED, "caff\xc3\xa8", "b");
    assert_string_equal(a, b);
    buffer_fini(&one);
    buffer_fini(&two);
}

static void test_subject_ends_no_header(void **state)
{
    (void)state;
    struct buffer out;
    const char *mail = written(&out, NOTICE_OPENED, "a\r\nBcc: evil@example.com", "b");
    assert_null(strstr(mail, "\nBcc:"));
    assert_non_null(strstr(mail, "Subject: =?UTF-8?B?"));
    buffer_fini(&out);
    mail = written(&out, NOTICE_OPENED, "=?UTF-8?B?aGk=?=", "b"); /* no second decoding */
    assert_null(strstr(mail, "Subject: =?UTF-8?B?aGk=?="));
    buffer_fini(&out);
}

static void test_long_subject_folds_between_characters(void **state)
{
    (void)state;
    char subject[301];
    for (size_t i = 0; i + 3 <= 300; i += 3)
        memcpy(subject + i, "\xe6\x97\xa5", 3);
    subject[300] = '\0';
    struct buffer out;
    const char *mail = written(&out, NOTICE_OPENED, subject, "b");
    size_t column = 0;
    for (const char *at = mail; *at; at++) {
        column = *at == '\n' ? 0 : column + 1;
        assert_true(column <= 200);
    }
    /* 45 bytes are 15 whole characters: 60 digits of base64, no padding before the last word */
    assert_non_null(strstr(mail, "5pel?=\r\n =?UTF-8?B?5pel"));
    buffer_fini(&out);
}

static void test_body_cannot_end_the_mail(void **state)
{
    (void)state;
    struct buffer out;
    const char *mail =
        written(&out, NOTICE_OPENED, "s", "a\r\n.\r\nMAIL FROM:<x>\r\nb=c \ntail\t\n\xff\n");
    const char *body = strstr(mail, "\r\n\r\n") + 4;
    assert_string_equal(body,
                        "a=0D\r\n.=0D\r\nMAIL FROM:<x>=0D\r\nb=3Dc=20\r\ntail=09\r\n=FF\r\n\r\n");
    buffer_fini(&out);
}

static void test_lines_stay_short(void **state)
{
    (void)state;
    char body[4001];
    memset(body, 'x', 4000);
    body[4000] = '\0';
    struct buffer out;
    const char *mail = written(&out, NOTICE_OPENED, "s", body);
    size_t column = 0;
    for (const char *at = strstr(mail, "\r\n\r\n"); *at; at++) {
        column = *at == '\n' ? 0 : column + 1;
        assert_true(column <= 78);
    }
    buffer_fini(&out);
}

int main(void)
{
    enum { COUNT = sizeof rows / sizeof *rows };
    struct CMUnitTest tests[COUNT + 7] = {
        cmocka_unit_test(test_headers),
        cmocka_unit_test(test_mails_of_one_incident_thread),
        cmocka_unit_test(test_same_bytes_at_every_try),
        cmocka_unit_test(test_subject_ends_no_header),
        cmocka_unit_test(test_long_subject_folds_between_characters),
        cmocka_unit_test(test_body_cannot_end_the_mail),
        cmocka_unit_test(test_lines_stay_short),
    };
    for (size_t i = 0; i < COUNT; i++)
        tests[7 + i] = ROW(test_address, &rows[i]);
    return cmocka_run_group_tests_name("test_letter", tests, NULL, NULL);
}
