/* SPDX-License-Identifier: Apache-2.0 */
#include "base/json_write.h"
#include "ingest/webhook/webhook_types.h"

/* CloudEvents 1.0 over HTTP: structured, batched, and binary (attributes in ce- headers). Each is
 * an event as the sender wrote it; source and id together are its identity. */

static struct text header(const struct webhook_call *call, const char *name)
{
    const struct webhook_request *q = call->request;
    return q->header ? q->header(q->header_context, name) : TEXT_NONE;
}

static struct text identity(struct webhook_call *call, struct text source, struct text id)
{
    return webhook_join(call, webhook_join(call, TEXT("cloudevents"), ":", source), ":", id);
}

/* False where a required attribute is missing or there is no room. */
static bool add_structured(struct webhook_call *call, const struct json_node *event)
{
    struct text source = json_tree_member(event, "source");
    struct text id = json_tree_member(event, "id");
    if (!source.len || !id.len || !json_tree_member(event, "type").len ||
        !text_starts(json_tree_member(event, "specversion"), TEXT("1.")))
        return false;
    buffer_clear(&call->scratch);
    json_tree_write(event, &call->scratch);
    return !call->scratch.has_failed && webhook_add_event(call, buffer_text(&call->scratch),
                                                          FORMAT_JSON, identity(call, source, id));
}

static bool add_batch(struct webhook_call *call, const struct json_node *events)
{
    if (!json_tree_is_array(events))
        return false;
    for (size_t i = 0; i < json_tree_count(events); i++)
        if (!add_structured(call, json_tree_item(events, i)))
            return false;
    return true;
}

static void write_data(struct webhook_call *call, struct buffer *b)
{
    AUTO(json_tree) tree = NULL;
    struct text body = call->request->body;
    uint64_t held = 0;
    if (!body.len)
        return;
    if (webhook_parse(call, body, &tree, &held, NULL) == STATUS_OK) {
        json_write_name(b, TEXT("data"));
        json_tree_write(json_tree_root(tree), b);
    } else if (text_is_utf8(body)) {
        json_write_string(b, "data", body);
    } else {
        json_write_name(b, TEXT("data_base64"));
        buffer_byte(b, '"');
        char *at = buffer_reserve(b, 4 * ((body.len + 2) / 3));
        b->len += at ? text_to_base64(body, at) : 0;
        buffer_byte(b, '"');
    }
    webhook_release(call, held);
}

static bool add_binary(struct webhook_call *call)
{
    static const char *const names[][2] = {{"ce-specversion", "specversion"},
                                           {"ce-id", "id"},
                                           {"ce-source", "source"},
                                           {"ce-type", "type"},
                                           {"ce-time", "time"},
                                           {"ce-subject", "subject"},
                                           {"ce-dataschema", "dataschema"}};
    enum { REQUIRED = 4 };
    struct buffer *b = &call->scratch;
    buffer_clear(b);
    json_write_open(b, NULL, '{');
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        struct text value = header(call, names[i][0]);
        if (!value.len && i < REQUIRED)
            return false;
        if (value.len)
            json_write_string(b, names[i][1], value);
    }
    if (call->request->content_type.len)
        json_write_string(b, "datacontenttype", call->request->content_type);
    write_data(call, b);
    json_write_close(b, '}');
    return !b->has_failed &&
           webhook_add_event(call, buffer_text(b), FORMAT_JSON,
                             identity(call, header(call, "ce-source"), header(call, "ce-id")));
}

static bool add_posted_batch(struct webhook_call *call)
{
    return add_batch(call, json_tree_root(call->tree));
}

static bool add_posted(struct webhook_call *call)
{
    return add_structured(call, json_tree_root(call->tree));
}

static void take(struct webhook_call *call)
{
    struct text type = call->request->content_type;
    struct error err = {.text = "an event needs specversion 1.x, id, source and type"};
    bool (*add)(struct webhook_call *) = NULL;
    if (text_starts(type, TEXT("application/cloudevents-batch+json"))) {
        add = add_posted_batch;
    } else if (text_starts(type, TEXT("application/cloudevents+json"))) {
        add = add_posted;
    } else if (header(call, "ce-specversion").len) {
        add = add_binary;
    } else {
        webhook_reject(call, WEBHOOK_PLAIN, 415,
                       "want application/cloudevents+json, its batch form, or ce- headers");
        return;
    }
    enum status status = add == add_binary ? STATUS_OK
                                           : webhook_parse(call, call->request->body, &call->tree,
                                                           &call->tree_bytes, &err);
    if (!status && webhook_add_whole(call, add)) {
        webhook_answer(call, 202, TEXT_NONE);
        return;
    }
    bool is_too_many = call->refused > 0;
    call->refused = 0;
    webhook_reject(call, WEBHOOK_PLAIN, is_too_many ? 413 : webhook_parse_status(status, 400),
                   is_too_many ? webhook_too_many(call) : err.text);
}

static const struct webhook_route routes[] = {
    {"POST", "/webhooks/cloudevents", WEBHOOK_PLAIN, false, take},
    {"POST", "/api/v1/webhooks/cloudevents", WEBHOOK_PLAIN, false, take},
};

const struct webhook_type webhook_cloudevents_type = {"cloudevents", routes,
                                                      sizeof routes / sizeof *routes};
