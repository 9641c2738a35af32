/* SPDX-License-Identifier: Apache-2.0 */
#include "base/event.h"
#include "base/json_scan.h"
#include "base/timestamp.h"
#include "ingest/ingest.h"
#include "ingest/webhook/webhook.h"
#include "tests/support/table.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <zlib.h>

/* A request with up to four headers, and what came of it. */
struct visit {
    const char *headers[4][2];
    struct batch *batch;
    struct webhook_reply reply;
    bool is_stored;
};

static struct text header_of(void *context, const char *name)
{
    const struct visit *v = context;
    for (size_t i = 0; i < 4; i++)
        if (v->headers[i][0] && text_equal_nocase(text_of(v->headers[i][0]), text_of(name)))
            return text_of(v->headers[i][1]);
    return TEXT_NONE;
}

static struct webhooks *open_webhooks(const char *yaml)
{
    struct arena arena;
    struct yaml_file file;
    struct webhooks *w = NULL;
    arena_init(&arena, 1 << 20);
    assert_int_equal(yaml_parse(text_of(yaml), &arena, &file, NULL), STATUS_OK);
    assert_int_equal(webhooks_open(file.count ? file.documents[0] : NULL, 9, &w, NULL), STATUS_OK);
    arena_fini(&arena);
    return w;
}

static void visit(struct webhooks *w, struct visit *v, const char *method, const char *path,
                  const char *type, struct text body)
{
    /* an exactly sized copy: a byte too far is seen */
    char *copy = malloc(body.len ? body.len : 1);
    assert_non_null(copy);
    memcpy(copy, body.at, body.len);
    struct webhook_request q = {.method = text_of(method),
                                .path = text_of(path),
                                .content_type = text_of(type),
                                .authorization = TEXT("GenieKey secret-key"),
                                .body = {copy, body.len},
                                .peer = TEXT("192.0.2.9"),
                                .header = header_of,
                                .header_context = v};
    v->batch = batch_new();
    assert_non_null(v->batch);
    v->reply = (struct webhook_reply){0};
    buffer_init(&v->reply.body, 1 << 20);
    v->is_stored = webhooks_take(w, &q, v->batch, &v->reply);
    buffer_byte(&v->reply.body, 0);
    free(copy);
}

static void leave(struct visit *v)
{
    batch_free(v->batch);
    buffer_fini(&v->reply.body);
    *v = (struct visit){0};
}

/* The value of a member of the i-th record, for the next call to overwrite. */
static const char *member(const struct visit *v, uint32_t i, const char *name, char out[512])
{
    struct arena arena;
    struct event e = {0};
    size_t at = 0;
    arena_init(&arena, 1 << 20);
    assert_true(i < v->batch->count);
    event_reset(&e, &v->batch->records[i]);
    assert_int_equal(json_scan(v->batch->records[i].raw, NULL, &arena, &e, &at), STATUS_OK);
    const struct field *f = event_field(&e, text_of(name));
    struct text value = f ? json_value(f, &arena) : TEXT("(none)");
    (void)snprintf(out, 512, "%.*s", TEXT_ARG(value));
    event_fini(&e);
    arena_fini(&arena);
    return out;
}

#define assert_member(v, i, name, want)                                                            \
    do {                                                                                           \
        char got_[512];                                                                            \
        assert_string_equal(member((v), (i), (name), got_), (want));                               \
    } while (0)

static const char am_alert[] =
    "{\"status\":\"%s\",\"labels\":{\"alertname\":\"%s\",\"instance\":\"web1:9100\",\"severity\":"
    "\"critical\",\"job\":\"node\"},\"annotations\":{\"summary\":\"web1 is down\",\"description\":"
    "\"for 5 minutes\"},\"startsAt\":\"2026-01-02T03:04:05.678901234Z\",\"endsAt\":\"%s\","
    "\"generatorURL\":\"http://prom/graph\",\"fingerprint\":\"%s\"}";

static struct text am_body(char out[4096], const char *one, const char *two)
{
    int n = snprintf(out, 4096,
                     "{\"version\":\"4\",\"groupKey\":\"{}:{alertname=\\\"Down\\\"}\",\"receiver\":"
                     "\"tocsin\",\"status\":\"firing\",\"externalURL\":\"http://am:9093\","
                     "\"truncatedAlerts\":2,\"groupLabels\":{},\"alerts\":[%s,%s]}",
                     one, two);
    return (struct text){out, (size_t)n};
}

static void test_alertmanager(void **state)
{
    (void)state;
    char one[1024], two[1024], body[4096];
    (void)snprintf(one, sizeof one, am_alert, "firing", "Down", "0001-01-01T00:00:00Z", "aa11");
    (void)snprintf(two, sizeof two, am_alert, "resolved", "Down", "2026-01-02T04:00:00Z", "bb22");
    struct webhooks *w = open_webhooks("{}");
    struct visit v = {0};
    visit(w, &v, "POST", "/webhooks/alertmanager", "application/json", am_body(body, one, two));
    assert_true(v.is_stored);
    assert_int_equal(v.reply.status, 200);
    assert_int_equal(v.batch->count, 2);
    const struct record *r = v.batch->records;
    assert_int_equal(r->kind, RECORD_ALERT);
    assert_int_equal(r->format, FORMAT_JSON);
    assert_int_equal(r->source, 9);
    assert_true(text_equal(r->peer, TEXT("192.0.2.9")));
    assert_member(&v, 0, "integration", "alertmanager");
    assert_member(&v, 0, "key", "aa11");
    assert_member(&v, 0, "group", "alertmanager|tocsin|{}:{alertname=\"Down\"}");
    assert_member(&v, 0, "status", "firing");
    assert_member(&v, 0, "severity", "critical");
    assert_member(&v, 0, "title", "web1 is down");
    assert_member(&v, 0, "description", "for 5 minutes");
    assert_member(&v, 0, "host", "web1");
    assert_member(&v, 0, "source", "node");
    assert_member(&v, 0, "starts_at", "2026-01-02T03:04:05.678901Z");
    assert_member(&v, 0, "ends_at", "(none)");
    assert_member(&v, 0, "truncated", "2");
    assert_member(&v, 0, "labels.job", "node");
    assert_member(&v, 0, "is_heartbeat", "false");
    assert_member(&v, 1, "status", "resolved");
    assert_member(&v, 1, "ends_at", "2026-01-02T04:00:00.000000Z");
    leave(&v);
    webhooks_free(w);
}

/* Who says no id of his event may say the same twice: after a resolve it is a second outage. */
struct equal_row {
    const char *name, *path, *body;
};
static const struct equal_row equal_rows[] = {
    {"equal: pagerduty v2", "/v2/enqueue",
     "{\"routing_key\":\"k\",\"dedup_key\":\"d\",\"event_action\":\"trigger\",\"payload\":{"
     "\"summary\":\"s\",\"source\":\"h\",\"severity\":\"info\"}}"},
    {"equal: pagerduty v2 resolve", "/v2/enqueue",
     "{\"routing_key\":\"k\",\"dedup_key\":\"d\",\"event_action\":\"resolve\"}"},
    {"equal: pagerduty change", "/v2/change/enqueue",
     "{\"routing_key\":\"k\",\"payload\":{\"summary\":\"Build\"}}"},
    {"equal: pagerduty v1", "/generic/2010-04-15/create_event.json",
     "{\"service_key\":\"k\",\"event_type\":\"trigger\",\"incident_key\":\"i\","
     "\"description\":\"d\"}"},
    {"equal: opsgenie", "/v2/alerts", "{\"message\":\"m\",\"alias\":\"a\"}"},
    {"equal: opsgenie close", "/v2/alerts/a/close", "{}"},
    {"equal: alertmanager", "/webhooks/alertmanager",
     "{\"version\":\"4\",\"groupKey\":\"g\",\"alerts\":[{\"status\":\"firing\",\"labels\":{"
     "\"alertname\":\"a\"},\"startsAt\":\"2026-01-02T03:04:05Z\",\"fingerprint\":\"f\"}]}"},
    {"equal: alertmanager resolved", "/webhooks/alertmanager",
     "{\"version\":\"4\",\"groupKey\":\"g\",\"alerts\":[{\"status\":\"resolved\",\"labels\":{"
     "\"alertname\":\"a\"},\"startsAt\":\"2026-01-02T03:04:05Z\",\"endsAt\":"
     "\"2026-01-02T03:05:05Z\",\"fingerprint\":\"f\"}]}"},
    {"equal: grafana", "/webhooks/grafana",
     "{\"version\":\"1\",\"orgId\":1,\"groupKey\":\"g\",\"alerts\":[{\"status\":\"firing\","
     "\"labels\":{\"alertname\":\"a\"},\"startsAt\":\"2026-01-02T03:04:05Z\"}]}"},
    {"equal: grafana legacy", "/webhooks/grafana", "{\"ruleName\":\"r\",\"state\":\"alerting\"}"},
    {"equal: API v2", "/api/v2/alerts",
     "[{\"labels\":{\"alertname\":\"a\"},\"startsAt\":\"2026-01-02T03:04:05Z\",\"endsAt\":"
     "\"2026-01-02T03:05:05Z\"}]"},
};

static void test_equal(void **state)
{
    const struct equal_row *row = *state;
    struct webhooks *w = open_webhooks("{}");
    struct visit v = {0};
    visit(w, &v, "POST", row->path, "application/json", text_of(row->body));
    assert_int_equal(v.batch->count, 1);
    assert_int_equal(v.batch->records[0].origin.len, 0);
    leave(&v);
    v = (struct visit){.headers = {{"Idempotency-Key", "x"}}};
    visit(w, &v, "POST", row->path, "application/json", text_of(row->body));
    assert_true(text_equal(v.batch->records[0].origin, TEXT("idempotency:x:0")));
    leave(&v);
    webhooks_free(w);
}

static void test_watchdog_is_a_heartbeat_and_every_one_counts(void **state)
{
    (void)state;
    char one[1024], body[4096];
    (void)snprintf(one, sizeof one, am_alert, "firing", "Watchdog", "0001-01-01T00:00:00Z", "cc");
    struct webhooks *w = open_webhooks("{}");
    struct visit v = {.headers = {{"Idempotency-Key", "x"}}};
    visit(w, &v, "POST", "/webhooks/alertmanager", "application/json", am_body(body, one, one));
    assert_member(&v, 0, "is_heartbeat", "true");
    assert_int_equal(v.batch->records[0].origin.len, 0);
    leave(&v);
    webhooks_free(w);
}

static void test_grafana(void **state)
{
    (void)state;
    static const char body[] =
        "{\"receiver\":\"r\",\"status\":\"firing\",\"orgId\":1,\"version\":\"1\",\"groupKey\":"
        "\"g\","
        "\"externalURL\":\"http://graf\",\"title\":\"t\",\"state\":\"alerting\",\"alerts\":[{"
        "\"status\":\"firing\",\"labels\":{\"alertname\":\"High load\"},\"annotations\":{},"
        "\"startsAt\":\"0001-01-01T00:00:00Z\",\"endsAt\":\"0001-01-01T00:00:00Z\",\"values\":{"
        "\"B\":"
        "4.5},\"panelURL\":\"http://graf/panel\",\"fingerprint\":\"fac0\"}]}";
    struct webhooks *w = open_webhooks("{}");
    struct visit v = {0};
    visit(w, &v, "PUT", "/webhooks/grafana", "application/json", text_of(body));
    assert_int_equal(v.reply.status, 200);
    assert_member(&v, 0, "integration", "grafana");
    assert_member(&v, 0, "title", "High load");
    assert_member(&v, 0, "severity", "");
    assert_member(&v, 0, "url", "http://graf/panel");
    assert_member(&v, 0, "details.B", "4.5");
    assert_member(&v, 0, "starts_at", "(none)");
    leave(&v);
    visit(w, &v, "POST", "/webhooks/grafana", "application/json",
          TEXT("{\"ruleName\":\"old\",\"ruleId\":12,\"state\":\"ok\",\"title\":\"[OK] old\"}"));
    assert_member(&v, 0, "key", "rule:12");
    assert_member(&v, 0, "status", "resolved");
    leave(&v);
    webhooks_free(w);
}

/* HMAC-SHA256 of the body below under the secret "geheim", by `openssl dgst -hmac`. */
static void test_grafana_signature(void **state)
{
    (void)state;
    static const char body[] = "{\"ruleName\":\"old\",\"state\":\"ok\"}";
    char path[] = "/tmp/tocsin-secret-XXXXXX";
    char yaml[128];
    int fd = mkstemp(path);
    assert_true(fd >= 0);
    assert_int_equal(write(fd, "geheim\n", 7), 7);
    (void)close(fd);
    (void)snprintf(yaml, sizeof yaml, "{grafana_secret_file: %s}", path);
    struct webhooks *w = open_webhooks(yaml);
    (void)unlink(path);
    struct visit v = {0};
    visit(w, &v, "POST", "/webhooks/grafana", "application/json", text_of(body));
    assert_int_equal(v.reply.status, 401);
    leave(&v);
    v = (struct visit){
        .headers = {{"X-Grafana-Alerting-Signature",
                     "7dc69ab96f0ed59374f08d3c6a40d760afa003c0c5dfb2ce92e47e9b94ca45df"}}};
    visit(w, &v, "POST", "/webhooks/grafana", "application/json", text_of(body));
    assert_int_equal(v.reply.status, 200);
    leave(&v);
    v = (struct visit){
        .headers = {{"X-Grafana-Alerting-Signature",
                     "7dc69ab96f0ed59374f08d3c6a40d760afa003c0c5dfb2ce92e47e9b94ca45df"}}};
    visit(w, &v, "POST", "/webhooks/grafana", "application/json", TEXT("{}"));
    assert_int_equal(v.reply.status, 401);
    leave(&v);
    webhooks_free(w);
}

static void test_api_v2(void **state)
{
    (void)state;
    struct webhooks *w = open_webhooks("{}");
    struct visit v = {0};
    visit(
        w, &v, "POST", "/api/v2/alerts", "application/json",
        TEXT(
            "[{\"labels\":{\"alertname\":\"Disk\",\"instance\":\"[::1]:9100\",\"service\":\"db\"}},"
            "{\"labels\":{\"service\":\"db\",\"instance\":\"[::1]:9100\",\"alertname\":\"Disk\"},"
            "\"startsAt\":\"2020-01-01T00:00:00Z\",\"endsAt\":\"2020-01-01T01:00:00Z\"}]"));
    assert_int_equal(v.reply.status, 200);
    assert_string_equal(v.reply.body.at, "");
    assert_int_equal(v.batch->count, 2);
    assert_member(&v, 0, "status", "firing");
    assert_member(&v, 1, "status", "resolved");
    assert_member(&v, 0, "host", "::1");
    assert_member(&v, 0, "group", "Disk||db");
    char key[512], same[512], expires[512];
    assert_string_equal(member(&v, 0, "key", key), member(&v, 1, "key", same));
    int64_t at_us = 0;
    assert_true(timestamp_parse(text_of(member(&v, 0, "expires_at", expires)), 0, &at_us, NULL));
    assert_true(at_us - v.batch->records[0].receive_us == INT64_C(300000000));
    leave(&v);
    visit(w, &v, "POST", "/api/v2/alerts", "application/json",
          TEXT("[{\"labels\":{}},{\"labels\":{\"alertname\":\"Good\"}}]"));
    assert_int_equal(v.reply.status, 400);
    assert_true(v.is_stored);
    assert_int_equal(v.batch->count, 2);
    assert_int_equal(v.batch->records[0].kind, RECORD_EVENT);
    assert_int_equal(v.batch->records[1].kind, RECORD_ALERT);
    assert_int_equal(v.reply.body.at[0], '"');
    leave(&v);
    visit(w, &v, "GET", "/api/v2/status", "", TEXT(""));
    assert_int_equal(v.reply.status, 200);
    assert_false(v.is_stored);
    assert_non_null(strstr(v.reply.body.at, "\"cluster\":{\"status\":\"disabled\"}"));
    leave(&v);
    webhooks_free(w);
}

struct count {
    const char *name, *labels;
    double value;
};

static void read_count(void *context, const struct metric *m)
{
    struct count *c = context;
    if (strcmp(m->name, c->name) == 0 && strcmp(m->labels, c->labels) == 0)
        c->value += m->value;
}

/* What is no alert is kept as it came, beside the alerts, and counted by reason. */
static void test_unread(void **state)
{
    (void)state;
    static const char *const raws[] = {"\"<13>a string\"", "null", "17", "{\"status\":\"firing\"}",
                                       "{\"labels\":{\"alertname\":7},\"status\":\"firing\"}"};
    static const char *const paths[][2] = {{"/webhooks/alertmanager", "{\"alerts\":["},
                                           {"/api/v2/alerts", "["}};
    struct webhooks *w = open_webhooks("{}");
    for (size_t p = 0; p < 2; p++) {
        struct visit v = {0};
        char body[1024];
        (void)snprintf(body, sizeof body, "%s%s,%s,%s,%s,%s,{\"labels\":{\"alertname\":\"a\"}}]%s",
                       paths[p][1], raws[0], raws[1], raws[2], raws[3], raws[4], p ? "" : "}");
        visit(w, &v, "POST", paths[p][0], "application/json", text_of(body));
        assert_int_equal(v.reply.status, p ? 400 : 200);
        assert_true(v.is_stored);
        assert_int_equal(v.batch->count, 6);
        for (uint32_t i = 0; i < 5; i++) {
            const struct record *r = &v.batch->records[i];
            assert_int_equal(r->kind, RECORD_EVENT);
            assert_int_equal(r->format, i < 3 ? FORMAT_RAW : FORMAT_JSON);
            assert_true(text_equal(r->raw, text_of(raws[i])));
        }
        assert_int_equal(v.batch->records[5].kind, RECORD_ALERT);
        leave(&v);
    }
    struct count counts[] = {
        {"webhook_unread_total", "integration=\"alertmanager\",reason=\"no_object\"", -6},
        {"webhook_unread_total", "integration=\"alertmanager\",reason=\"no_labels\"", -2},
        {"webhook_unread_total", "integration=\"alertmanager\",reason=\"no_key\"", -2},
        {"webhook_events_total", "integration=\"alertmanager\"", -10},
        {"webhook_dropped_total", "integration=\"alertmanager\"", 0}};
    for (size_t i = 0; i < sizeof counts / sizeof *counts; i++) {
        webhooks_metrics(w, read_count, &counts[i]);
        assert_true(counts[i].value == 0);
    }
    webhooks_free(w);
}

static void test_pagerduty_v2(void **state)
{
    (void)state;
    struct webhooks *w = open_webhooks("{}");
    struct visit v = {0};
    static const char trigger[] =
        "{\"routing_key\":\"0123456789abcdef0123456789abcdef\",\"dedup_key\":\"14251\","
        "\"event_action\":\"trigger\",\"payload\":{\"summary\":\"High CPU\",\"source\":\"zbx-01 : "
        "192.0.2.10\",\"severity\":\"error\",\"component\":\"cpu\",\"custom_details\":{\"load\":9}}"
        ","
        "\"links\":[{\"href\":\"https://zabbix/x\"}]}";
    visit(w, &v, "POST", "/v2/enqueue", "application/json", text_of(trigger));
    assert_int_equal(v.reply.status, 202);
    assert_string_equal(v.reply.body.at, "{\"status\":\"success\",\"message\":\"Event processed\","
                                         "\"dedup_key\":\"14251\"}");
    assert_member(&v, 0, "integration", "pagerduty");
    assert_member(&v, 0, "severity", "error");
    assert_member(&v, 0, "host", "zbx-01");
    assert_member(&v, 0, "details.load", "9");
    assert_member(&v, 0, "url", "https://zabbix/x");
    char key[512], group[512];
    assert_string_equal(member(&v, 0, "key", key), member(&v, 0, "group", group));
    assert_null(strstr(v.batch->records[0].raw.at, "0123456789abcdef0123456789abcdef"));
    leave(&v);
    visit(w, &v, "POST", "/v2/enqueue", "application/json",
          TEXT("{\"routing_key\":\"0123456789abcdef0123456789abcdef\",\"dedup_key\":\"14251\","
               "\"event_action\":\"resolve\"}"));
    assert_int_equal(v.reply.status, 202);
    assert_member(&v, 0, "status", "resolved");
    assert_member(&v, 0, "key", key);
    leave(&v);
    visit(w, &v, "POST", "/v2/enqueue", "application/json",
          TEXT("{\"routing_key\":\"other\",\"event_action\":\"trigger\",\"payload\":{\"summary\":"
               "\"s\","
               "\"source\":\"h\",\"severity\":\"info\"}}"));
    assert_int_equal(v.reply.status, 202);
    const char *uuid = strstr(v.reply.body.at, "\"dedup_key\":\"");
    assert_non_null(uuid);
    assert_int_equal(uuid[13 + 14], '4');
    leave(&v);
    webhooks_free(w);
}

/* Keys that are no strings: what opens is what resolves, also where one of the two quotes it. */
static const struct label_row {
    const char *name, *key, *same;
} labels[] = {
    {"label: a number", "42", "\"42\""},
    {"label: zero", "0", "\"0\""},
    {"label: a negative number", "-7", "\"-7\""},
    {"label: a fraction", "0.1", "\"0.1\""},
    {"label: a fraction with a zero", "42.0", "\"42.0\""},
    {"label: an exponent", "1e3", "\"1e3\""},
    {"label: true", "true", "\"true\""},
    {"label: false", "false", "\"false\""},
    {"label: 63 bits", "9223372036854775807", "\"9223372036854775807\""},
    {"label: 64 bits", "18446744073709551615", "\"18446744073709551615\""},
    {"label: a hash of 128 bits", "340282366920938463463374607431768211455",
     "\"340282366920938463463374607431768211455\""},
    {"label: two large ones differ by a digit", "18446744073709551614", "18446744073709551614"},
};

/* The key stands between the two halves of the body. */
static void ask_label(struct webhooks *w, const char *path, const char *const halves[2],
                      const char *key, char out_key[512])
{
    char body[1024];
    struct visit v = {0};
    (void)snprintf(body, sizeof body, "%s%s%s", halves[0], key, halves[1]);
    visit(w, &v, "POST", path, "application/json", text_of(body));
    assert_in_range(v.reply.status, 200, 202);
    (void)member(&v, 0, "key", out_key);
    leave(&v);
}

static void test_label(void **state)
{
    const struct label_row *row = *state;
    char one[512], other[512];
    struct webhooks *w = open_webhooks("{}");
    static const char *const v2[] = {"{\"routing_key\":\"k\",\"dedup_key\" : ",
                                     " ,\"event_action\":\"trigger\",\"payload\":{\"summary\":"
                                     "\"s\",\"source\":\"h\",\"severity\":\"error\"}}"};
    static const char *const v2_end[] = {
        "{\"routing_key\":\"k\",\"event_action\":\"resolve\",\"dedup_key\":", "}"};
    static const char *const v1[] = {
        "{\"service_key\":\"k\",\"event_type\":\"trigger\",\"incident_key\":",
        ",\"description\":\"d\"}"};
    static const char *const v1_end[] = {"{\"incident_key\":",
                                         ",\"service_key\":\"k\",\"event_type\":\"resolve\"}"};
    static const char *const opsgenie[] = {"{\"message\":\"m\",\"alias\":", "}"};
    static const char *const nothing[] = {"{", "}"};
    ask_label(w, "/v2/enqueue", v2, row->key, one);
    ask_label(w, "/v2/enqueue", v2_end, row->key, other);
    assert_string_equal(one, other);
    ask_label(w, "/v2/enqueue", v2_end, row->same, other);
    assert_string_equal(one, other);
    assert_string_equal(strchr(one, '/') + 1, row->key); /* behind the digest of the routing key */
    ask_label(w, "/generic/2010-04-15/create_event.json", v1, row->key, one);
    ask_label(w, "/generic/2010-04-15/create_event.json", v1_end, row->same, other);
    assert_string_equal(one, other);
    char path[128];
    (void)snprintf(path, sizeof path, "/v2/alerts/%s/close", row->key);
    ask_label(w, "/v2/alerts", opsgenie, row->key, one);
    ask_label(w, path, nothing, "", other);
    assert_string_equal(one, other);
    webhooks_free(w);
}

/* Nobody could resolve what has no name. */
static void test_label_is_no_collection(void **state)
{
    (void)state;
    static const char *const requests[][2] = {
        {"/v2/enqueue", "{\"routing_key\":\"k\",\"dedup_key\":[1],\"event_action\":\"trigger\","
                        "\"payload\":{\"summary\":\"s\",\"source\":\"h\",\"severity\":\"error\"}}"},
        {"/generic/2010-04-15/create_event.json",
         "{\"service_key\":\"k\",\"event_type\":\"trigger\",\"incident_key\":{},"
         "\"description\":\"d\"}"},
        {"/v2/alerts", "{\"message\":\"m\",\"alias\":[]}"},
    };
    struct webhooks *w = open_webhooks("{}");
    for (size_t i = 0; i < 3; i++) {
        struct visit v = {0};
        visit(w, &v, "POST", requests[i][0], "application/json", text_of(requests[i][1]));
        assert_in_range(v.reply.status, 400, 422);
        assert_int_equal(v.batch->count, 0);
        leave(&v);
    }
    webhooks_free(w);
}

static void test_pagerduty_v1(void **state)
{
    (void)state;
    struct webhooks *w = open_webhooks("{}");
    struct visit v = {0};
    visit(w, &v, "POST", "/generic/2010-04-15/create_event.json", "application/json",
          TEXT("{\"service_key\":\"k\",\"event_type\":\"trigger\",\"incident_key\":\"srv01/HTTP\","
               "\"description\":\"FAILURE\",\"details\":{\"HOSTNAME\":\"srv01\"}}"));
    assert_int_equal(v.reply.status, 200);
    assert_string_equal(v.reply.body.at, "{\"status\":\"success\",\"message\":\"Event processed\","
                                         "\"incident_key\":\"srv01/HTTP\"}");
    assert_member(&v, 0, "host", "srv01");
    assert_member(&v, 0, "status", "firing");
    leave(&v);
    visit(w, &v, "POST", "/v2/change/enqueue", "application/json",
          TEXT("{\"routing_key\":\"k\",\"payload\":{\"summary\":\"Build\",\"timestamp\":"
               "\"2020-07-17T08:42:58.315+0000\"}}"));
    assert_int_equal(v.reply.status, 202);
    assert_int_equal(v.batch->records[0].kind, RECORD_EVENT);
    assert_member(&v, 0, "integration", "pagerduty-change");
    assert_member(&v, 0, "timestamp", "2020-07-17T08:42:58.315000Z");
    leave(&v);
    webhooks_free(w);
}

static void test_opsgenie(void **state)
{
    (void)state;
    struct webhooks *w = open_webhooks("{}");
    struct visit v = {0};
    visit(
        w, &v, "POST", "/v2/alerts", "application/json",
        TEXT(
            "{\"message\":\"m\",\"alias\":\"a/1\",\"priority\":\"P1\",\"details\":{\"k\":\"v\"}}"));
    assert_int_equal(v.reply.status, 202);
    assert_non_null(strstr(v.reply.body.at, "\"result\":\"Request will be processed\""));
    assert_member(&v, 0, "severity", "critical");
    char key[512], closed[512];
    (void)member(&v, 0, "key", key);
    leave(&v);
    visit(w, &v, "POST", "/v2/alerts/%61%2f1/close", "application/json",
          TEXT("{\"source\":\"x\"}"));
    assert_int_equal(v.reply.status, 202);
    assert_member(&v, 0, "status", "resolved");
    assert_string_equal(member(&v, 0, "key", closed), key);
    leave(&v);
    visit(w, &v, "POST", "/v2/alerts", "application/json", TEXT("{\"alias\":\"a\"}"));
    assert_int_equal(v.reply.status, 422);
    assert_false(v.is_stored);
    leave(&v);
    webhooks_free(w);
}

static void test_cloudevents(void **state)
{
    (void)state;
    struct webhooks *w = open_webhooks("{}");
    struct visit v = {0};
    static const char event[] = "{\"specversion\":\"1.0\",\"type\":\"t\",\"source\":\"/s\",\"id\":"
                                "\"17\",\"time\":\"2018-04-05T17:31:00Z\",\"data\":{\"a\":1}}";
    visit(w, &v, "POST", "/webhooks/cloudevents", "application/cloudevents+json; charset=utf-8",
          text_of(event));
    assert_int_equal(v.reply.status, 202);
    assert_int_equal(v.batch->records[0].kind, RECORD_EVENT);
    assert_true(text_equal(v.batch->records[0].origin, TEXT("cloudevents:/s:17")));
    assert_member(&v, 0, "data.a", "1");
    leave(&v);
    v = (struct visit){
        .headers = {
            {"ce-specversion", "1.0"}, {"ce-id", "17"}, {"ce-source", "/s"}, {"ce-type", "t"}}};
    visit(w, &v, "POST", "/webhooks/cloudevents", "application/octet-stream", TEXT("\xff\xfe"));
    assert_int_equal(v.reply.status, 202);
    assert_true(text_equal(v.batch->records[0].origin, TEXT("cloudevents:/s:17")));
    assert_member(&v, 0, "data_base64", "//4=");
    leave(&v);
    char batch[1024];
    (void)snprintf(batch, sizeof batch, "[%s,%s]", event, event);
    visit(w, &v, "POST", "/webhooks/cloudevents", "application/cloudevents-batch+json",
          text_of(batch));
    assert_int_equal(v.batch->count, 2);
    leave(&v);
    visit(w, &v, "POST", "/webhooks/cloudevents", "application/json", TEXT("{}"));
    assert_int_equal(v.reply.status, 415);
    leave(&v);
    webhooks_free(w);
}

static void test_plain(void **state)
{
    (void)state;
    struct webhooks *w = open_webhooks("{fields: {host: device.name, message: msg}}");
    struct visit v = {.headers = {{"Idempotency-Key", "once"}}};
    visit(
        w, &v, "POST", "/api/v1/events", "application/json",
        TEXT("[{\"msg\":\"hi\",\"device\":{\"name\":\"d1\"}},{\"message\":\"kept\",\"msg\":\"x\"},"
             "\"<13>a line\"]"));
    assert_int_equal(v.reply.status, 200);
    assert_string_equal(v.reply.body.at, "{\"accepted\":3}");
    assert_member(&v, 0, "host", "d1");
    assert_member(&v, 0, "message", "hi");
    assert_member(&v, 1, "message", "kept");
    assert_int_equal(v.batch->records[2].format, FORMAT_AUTO);
    assert_true(text_equal(v.batch->records[0].origin, TEXT("idempotency:once:0")));
    assert_true(text_equal(v.batch->records[2].origin, TEXT("idempotency:once:2")));
    leave(&v);
    visit(w, &v, "POST", "/api/v1/events", "application/x-ndjson",
          TEXT("{\"a\":1}\r\n\n{\"a\":2}\n"));
    assert_string_equal(v.reply.body.at, "{\"accepted\":2}");
    assert_int_equal(v.batch->records[0].origin.len, 0);
    leave(&v);
    visit(w, &v, "POST", "/api/v1/events", "application/x-ndjson", TEXT("{\"a\":1}\n{\"a\":\n"));
    assert_int_equal(v.reply.status, 400);
    assert_non_null(strstr(v.reply.body.at, "\"line\":2"));
    assert_false(v.is_stored);
    leave(&v);
    visit(w, &v, "POST", "/api/v1/events", "text/plain", TEXT("<13>one\n<13>two\n"));
    assert_int_equal(v.batch->count, 2);
    leave(&v);
    visit(w, &v, "POST", "/api/v1/events", "text/plain", TEXT("{\n \"Type\": \"Notification\"\n}"));
    assert_int_equal(v.batch->count, 1);
    assert_member(&v, 0, "Type", "Notification");
    leave(&v);
    visit(w, &v, "POST", "/api/v1/events", "text/plain", TEXT("[warn] a line\n[warn] another"));
    assert_int_equal(v.batch->count, 2);
    leave(&v);
    webhooks_free(w);
}

static void test_too_many_events(void **state)
{
    (void)state;
    struct webhooks *w = open_webhooks("{}");
    struct visit v = {0};
    struct buffer b;
    buffer_init(&b, 1 << 20);
    for (int i = 0; i <= BATCH_RECORDS; i++)
        buffer_printf(&b, "{\"i\":%d}\n", i);
    visit(w, &v, "POST", "/api/v1/events", "application/json", buffer_text(&b));
    assert_int_equal(v.reply.status, 413);
    assert_int_equal(v.batch->count, 0);
    leave(&v);
    buffer_fini(&b);
    webhooks_free(w);
}

/* What goes on its way while a long request is read; `refuse_at` batches on it is overload. */
struct stream {
    uint32_t batches, records, refuse_at;
    uint64_t next; /* number the next record must have: none is left out, none twice */
};

static bool take_batch(void *context, struct batch *out)
{
    struct stream *s = context;
    if (s->refuse_at && s->batches == s->refuse_at)
        return false;
    s->batches++;
    s->records += out->count;
    for (uint32_t i = 0; i < out->count; i++) {
        char want[32];
        (void)snprintf(want, sizeof want, "n%llu", (unsigned long long)s->next++);
        assert_true(text_find(out->records[i].raw, text_of(want)) < out->records[i].raw.len);
        assert_true(text_equal(out->records[i].peer, TEXT("192.0.2.9")));
    }
    batch_reset(out);
    return true;
}

static void visit_long(struct webhooks *w, struct visit *v, struct stream *s, const char *path,
                       const char *type, struct text body)
{
    struct webhook_request q = {.method = TEXT("POST"),
                                .path = text_of(path),
                                .content_type = text_of(type),
                                .body = body,
                                .peer = TEXT("192.0.2.9"),
                                .flush = take_batch,
                                .flush_context = s};
    v->batch = batch_new();
    v->reply = (struct webhook_reply){0};
    buffer_init(&v->reply.body, 1 << 20);
    v->is_stored = webhooks_take(w, &q, v->batch, &v->reply);
    if (v->is_stored)
        assert_true(take_batch(s, v->batch));
}

struct long_row {
    const char *name, *path, *type, *head, *item, *between, *tail;
    int status;
};
static const struct long_row long_rows[] = {
    {"long: Alertmanager", "/webhooks/alertmanager", "application/json",
     "{\"version\":\"4\",\"groupKey\":\"g\",\"alerts\":[",
     "{\"status\":\"firing\",\"labels\":{\"alertname\":\"n%u\"},\"startsAt\":\"2026-01-01T00:00:"
     "00Z\"}",
     ",", "]}", 200},
    {"long: API v2", "/api/v2/alerts", "application/json", "[",
     "{\"labels\":{\"alertname\":\"n%u\"}}", ",", "]", 200},
    {"long: an array", "/api/v1/events", "application/json", "[", "{\"x\":\"n%u\"}", ",", "]", 200},
    {"long: CloudTrail", "/api/v1/events", "application/json", "{\"Records\":[",
     "{\"eventVersion\":\"1.08\",\"x\":\"n%u\"}", ",", "]}", 200},
    {"long: objects a line", "/api/v1/events", "application/x-ndjson", "", "{\"x\":\"n%u\"}", "\n",
     "", 200},
    {"long: text", "/api/v1/events", "text/plain", "", "line n%u", "\n", "\n", 200},
    {"long: CloudEvents", "/webhooks/cloudevents", "application/cloudevents-batch+json", "[",
     "{\"specversion\":\"1.0\",\"id\":\"n%u\",\"source\":\"s\",\"type\":\"t\"}", ",", "]", 202},
};

static struct buffer long_body(const struct long_row *row, unsigned count, const char *spoiler)
{
    struct buffer b;
    buffer_init(&b, 8 << 20);
    buffer_append(&b, text_of(row->head));
    for (unsigned i = 0; i < count; i++) {
        char item[256];
        const char *mark = strstr(row->item, "%u");
        (void)snprintf(item, sizeof item, "%.*s%u%s", (int)(mark - row->item), row->item, i,
                       mark + 2);
        buffer_append(&b, text_of(i ? row->between : ""));
        buffer_append(&b, text_of(i == count - 1 && spoiler ? spoiler : item));
    }
    buffer_append(&b, text_of(row->tail));
    assert_false(b.has_failed);
    return b;
}

/* More records than a batch holds: all arrive, once each, in their order. */
static void test_long(void **state)
{
    const struct long_row *row = *state;
    enum { MANY = 5000 };
    struct webhooks *w = open_webhooks("{}");
    struct visit v = {0};
    struct stream s = {0};
    struct buffer b = long_body(row, MANY, NULL);
    visit_long(w, &v, &s, row->path, row->type, buffer_text(&b));
    assert_int_equal(v.reply.status, row->status);
    assert_int_equal(s.records, MANY);
    assert_true(s.batches >= 5);
    leave(&v);
    /* overload in the middle: the sender hears that it should come again */
    s = (struct stream){.refuse_at = 2};
    visit_long(w, &v, &s, row->path, row->type, buffer_text(&b));
    assert_int_equal(v.reply.status, 503);
    assert_false(v.is_stored);
    assert_int_equal(v.batch->count, 0);
    leave(&v);
    buffer_fini(&b);
    webhooks_free(w);
}

/* Where all is taken or nothing, a fault in the last of many takes nothing. */
static void test_long_and_faulty(void **state)
{
    (void)state;
    struct webhooks *w = open_webhooks("{}");
    for (size_t i = 2; i < sizeof long_rows / sizeof *long_rows; i++) {
        const struct long_row *row = &long_rows[i];
        if (strcmp(row->type, "text/plain") == 0)
            continue; /* every line is good */
        struct visit v = {0};
        struct stream s = {0};
        struct buffer b = long_body(row, 3000, "17");
        visit_long(w, &v, &s, row->path, row->type, buffer_text(&b));
        /* {"Records":[..., 17]} is no list of events: kept whole as the one event it then is */
        bool is_whole = strstr(row->head, "Records") != NULL;
        assert_int_equal(v.reply.status, is_whole ? 200 : 400);
        assert_int_equal(s.records, is_whole);
        leave(&v);
        buffer_fini(&b);
    }
    webhooks_free(w);
}

struct wrapped {
    const char *name, *body;
    unsigned count;
};
static const struct wrapped wrapped_rows[] = {
    {"wrapped: CloudTrail", "{\"Records\":[{\"eventName\":\"a\"},{\"eventName\":\"b\"}]}", 2},
    {"wrapped: Azure", "{\"records\":[{\"category\":\"a\"}]}", 1},
    {"wrapped: Graph", "{\"@odata.context\":\"u\",\"value\":[{\"id\":1},{\"id\":2},{\"id\":3}]}",
     3},
    {"wrapped: several lines", "{\"Records\":[{\"a\":1},{\"b\":1}]}\n{\"Records\":[{\"c\":1}]}", 3},
    {"wrapped: more beside it", "{\"Records\":[{\"a\":1},{\"b\":1}],\"owner\":\"x\"}", 1},
    {"wrapped: no objects", "{\"Records\":[1,2]}", 1},
    {"wrapped: empty", "{\"Records\":[]}", 1},
};

static void test_wrapped(void **state)
{
    const struct wrapped *row = *state;
    struct webhooks *w = open_webhooks("{}");
    struct visit v = {0};
    visit(w, &v, "POST", "/api/v1/events", "application/json", text_of(row->body));
    assert_int_equal(v.reply.status, 200);
    assert_int_equal(v.batch->count, row->count);
    char want[64];
    (void)snprintf(want, sizeof want, "{\"accepted\":%u}", row->count);
    assert_string_equal(v.reply.body.at, want);
    leave(&v);
    webhooks_free(w);
}

static struct text encoded_header(void *context, const char *name)
{
    return strcmp(name, "Content-Encoding") == 0 ? text_of(context) : TEXT_NONE;
}

static struct buffer pack(const char *plain, size_t times)
{
    struct buffer all, b;
    buffer_init(&all, 64 << 20);
    buffer_init(&b, 64 << 20);
    for (size_t i = 0; i < times; i++)
        buffer_append(&all, text_of(plain));
    z_stream z = {0};
    assert_int_equal(deflateInit2(&z, 9, Z_DEFLATED, 15 + 16, 8, Z_DEFAULT_STRATEGY), Z_OK);
    size_t room = deflateBound(&z, (uLong)all.len) + 64;
    z.next_in = (unsigned char *)all.at;
    z.avail_in = (unsigned)all.len;
    z.next_out = (unsigned char *)buffer_reserve(&b, room);
    z.avail_out = (unsigned)room;
    assert_int_equal(deflate(&z, Z_FINISH), Z_STREAM_END);
    b.len = room - z.avail_out;
    (void)deflateEnd(&z);
    buffer_fini(&all);
    return b;
}

/* Shippers compress; what unpacks to more than max_body is no way in. */
static void test_compressed(void **state)
{
    (void)state;
    static const struct {
        const char *encoding, *plain;
        size_t times, cut;
        int status;
        uint32_t count;
    } rows[] = {
        {"gzip", "{\"a\":1}\n", 1, 0, 200, 1},    {"GZIP", "{\"a\":1}\n", 1000, 0, 200, 1000},
        {"gzip", "{\"a\":1}\n", 1000, 9, 400, 0}, {"br", "{\"a\":1}\n", 1, 0, 415, 0},
        {"gzip", "x", 60 << 20, 0, 413, 0},
    };
    struct webhooks *w = open_webhooks("{max_body: 64KiB}");
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct buffer b = pack(rows[i].plain, rows[i].times);
        char encoding[8];
        (void)snprintf(encoding, sizeof encoding, "%s", rows[i].encoding);
        struct visit v = {.batch = batch_new()};
        struct webhook_request q = {.method = TEXT("POST"),
                                    .path = TEXT("/api/v1/events"),
                                    .body = text_head(buffer_text(&b), b.len - rows[i].cut),
                                    .header = encoded_header,
                                    .header_context = encoding};
        (void)webhooks_take(w, &q, v.batch, &v.reply);
        assert_int_equal(v.reply.status, rows[i].status);
        assert_int_equal(v.batch->count, rows[i].count);
        leave(&v);
        buffer_fini(&b);
    }
    webhooks_free(w);
}

/* A door that is not on loopback wants an address in `allow` or a key. */
static void test_remote(void **state)
{
    (void)state;
    static const struct {
        const char *yaml, *peer;
        int status;
    } rows[] = {
        {"{}", "192.0.2.9", 401},
        {"{}", "127.0.0.1", 401},
        {"{allow: [192.0.2.0/24]}", "192.0.2.9", 200},
        {"{allow: [192.0.2.0/24]}", "198.51.100.9", 403},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct webhooks *w = open_webhooks(rows[i].yaml);
        struct visit v = {.batch = batch_new()};
        struct webhook_request q = {.method = TEXT("POST"),
                                    .path = TEXT("/api/v1/events"),
                                    .body = TEXT("{}"),
                                    .peer = text_of(rows[i].peer),
                                    .is_remote = true};
        (void)webhooks_take(w, &q, v.batch, &v.reply);
        assert_int_equal(v.reply.status, rows[i].status);
        assert_int_equal(v.batch->count, rows[i].status == 200);
        leave(&v);
        webhooks_free(w);
    }
}

/* A ring of one key for everything. */
struct ring {
    char dir[64], path[96], key[KEYRING_KEY_LEN + 1];
    struct keyring *keys;
};

static void open_ring(struct ring *r)
{
    struct keyring_entry want = {.name = "x", .scope = "*", .expires_us = TIMESTAMP_NONE};
    (void)snprintf(r->dir, sizeof r->dir, "/tmp/tocsin-webhooks-XXXXXX");
    assert_non_null(mkdtemp(r->dir));
    (void)snprintf(r->path, sizeof r->path, "%s/keys", r->dir);
    assert_int_equal(keyring_open(r->path, &r->keys, NULL), STATUS_OK);
    assert_int_equal(keyring_add(r->keys, &want, r->key, NULL), STATUS_OK);
}

static void close_ring(struct ring *r)
{
    char lock[128];
    keyring_free(r->keys);
    (void)snprintf(lock, sizeof lock, "%s.lock", r->path);
    (void)unlink(lock);
    (void)unlink(r->path);
    assert_int_equal(rmdir(r->dir), 0);
}

/* A budget that says how much was held at most. */
struct budget {
    int64_t held, most, limit;
};

static bool hold(void *context, int64_t bytes)
{
    struct budget *b = context;
    if (bytes > 0 && b->held + bytes > b->limit)
        return false;
    b->held += bytes;
    b->most = b->held > b->most ? b->held : b->most;
    assert_true(b->held >= 0);
    return true;
}

/* With the head alone: 401 where a key belongs there and is none, a short body where it may be
 * inside, all of it with a key. */
static void test_heads(void **state)
{
    (void)state;
    static const struct {
        const char *path;
        bool has_key, is_remote;
        int status; /* 0: go on */
        uint64_t most;
    } rows[] = {
        {"/api/v1/events", false, true, 401, 0},
        {"/webhooks/alertmanager", false, true, 401, 0},
        {"/v2/alerts", false, true, 401, 0},
        {"/webhooks/cloudevents", false, true, 401, 0},
        {"/api/v1/events", true, true, 0, 8 << 20},
        {"/v2/enqueue", false, true, 0, 512 << 10},
        {"/generic/2010-04-15/create_event.json", false, true, 0, 512 << 10},
        {"/v2/enqueue", true, true, 0, 8 << 20},
        {"/api/v1/events", false, false, 0, 8 << 20},
        {"/v2/enqueue", false, false, 0, 8 << 20},
    };
    struct ring ring;
    open_ring(&ring);
    struct webhooks *w = open_webhooks("{}");
    webhooks_use_keys(w, ring.keys, false);
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        char bearer[64];
        (void)snprintf(bearer, sizeof bearer, "Bearer %s", ring.key);
        struct webhook_reply reply = {0};
        uint64_t most = 0;
        struct webhook_request q = {.method = TEXT("POST"),
                                    .path = text_of(rows[i].path),
                                    .authorization = text_of(rows[i].has_key ? bearer : ""),
                                    .peer = TEXT("192.0.2.9"),
                                    .is_remote = rows[i].is_remote};
        assert_int_equal(webhooks_admit(w, &q, &most, &reply), rows[i].status == 0);
        if (rows[i].status)
            assert_int_equal(reply.status, rows[i].status);
        else
            assert_int_equal(most, rows[i].most);
        buffer_fini(&reply.body);
    }
    webhooks_free(w);
    close_ring(&ring);
}

/* The key inside is looked for in the first half MiB, and nothing more is unpacked before it is
 * found; trees are built only for those who have one. */
static void test_a_key_inside(void **state)
{
    (void)state;
    enum { FILL = 600 << 10, MOST = 3 << 20 };
    struct ring ring;
    open_ring(&ring);
    const struct {
        const char *head;
        bool has_key;
        size_t fill; /* bytes of blanks before the key */
        int status;
    } rows[] = {
        {"{", true, 0, 202},
        {"{\"payload\":{\"summary\":\"s\",\"source\":\"h\",\"severity\":\"error\"},", true, 1000,
         202},
        {"{", true, FILL, 401},
        {"{", false, FILL, 401},
        {"{\"client\":{", true, 0, 401},
    };
    struct webhooks *w = open_webhooks("{}");
    webhooks_use_keys(w, ring.keys, false);
    for (size_t i = 0; i < 2 * sizeof rows / sizeof *rows; i++) {
        const size_t row = i / 2;
        bool is_packed = i % 2;
        struct buffer b;
        buffer_init(&b, 4 << 20);
        buffer_append(&b, text_of(rows[row].head));
        for (size_t k = 0; k < rows[row].fill; k++)
            buffer_byte(&b, ' ');
        buffer_printf(&b,
                      "\"routing_key\":\"%s\",\"event_action\":\"trigger\",\"dedup_key\":\"d\","
                      "\"payload\":{\"summary\":\"s\",\"source\":\"h\",\"severity\":\"error\"}}",
                      rows[row].has_key ? ring.key : "none");
        buffer_byte(&b, 0);
        struct buffer packed = pack(b.at, 1);
        struct budget budget = {.limit = 64 << 20};
        struct visit v = {.batch = batch_new()};
        char encoding[8];
        (void)snprintf(encoding, sizeof encoding, "%s", is_packed ? "gzip" : "");
        struct webhook_request q = {.method = TEXT("POST"),
                                    .path = TEXT("/v2/enqueue"),
                                    .content_type = TEXT("application/json"),
                                    .body = is_packed ? buffer_text(&packed)
                                                      : (struct text){b.at, b.len - 1},
                                    .header = encoded_header,
                                    .header_context = encoding,
                                    .hold = hold,
                                    .hold_context = &budget,
                                    .is_remote = true};
        (void)webhooks_take(w, &q, v.batch, &v.reply);
        assert_int_equal(v.reply.status, rows[row].status);
        assert_int_equal(budget.held, 0);
        assert_in_range(budget.most, 0, MOST);
        leave(&v);
        buffer_fini(&packed);
        buffer_fini(&b);
    }
    webhooks_free(w);
    close_ring(&ring);
}

/* What stands for a great tree is told before the tree is built; what the budget has no room for
 * now comes again. */
static void test_trees_are_bounded(void **state)
{
    (void)state;
    static const struct {
        const char *path, *type, *head, *item, *tail;
        size_t times;
        int64_t limit;
        int status;
    } rows[] = {
        {"/api/v1/events", "application/json", "[", "[],", "[]]", 2000000, 64 << 20, 413},
        {"/api/v1/events", "application/json", "[", "{},", "{}]", 2000000, 64 << 20, 413},
        {"/api/v1/events", "application/json", "[", "1,", "1]", 3000000, 64 << 20, 413},
        {"/v2/enqueue", "application/json", "{\"a\":[", "\"\",", "1]}", 1000000, 64 << 20, 413},
        {"/v2/alerts", "application/json", "{\"a\":[", "[],", "1]}", 1000000, 64 << 20, 413},
        {"/webhooks/alertmanager", "application/json", "{\"a\":[", "[],", "1]}", 1000000, 64 << 20,
         413},
        {"/webhooks/cloudevents", "application/cloudevents+json", "{\"a\":[", "[],", "1]}", 1000000,
         64 << 20, 413},
        {"/api/v1/events", "application/json", "", "[", "", 60, 64 << 20, 413},
        {"/api/v1/events", "application/json", "[", "{\"a\":1},", "{}]", 1000, 64 << 10, 503},
        {"/v2/alerts", "application/json", "{\"a\":[", "[],", "1]}", 1000, 64 << 10, 429},
        {"/api/v1/events", "application/json", "[", "{\"a\":1},", "{}]", 1000, 64 << 20, 200},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct webhooks *w = open_webhooks("{}");
        struct budget budget = {.limit = rows[i].limit};
        struct buffer b;
        buffer_init(&b, 16 << 20);
        buffer_append(&b, text_of(rows[i].head));
        for (size_t k = 0; k < rows[i].times; k++)
            buffer_append(&b, text_of(rows[i].item));
        buffer_append(&b, text_of(rows[i].tail));
        struct visit v = {.batch = batch_new()};
        struct webhook_request q = {.method = TEXT("POST"),
                                    .path = text_of(rows[i].path),
                                    .content_type = text_of(rows[i].type),
                                    .body = buffer_text(&b),
                                    .hold = hold,
                                    .hold_context = &budget};
        (void)webhooks_take(w, &q, v.batch, &v.reply);
        assert_int_equal(v.reply.status, rows[i].status);
        assert_int_equal(v.batch->count > 0, rows[i].status == 200);
        assert_int_equal(budget.held, 0);
        leave(&v);
        buffer_fini(&b);
        webhooks_free(w);
    }
}

/* More lines than any shipper sends at once: nothing is taken, however small they are. */
static void test_events_of_a_request_are_bounded(void **state)
{
    (void)state;
    static const struct {
        bool is_numbered;
        size_t times;
        int status;
    } rows[] = {{false, 1000000, 413}, {true, 65536, 200}, {true, 65537, 413}};
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct webhooks *w = open_webhooks("{}");
        struct visit v = {0};
        struct stream s = {0};
        struct buffer b;
        buffer_init(&b, 8 << 20);
        for (size_t k = 0; k < rows[i].times; k++)
            if (rows[i].is_numbered)
                buffer_printf(&b, "{\"a\":\"n%zu\"}\n", k);
            else
                buffer_append(&b, TEXT("{}\n"));
        visit_long(w, &v, &s, "/api/v1/events", "application/json", buffer_text(&b));
        assert_int_equal(v.reply.status, rows[i].status);
        assert_int_equal(s.records, rows[i].status == 200 ? rows[i].times : 0);
        leave(&v);
        buffer_fini(&b);
        webhooks_free(w);
    }
}

struct instance {
    const char *name, *text, *want;
};
static const struct instance instances[] = {
    {"host: with a port", "web1:9100", "web1"},
    {"host: a URL", "https://web1.example.org:80/x?y", "web1.example.org"},
    {"host: IPv6", "[2001:db8::1]:9100", "2001:db8::1"},
    {"host: IPv6 alone", "2001:db8::1", "2001:db8::1"},
    {"host: a path of words", "tool:vendor:region:852559987:cluster/api", ""},
    {"host: prose", "the new server", ""},
    {"host: nothing", "", ""},
};

static void test_host(void **state)
{
    const struct instance *row = *state;
    assert_true(text_equal(webhook_host(text_of(row->text)), text_of(row->want)));
}

struct faulty {
    const char *name, *method, *path, *body;
    int want;
    const char *says;
};
static const struct faulty faults[] = {
    {"faulty: v2 without key", "POST", "/v2/enqueue", "{\"event_action\":\"resolve\"}", 400,
     "'routing_key' is missing or blank"},
    {"faulty: v2 bad action", "POST", "/v2/enqueue", "{\"routing_key\":\"k\"}", 400,
     "must be one of: trigger acknowledge resolve"},
    {"faulty: v2 no payload", "POST", "/v2/enqueue",
     "{\"routing_key\":\"k\",\"event_action\":\"trigger\"}", 400, "'payload' is missing"},
    {"faulty: v2 no JSON", "POST", "/v2/enqueue", "{", 400, "\"status\":\"invalid event\""},
    {"faulty: v1 bad type", "POST", "/generic/2010-04-15/create_event.json",
     "{\"service_key\":\"k\",\"event_type\":\"x\"}", 400, "event_type is invalid"},
    {"faulty: alertmanager without alerts", "POST", "/webhooks/alertmanager", "{}", 400, "alerts"},
    {"faulty: alertmanager no JSON", "POST", "/webhooks/alertmanager", "hello", 400, "not JSON"},
    {"faulty: API v2 no array", "POST", "/api/v2/alerts", "{}", 400, "array"},
    {"faulty: empty body", "POST", "/api/v1/events", "", 400, "not JSON"},
    {"faulty: number", "POST", "/api/v1/events", "17", 400, "want an object"},
    {"faulty: method", "GET", "/v2/enqueue", "", 405, "method"},
    {"faulty: path", "POST", "/nowhere", "", 404, "no webhook"},
};

static void test_faulty(void **state)
{
    const struct faulty *row = *state;
    struct webhooks *w = open_webhooks("{}");
    struct visit v = {0};
    visit(w, &v, row->method, row->path, "application/json", text_of(row->body));
    assert_int_equal(v.reply.status, row->want);
    assert_non_null(strstr(v.reply.body.at, row->says));
    assert_false(v.is_stored);
    assert_int_equal(v.batch->count, 0);
    leave(&v);
    webhooks_free(w);
}

struct overload {
    const char *name, *path;
    int want;
};
static const struct overload overloads[] = {
    {"overload: alertmanager", "/webhooks/alertmanager", 503},
    {"overload: API v2", "/api/v2/alerts", 503},
    {"overload: grafana", "/webhooks/grafana", 503},
    {"overload: pagerduty v2", "/v2/enqueue", 429},
    {"overload: pagerduty v1", "/generic/2010-04-15/create_event.json", 403},
    {"overload: opsgenie", "/v2/alerts", 429},
    {"overload: events", "/api/v1/events", 503},
};

static void test_overload(void **state)
{
    const struct overload *row = *state;
    struct webhooks *w = open_webhooks("{}");
    struct webhook_request q = {.method = TEXT("POST"), .path = text_of(row->path)};
    struct webhook_reply reply = {0};
    assert_true(webhooks_owns(w, q.path));
    webhooks_refuse(w, &q, &reply);
    assert_int_equal(reply.status, row->want);
    assert_true(reply.retry_after_s > 0);
    assert_true(reply.body.len > 0);
    buffer_fini(&reply.body);
    webhooks_free(w);
}

static void test_owned_paths(void **state)
{
    (void)state;
    struct webhooks *w = open_webhooks("{}");
    assert_true(webhooks_owns(w, TEXT("/v2/alerts/x/close")));
    assert_false(webhooks_owns(w, TEXT("/api/v1/incidents")));
    assert_false(webhooks_owns(w, TEXT("/metrics")));
    assert_true(webhooks_owns(w, TEXT("/"))); /* Elastic's; the console answers its own first */
    webhooks_free(w);
}

static void test_limits(void **state)
{
    (void)state;
    struct webhooks *w = open_webhooks("{max_body: 1024, allow: [192.0.2.0/24]}");
    struct visit v = {0};
    char big[2000];
    memset(big, ' ', sizeof big);
    visit(w, &v, "POST", "/api/v1/events", "application/json", (struct text){big, sizeof big});
    assert_int_equal(v.reply.status, 413);
    leave(&v);
    visit(w, &v, "POST", "/api/v1/events", "application/json", TEXT("{}"));
    assert_int_equal(v.reply.status, 200);
    leave(&v);
    webhooks_free(w);
    w = open_webhooks("{allow: [198.51.100.0/24]}");
    visit(w, &v, "POST", "/api/v1/events", "application/json", TEXT("{}"));
    assert_int_equal(v.reply.status, 403);
    leave(&v);
    webhooks_free(w);
}

int main(void)
{
    struct CMUnitTest tests[128] = {
        cmocka_unit_test(test_alertmanager),
        cmocka_unit_test(test_watchdog_is_a_heartbeat_and_every_one_counts),
        cmocka_unit_test(test_grafana),
        cmocka_unit_test(test_grafana_signature),
        cmocka_unit_test(test_api_v2),
        cmocka_unit_test(test_pagerduty_v2),
        cmocka_unit_test(test_label_is_no_collection),
        cmocka_unit_test(test_pagerduty_v1),
        cmocka_unit_test(test_opsgenie),
        cmocka_unit_test(test_cloudevents),
        cmocka_unit_test(test_plain),
        cmocka_unit_test(test_too_many_events),
        cmocka_unit_test(test_long_and_faulty),
        cmocka_unit_test(test_remote),
        cmocka_unit_test(test_compressed),
        cmocka_unit_test(test_heads),
        cmocka_unit_test(test_a_key_inside),
        cmocka_unit_test(test_trees_are_bounded),
        cmocka_unit_test(test_events_of_a_request_are_bounded),
        cmocka_unit_test(test_owned_paths),
        cmocka_unit_test(test_limits),
        cmocka_unit_test(test_unread),
    };
    size_t n = 22;
    for (size_t i = 0; i < sizeof labels / sizeof *labels; i++)
        tests[n++] = ROW(test_label, &labels[i]);
    for (size_t i = 0; i < sizeof equal_rows / sizeof *equal_rows; i++)
        tests[n++] = ROW(test_equal, &equal_rows[i]);
    for (size_t i = 0; i < sizeof long_rows / sizeof *long_rows; i++)
        tests[n++] = ROW(test_long, &long_rows[i]);
    for (size_t i = 0; i < sizeof wrapped_rows / sizeof *wrapped_rows; i++)
        tests[n++] = ROW(test_wrapped, &wrapped_rows[i]);
    for (size_t i = 0; i < sizeof faults / sizeof *faults; i++)
        tests[n++] = ROW(test_faulty, &faults[i]);
    for (size_t i = 0; i < sizeof instances / sizeof *instances; i++)
        tests[n++] = ROW(test_host, &instances[i]);
    for (size_t i = 0; i < sizeof overloads / sizeof *overloads; i++)
        tests[n++] = ROW(test_overload, &overloads[i]);
    return _cmocka_run_group_tests("test_webhooks", tests, n, NULL, NULL);
}
