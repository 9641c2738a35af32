/* SPDX-License-Identifier: Apache-2.0 */
#include "base/timestamp.h"
#include "ingest/ingest.h"
#include "ingest/webhook/webhook.h"
#include "tests/support/table.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* The doors of agents: what they send, in their own shapes, what they are answered, and which
 * records come of it. `records` are the stored bytes, one a line. */

static struct webhooks *open_webhooks(void)
{
    struct webhooks *w = NULL;
    assert_int_equal(webhooks_open(NULL, 9, &w, NULL), STATUS_OK);
    return w;
}

struct visit {
    struct batch *batch;
    struct webhook_reply reply;
};

static struct text no_header(void *context, const char *name)
{
    (void)context;
    (void)name;
    return TEXT_NONE;
}

static void visit(struct webhooks *w, struct visit *v, const struct webhook_request *asked)
{
    struct webhook_request q = *asked;
    char *copy = malloc(q.body.len ? q.body.len : 1); /* a byte too far is seen */
    assert_non_null(copy);
    if (q.body.len)
        memcpy(copy, q.body.at, q.body.len);
    q.body.at = copy;
    q.peer = TEXT("192.0.2.9");
    q.header = no_header;
    v->batch = batch_new();
    assert_non_null(v->batch);
    buffer_init(&v->reply.body, 1 << 20);
    const bool is_stored = webhooks_take(w, &q, v->batch, &v->reply);
    assert_int_equal(is_stored, v->batch->count > 0);
    free(copy);
}

static void leave(struct visit *v)
{
    batch_free(v->batch);
    buffer_fini(&v->reply.body);
    *v = (struct visit){0};
}

static const char text_plain[] = "text/plain";
static const char json[] = "application/json";
static const char ndjson[] = "application/x-ndjson";
static const char hec[] = "/services/collector/event";

static const struct row {
    const char *name, *method, *path, *query, *type, *body;
    int status;
    const char *answer, *records;
} rows[] = {
    /* ---- Splunk ---- */
    {"hec: one event", "POST", "/services/collector", "", json,
     "{\"time\":1764590400.5,\"host\":\"web1\",\"sourcetype\":\"syslog\",\"event\":\"a line\"}",
     200, "{\"text\":\"Success\",\"code\":0}",
     "{\"time\":1764590400.5,\"host\":\"web1\",\"sourcetype\":\"syslog\",\"event\":\"a line\"}\n"},
    {"hec: two without separator", "POST", hec, "", json,
     "{\"index\":\"i\",\"event\":\"a}{\"}{\"index\":\"i\",\"event\":{\"b\":1}}", 200,
     "{\"text\":\"Success\",\"code\":0}",
     "{\"index\":\"i\",\"event\":\"a}{\"}\n{\"index\":\"i\",\"event\":{\"b\":1}}\n"},
    {"hec: a source type where none is said", "POST", hec, "", json, "{\"event\":\"a\"}", 200,
     "{\"text\":\"Success\",\"code\":0}", "{\"event\":\"a\",\"sourcetype\":\"httpevent\"}\n"},
    {"hec: no data", "POST", hec, "", json, " \n", 400, "{\"text\":\"No data\",\"code\":5}", ""},
    {"hec: those before a bad one are taken", "POST", hec, "", json,
     "{\"index\":\"i\",\"event\":1}{\"index\":\"i\"}{\"index\":\"i\",\"event\":3}", 400,
     "{\"text\":\"Event field is required\",\"code\":12,\"invalid-event-number\":1}",
     "{\"index\":\"i\",\"event\":1}\n"},
    {"hec: blank", "POST", hec, "", json, "{\"event\":\"\"}", 400,
     "{\"text\":\"Event field cannot be blank\",\"code\":13,\"invalid-event-number\":0}", ""},
    {"hec: null", "POST", hec, "", json, "{\"event\":null}", 400,
     "{\"text\":\"Event field cannot be blank\",\"code\":13,\"invalid-event-number\":0}", ""},
    {"hec: fields are an object", "POST", hec, "", json, "{\"event\":\"a\",\"fields\":[1]}", 400,
     "{\"text\":\"Error in handling indexed fields\",\"code\":15,\"invalid-event-number\":0}", ""},
    {"hec: no JSON", "POST", hec, "", json, "{\"event\":nul}", 400,
     "{\"text\":\"Invalid data format\",\"code\":6,\"invalid-event-number\":0}", ""},
    {"hec: cut behind an event", "POST", hec, "", json, "{\"index\":\"i\",\"event\":1}{\"ev", 400,
     "{\"text\":\"Invalid data format\",\"code\":6,\"invalid-event-number\":1}",
     "{\"index\":\"i\",\"event\":1}\n"},
    {"hec: raw lines", "POST", "/services/collector/raw", "channel=1", text_plain, "a\r\n\nb\n",
     200, "{\"text\":\"Success\",\"code\":0}", "a\nb\n"},
    {"hec: raw lines of somebody", "POST", "/services/collector/raw/1.0",
     "channel=1&host=web1&sourcetype=linux%5Fsecure", text_plain, "a \"b\"", 200,
     "{\"text\":\"Success\",\"code\":0}",
     "{\"host\":\"web1\",\"sourcetype\":\"linux_secure\",\"event\":\"a \\\"b\\\"\"}\n"},
    {"hec: no raw lines", "POST", "/services/collector/raw", "", text_plain, "\n", 400,
     "{\"text\":\"No data\",\"code\":5}", ""},
    {"hec: health", "GET", "/services/collector/health", "", "", "", 200,
     "{\"text\":\"HEC is healthy\",\"code\":17}", ""},
    {"hec: Docker looks", "OPTIONS", "/services/collector/event/1.0", "", "", "", 200,
     "{\"text\":\"HEC is healthy\",\"code\":17}", ""},
    {"hec: no acks", "POST", "/services/collector/ack", "", json, "{\"acks\":[0]}", 400,
     "{\"text\":\"ACK is disabled\",\"code\":14}", ""},
    /* ---- GELF ---- */
    {"gelf: one", "POST", "/gelf", "", json,
     "{\"version\":\"1.1\",\"host\":\"web1\",\"short_message\":\"a\"}", 202, "",
     "{\"version\":\"1.1\",\"host\":\"web1\",\"short_message\":\"a\"}\n"},
    {"gelf: one a line", "POST", "/gelf", "", json, "{\"a\":1}\n{\"a\":2}\n", 202, "",
     "{\"a\":1}\n{\"a\":2}\n"},
    {"gelf: all or nothing", "POST", "/gelf", "", json, "{\"a\":1}\nno", 400,
     "{\"error\":\"want a GELF message: a JSON object\"}", ""},
    {"gelf: nothing", "POST", "/gelf", "", json, "", 400,
     "{\"error\":\"want a GELF message: a JSON object\"}", ""},
    /* ---- OTLP ---- */
    {"otlp: a record", "POST", "/v1/logs", "", json,
     "{\"resourceLogs\":[{\"resource\":{\"attributes\":[{\"key\":\"service.name\",\"value\":{"
     "\"stringValue\":\"sshd\"}}]},\"scopeLogs\":[{\"scope\":{\"name\":\"s\"},\"logRecords\":[{"
     "\"timeUnixNano\":\"1764590400000000001\",\"severityNumber\":9,\"severityText\":\"INFO\","
     "\"body\":{\"stringValue\":\"a\"},\"attributes\":[{\"key\":\"n\",\"value\":{\"intValue\":"
     "\"7\"}},{\"key\":\"list\",\"value\":{\"arrayValue\":{\"values\":[{\"boolValue\":true},{"
     "\"doubleValue\":0.5}]}}},{\"key\":\"none\",\"value\":{}}]}]}]}]}",
     200, "{\"partialSuccess\":{}}",
     "{\"timeUnixNano\":\"1764590400000000001\",\"severityNumber\":9,\"severityText\":\"INFO\","
     "\"body\":\"a\",\"n\":\"7\",\"list\":[true,0.5],\"none\":null,\"otel.scope.name\":\"s\","
     "\"service.name\":\"sshd\"}\n"},
    {"otlp: a body of pairs, observed time", "POST", "/v1/logs", "", json,
     "{\"resourceLogs\":[{\"scopeLogs\":[{\"logRecords\":[{\"timeUnixNano\":\"0\","
     "\"observedTimeUnixNano\":5000,\"traceId\":\"\",\"body\":{\"kvlistValue\":{\"values\":[{"
     "\"key\":\"a\",\"value\":{\"kvlistValue\":{\"values\":[]}}}]}}}]}]}]}",
     200, "{\"partialSuccess\":{}}", "{\"observedTimeUnixNano\":\"5000\",\"body\":{\"a\":{}}}\n"},
    {"otlp: nothing", "POST", "/v1/logs", "", json, "{}", 200, "{\"partialSuccess\":{}}", ""},
    {"otlp: protobuf is refused by name", "POST", "/v1/logs", "", "application/x-protobuf", "\n",
     415,
     "{\"code\":3,\"message\":\"protobuf is not read here: set the exporter to OTLP/HTTP with JSON "
     "(protocol http/json, encoding: json; Content-Type application/json)\"}",
     ""},
    {"otlp: all or nothing", "POST", "/v1/logs", "", json,
     "{\"resourceLogs\":[{\"scopeLogs\":[{\"logRecords\":[{\"timeUnixNano\":1},7]}]}]}", 400,
     "{\"code\":3,\"message\":\"want logRecords that are objects: nothing was taken\"}", ""},
    {"otlp: no object", "POST", "/v1/logs", "", json, "[]", 400,
     "{\"code\":3,\"message\":\"want logRecords that are objects: nothing was taken\"}", ""},
    /* ---- Loki ---- */
    {"loki: a stream", "POST", "/loki/api/v1/push", "", json,
     "{\"streams\":[{\"stream\":{\"app\":\"sshd\"},\"values\":[[\"1764590400000001000\",\"a\"],["
     "\"1764590400000002000\",\"b\",{\"k\":\"v\"}]]}]}",
     204, "",
     "{\"@timestamp\":\"2025-12-01T12:00:00.000001Z\",\"log\":\"a\",\"app\":\"sshd\"}\n"
     "{\"@timestamp\":\"2025-12-01T12:00:00.000002Z\",\"log\":\"b\",\"k\":\"v\",\"app\":\"sshd\"}"
     "\n"},
    {"loki: protobuf is refused by name", "POST", "/loki/api/v1/push", "", "application/x-protobuf",
     "\n", 415,
     "{\"error\":\"protobuf is not read here: push with Content-Type application/json\"}", ""},
    {"loki: a line without time", "POST", "/loki/api/v1/push", "", json,
     "{\"streams\":[{\"stream\":{},\"values\":[[\"1\",\"a\"],[\"x\",\"b\"]]}]}", 400,
     "{\"error\":\"want streams with values [\\\"nanoseconds\\\", \\\"line\\\"]: nothing was "
     "taken\"}",
     ""},
    /* ---- Elastic ---- */
    {"bulk: create", "POST", "/_bulk", "", ndjson,
     "{\"create\":{\"_index\":\"logs\"}}\n{\"message\":\"a\"}\n", 200,
     "{\"took\":1,\"errors\":false,\"items\":[{\"create\":{\"_index\":\"logs\",\"status\":201,"
     "\"result\":\"created\",\"_version\":1}}]}",
     "{\"message\":\"a\"}\n"},
    {"bulk: an index in the path", "POST", "/elastic/logs/_bulk", "filter_path=errors", ndjson,
     "{\"index\":{}}\n{\"a\":1}\n\n{\"index\":{\"_id\":\"7\"}}\r\n{\"a\":2}", 200,
     "{\"took\":1,\"errors\":false,\"items\":[{\"index\":{\"_index\":\"logs\",\"status\":201,"
     "\"result\":\"created\",\"_version\":1}},{\"index\":{\"_index\":\"logs\",\"_id\":\"7\","
     "\"status\":201,\"result\":\"created\",\"_version\":1}}]}",
     "{\"a\":1}\n{\"a\":2}\n"},
    {"bulk: a document is told of alone", "POST", "/_bulk", "", ndjson,
     "{\"create\":{}}\n{\"a\":\n{\"create\":{}}\n[1]\n{\"create\":{}}\n{\"a\":3}\n", 200,
     "{\"took\":1,\"errors\":true,\"items\":[{\"create\":{\"_index\":\"\",\"status\":400,\"error\":"
     "{"
     "\"type\":\"document_parsing_exception\",\"reason\":\"the document is not one whole JSON "
     "object\"}}},{\"create\":{\"_index\":\"\",\"status\":400,\"error\":{\"type\":"
     "\"document_parsing_exception\",\"reason\":\"the document is not one whole JSON "
     "object\"}}},{\"create\":{\"_index\":\"\",\"status\":201,\"result\":\"created\",\"_version\":"
     "1}}"
     "]}",
     "{\"a\":3}\n"},
    {"bulk: what changes documents is refused", "POST", "/_bulk", "", ndjson,
     "{\"delete\":{\"_id\":\"1\"}}\n{\"update\":{\"_id\":\"1\"}}\n{\"doc\":{}}\n", 200,
     "{\"took\":1,\"errors\":true,\"items\":[{\"delete\":{\"_index\":\"\",\"_id\":\"1\",\"status\":"
     "400,\"error\":{\"type\":\"illegal_argument_exception\",\"reason\":\"logs are only added "
     "here: want create or index\"}}},{\"update\":{\"_index\":\"\",\"_id\":\"1\",\"status\":400,"
     "\"error\":{\"type\":\"illegal_argument_exception\",\"reason\":\"logs are only added here: "
     "want create or index\"}}}]}",
     ""},
    {"bulk: an action that is none", "POST", "/_bulk", "", ndjson,
     "{\"create\":{}}\n{\"a\":1}\n{\"a\":2}\n{\"a\":3}\n", 400,
     "{\"error\":{\"type\":\"illegal_argument_exception\",\"reason\":\"a line that should be an "
     "action is none, or its document is missing: want {\\\"create\\\":{}} or {\\\"index\\\":{}} "
     "and "
     "an object behind it\"},\"status\":400}",
     ""},
    {"bulk: a missing document", "POST", "/_bulk", "", ndjson, "{\"create\":{}}\n", 400,
     "{\"error\":{\"type\":\"illegal_argument_exception\",\"reason\":\"a line that should be an "
     "action is none, or its document is missing: want {\\\"create\\\":{}} or {\\\"index\\\":{}} "
     "and "
     "an object behind it\"},\"status\":400}",
     ""},
    {"elastic: a template is there", "HEAD", "/_index_template/filebeat-8.19.0", "", "", "", 200,
     "{}", ""},
    {"elastic: a policy is taken", "PUT", "/_ilm/policy/filebeat", "", json, "{}", 200,
     "{\"acknowledged\":true}", ""},
    {"elastic: a licence", "GET", "/elastic/_license", "", "", "", 200,
     "{\"license\":{\"status\":\"active\",\"type\":\"basic\",\"mode\":\"basic\"}}", ""},
    {"elastic: a method", "DELETE", "/_bulk", "", "", "", 405,
     "{\"error\":{\"type\":\"illegal_argument_exception\",\"reason\":\"this method is not taken "
     "here\"},\"status\":405}",
     ""},
};

static void test_request(void **state)
{
    const struct row *row = *state;
    struct webhooks *w = open_webhooks();
    struct visit v = {0};
    struct buffer got;
    visit(w, &v,
          &(struct webhook_request){.method = text_of(row->method),
                                    .path = text_of(row->path),
                                    .query = text_of(row->query),
                                    .content_type = text_of(row->type),
                                    .body = text_of(row->body)});
    buffer_init(&got, 1 << 20);
    for (uint32_t i = 0; i < v.batch->count; i++) {
        assert_int_equal(v.batch->records[i].kind, RECORD_EVENT);
        buffer_append(&got, v.batch->records[i].raw);
        buffer_byte(&got, '\n');
    }
    buffer_byte(&got, 0);
    buffer_byte(&v.reply.body, 0);
    assert_string_equal(v.reply.body.at, row->answer);
    assert_int_equal(v.reply.status, row->status);
    assert_string_equal(got.at, row->records);
    const bool is_elastic = text_starts(text_of(row->name), TEXT("bulk")) ||
                            text_starts(text_of(row->name), TEXT("elastic"));
    assert_int_equal(v.reply.product != NULL, is_elastic);
    buffer_fini(&got);
    leave(&v);
    webhooks_free(w);
}

static const struct overload_row {
    const char *name, *path;
    int status;
    const char *answer;
} overloads[] = {
    {"overload: hec", "/services/collector", 503, "{\"text\":\"Server is busy\",\"code\":9}"},
    {"overload: gelf", "/gelf", 503, "{\"error\":\"overloaded, come again\"}"},
    {"overload: otlp", "/v1/logs", 503, "{\"code\":14,\"message\":\"overloaded, come again\"}"},
    {"overload: bulk", "/_bulk", 429,
     "{\"error\":{\"root_cause\":[],\"type\":\"es_rejected_execution_exception\",\"reason\":"
     "\"overloaded, come again\"},\"status\":429}"},
};

static bool spent(void *context, int64_t bytes)
{
    (void)context;
    return bytes < 0;
}

/* No room for a document's tree: all of it comes again, whatever was read before. */
static void test_overload(void **state)
{
    const struct overload_row *row = *state;
    struct webhooks *w = open_webhooks();
    struct visit v = {0};
    visit(w, &v,
          &(struct webhook_request){.method = TEXT("POST"),
                                    .path = text_of(row->path),
                                    .content_type = TEXT("application/json"),
                                    .body = TEXT("{\"create\":{}}\n{\"a\":1}\n"),
                                    .hold = spent});
    buffer_byte(&v.reply.body, 0);
    assert_string_equal(v.reply.body.at, row->answer);
    assert_int_equal(v.reply.status, row->status);
    assert_int_equal(v.batch->count, 0);
    assert_true(v.reply.retry_after_s > 0);
    leave(&v);
    webhooks_free(w);
}

/* A new document of an id is the same when it comes again; one that replaces another is not. */
static void test_ids(void **state)
{
    (void)state;
    struct webhooks *w = open_webhooks();
    struct visit v = {0};
    visit(w, &v,
          &(struct webhook_request){
              .method = TEXT("POST"),
              .path = TEXT("/_bulk"),
              .body = TEXT("{\"create\":{\"_index\":\"i\",\"_id\":\"7\"}}\n{}\n"
                           "{\"index\":{\"_index\":\"i\",\"_id\":\"7\"}}\n{}\n")});
    assert_int_equal(v.batch->count, 2);
    assert_true(text_equal(v.batch->records[0].origin, TEXT("elastic:i:7")));
    assert_int_equal(v.batch->records[1].origin.len, 0);
    leave(&v);
    webhooks_free(w);
}

/* A resource's attributes are no way to make much of little. */
static void test_little_stays_little(void **state)
{
    (void)state;
    struct webhooks *w = open_webhooks();
    struct visit v = {0};
    struct buffer body;
    buffer_init(&body, 8 << 20);
    buffer_append(&body, TEXT("{\"resourceLogs\":[{\"resource\":{\"attributes\":[{\"key\":\"a\","
                              "\"value\":{\"stringValue\":\""));
    for (size_t i = 0; i < 200000; i++)
        buffer_byte(&body, 'x');
    buffer_append(&body, TEXT("\"}}]},\"scopeLogs\":[{\"logRecords\":[{}"));
    for (size_t i = 0; i < 1000; i++)
        buffer_append(&body, TEXT(",{}"));
    buffer_append(&body, TEXT("]}]}]}"));
    visit(w, &v,
          &(struct webhook_request){.method = TEXT("POST"),
                                    .path = TEXT("/v1/logs"),
                                    .content_type = TEXT("application/json"),
                                    .body = buffer_text(&body)});
    assert_int_equal(v.reply.status, 413);
    assert_int_equal(v.batch->count, 0);
    buffer_fini(&body);
    leave(&v);
    webhooks_free(w);
}

struct key_row {
    const char *name, *path, *form; /* %s: the key */
    const char *query;
    int status;
};
static const struct key_row keys[] = {
    {"key: Splunk's token", "/services/collector/health", "Splunk %s", "", 200},
    {"key: Splunk's token in the query", "/services/collector/health", "", "token=%s", 200},
    {"key: no token", "/services/collector/health", "", "", 401},
    {"key: a wrong token", "/services/collector/health", "Splunk x%s", "", 403},
    {"key: Elastic without one", "/_license", "", "", 401},
    {"key: Elastic's ApiKey as it is", "/_license", "ApiKey %s", "", 200},
};

static void test_key(void **state)
{
    const struct key_row *row = *state;
    char dir[] = "/tmp/tocsin-keys-XXXXXX";
    char file[64], lock[64];
    char key[KEYRING_KEY_LEN + 1], form[128], query[128];
    struct keyring *ring = NULL;
    struct webhooks *w = open_webhooks();
    struct visit v = {0};
    assert_non_null(mkdtemp(dir));
    (void)snprintf(file, sizeof file, "%s/keys", dir);
    (void)snprintf(lock, sizeof lock, "%s/keys.lock", dir);
    assert_int_equal(keyring_open(file, &ring, NULL), STATUS_OK);
    struct keyring_entry want = {.name = "agent", .scope = "*"};
    want.expires_us = want.revoked_us = TIMESTAMP_NONE;
    assert_int_equal(keyring_add(ring, &want, key, NULL), STATUS_OK);
    webhooks_use_keys(w, ring, true);
    const char *const says = strstr(row->form, "%s");
    (void)snprintf(form, sizeof form, "%.*s%s", says ? (int)(says - row->form) : 0, row->form,
                   says ? key : "");
    (void)snprintf(query, sizeof query, "%s%s", row->query[0] ? "token=" : "",
                   row->query[0] ? key : "");
    visit(w, &v,
          &(struct webhook_request){.method = TEXT("GET"),
                                    .path = text_of(row->path),
                                    .authorization = text_of(form),
                                    .query = text_of(query)});
    assert_int_equal(v.reply.status, row->status);
    leave(&v);
    webhooks_free(w);
    keyring_free(ring);
    assert_int_equal(unlink(file), 0);
    (void)unlink(lock);
    assert_int_equal(rmdir(dir), 0);
}

int main(void)
{
    struct CMUnitTest tests[96];
    size_t n = 0;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        tests[n++] = ROW(test_request, &rows[i]);
    for (size_t i = 0; i < sizeof overloads / sizeof *overloads; i++)
        tests[n++] = ROW(test_overload, &overloads[i]);
    for (size_t i = 0; i < sizeof keys / sizeof *keys; i++)
        tests[n++] = ROW(test_key, &keys[i]);
    tests[n++] = (struct CMUnitTest)cmocka_unit_test(test_ids);
    tests[n++] = (struct CMUnitTest)cmocka_unit_test(test_little_stays_little);
    return _cmocka_run_group_tests("test_agents", tests, n, NULL, NULL);
}
