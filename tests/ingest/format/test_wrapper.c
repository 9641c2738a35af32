/* SPDX-License-Identifier: Apache-2.0 */
#include "base/buffer.h"
#include "base/timestamp.h"
#include "ingest/ingest.h"
#include "tests/support/table.h"
#include <stdio.h>

/* Envelopes of collectors: the line inside is read as if it had come alone. */

#define SSHD  "Failed password for root from 192.0.2.7 port 22 ssh2"
#define LINE  "Mar  4 04:53:20 web1 sshd[42]: " SSHD
#define STAMP "2026-03-04T04:53:21Z"
#define AGENT "\"agent\":{\"type\":\"filebeat\"}"

static const struct row {
    const char *name, *raw;
    const char *want; /* "time host program pid facility severity|message" */
    const char *peer;
} rows[] = {
    {"docker", "{\"log\":\"hello\\n\",\"stream\":\"stdout\",\"time\":\"" STAMP "\"}",
     "04:53:21 - - - -1 -1|hello", NULL},
    {"docker: the line's own header",
     "{\"log\":\"" LINE "\\n\",\"stream\":\"stdout\",\"time\":\"" STAMP "\"}",
     "04:53:21 web1 sshd 42 -1 -1|" SSHD, NULL},
    {"docker: a time with its zone stays",
     "{\"log\":\"<38>1 2026-03-04T04:00:00Z web1 sshd 42 - - " SSHD
     "\",\"stream\":\"stdout\",\"time\":\"" STAMP "\"}",
     "04:00:00 web1 sshd 42 4 6|" SSHD, NULL},
    {"kubernetes by Fluent Bit",
     "{\"log\":\"hello\",\"stream\":\"stderr\",\"time\":\"" STAMP
     "\",\"kubernetes\":{\"pod_name\":\"web-1\",\"container_name\":\"front\",\"host\":\"node1\","
     "\"container_image\":\"registry.example:5000/lib/nginx:1.25@sha256:aa\"}}",
     "04:53:21 node1 nginx - -1 -1|hello", NULL},
    {"Fluent Bit", "{\"date\":1772600001.5,\"log\":\"" LINE "\"}",
     "04:53:20 web1 sshd 42 -1 -1|" SSHD, NULL},
    {"Fluentd by its tag",
     "{\"log\":\"hello\",\"tag\":\"kube.var.log.containers.web-1_shop_nginx-0a1b2c.log\"}",
     "12:00:00 - nginx - -1 -1|hello", NULL},
    {"CRI", "2026-03-04T04:53:21.5Z stdout F hello", "04:53:21 - nginx - -1 -1|hello",
     "/var/log/pods/shop_web-1_0a1b/nginx/0.log"},
    {"CRI: a file of containers", "2026-03-04T04:53:21.5+01:00 stderr P hello",
     "03:53:21 - nginx - -1 -1|hello", "/var/log/containers/web-1_shop_nginx-0a1b2c.log"},
    {"CRI: the line's own header", "2026-03-04T04:53:21.5Z stdout F " LINE,
     "04:53:21 web1 sshd 42 -1 -1|" SSHD, NULL},
    {"CRI: a host that is called so", "2026-03-04T04:53:21Z stdout sshd[42]: hello",
     "04:53:21 stdout sshd 42 -1 -1|hello", NULL},
    {"Filebeat: by data set",
     "{\"@timestamp\":\"" STAMP "\",\"message\":\"hello\",\"event\":{\"dataset\":\"nginx.access\"},"
     "\"host\":{\"name\":\"web1\"}," AGENT "}",
     "04:53:21 web1 nginx - -1 -1|hello", NULL},
    {"Filebeat: by path",
     "{\"@timestamp\":\"" STAMP "\",\"message\":\"hello\","
     "\"log\":{\"file\":{\"path\":\"/var/log/postgresql/16-main.log\"}}," AGENT "}",
     "04:53:21 - postgresql - -1 -1|hello", NULL},
    {"Filebeat: a path that names nobody",
     "{\"@timestamp\":\"" STAMP "\",\"message\":\"" LINE "\","
     "\"log\":{\"file\":{\"path\":\"/var/log/auth.log\"}}," AGENT "}",
     "04:53:20 web1 sshd 42 -1 -1|" SSHD, NULL},
    {"Filebeat: syslog parsed by it",
     "{\"@timestamp\":\"" STAMP "\",\"message\":\"2026-03-04 x y: z\",\"process\":{\"name\":"
     "\"postgres\",\"pid\":7}," AGENT "}",
     "04:53:21 - postgres 7 -1 -1|2026-03-04 x y: z", NULL},
    {"Logstash", "{\"@version\":\"1\",\"@timestamp\":\"" STAMP "\",\"message\":\"<38>" LINE "\"}",
     "04:53:20 web1 sshd 42 4 6|" SSHD, NULL},
    {"Vector",
     "{\"source_type\":\"file\",\"file\":\"/var/log/nginx/access.log\",\"host\":\"web1\","
     "\"message\":\"hello\",\"timestamp\":\"" STAMP "\"}",
     "04:53:21 web1 nginx - -1 -1|hello", NULL},
    {"journald",
     "{\"MESSAGE\":\"" SSHD "\",\"SYSLOG_IDENTIFIER\":\"sshd\",\"_PID\":\"42\",\"PRIORITY\":\"6\","
     "\"SYSLOG_FACILITY\":\"4\",\"_HOSTNAME\":\"web1\","
     "\"__REALTIME_TIMESTAMP\":\"1772600001000000\"}",
     "04:53:21 web1 sshd 42 4 6|" SSHD, NULL},
    {"journald: bytes",
     "{\"MESSAGE\":[104,101,27,108,111],\"SYSLOG_IDENTIFIER\":\"sshd\",\"_TRANSPORT\":\"stdout\"}",
     "12:00:00 - sshd - -1 -1|he\033lo", NULL},
    {"journald: what looks like a header is text",
     "{\"MESSAGE\":\"2026-03-04 04:00:00 x y: z\",\"_COMM\":\"postgres\",\"__CURSOR\":\"s\"}",
     "12:00:00 - postgres - -1 -1|2026-03-04 04:00:00 x y: z", NULL},
    {"GELF",
     "{\"version\":\"1.1\",\"host\":\"web1\",\"short_message\":\"" SSHD
     "\",\"timestamp\":1772600001.25,\"level\":6,\"_program\":\"sshd\"}",
     "04:53:21 web1 sshd - -1 6|" SSHD, NULL},
    {"HEC",
     "{\"time\":1772600001,\"host\":\"relay\",\"sourcetype\":\"linux_secure\",\"event\":\"" LINE
     "\"}",
     "04:53:20 web1 sshd 42 -1 -1|" SSHD, NULL},
    {"HEC: an object",
     "{\"time\":1772600001,\"host\":\"web1\",\"sourcetype\":\"_json\",\"event\":{\"a\":1}}",
     "04:53:21 web1 - - -1 -1|{\"a\":1}", NULL},
    {"CloudWatch",
     "{\"logGroup\":\"/var/log/secure\",\"logStream\":\"i-1\",\"timestamp\":1772600001000,"
     "\"message\":\"" LINE "\"}",
     "04:53:20 web1 sshd 42 -1 -1|" SSHD, NULL},
    {"Google", "{\"insertId\":\"a\",\"textPayload\":\"" LINE "\",\"timestamp\":\"" STAMP "\"}",
     "04:53:20 web1 sshd 42 -1 -1|" SSHD, NULL},
    {"Azure",
     "{\"SyslogMessage\":\"" SSHD "\",\"ProcessName\":\"sshd\",\"Computer\":\"web1\","
     "\"TimeGenerated\":\"" STAMP "\"}",
     "04:53:21 web1 sshd - -1 -1|" SSHD, NULL},
    {"SNS",
     "{\"Type\":\"Notification\",\"TopicArn\":\"arn:aws:sns:eu-west-1:1:t\",\"Timestamp\":\"" STAMP
     "\",\"Message\":\"{\\\"eventTime\\\":\\\"2026-03-04T04:00:00Z\\\"}\"}",
     "04:00:00 - - - -1 -1|{\"eventTime\":\"2026-03-04T04:00:00Z\"}", NULL},
    {"Wazuh",
     "{\"timestamp\":\"" STAMP "\",\"agent\":{\"id\":\"1\",\"name\":\"web1\"},\"predecoder\":{"
     "\"program_name\":\"sshd\"},\"location\":\"/var/log/auth.log\",\"full_log\":\"" LINE "\"}",
     "04:53:20 web1 sshd 42 -1 -1|" SSHD, NULL},
    {"Azure's containers",
     "{\"LogMessage\":\"hello\",\"LogSource\":\"stdout\",\"ContainerName\":\"nginx\","
     "\"TimeGenerated\":\"" STAMP "\"}",
     "04:53:21 - nginx - -1 -1|hello", NULL},
    {"Google's containers",
     "{\"textPayload\":\"hello\",\"logName\":\"projects/p/logs/stdout\",\"resource\":{\"labels\":{"
     "\"container_name\":\"nginx\"}},\"timestamp\":\"" STAMP "\"}",
     "04:53:21 - nginx - -1 -1|hello", NULL},
    {"OpenTelemetry",
     "{\"timeUnixNano\":\"1772600001000000000\",\"severityText\":\"INFO\",\"body\":\"" LINE "\"}",
     "04:53:20 web1 sshd 42 -1 -1|" SSHD, NULL},
    {"JSON inside syslog, syslog inside that",
     "<13>Mar  4 04:53:20 relay docker[1]: {\"log\":\"<38>" LINE "\",\"stream\":\"stdout\"}",
     "04:53:20 web1 sshd 42 4 6|" SSHD, NULL},
    {"three deep",
     "{\"@version\":\"1\",\"message\":\"{\\\"log\\\":\\\"<38>" LINE
     "\\\",\\\"stream\\\":\\\"stdout\\\"}\",\"@timestamp\":\"" STAMP "\"}",
     "04:53:20 web1 sshd 42 4 6|" SSHD, NULL},
    {"no envelope: an application's message",
     "{\"message\":\"hello\",\"path\":\"/login\",\"source\":\"api\",\"time\":\"" STAMP "\"}",
     "04:53:21 - - - -1 -1|{\"message\":\"hello\",\"path\":\"/login\",\"source\":\"api\",\"time\":"
     "\"" STAMP "\"}",
     NULL},
    {"no envelope: Winlogbeat",
     "{\"@timestamp\":\"" STAMP
     "\",\"message\":\"hello\",\"winlog\":{\"channel\":\"Security\"}," AGENT "}",
     "04:53:21 - - - -1 -1|{\"@timestamp\":\"" STAMP
     "\",\"message\":\"hello\",\"winlog\":{\"channel\":\"Security\"}," AGENT "}",
     NULL},
    {"no envelope: a line that is none",
     "{\"log\":{\"level\":\"info\"},\"stream\":\"stdout\",\"time\":\"" STAMP "\"}",
     "04:53:21 - - - -1 -1|{\"log\":{\"level\":\"info\"},\"stream\":\"stdout\",\"time\":\"" STAMP
     "\"}",
     NULL},
};

struct setup {
    struct parser *parser;
    struct arena arena;
    struct event event;
    struct record record;
};

static void read(struct setup *s, const char *raw, const char *peer)
{
    int64_t now_us = 0;
    const struct parser_options options = {0};
    *s = (struct setup){0};
    assert_true(timestamp_parse(TEXT("2026-03-05T12:00:00Z"), 0, &now_us, NULL));
    assert_int_equal(parser_new(&options, &s->parser, NULL), STATUS_OK);
    arena_init(&s->arena, 1 << 20);
    s->record = (struct record){.raw = text_of(raw), .peer = text_of(peer), .receive_us = now_us};
    parser_read(s->parser, &s->record, &s->arena, &s->event);
}

static void end(struct setup *s)
{
    parser_free(s->parser);
    event_fini(&s->event);
    arena_fini(&s->arena);
}

static struct text or_dash(struct text t)
{
    return t.len ? t : TEXT("-");
}

static void test_line(void **state)
{
    const struct row *row = *state;
    struct setup s;
    struct buffer got;
    char time[TIMESTAMP_LEN + 1];
    read(&s, row->raw, row->peer);
    const struct event *e = &s.event;
    buffer_init(&got, 1 << 16);
    timestamp_format(e->event_us, time);
    buffer_printf(&got, "%.8s %.*s %.*s %.*s %d %d|%.*s", time + 11, TEXT_ARG(or_dash(e->host)),
                  TEXT_ARG(or_dash(e->program)), TEXT_ARG(or_dash(e->pid)), e->facility,
                  e->severity, TEXT_ARG(e->message));
    buffer_byte(&got, 0);
    assert_string_equal(got.at, row->want);
    buffer_fini(&got);
    end(&s);
}

static void test_fields_of_both(void **state)
{
    (void)state;
    struct setup s;
    read(&s,
         "{\"log\":\"{\\\"level\\\":\\\"info\\\",\\\"host\\\":\\\"own\\\"}\\n\",\"stream\":"
         "\"stdout\","
         "\"host\":\"node1\",\"time\":\"2026-03-04T04:53:21Z\"}",
         NULL);
    const struct field *host = event_field(&s.event, TEXT("host"));
    assert_true(text_equal(host->value, TEXT("own"))); /* the line's come first */
    assert_true(text_equal(s.event.host, TEXT("own")));
    assert_true(text_equal(event_field(&s.event, TEXT("level"))->value, TEXT("info")));
    assert_true(text_equal(event_field(&s.event, TEXT("stream"))->value, TEXT("stdout")));
    assert_int_equal(s.event.document_fields, 2);
    end(&s);
    read(&s,
         "{\"log\":\"CEF:0|Acme|Wall|1|7|deny|5|src=192.0.2.7\",\"stream\":\"stdout\","
         "\"time\":\"2026-03-04T04:53:21Z\"}",
         NULL);
    assert_true(text_equal(event_field(&s.event, TEXT("src"))->value, TEXT("192.0.2.7")));
    assert_int_equal(s.event.document_fields, 3);
    end(&s);
}

/* Deeper than the limit the rest stays as it is; nothing is lost. */
static void test_depth(void **state)
{
    (void)state;
    enum { DEEP = 6 };
    struct buffer levels[2];
    buffer_init(&levels[0], 1 << 20);
    buffer_init(&levels[1], 1 << 20);
    buffer_append(&levels[0], TEXT("end"));
    for (int i = 0; i < DEEP; i++) {
        struct buffer *from = &levels[i % 2];
        struct buffer *to = &levels[(i + 1) % 2];
        buffer_clear(to);
        buffer_append(to, TEXT("{\"stream\":\"stdout\",\"log\":\""));
        for (size_t k = 0; k < from->len; k++) {
            if (from->at[k] == '"' || from->at[k] == '\\')
                buffer_byte(to, '\\');
            buffer_byte(to, from->at[k]);
        }
        buffer_append(to, TEXT("\"}"));
    }
    buffer_byte(&levels[DEEP % 2], 0);
    struct setup s;
    read(&s, levels[DEEP % 2].at, NULL);
    assert_true(text_equal(s.event.message,
                           TEXT("{\"stream\":\"stdout\",\"log\":\"{\\\"stream\\\":\\\"stdout\\\","
                                "\\\"log\\\":\\\"end\\\"}\"}")));
    end(&s);
    buffer_fini(&levels[0]);
    buffer_fini(&levels[1]);
}

int main(void)
{
    enum { ROWS = sizeof rows / sizeof *rows };
    struct CMUnitTest tests[ROWS + 2];
    size_t n = 0;
    for (size_t i = 0; i < ROWS; i++)
        tests[n++] = ROW(test_line, &rows[i]);
    tests[n++] = (struct CMUnitTest)cmocka_unit_test(test_fields_of_both);
    tests[n++] = (struct CMUnitTest)cmocka_unit_test(test_depth);
    return _cmocka_run_group_tests("test_wrapper", tests, n, NULL, NULL);
}
