/* SPDX-License-Identifier: Apache-2.0 */
#include "base/json_scan.h"
#include "base/timestamp.h"
#include "ingest/ingest.h"
#include "tests/support/table.h"
#include <string.h>

/* Headers as relays, appliances and files really write them. Now is 2026-11-28T12:00Z. A field that
 * is NULL is not looked at; "" is an empty one. `field` and `value`: one that must be there. */
static const struct row {
    const char *name, *raw, *time, *host, *program, *message, *field, *value;
} rows[] = {
    {"an IPv6 host is no year", "<38>Mar  4 10:00:00 2001:db8::7 sshd[7]: hello",
     "2026-03-04T10:00:00Z", "2001:db8::7", "sshd", "hello", NULL, NULL},
    {"a compressed IPv6 host is no year", "<38>Mar  4 10:00:00 2003::9 su: hello",
     "2026-03-04T10:00:00Z", "2003::9", "su", "hello", NULL, NULL},
    {"a year with a colon is one", "<38>Mar  4 10:00:00 2025: %SYS-6-RESTART: hello",
     "2025-03-04T10:00:00Z", NULL, NULL, NULL, NULL, NULL},
    {"RFC 3339 without priority, pairs", "2026-03-04T07:12:09+00:00 gw1 id=firewall src=192.0.2.4",
     "2026-03-04T07:12:09Z", "gw1", "", "id=firewall src=192.0.2.4", "src", "192.0.2.4"},
    {"RFC 3339 without priority, CEF",
     "2026-03-04T07:12:09+01:00 web4 CEF:0|V|P|1|9|n|5|src=192.0.2.4", "2026-03-04T06:12:09Z",
     "web4", NULL, NULL, "src", "192.0.2.4"},
    {"RFC 3339 without priority, LEEF",
     "2026-03-04T07:12:09+01:00 web4 LEEF:1.0|V|P|1|9|src=192.0.2.4", "2026-03-04T06:12:09Z",
     "web4", NULL, NULL, "src", "192.0.2.4"},
    {"RFC 3339 without priority, JSON", "2026-03-04T07:12:09+01:00 web4 {\"src_ip\":\"192.0.2.4\"}",
     "2026-03-04T06:12:09Z", "web4", NULL, NULL, "src_ip", "192.0.2.4"},
    {"RFC 3339 without priority, repeated",
     "2026-03-04T07:12:09Z web4 last message repeated 3 times", "2026-03-04T07:12:09Z", "web4",
     NULL, "last message repeated 3 times", NULL, NULL},
    {"a level is no host", "2026-03-04T07:12:09Z WARN user=bob", "2026-03-04T07:12:09Z", "", NULL,
     NULL, NULL, NULL},
    {"a comma before decimals", "<13>2026-03-04T12:00:01,500+01:00 h1 app: x",
     "2026-03-04T11:00:01.5Z", "h1", "app", "x", NULL, NULL},
    {"a comma before decimals, 5424", "<13>1 2026-03-04T12:00:01,500+01:00 h1 app - - - x",
     "2026-03-04T11:00:01.5Z", "h1", "app", "x", NULL, NULL},
    {"a comma before decimals, JSON", "{\"timestamp\":\"2026-03-04T04:54:23,908Z\"}",
     "2026-03-04T04:54:23.908Z", NULL, NULL, NULL, NULL, NULL},
    {"Go's time in JSON", "{\"time\":\"2026-03-04 05:54:23.9081 +0100 CET m=+12.5\"}",
     "2026-03-04T04:54:23.9081Z", NULL, NULL, NULL, NULL, NULL},
    {"shortened 5424: pairs where the process should be",
     "<134>1 2026-03-04T10:00:00Z MX84 flows src=192.0.2.1 dst=198.51.100.2 port=1",
     "2026-03-04T10:00:00Z", "MX84", "flows", "src=192.0.2.1 dst=198.51.100.2 port=1", "dst",
     "198.51.100.2"},
    {"shortened 5424: no message id", "<11>1 2026-03-04T10:00:00Z db1 - 6993 <Error> Failed login",
     NULL, "db1", "", "<Error> Failed login", NULL, NULL},
    {"shortened 5424: text behind the program", "<13>1 2026-03-04T10:00:00Z db1 app Failed login",
     NULL, "db1", "app", "Failed login", NULL, NULL},
    {"shortened 5424: a tag", "<13>1 2026-03-04T10:00:00Z db1 app[12]: Failed login", NULL, "db1",
     "app", "Failed login", NULL, NULL},
    {"a relay's header, then 5424 without priority",
     "Oct 18 11:00:10 192.0.2.7 1 2026-10-18T03:00:09Z fw2 CheckPoint 20146 - [action:\"Accept\"]",
     "2026-10-18T03:00:09Z", "fw2", "CheckPoint", NULL, "relay", "192.0.2.7"},
    {"a relay's header, then 5424",
     "<134>Oct 18 11:00:10 192.0.2.7 <38>1 2026-10-18T03:00:09Z web9 sshd 7 - - hello",
     "2026-10-18T03:00:09Z", "web9", "sshd", "hello", "relay", "192.0.2.7"},
    {"5424 around 3164",
     "<134>1 2026-10-18T04:00:09Z r1 rsyslog - - - <38>Oct 18 03:00:09 web9 su: hello",
     "2026-10-18T03:00:09Z", "web9", "su", "hello", "relay", "r1"},
    {"what a program quotes is not opened",
     "<134>1 2026-10-18T04:00:09Z web9 nginx - - - <38>Oct 18 03:00:09 bank sshd: hello",
     "2026-10-18T04:00:09Z", "web9", "nginx", "<38>Oct 18 03:00:09 bank sshd: hello", NULL, NULL},
    {"a mark before the priority", "\xEF\xBB\xBF<38>1 2026-03-04T10:00:00Z h1 su - - - hello", NULL,
     "h1", "su", "hello", NULL, NULL},
    {"a mark behind the priority", "<38>\xEF\xBB\xBFMar  4 10:00:00 h1 su: hello",
     "2026-03-04T10:00:00Z", "h1", "su", "hello", NULL, NULL},
    {"a mark before the message", "<38>Mar  4 10:00:00 h1 su: \xEF\xBB\xBFhello", NULL, "h1", "su",
     "hello", NULL, NULL},
    {"a zone in a pair of its own",
     "<30>device=\"X\" date=2026-03-04 time=12:00:01 timezone=\"+0100\" device_name=\"XG\"",
     "2026-03-04T11:00:01Z", NULL, NULL, NULL, NULL, NULL},
    {"a zone's name in a pair of its own", "<30>date=2026-03-04 time=12:00:01 timezone=\"CET\" a=b",
     "2026-03-04T11:00:01Z", NULL, NULL, NULL, NULL, NULL},
    {"GDM's tag", "<38>Mar  4 10:00:00 h1 gdm-password][900]: hello", NULL, "h1", "gdm-password",
     "hello", NULL, NULL},
    {"a delimiter spelled out", "LEEF:2.0|V|P|1|9|\\t|src=192.0.2.4\tusrName=bob", NULL, NULL, NULL,
     NULL, "usrName", "bob"},
};

static void same(struct text got, const char *want)
{
    if (want)
        assert_true(text_equal(got, text_of(want)));
}

static void test_reads(void **state)
{
    const struct row *row = *state;
    const struct parser_options options = {.now_us = INT64_C(1795867200000000)};
    AUTO(parser) p = NULL;
    struct arena arena;
    struct event e = {0};
    struct record r = {.raw = text_of(row->raw), .receive_us = options.now_us};
    arena_init(&arena, 1 << 20);
    assert_int_equal(parser_new(&options, &p, NULL), STATUS_OK);
    parser_read(p, &r, &arena, &e);
    int64_t want_us = 0;
    if (row->time) {
        assert_true(timestamp_parse(text_of(row->time), 0, &want_us, NULL));
        assert_true(e.event_us == want_us);
    }
    same(e.host, row->host);
    same(e.program, row->program);
    same(e.message, row->message);
    if (row->field) {
        const struct field *f = event_field(&e, text_of(row->field));
        assert_non_null(f);
        same(json_value(f, &arena), row->value);
    }
    event_fini(&e);
    arena_fini(&arena);
}

/* Both values of a parameter that came twice, under one name. */
static void test_writes_both_values(void **state)
{
    (void)state;
    const struct parser_options options = {.now_us = INT64_C(1795867200000000)};
    AUTO(parser) p = NULL;
    struct arena arena;
    struct buffer out;
    struct event e = {0};
    struct record r = {.raw = TEXT("<13>1 2026-03-04T10:00:00Z h a - - "
                                   "[o@1 ip=\"192.0.2.8\" n=\"1\" ip=\"192.0.2.9\"] m")};
    arena_init(&arena, 1 << 20);
    buffer_init(&out, 1 << 16);
    assert_int_equal(parser_new(&options, &p, NULL), STATUS_OK);
    parser_read(p, &r, &arena, &e);
    parser_write(&e, NULL, 1, &out);
    struct text want = TEXT("{\"o@1\":{\"ip\":[\"192.0.2.8\",\"192.0.2.9\"],\"n\":\"1\"}}");
    assert_true(text_find(buffer_text(&out), want) < out.len);
    buffer_fini(&out);
    event_fini(&e);
    arena_fini(&arena);
}

int main(void)
{
    enum { ROWS = sizeof rows / sizeof *rows };
    struct CMUnitTest tests[ROWS + 1];
    size_t n = 0;
    for (size_t i = 0; i < ROWS; i++)
        tests[n++] = ROW(test_reads, &rows[i]);
    tests[n++] = (struct CMUnitTest)cmocka_unit_test(test_writes_both_values);
    return _cmocka_run_group_tests("test_odd_headers", tests, n, NULL, NULL);
}
