/* SPDX-License-Identifier: Apache-2.0 */
#include "base/json_write.h"
#include "base/timestamp.h"
#include "ingest/webhook/webhook_types.h"

/* Opsgenie's alert API, as far as senders of alerts use it. An alias names an alert within an API
 * key, which is a secret: only its digest is stored. */

static void accept(struct webhook_call *call)
{
    struct buffer *b = &call->reply->body;
    webhook_answer(call, 202, TEXT_NONE);
    json_write_open(b, NULL, '{');
    json_write_string(b, "result", TEXT("Request will be processed"));
    json_write_double(b, "took", 0.001);
    json_write_string(b, "requestId", webhook_uuid(call));
    json_write_close(b, '}');
}

static void refuse_member(struct webhook_call *call, const char *member, const char *why)
{
    struct buffer *b = &call->reply->body;
    webhook_answer(call, 422, TEXT_NONE);
    json_write_open(b, NULL, '{');
    json_write_string(b, "message",
                      TEXT("Request body is not processable. Please check the errors."));
    json_write_open(b, "errors", '{');
    json_write_string(b, member, text_of(why));
    json_write_close(b, '}');
    json_write_double(b, "took", 0.001);
    json_write_string(b, "requestId", webhook_uuid(call));
    json_write_close(b, '}');
}

static struct webhook_alert start(struct webhook_call *call, enum webhook_status status,
                                  struct text alias)
{
    struct webhook_alert a = {.integration = TEXT("opsgenie"),
                              .status = status,
                              .starts_us = TIMESTAMP_NONE,
                              .ends_us = TIMESTAMP_NONE,
                              .expires_us = TIMESTAMP_NONE};
    a.receiver = webhook_digest(call, call->request->authorization);
    a.key = webhook_join(call, a.receiver, "/", alias);
    a.source = json_tree_member(call->body, "source");
    return a;
}

static void take_create(struct webhook_call *call)
{
    const struct json_node *b = call->body;
    struct text message = json_tree_member(b, "message");
    struct text alias = TEXT_NONE;
    bool is_alias = webhook_label(call, "alias", &alias);
    struct text priority = json_tree_member(b, "priority");
    if (!message.len) {
        refuse_member(call, "message", "Message can not be empty.");
        return;
    }
    if (!is_alias) {
        refuse_member(call, "alias", "Alias must be a string.");
        return;
    }
    if (alias.len > 512) {
        refuse_member(call, "alias", "Alias can not be longer than 512 characters.");
        return;
    }
    struct webhook_alert a = start(call, WEBHOOK_FIRING, alias.len ? alias : webhook_uuid(call));
    a.severity = webhook_severity(priority.len ? priority : TEXT("P3"));
    if (!a.severity.len) {
        refuse_member(call, "priority", "Priority must be one of P1, P2, P3, P4, P5.");
        return;
    }
    a.title = text_head(message, 130);
    a.description = json_tree_member(b, "description");
    a.service = json_tree_member(b, "entity");
    a.details = json_tree_get(b, "details");
    a.host = json_tree_member(a.details, "host");
    (void)webhook_add_alert(call, &a);
    accept(call);
}

static void take_state(struct webhook_call *call, enum webhook_status status)
{
    struct webhook_alert a = start(call, status, call->segment);
    (void)webhook_add_alert(call, &a);
    accept(call);
}

static void take_close(struct webhook_call *call)
{
    take_state(call, WEBHOOK_RESOLVED);
}

static void take_acknowledge(struct webhook_call *call)
{
    take_state(call, WEBHOOK_ACKNOWLEDGED);
}

/* Where a sender asks what became of its request: it was taken, or it would have heard. */
static void take_request(struct webhook_call *call)
{
    struct buffer *b = &call->reply->body;
    webhook_answer(call, 200, TEXT_NONE);
    json_write_open(b, NULL, '{');
    json_write_open(b, "data", '{');
    json_write_bool(b, "success", true);
    json_write_bool(b, "isSuccess", true);
    json_write_string(b, "status", TEXT("Request processed"));
    json_write_close(b, '}');
    json_write_double(b, "took", 0.001);
    json_write_string(b, "requestId", call->segment);
    json_write_close(b, '}');
}

static const struct webhook_route routes[] = {
    {"POST", "/v2/alerts", WEBHOOK_OPSGENIE, true, take_create},
    {"POST", "/v2/alerts/*/close", WEBHOOK_OPSGENIE, false, take_close},
    {"POST", "/v2/alerts/*/acknowledge", WEBHOOK_OPSGENIE, false, take_acknowledge},
    {"GET", "/v2/alerts/requests/*", WEBHOOK_OPSGENIE, false, take_request},
    {"DELETE", "/v2/alerts/*", WEBHOOK_OPSGENIE, false, take_close},
};

const struct webhook_type webhook_opsgenie_type = {"opsgenie", routes,
                                                   sizeof routes / sizeof *routes};
