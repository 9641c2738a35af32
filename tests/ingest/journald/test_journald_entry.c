/* SPDX-License-Identifier: Apache-2.0 */
#include "ingest/ingest.h"
#include "ingest/journald/journald_entry.h"
#include "tests/support/table.h"
#include <stdlib.h>

#define HEADER "<38>1 2025-10-09T08:53:20.000000Z web1 sshd 42 - "

/* Fields of an entry, in the order in which the journal gives them, and the message they make. */
static const struct row {
    const char *name;
    const char *fields[8];
    const char *wanted; /* one name, or none */
    const char *want;
} rows[] = {
    {"entry: as by syslog",
     {"MESSAGE=hello", "SYSLOG_IDENTIFIER=sshd", "_PID=42", "_HOSTNAME=web1", "PRIORITY=6",
      "SYSLOG_FACILITY=4"},
     NULL,
     HEADER "- hello"},
    {"entry: order does not matter, of two the first counts",
     {"SYSLOG_FACILITY=4", "PRIORITY=6", "_HOSTNAME=web1", "MESSAGE=hello", "MESSAGE=other",
      "_PID=42", "SYSLOG_IDENTIFIER=sshd"},
     NULL,
     HEADER "- hello"},
    {"entry: fields beside, escaped",
     {"MESSAGE=hello", "SYSLOG_IDENTIFIER=sshd", "_PID=42", "_HOSTNAME=web1", "PRIORITY=6",
      "SYSLOG_FACILITY=4", "_EXE=/a\"b]c\\d"},
     "trusted",
     HEADER "[journald _EXE=\"/a\\\"b\\]c\\\\d\"] hello"},
    {"entry: all fields but the header's",
     {"MESSAGE=hello", "SYSLOG_IDENTIFIER=sshd", "_PID=42", "_HOSTNAME=web1", "PRIORITY=6",
      "SYSLOG_FACILITY=4", "A=1", "_B=2"},
     "*",
     HEADER "[journald A=\"1\" _B=\"2\"] hello"},
    {"entry: nothing but a text",
     {"MESSAGE=hello"},
     "trusted",
     "<14>1 2025-10-09T08:53:20.000000Z - - - - - hello"},
    {"entry: program by its command, pid as the program says it",
     {"MESSAGE=hello", "_COMM=cron", "SYSLOG_PID=7"},
     NULL,
     "<14>1 2025-10-09T08:53:20.000000Z - cron 7 - - hello"},
    {"entry: the kernel",
     {"MESSAGE=hello", "_TRANSPORT=kernel", "SYSLOG_FACILITY=0", "PRIORITY=4"},
     NULL,
     "<4>1 2025-10-09T08:53:20.000000Z - kernel - - - hello"},
    {"entry: a program's name with blanks",
     {"MESSAGE=hello", "SYSLOG_IDENTIFIER=a b\x01\xc3\xa4"},
     NULL,
     "<14>1 2025-10-09T08:53:20.000000Z - a_b___ - - - hello"},
    {"entry: a program's name is at most 48 bytes",
     {"MESSAGE=hello", "SYSLOG_IDENTIFIER=0123456789012345678901234567890123456789012345678901"},
     NULL,
     "<14>1 2025-10-09T08:53:20.000000Z - 012345678901234567890123456789012345678901234567 - - - "
     "hello"},
    {"entry: numbers that are none",
     {"MESSAGE=hello", "PRIORITY=9", "SYSLOG_FACILITY=x"},
     NULL,
     "<14>1 2025-10-09T08:53:20.000000Z - - - - - hello"},
    {"entry: no message, its own fields as pairs",
     {"USER_ID=5", "_UID=0", "RESULT=a b"},
     NULL,
     "<14>1 2025-10-09T08:53:20.000000Z - - - - - USER_ID=\"5\" RESULT=\"a b\""},
    {"entry: an empty message, a field without '='",
     {"MESSAGE=", "NOTHING"},
     NULL,
     "<14>1 2025-10-09T08:53:20.000000Z - - - - - "},
};

static void test_entry(void **state)
{
    const struct row *row = *state;
    struct text wanted = text_of(row->wanted);
    struct journald_entry e;
    struct buffer out;
    buffer_init(&out, 1 << 20);
    journald_entry_init(&e, (struct option_texts){&wanted, row->wanted != NULL}, 480);
    for (int i = 0; i < 8 && row->fields[i]; i++)
        journald_entry_add(&e, text_of(row->fields[i]));
    assert_false(journald_entry_write(&e, INT64_C(1760000000000000), 480, &out));
    buffer_byte(&out, '\0');
    assert_string_equal(out.at, row->want);
    journald_entry_fini(&e);
    buffer_fini(&out);
}

static void test_what_is_long_is_cut_and_said(void **state)
{
    (void)state;
    static char message[4096 + 8] = "MESSAGE=", other[9000] = "COREDUMP=";
    struct text all = TEXT("*");
    struct journald_entry e;
    struct buffer out;
    memset(message + 8, 'x', sizeof message - 8);
    memset(other + 9, 'y', sizeof other - 9);
    buffer_init(&out, 1 << 20);
    journald_entry_init(&e, (struct option_texts){&all, 1}, 1000);
    journald_entry_add(&e, (struct text){other, sizeof other});
    journald_entry_add(&e, (struct text){message, sizeof message});
    assert_true(journald_entry_write(&e, 0, 1000, &out));
    assert_int_equal(out.len, 1000);
    assert_int_equal(out.at[999], 'x');
    assert_true(text_find(buffer_text(&out), TEXT("yyy")) == out.len); /* does not crowd it out */

    journald_entry_reset(&e);
    for (int i = 0; i < JOURNALD_FIELDS + 5; i++)
        journald_entry_add(&e, (struct text){other, sizeof other});
    assert_int_equal(e.count, JOURNALD_FIELDS);
    assert_true(journald_entry_write(&e, 0, 1000, &out));
    journald_entry_fini(&e);
    buffer_fini(&out);
}

/* The same message by syslog and by journald: what a rule sees of it is the same. */
static void test_parsed_as_by_syslog(void **state)
{
    (void)state;
    const struct parser_options options = {.format = FORMAT_SYSLOG, .now_us = 1760000000000000};
    static const char *const fields[] = {
        "MESSAGE=Failed password for root from 203.0.113.9 port 22 ssh2",
        "_HOSTNAME=web1",
        "SYSLOG_IDENTIFIER=sshd",
        "_PID=42",
        "PRIORITY=6",
        "SYSLOG_FACILITY=4",
        "_EXE=/x]"};
    static const char by_syslog[] =
        "<38>Oct  9 08:53:20 web1 sshd[42]: Failed password for root from 203.0.113.9 port 22 ssh2";
    struct text wanted = TEXT("trusted");
    struct journald_entry entry;
    struct event a = {0}, b = {0};
    struct arena arena;
    struct buffer out;
    AUTO(parser) p = NULL;
    assert_int_equal(parser_new(&options, &p, NULL), STATUS_OK);
    arena_init(&arena, 1 << 20);
    buffer_init(&out, 1 << 20);
    journald_entry_init(&entry, (struct option_texts){&wanted, 1}, 65536);
    for (size_t i = 0; i < sizeof fields / sizeof *fields; i++)
        journald_entry_add(&entry, text_of(fields[i]));
    assert_false(journald_entry_write(&entry, INT64_C(1760000000000000), 65536, &out));
    struct record one = {.raw = buffer_text(&out)};
    struct record other = {.raw = text_of(by_syslog)};
    parser_read(p, &one, &arena, &a);
    parser_read(p, &other, &arena, &b);
    assert_true(text_equal(a.host, b.host) && text_equal(a.program, b.program));
    assert_true(text_equal(a.pid, b.pid) && text_equal(a.message, b.message));
    assert_true(a.facility == b.facility && a.severity == b.severity);
    assert_true(a.event_us == b.event_us);
    assert_int_equal(a.flags, 0);
    journald_entry_fini(&entry);
    event_fini(&a);
    event_fini(&b);
    buffer_fini(&out);
    arena_fini(&arena);
}

int main(void)
{
    enum { ROWS = sizeof rows / sizeof *rows };
    struct CMUnitTest tests[ROWS + 2];
    size_t n = 0;
    for (size_t i = 0; i < ROWS; i++)
        tests[n++] = ROW(test_entry, &rows[i]);
    tests[n++] = (struct CMUnitTest)cmocka_unit_test(test_what_is_long_is_cut_and_said);
    tests[n++] = (struct CMUnitTest)cmocka_unit_test(test_parsed_as_by_syslog);
    return cmocka_run_group_tests_name("test_journald_entry", tests, NULL, NULL);
}
