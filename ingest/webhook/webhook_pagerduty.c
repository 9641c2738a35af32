/* SPDX-License-Identifier: Apache-2.0 */
#include "base/json_write.h"
#include "base/timestamp.h"
#include "ingest/webhook/webhook_types.h"
#include <stdio.h>

/* PagerDuty's Events API v2 and v1, and its change events. A key names an incident within a routing
 * key, which is a secret: only its digest is stored. */

enum { DEDUP_LEN = 255, ERRORS = 8 };

struct faults {
    const char *texts[ERRORS];
    size_t count;
};

static void fault(struct faults *f, bool is_wrong, const char *text)
{
    if (is_wrong && f->count < ERRORS)
        f->texts[f->count++] = text;
}

static bool reject(struct webhook_call *call, const struct faults *f)
{
    if (!f->count)
        return false;
    struct buffer *b = &call->reply->body;
    webhook_answer(call, 400, TEXT_NONE);
    json_write_open(b, NULL, '{');
    json_write_string(b, "status", TEXT("invalid event"));
    json_write_string(b, "message", TEXT("Event object is invalid"));
    json_write_open(b, "errors", '[');
    for (size_t i = 0; i < f->count; i++)
        json_write_string(b, NULL, text_of(f->texts[i]));
    json_write_close(b, ']');
    json_write_close(b, '}');
    return true;
}

static void accept(struct webhook_call *call, int status, const char *key_name, struct text key)
{
    struct buffer *b = &call->reply->body;
    webhook_answer(call, status, TEXT_NONE);
    json_write_open(b, NULL, '{');
    json_write_string(b, "status", TEXT("success"));
    json_write_string(b, "message", TEXT("Event processed"));
    if (key_name)
        json_write_string(b, key_name, key);
    json_write_close(b, '}');
}

static bool read_action(struct text word, enum webhook_status *out)
{
    static const char *const words[] = {"trigger", "acknowledge", "resolve"};
    for (int i = 0; i < 3; i++)
        if (text_equal(word, text_of(words[i]))) {
            *out = (enum webhook_status)i;
            return true;
        }
    return false;
}

static void add_event(struct webhook_call *call, struct webhook_alert *a, struct text routing_key,
                      struct text dedup_key)
{
    a->integration = TEXT("pagerduty");
    a->receiver = webhook_digest(call, routing_key);
    a->key = webhook_join(call, a->receiver, "/", dedup_key);
    a->group = a->key;
    (void)webhook_add_alert(call, a);
}

static struct text first_link(const struct json_node *body)
{
    struct text href = json_tree_member(json_tree_item(json_tree_get(body, "links"), 0), "href");
    return href.len ? href : json_tree_member(body, "client_url");
}

static void check_v2(struct webhook_call *call, enum webhook_status *out_action,
                     struct text *out_key, struct faults *f)
{
    const struct json_node *b = call->body;
    const struct json_node *p = json_tree_get(b, "payload");
    struct text severity = json_tree_member(p, "severity");
    bool has_action = read_action(json_tree_member(b, "event_action"), out_action);
    bool is_trigger = has_action && *out_action == WEBHOOK_FIRING;
    bool is_known = false;
    static const char *const severities[] = {"critical", "error", "warning", "info"};
    for (size_t i = 0; i < 4; i++)
        is_known |= text_equal(severity, text_of(severities[i]));
    fault(f, !json_tree_member(b, "routing_key").len, "'routing_key' is missing or blank");
    fault(f, !has_action,
          "'event_action' is missing or invalid (must be one of: trigger acknowledge resolve)");
    fault(f, !webhook_label(call, "dedup_key", out_key),
          "'dedup_key' is invalid (must be a string)");
    fault(f, out_key->len > DEDUP_LEN, "'dedup_key' is too long (maximum is 255 characters)");
    fault(f, has_action && !is_trigger && !out_key->len, "'dedup_key' is missing or blank");
    fault(f, is_trigger && !json_tree_is_object(p), "'payload' is missing or blank");
    fault(f, is_trigger && p && !json_tree_member(p, "summary").len,
          "'payload.summary' is missing or blank");
    fault(f, is_trigger && p && !json_tree_member(p, "source").len,
          "'payload.source' is missing or blank");
    fault(f, is_trigger && p && !is_known,
          "'payload.severity' is invalid (must be one of: critical warning error info)");
}

static void take_v2(struct webhook_call *call)
{
    struct faults f = {.count = 0};
    struct webhook_alert a = {.ends_us = TIMESTAMP_NONE, .expires_us = TIMESTAMP_NONE};
    struct text key = TEXT_NONE;
    check_v2(call, &a.status, &key, &f);
    if (reject(call, &f))
        return;
    const struct json_node *b = call->body;
    const struct json_node *p = json_tree_get(b, "payload");
    if (!key.len)
        key = webhook_uuid(call);
    a.severity = json_tree_member(p, "severity");
    a.title = text_head(json_tree_member(p, "summary"), 1024);
    a.source = json_tree_member(p, "source");
    a.host = webhook_host(text_head(a.source, text_find_byte(a.source, ' ')));
    a.service = json_tree_member(p, "component");
    a.name = json_tree_member(p, "class");
    a.details = json_tree_get(p, "custom_details");
    a.description = json_tree_text(a.details);
    a.starts_us = webhook_time(p, "timestamp");
    a.url = first_link(b);
    add_event(call, &a, json_tree_member(b, "routing_key"), key);
    accept(call, 202, "dedup_key", key);
}

static void take_v1(struct webhook_call *call)
{
    const struct json_node *b = call->body;
    struct faults f = {.count = 0};
    struct webhook_alert a = {
        .starts_us = TIMESTAMP_NONE, .ends_us = TIMESTAMP_NONE, .expires_us = TIMESTAMP_NONE};
    bool has_action = read_action(json_tree_member(b, "event_type"), &a.status);
    struct text key = TEXT_NONE;
    fault(&f, !webhook_label(call, "incident_key", &key),
          "incident_key is invalid (must be a string)");
    fault(&f, !json_tree_member(b, "service_key").len, "service_key is missing or blank");
    fault(&f, !has_action, "event_type is invalid (must be one of: trigger acknowledge resolve)");
    fault(&f, has_action && a.status == WEBHOOK_FIRING && !json_tree_member(b, "description").len,
          "description is missing or blank");
    fault(&f, has_action && a.status != WEBHOOK_FIRING && !key.len,
          "incident_key is missing or blank");
    if (reject(call, &f))
        return;
    if (!key.len)
        key = webhook_uuid(call);
    a.title = text_head(json_tree_member(b, "description"), 1024);
    a.source = json_tree_member(b, "client");
    a.url = json_tree_member(b, "client_url");
    a.details = json_tree_get(b, "details");
    struct text host = json_tree_member(a.details, "HOSTNAME"); /* Nagios */
    a.host = host.len ? host : json_tree_member(a.details, "host");
    a.service = json_tree_member(a.details, "SERVICEDESC");
    add_event(call, &a, json_tree_member(b, "service_key"), key);
    accept(call, 200, "incident_key", key);
}

/* Something was changed on purpose: never an incident, but worth knowing beside one. */
static void take_change(struct webhook_call *call)
{
    const struct json_node *body = call->body;
    const struct json_node *p = json_tree_get(body, "payload");
    struct faults f = {.count = 0};
    fault(&f, !json_tree_member(body, "routing_key").len, "'routing_key' is missing or blank");
    fault(&f, !json_tree_member(p, "summary").len, "'payload.summary' is missing or blank");
    if (reject(call, &f))
        return;
    struct buffer *b = &call->scratch;
    int64_t at_us = webhook_time(p, "timestamp");
    buffer_clear(b);
    json_write_open(b, NULL, '{');
    json_write_string(b, "integration", TEXT("pagerduty-change"));
    json_write_string(b, "message", json_tree_member(p, "summary"));
    if (json_tree_member(p, "source").len)
        json_write_string(b, "source", json_tree_member(p, "source"));
    if (at_us != TIMESTAMP_NONE)
        json_write_time(b, "timestamp", at_us);
    json_write_string(b, "receiver", webhook_digest(call, json_tree_member(body, "routing_key")));
    if (first_link(body).len)
        json_write_string(b, "url", first_link(body));
    if (json_tree_is_object(json_tree_get(p, "custom_details"))) {
        json_write_name(b, TEXT("details"));
        json_tree_write(json_tree_get(p, "custom_details"), b);
    }
    json_write_close(b, '}');
    (void)webhook_add_event(call, buffer_text(b), FORMAT_JSON, TEXT_NONE);
    webhook_answer(call, 202,
                   TEXT("{\"status\":\"success\",\"message\":\"Change event processed\"}"));
}

static const struct webhook_route routes[] = {
    {"POST", "/v2/enqueue", WEBHOOK_PAGERDUTY_V2, true, take_v2},
    {"POST", "/v2/change/enqueue", WEBHOOK_PAGERDUTY_V2, true, take_change},
    {"POST", "/generic/2010-04-15/create_event.json", WEBHOOK_PAGERDUTY_V1, true, take_v1},
};

const struct webhook_type webhook_pagerduty_type = {"pagerduty", routes,
                                                    sizeof routes / sizeof *routes};
