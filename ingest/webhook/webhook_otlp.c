/* SPDX-License-Identifier: Apache-2.0 */
#include "base/json_write.h"
#include "ingest/webhook/webhook_types.h"
#include <stdio.h>

/*
 * OpenTelemetry's logs as OTLP/HTTP sends them in JSON. A log record becomes one flat object: its
 * times, severity and body under OTLP's own names, then its attributes, then those of its scope and
 * resource as further members. Of two members of one name the first counts: the record's own.
 */

static const struct json_node *value_member(const struct json_node *value, const char *name,
                                            const char *list)
{
    return json_tree_get(json_tree_get(value, name), list);
}

static void write_value(struct buffer *b, const struct json_node *value);

static void write_pairs(struct buffer *b, const struct json_node *pairs)
{
    for (size_t i = 0; i < json_tree_count(pairs) && !b->has_failed; i++) {
        const struct json_node *pair = json_tree_item(pairs, i);
        const struct text key = json_tree_member(pair, "key");
        if (!key.len)
            continue;
        json_write_name(b, key);
        write_value(b, json_tree_get(pair, "value"));
    }
}

static void write_values(struct buffer *b, const struct json_node *values)
{
    for (size_t i = 0; i < json_tree_count(values) && !b->has_failed; i++) {
        if (i)
            buffer_byte(b, ',');
        write_value(b, json_tree_item(values, i));
    }
}

/* An AnyValue. As deep as its document, which is bounded. */
static void write_value(struct buffer *b, const struct json_node *value)
{
    static const char *const plain[] = {"stringValue", "intValue", "boolValue", "doubleValue",
                                        "bytesValue"};
    const struct json_node *array = json_tree_get(value, "arrayValue");
    const struct json_node *object = json_tree_get(value, "kvlistValue");
    for (size_t i = 0; i < sizeof plain / sizeof *plain; i++) {
        const struct json_node *n = json_tree_get(value, plain[i]);
        if (!n)
            continue;
        json_tree_write(n, b);
        return;
    }
    if (!array && !object) {
        buffer_append(b, TEXT("null"));
        return;
    }
    buffer_byte(b, array ? '[' : '{');
    if (array)
        write_values(b, value_member(value, "arrayValue", "values"));
    else
        write_pairs(b, value_member(value, "kvlistValue", "values"));
    buffer_byte(b, array ? ']' : '}');
}

static void copy_member(struct buffer *b, const struct json_node *from, const char *name)
{
    const struct json_node *n = json_tree_get(from, name);
    const struct text t = json_tree_text(n);
    if (!n || json_tree_is_null(n) || (t.at && !t.len))
        return;
    json_write_name(b, text_of(name));
    json_tree_write(n, b);
}

/* A time of 0 is none. */
static bool write_time(struct buffer *b, const struct json_node *record, const char *name)
{
    const struct json_node *n = json_tree_get(record, name);
    const struct text t = json_tree_text(n);
    int64_t ns = 0;
    if (!json_tree_int(n, &ns) && !text_to_int64(t, &ns))
        return false;
    if (ns <= 0)
        return false;
    char digits[24];
    (void)snprintf(digits, sizeof digits, "%lld", (long long)ns);
    json_write_string(b, name, text_of(digits));
    return true;
}

static void write_record(struct webhook_call *call, const struct json_node *record,
                         const struct json_node *scope, const struct json_node *resource)
{
    static const char *const copied[] = {"severityNumber", "severityText", "eventName", "traceId",
                                         "spanId"};
    struct buffer *b = &call->scratch;
    buffer_clear(b);
    json_write_open(b, NULL, '{');
    const bool is_timed = write_time(b, record, "timeUnixNano");
    if (!is_timed && !write_time(b, record, "observedTimeUnixNano")) {
        char digits[32];
        (void)snprintf(digits, sizeof digits, "%lld000", (long long)call->now_us);
        json_write_string(b, "observedTimeUnixNano", text_of(digits));
    }
    for (size_t i = 0; i < sizeof copied / sizeof *copied; i++)
        copy_member(b, record, copied[i]);
    if (json_tree_get(record, "body")) {
        json_write_name(b, TEXT("body"));
        write_value(b, json_tree_get(record, "body"));
    }
    write_pairs(b, json_tree_get(record, "attributes"));
    if (json_tree_member(scope, "name").len)
        json_write_string(b, "otel.scope.name", json_tree_member(scope, "name"));
    write_pairs(b, json_tree_get(scope, "attributes"));
    write_pairs(b, json_tree_get(resource, "attributes"));
    json_write_close(b, '}');
}

static bool add_record(struct webhook_call *call, const struct json_node *record,
                       const struct json_node *scope, const struct json_node *resource)
{
    if (!json_tree_is_object(record))
        return false;
    write_record(call, record, scope, resource);
    call->written_bytes += call->scratch.len;
    if (call->scratch.has_failed || call->written_bytes > call->most_written_bytes) {
        call->refused++;
        return false;
    }
    return webhook_add_event(call, buffer_text(&call->scratch), FORMAT_JSON, TEXT_NONE);
}

static bool add_resource(struct webhook_call *call, const struct json_node *of_resource)
{
    const struct json_node *resource = json_tree_get(of_resource, "resource");
    const struct json_node *scopes = json_tree_get(of_resource, "scopeLogs");
    for (size_t i = 0; i < json_tree_count(scopes); i++) {
        const struct json_node *of_scope = json_tree_item(scopes, i);
        const struct json_node *records = json_tree_get(of_scope, "logRecords");
        for (size_t j = 0; j < json_tree_count(records); j++)
            if (!add_record(call, json_tree_item(records, j), json_tree_get(of_scope, "scope"),
                            resource))
                return false;
    }
    return true;
}

static bool add_all(struct webhook_call *call)
{
    const struct json_node *all = json_tree_get(json_tree_root(call->tree), "resourceLogs");
    call->written_bytes = 0;
    for (size_t i = 0; i < json_tree_count(all); i++)
        if (!add_resource(call, json_tree_item(all, i)))
            return false;
    return json_tree_is_object(json_tree_root(call->tree));
}

static void take(struct webhook_call *call)
{
    const struct text type = call->request->content_type;
    struct error err = {0};
    if (!text_starts(type, TEXT("application/json"))) {
        webhook_reject(call, WEBHOOK_OTLP, 415,
                       "protobuf is not read here: set the exporter to OTLP/HTTP with JSON "
                       "(protocol http/json, encoding: json; Content-Type application/json)");
        return;
    }
    const enum status status =
        webhook_parse(call, call->request->body, &call->tree, &call->tree_bytes, &err);
    if (call->is_overloaded)
        return;
    if (status) {
        webhook_reject(call, WEBHOOK_OTLP, webhook_parse_status(status, 400), err.text);
        return;
    }
    if (webhook_add_whole(call, add_all)) {
        webhook_answer(call, 200, TEXT("{\"partialSuccess\":{}}"));
        return;
    }
    const bool is_too_much = call->refused > 0;
    call->refused = 0;
    webhook_reject(call, WEBHOOK_OTLP, is_too_much ? 413 : 400,
                   is_too_much ? "more log records in one request than are taken: nothing was "
                                 "taken, send smaller batches"
                               : "want logRecords that are objects: nothing was taken");
}

static const struct webhook_route routes[] = {
    {"POST", "/v1/logs", WEBHOOK_OTLP, false, take},
};

const struct webhook_type webhook_otlp_type = {"otlp", routes, sizeof routes / sizeof *routes};
