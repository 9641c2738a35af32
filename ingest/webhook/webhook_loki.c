/* SPDX-License-Identifier: Apache-2.0 */
#include "base/json_write.h"
#include "ingest/webhook/webhook_types.h"

/* Loki's push in JSON: a line becomes an object with its time, the line, what it says of itself
 * (structured metadata) and the labels of its stream. All of a request or nothing. */

static void write_label(void *context, struct text name, const struct json_node *value)
{
    struct buffer *b = context;
    json_write_name(b, name);
    json_tree_write(value, b);
}

static bool add_line(struct webhook_call *call, const struct json_node *value,
                     const struct json_node *labels)
{
    struct buffer *b = &call->scratch;
    const struct text line = json_tree_text(json_tree_item(value, 1));
    int64_t ns = 0;
    if (!line.at || !text_to_int64(json_tree_text(json_tree_item(value, 0)), &ns))
        return false;
    buffer_clear(b);
    json_write_open(b, NULL, '{');
    json_write_time(b, "@timestamp", ns / 1000);
    json_write_string(b, "log", line);
    json_tree_each(json_tree_item(value, 2), write_label, b);
    json_tree_each(labels, write_label, b);
    json_write_close(b, '}');
    call->written_bytes += b->len;
    if (b->has_failed || call->written_bytes > call->most_written_bytes) {
        call->refused++;
        return false;
    }
    return webhook_add_event(call, buffer_text(b), FORMAT_JSON, TEXT_NONE);
}

static bool add_all(struct webhook_call *call)
{
    const struct json_node *streams = json_tree_get(json_tree_root(call->tree), "streams");
    call->written_bytes = 0;
    for (size_t i = 0; i < json_tree_count(streams); i++) {
        const struct json_node *stream = json_tree_item(streams, i);
        const struct json_node *values = json_tree_get(stream, "values");
        for (size_t j = 0; j < json_tree_count(values); j++)
            if (!add_line(call, json_tree_item(values, j), json_tree_get(stream, "stream")))
                return false;
    }
    return json_tree_is_array(streams);
}

static void take(struct webhook_call *call)
{
    struct error err = {0};
    if (!text_starts(call->request->content_type, TEXT("application/json"))) {
        webhook_reject(call, WEBHOOK_PLAIN, 415,
                       "protobuf is not read here: push with Content-Type application/json");
        return;
    }
    const enum status status =
        webhook_parse(call, call->request->body, &call->tree, &call->tree_bytes, &err);
    if (call->is_overloaded)
        return;
    if (status) {
        webhook_reject(call, WEBHOOK_PLAIN, webhook_parse_status(status, 400), err.text);
        return;
    }
    if (webhook_add_whole(call, add_all)) {
        webhook_answer(call, 204, TEXT_NONE);
        return;
    }
    const bool is_too_much = call->refused > 0;
    call->refused = 0;
    webhook_reject(call, WEBHOOK_PLAIN, is_too_much ? 413 : 400,
                   is_too_much ? "more lines in one request than are taken: nothing was taken"
                               : "want streams with values [\"nanoseconds\", \"line\"]: nothing "
                                 "was taken");
}

static void take_ready(struct webhook_call *call)
{
    webhook_answer(call, 200, TEXT("\"ready\""));
}

static const struct webhook_route routes[] = {
    {"POST", "/loki/api/v1/push", WEBHOOK_PLAIN, false, take},
    {"GET HEAD", "/ready", WEBHOOK_PLAIN, false, take_ready}, /* Vector asks for it */
};

const struct webhook_type webhook_loki_type = {"loki", routes, sizeof routes / sizeof *routes};
