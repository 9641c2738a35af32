/* SPDX-License-Identifier: Apache-2.0 */
#include "base/json_write.h"
#include "base/timestamp.h"
#include "ingest/webhook/webhook_types.h"
#include <inttypes.h>
#include <stdio.h>

/*
 * Alertmanager's webhook (version 4), Grafana's (the same with more), and Alertmanager's own API
 * v2, so that a Prometheus can post straight to us.
 */

enum { MINUTE_US = 60 * 1000000, GROUP_LEN = 512 };

/* The first label or annotation of these names that is there. */
static struct text first_of(const struct json_node *object, const char *const *names)
{
    for (; *names; names++) {
        struct text t = json_tree_member(object, *names);
        if (t.len)
            return t;
    }
    return TEXT_NONE;
}

struct sum {
    uint64_t lo, hi;
    bool is_sound;
};

static void add_label(void *context, struct text name, const struct json_node *value)
{
    struct sum *sum = context;
    struct text t = json_tree_text(value);
    sum->is_sound &= t.at != NULL;
    if (!t.len)
        return; /* an empty label is as none */
    struct hasher h;
    hash_start(&h);
    hash_part_text(&h, name);
    hash_part_text(&h, t);
    struct hash128 one = hash_end(&h);
    sum->lo += one.lo;
    sum->hi += one.hi;
}

/* The identity of a label set: the order of its labels does not matter. */
static struct text label_key(struct webhook_call *call, const struct json_node *labels)
{
    struct sum sum = {.is_sound = true};
    char hex[33];
    json_tree_each(labels, add_label, &sum);
    if (!sum.is_sound || (!sum.lo && !sum.hi))
        return TEXT_NONE;
    hash_to_hex((struct hash128){sum.lo, sum.hi}, hex);
    return arena_copy(call->arena, text_of(hex));
}

static bool is_heartbeat(const struct json_node *labels, const struct json_node *annotations)
{
    static const char *const names[] = {"Watchdog", "DeadMansSwitch", "DeadMansSnitch"};
    struct text name = json_tree_member(labels, "alertname");
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (text_equal(name, text_of(names[i])))
            return true;
    return text_equal(json_tree_member(labels, "tocsin_heartbeat"), TEXT("true")) ||
           text_equal(json_tree_member(annotations, "tocsin_heartbeat"), TEXT("true"));
}

static void describe(struct webhook_alert *a, const struct json_node *alert)
{
    static const char *const titles[] = {"summary", "title", NULL};
    static const char *const texts[] = {"description", "message", "details", "info", NULL};
    static const char *const hosts[] = {"host", "hostname", "nodename", "node", "machine", NULL};
    static const char *const services[] = {"service", "app", "component", NULL};
    const struct json_node *labels = json_tree_get(alert, "labels");
    const struct json_node *notes = json_tree_get(alert, "annotations");
    a->labels = labels;
    a->annotations = notes;
    a->name = json_tree_member(labels, "alertname");
    a->title = first_of(notes, titles);
    if (!a->title.len)
        a->title = a->name;
    a->description = first_of(notes, texts);
    a->source = json_tree_member(labels, "job");
    a->service = first_of(labels, services);
    a->host = first_of(labels, hosts);
    if (!a->host.len)
        a->host = json_tree_member(labels, "instance");
    a->host = webhook_host(a->host);
    a->severity = webhook_severity(json_tree_member(labels, "severity"));
    if (!a->severity.len)
        a->severity = webhook_severity(json_tree_member(labels, "priority"));
    a->url = json_tree_member(alert, "generatorURL");
    a->starts_us = webhook_time(alert, "startsAt");
    a->ends_us = webhook_time(alert, "endsAt");
    a->expires_us = TIMESTAMP_NONE;
    a->is_heartbeat = is_heartbeat(labels, notes);
}

/* ---- the webhook ---- */

/* Whose group it is: the path (and the key) that the sender was given, then its receiver. The
 * replicas of one cluster share both; their external URLs differ. */
static struct text group_id(struct webhook_call *call, struct text receiver, struct text key)
{
    struct text scope = call->segment;
    if (call->key_id.len)
        scope = webhook_join(call, scope, ":", call->key_id);
    struct text whose = webhook_join(call, scope, "|", receiver);
    if (whose.len + key.len > GROUP_LEN)
        key = webhook_digest(call, key);
    if (whose.len > GROUP_LEN)
        whose = webhook_join(call, scope, "|", webhook_digest(call, receiver));
    return webhook_join(call, whose, "|", key);
}

struct group {
    struct text integration, id, receiver, url;
    int64_t truncated;
};

static struct group read_group(struct webhook_call *call)
{
    const struct json_node *body = call->body;
    bool is_grafana =
        text_equal(json_tree_member(body, "version"), TEXT("1")) || json_tree_get(body, "orgId");
    struct group g = {.integration = is_grafana ? TEXT("grafana") : TEXT("alertmanager"),
                      .receiver = json_tree_member(body, "receiver"),
                      .url = json_tree_member(body, "externalURL")};
    struct text key = json_tree_member(body, "groupKey");
    if (key.len)
        g.id = group_id(call, g.receiver, key);
    (void)json_tree_int(json_tree_get(body, "truncatedAlerts"), &g.truncated);
    return g;
}

static void add_member(struct webhook_call *call, const struct group *g,
                       const struct json_node *alert)
{
    struct webhook_alert a = {.integration = g->integration,
                              .receiver = g->receiver,
                              .truncated = g->truncated,
                              .status = WEBHOOK_FIRING};
    describe(&a, alert);
    if (text_equal(json_tree_member(alert, "status"), TEXT("resolved")))
        a.status = WEBHOOK_RESOLVED;
    else
        a.ends_us = TIMESTAMP_NONE;
    a.key = json_tree_member(alert, "fingerprint");
    if (!a.key.len)
        a.key = label_key(call, a.labels);
    if (!a.key.len) {
        webhook_add_unread(call, alert, WEBHOOK_NO_KEY);
        return;
    }
    a.group = g->id;
    a.details = json_tree_get(alert, "values");
    static const char *const links[] = {"panelURL", "dashboardURL", "generatorURL", NULL};
    a.url = first_of(alert, links);
    if (!a.url.len)
        a.url = g->url;
    (void)webhook_add_alert(call, &a);
}

/* Grafana before unified alerting: one alert, no labels. */
static bool take_legacy(struct webhook_call *call)
{
    const struct json_node *b = call->body;
    struct text state = json_tree_member(b, "state");
    struct text name = json_tree_member(b, "ruleName");
    if (!state.len || !name.len)
        return false;
    int64_t id = 0;
    char number[24] = "";
    if (json_tree_int(json_tree_get(b, "ruleId"), &id))
        (void)snprintf(number, sizeof number, "%" PRId64, id);
    struct text rule_id = arena_copy(call->arena, text_of(number));
    struct text title = json_tree_member(b, "title");
    bool is_over = text_equal(state, TEXT("ok")) || text_equal(state, TEXT("paused"));
    struct webhook_alert a = {.integration = TEXT("grafana"),
                              .key = rule_id.len ? webhook_join(call, TEXT("rule"), ":", rule_id)
                                                 : name,
                              .status = is_over ? WEBHOOK_RESOLVED : WEBHOOK_FIRING,
                              .title = title.len ? title : name,
                              .name = name,
                              .description = json_tree_member(b, "message"),
                              .url = json_tree_member(b, "ruleUrl"),
                              .starts_us = TIMESTAMP_NONE,
                              .ends_us = TIMESTAMP_NONE,
                              .expires_us = TIMESTAMP_NONE};
    (void)webhook_add_alert(call, &a);
    webhook_answer(call, 200, TEXT("{\"status\":\"ok\"}"));
    return true;
}

static void take_webhook(struct webhook_call *call)
{
    const struct json_node *alerts = json_tree_get(call->body, "alerts");
    if (!json_tree_is_array(alerts)) {
        if (!take_legacy(call))
            webhook_reject(call, WEBHOOK_PLAIN, 400, "no `alerts`: not an Alertmanager webhook");
        return;
    }
    struct group g = read_group(call);
    for (size_t i = 0; i < json_tree_count(alerts); i++) {
        const struct json_node *alert = json_tree_item(alerts, i);
        if (json_tree_is_object(json_tree_get(alert, "labels")) ||
            json_tree_member(alert, "fingerprint").len)
            add_member(call, &g, alert);
        else
            webhook_add_unread(call, alert,
                               json_tree_is_object(alert) ? WEBHOOK_NO_LABELS : WEBHOOK_NO_OBJECT);
    }
    webhook_answer(call, 200, TEXT("{\"status\":\"ok\"}"));
}

/* ---- API v2 ---- */

/* Members: alertname, cluster, service. */
static struct text api_group(struct webhook_call *call, const struct json_node *labels)
{
    struct text a = json_tree_member(labels, "alertname");
    struct text b = json_tree_member(labels, "cluster");
    struct text c = json_tree_member(labels, "service");
    return webhook_join(call, webhook_join(call, a, "|", b), "|", c);
}

static const char *keep(struct webhook_call *call, const struct json_node *alert,
                        enum webhook_unread why, const char *says)
{
    webhook_add_unread(call, alert, why);
    return says;
}

/* NULL, or what is wrong with it: then it is kept as it came. */
static const char *add_posted(struct webhook_call *call, const struct json_node *alert)
{
    struct webhook_alert a = {.integration = TEXT("alertmanager-api")};
    if (!json_tree_is_object(json_tree_get(alert, "labels")))
        return keep(call, alert, json_tree_is_object(alert) ? WEBHOOK_NO_LABELS : WEBHOOK_NO_OBJECT,
                    "labels in body is required");
    describe(&a, alert);
    a.key = label_key(call, a.labels);
    if (!a.key.len)
        return keep(call, alert, WEBHOOK_NO_KEY,
                    "at least one label pair required, and labels are strings");
    bool has_start = a.starts_us != TIMESTAMP_NONE;
    bool has_end = a.ends_us != TIMESTAMP_NONE;
    int64_t end_us = has_end ? a.ends_us : call->now_us + 5 * (int64_t)MINUTE_US;
    if (!has_start)
        a.starts_us = has_end && a.ends_us < call->now_us ? a.ends_us : call->now_us;
    if (end_us < a.starts_us)
        return keep(call, alert, WEBHOOK_BAD_TIMES, "start time must be before end time");
    a.status = end_us <= call->now_us ? WEBHOOK_RESOLVED : WEBHOOK_FIRING;
    a.ends_us = a.status == WEBHOOK_RESOLVED ? end_us : TIMESTAMP_NONE;
    a.expires_us = a.status == WEBHOOK_RESOLVED ? TIMESTAMP_NONE : end_us;
    a.group = api_group(call, a.labels);
    (void)webhook_add_alert(call, &a);
    return NULL;
}

static void take_posted(struct webhook_call *call)
{
    const char *why = json_tree_is_array(call->body) ? NULL : "want an array of alerts";
    for (size_t i = 0; !call->refused && i < json_tree_count(call->body); i++) {
        const char *fault = add_posted(call, json_tree_item(call->body, i));
        why = why ? why : fault;
    }
    if (!why) {
        webhook_answer(call, 200, TEXT_NONE);
        return;
    }
    /* Valid ones of a faulty request are taken, as Alertmanager does. Its message is a string. */
    webhook_answer(call, 400, TEXT_NONE);
    json_write_string(&call->reply->body, NULL, text_of(why));
}

static void take_status(struct webhook_call *call)
{
    struct buffer *b = &call->reply->body;
    webhook_answer(call, 200, TEXT_NONE);
    json_write_open(b, NULL, '{');
    json_write_open(b, "cluster", '{');
    json_write_string(b, "status", TEXT("disabled"));
    json_write_close(b, '}');
    json_write_open(b, "versionInfo", '{');
    static const char *const names[] = {"version",   "revision",  "branch",
                                        "buildUser", "buildDate", "goVersion"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        json_write_string(b, names[i], i ? TEXT("tocsin") : TEXT("0.27.0"));
    json_write_close(b, '}');
    json_write_open(b, "config", '{');
    json_write_string(b, "original",
                      TEXT("# Tocsin takes alerts; it has no Alertmanager configuration"));
    json_write_close(b, '}');
    json_write_time(b, "uptime", call->now_us);
    json_write_close(b, '}');
}

static const struct webhook_route routes[] = {
    /* any name: several Alertmanagers may each have their path; the body says what it is */
    {"POST PUT", "/webhooks/*", WEBHOOK_PLAIN, true, take_webhook},
    {"POST PUT", "/api/v1/webhooks/*", WEBHOOK_PLAIN, true, take_webhook},
    {"POST", "/api/v2/alerts", WEBHOOK_PLAIN, true, take_posted},
    {"GET", "/api/v2/status", WEBHOOK_PLAIN, false, take_status},
};

const struct webhook_type webhook_alertmanager_type = {"alertmanager", routes,
                                                       sizeof routes / sizeof *routes};
