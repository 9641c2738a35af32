/* SPDX-License-Identifier: Apache-2.0 */
#include "base/buffer.h"
#include "ingest/format/windows_event.h"
#include "ingest/ingest.h"
#include "tests/support/table.h"
#include <stdlib.h>
#include <string.h>

/* Windows events as XML and as Snare's cells. */

#define HEAD "<Event xmlns='http://schemas.example/event'><System><Provider Name='P' Guid=\"{1}\"/>"

static const struct row {
    const char *name, *text;
    const char *want; /* "name=value;..."; NULL: it is no such event */
} rows[] = {
    {"whole",
     HEAD "<EventID Qualifiers='0'>4625</EventID><TimeCreated SystemTime='2026-03-04T04:53:20Z'/>"
          "<Correlation/><Channel>Security</Channel></System><EventData>"
          "<Data Name='User'>bob</Data><Data Name=\"Empty\"></Data><Data Name='None'/>"
          "<Data>plain</Data></EventData></Event>",
     "Event.System.Provider.#attributes.Name=P;Event.System.Provider.#attributes.Guid={1};"
     "Event.System.EventID.#attributes.Qualifiers=0;Event.System.EventID.#text=4625;"
     "Event.System.TimeCreated.#attributes.SystemTime=2026-03-04T04:53:20Z;"
     "Event.System.Channel=Security;Event.EventData.User=bob;Event.EventData.Empty=;"
     "Event.EventData.Data=plain;"},
    {"over many lines, with a prolog",
     "<?xml version='1.0'?>\r\n<Event>\n  <System>\n    <EventID>1</EventID>\n  "
     "</System>\n</Event>",
     "Event.System.EventID=1;"},
    {"entities",
     "<Event><a>&lt;&amp;&gt; &quot;&apos; &#65;&#x42;&#x20AC; &x; &#0; & y</a></Event>",
     "Event.a=<&> \"' AB\xE2\x82\xAC &x; &#0; & y;"},
    {"user data", "<Event><UserData><Log xmlns='x'><Reason>r</Reason></Log></UserData></Event>",
     "Event.UserData.Log.Reason=r;"},
    {"cut", HEAD "<EventID>1</Eve", NULL},
    {"cut in an attribute", "<Event><a b='c", NULL},
    {"not closed", "<Event><a>1</a>", NULL},
    {"closes what is not open", "<Event></a></b>", NULL},
    {"another element", "<Events><a>1</a></Events>", NULL},
    {"another language", "<html><Event>1</Event></html>", NULL},
    {"too deep", "<Event><a><a><a><a><a><a><a><a><a><a><a><a><a><a><a><a>1", NULL},
    {"a comment is not read", "<Event><!-- x --><a>1</a></Event>", NULL},
    {"Snare",
     "MSWinEventLog\t1\tSecurity\t77\tWed Mar 04 04:53:20 2026\t4625\tAuditing\tEX\\bob\tN/A\t"
     "Failure Audit\tpc1\tLogon\t\tAn account failed to log on.\t42",
     "Channel=Security;EventTime=Wed Mar 04 04:53:20 2026;EventID=4625;SourceName=Auditing;"
     "UserName=EX\\bob;EventType=Failure Audit;Hostname=pc1;Category=Logon;"
     "Message=An account failed to log on.;"},
    {"Snare, tabs escaped",
     "MSWinEventLog#0111#011System#0117#011Wed Mar 04 04:53:20 2026#0117036#011SCM#011N/A#011N/A"
     "#011Information#011pc1",
     "Channel=System;EventTime=Wed Mar 04 04:53:20 2026;EventID=7036;SourceName=SCM;"
     "EventType=Information;Hostname=pc1;"},
    {"Snare, too few cells", "MSWinEventLog\t1\tSecurity\t77\tx\t4625", NULL},
    {"Snare, no event's number", "MSWinEventLog\t1\tSecurity\t77\tx\ty\tA\tB\tC\tD\tpc1", NULL},
};

static void test_text(void **state)
{
    const struct row *row = *state;
    struct arena arena;
    struct buffer got;
    struct event e = {0};
    arena_init(&arena, 1 << 20);
    buffer_init(&got, 1 << 16);
    char *copy = strdup(row->text); /* one byte too far is seen */
    assert_non_null(copy);
    const struct text t = text_of(copy);
    const bool is_event =
        windows_event_read_xml(t, &arena, &e) || windows_event_read_snare(t, &arena, &e);
    assert_int_equal(is_event, row->want != NULL);
    for (uint32_t i = 0; i < e.field_count; i++)
        buffer_printf(&got, "%.*s=%.*s;", TEXT_ARG(e.fields[i].name), TEXT_ARG(e.fields[i].value));
    buffer_byte(&got, 0);
    assert_string_equal(got.at, row->want ? row->want : "");
    buffer_fini(&got);
    event_fini(&e);
    arena_fini(&arena);
    free(copy);
}

static void test_behind_a_header(void **state)
{
    (void)state;
    struct arena arena;
    struct parser *p = NULL;
    struct event e = {0};
    const struct parser_options options = {0};
    const struct record r = {
        .raw = TEXT("<13>1 2026-03-04T05:00:00Z relay nxlog 1 - - <Event><System><TimeCreated "
                    "SystemTime='2026-03-04T04:53:20Z'/><Computer>pc1</Computer></System></Event>"),
        .receive_us = INT64_C(1772700000000000)};
    arena_init(&arena, 1 << 20);
    assert_int_equal(parser_new(&options, &p, NULL), STATUS_OK);
    parser_read(p, &r, &arena, &e);
    assert_true(e.event_us == INT64_C(1772600000000000));
    assert_true(text_equal(e.host, TEXT("relay")));
    assert_true(text_equal(event_field(&e, TEXT("Event.System.Computer"))->value, TEXT("pc1")));
    event_fini(&e);
    parser_free(p);
    arena_fini(&arena);
}

int main(void)
{
    enum { ROWS = sizeof rows / sizeof *rows };
    struct CMUnitTest tests[ROWS + 1];
    size_t n = 0;
    for (size_t i = 0; i < ROWS; i++)
        tests[n++] = ROW(test_text, &rows[i]);
    tests[n++] = (struct CMUnitTest)cmocka_unit_test(test_behind_a_header);
    return _cmocka_run_group_tests("test_windows_event", tests, n, NULL, NULL);
}
