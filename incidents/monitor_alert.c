/* SPDX-License-Identifier: Apache-2.0 */
#include "incidents/monitor_alert.h"
#include "base/json_scan.h"
#include "base/json_write.h"
#include "base/timestamp.h"
#include "incidents/incident_command.h"
#include "incidents/incident_detect.h"
#include "incidents/incidents_key.h"
#include "incidents/monitor_heartbeat.h"
#include "incidents/monitor_waiting.h"
#include "incidents/outbox.h"
#include "incidents/persist.h"
#include <stdlib.h>

#define SECOND_US INT64_C(1000000)
#define REOPEN_US (600 * SECOND_US) /* firing again within this reopens */
#define CHECK_US  (5 * SECOND_US)   /* between two walks over all alerts */

enum { SUMMARY_BYTES = 1000 };

/* ---- reading ---- */

static struct text field(struct incidents *i, const struct event *e, const char *name)
{
    const struct field *f = event_field(e, text_of(name));
    return f && f->type != VALUE_NULL ? json_value(f, &i->scratch) : TEXT_NONE;
}

static int64_t time_field(struct incidents *i, const struct event *e, const char *name)
{
    int64_t us;
    return timestamp_parse(field(i, e, name), 0, &us, NULL) ? us : TIMESTAMP_NONE;
}

struct text monitor_alert_join(struct incidents *i, struct text a, struct text b)
{
    char *at = arena_bytes(&i->scratch, a.len + b.len + 2);
    if (!at)
        return TEXT_NONE;
    if (a.len)
        memcpy(at, a.at, a.len);
    at[a.len] = '/';
    if (b.len)
        memcpy(at + a.len + 1, b.at, b.len);
    at[a.len + b.len + 1] = 0;
    return (struct text){at, a.len + b.len + 1};
}

static bool read_severity(struct text t, enum incident_severity *out)
{
    *out = SEVERITY_MEDIUM;
    if (text_equal(t, TEXT("critical")))
        *out = SEVERITY_CRITICAL;
    else if (text_equal(t, TEXT("error")))
        *out = SEVERITY_HIGH;
    else if (text_equal(t, TEXT("info")))
        *out = SEVERITY_INFO;
    return t.len > 0;
}

bool monitor_alert_read(struct incidents *i, const struct event *e, struct monitor_alert *a)
{
    const struct field *heartbeat = event_field(e, TEXT("is_heartbeat"));
    *a = (struct monitor_alert){.integration = field(i, e, "integration"),
                                .key = field(i, e, "key"),
                                .group = field(i, e, "group"),
                                .status = field(i, e, "status"),
                                .title = field(i, e, "title"),
                                .host = field(i, e, "host"),
                                .name = field(i, e, "name"),
                                .source = field(i, e, "source"),
                                .description = field(i, e, "description"),
                                .is_heartbeat = heartbeat && heartbeat->type == VALUE_TRUE,
                                .starts_us = time_field(i, e, "starts_at"),
                                .ends_us = time_field(i, e, "ends_at"),
                                .expires_us = time_field(i, e, "expires_at"),
                                .now_us = i->journal_us,
                                .id = record_identity(e->record)};
    a->has_severity = read_severity(field(i, e, "severity"), &a->severity);
    a->is_firing = text_equal(a->status, TEXT("firing"));
    if (!a->group.len)
        a->group = a->key;
    a->incident_key = monitor_alert_join(i, a->integration, a->group);
    a->member_key = a->key;
    return a->key.len && a->incident_key.at;
}

/* ---- members ---- */

static struct incident_alert *find_member(const struct incident *n, struct text key)
{
    for (uint32_t m = 0; m < n->alert_count; m++)
        if (text_equal(text_of(n->alerts[m].key), key))
            return &n->alerts[m];
    return NULL;
}

static int64_t start_of(const struct monitor_alert *a)
{
    return a->starts_us == TIMESTAMP_NONE ? a->now_us : a->starts_us;
}

static struct incident_alert *add_member(struct incident *n, const struct monitor_alert *a)
{
    if (n->alert_count == INCIDENT_ALERTS)
        return NULL;
    if (n->alert_count == n->alert_max) {
        uint32_t max = n->alert_max ? n->alert_max * 2 : 4;
        struct incident_alert *alerts = realloc(n->alerts, max * sizeof *alerts);
        if (!alerts)
            return NULL;
        n->alerts = alerts;
        n->alert_max = max;
    }
    struct incident_alert *m = &n->alerts[n->alert_count];
    *m = (struct incident_alert){.charged_us = TIMESTAMP_NONE};
    if (!incident_set_text(&m->key, a->member_key))
        return NULL;
    n->alert_count++;
    return m;
}

static bool any_firing(const struct incident *n)
{
    for (uint32_t m = 0; m < n->alert_count; m++)
        if (n->alerts[m].is_firing)
            return true;
    return false;
}

static void regrade(struct incident *n)
{
    enum incident_severity floor = SEVERITY_INFO;
    for (uint32_t m = 0; m < n->alert_count; m++)
        if (n->alerts[m].is_firing && n->alerts[m].severity > floor)
            floor = n->alerts[m].severity;
    if (floor > SEVERITY_INFO)
        n->severity = n->floor = floor;
}

/* These senders trigger once for each thing that happens, and each counts. The others say again
 * what still is, for as long as it is: only what is new in it counts. */
static bool is_eventful(const struct monitor_alert *a)
{
    return text_equal(a->integration, TEXT("pagerduty")) ||
           text_equal(a->integration, TEXT("opsgenie"));
}

enum heard { HEARD_NOTHING, HEARD_AGAIN, HEARD_NEWS };

/* What an alert adds to a member as it was told last. Texts with a measured value in them differ
 * each time, so a state's do not count; and where a state says when it ends if it is not told
 * again, another start is the same one prolonged. */
static enum heard hear(const struct incident_alert *m, const struct monitor_alert *a)
{
    if (!m->is_firing || m->severity != a->severity)
        return HEARD_NEWS;
    if (is_eventful(a))
        return text_equal(m->summary ? text_of(m->summary) : TEXT_NONE,
                          text_head(a->title, SUMMARY_BYTES))
                   ? HEARD_AGAIN
                   : HEARD_NEWS;
    bool is_restarted = a->starts_us != TIMESTAMP_NONE && a->starts_us != m->starts_us &&
                        m->expires_us == TIMESTAMP_NONE;
    return is_restarted ? HEARD_NEWS : HEARD_NOTHING;
}

static enum heard update_member(struct incidents *i, struct incident *n,
                                const struct monitor_alert *a)
{
    struct incident_alert *m = find_member(n, a->member_key);
    if (!m)
        m = add_member(n, a);
    if (!m) {
        COUNT(i, members_left_out);
        return HEARD_NOTHING;
    }
    enum heard heard = hear(m, a);
    bool was_firing = m->is_firing;
    m->is_firing = true;
    m->severity = a->severity;
    m->expires_us = a->expires_us;
    m->ends_us = TIMESTAMP_NONE;
    bool is_told_anew = heard == HEARD_NEWS && !is_eventful(a) && a->starts_us != TIMESTAMP_NONE;
    if (!was_firing || m->starts_us == TIMESTAMP_NONE || is_told_anew)
        m->starts_us = start_of(a);
    if (!incident_set_text(&m->name, a->name) || !incident_set_text(&m->host, a->host) ||
        !incident_set_text(&m->summary, text_head(a->title, SUMMARY_BYTES)))
        COUNT(i, no_memory);
    incidents_touch_incident(i, n);
    return heard;
}

/* ---- charging the host ---- */

static double chance_of(enum incident_severity s)
{
    static const double chances[] = {0, 0, .05, .10, .15};
    return chances[s];
}

/* Context beside logs: all alerts of a host are one family, and never enough by themselves. */
static void charge_host(struct incidents *i, struct incident_alert *m, int64_t now_us)
{
    struct text host = text_of(m->host);
    if (!host.len || inventory_is_nobody(ENTITY_HOST, host) || chance_of(m->severity) <= 0 ||
        inventory_find(i->inventory, ENTITY_HOST, host)->is_excluded)
        return;
    if (m->charged_us != TIMESTAMP_NONE && now_us - m->charged_us < HOUR_US)
        return;
    struct candidate *c = incident_detect_candidate(i, ENTITY_HOST, host);
    bool is_new;
    const struct charge charge = {TEXT("availability"),
                                  TEXT("alerts"),
                                  text_of(m->name ? m->name : "alert"),
                                  text_of(m->name ? m->name : "alert"),
                                  LEVEL_LOW,
                                  chance_of(m->severity),
                                  now_us};
    struct member *member = c ? incident_detect_charge(i, c, &charge, &is_new) : NULL;
    if (!member)
        return;
    m->charged_us = now_us;
    if (!member->count++)
        member->first_us = now_us;
    member->last_us = now_us;
    if (!c->detections++) {
        struct hasher h;
        hash_start(&h);
        hash_part_text(&h, host);
        ident_make("cnd_", now_us, hash_end(&h), c->id);
        c->first_us = c->received_us = c->alert_us = now_us;
    }
    c->last_us = now_us > c->last_us ? now_us : c->last_us;
}

static void charge_all(struct incidents *i, struct incident *n)
{
    for (uint32_t m = 0; m < n->alert_count; m++)
        if (n->alerts[m].is_firing)
            charge_host(i, &n->alerts[m], i->journal_us);
}

/* ---- opening
 * -------------------------------------------------------------------------------------------------
 */

static struct incident *make_incident(struct incidents *i, const struct monitor_alert *a)
{
    char id[IDENT_LEN + 1];
    ident_make("inc_", a->now_us, a->id, id);
    struct incident *n = incident_new(id);
    if (!n)
        return NULL;
    n->origin = ORIGIN_ALERT;
    n->profile = PROFILE_OPERATIONS;
    n->category = string_pool_keep(&i->words, TEXT("availability"));
    n->severity = n->floor = a->severity;
    struct text title = a->title.len ? a->title : a->name.len ? a->name : a->key;
    if (!incident_set_text(&n->key, a->incident_key) ||
        !incident_set_text(&n->title, text_head(title, SUMMARY_BYTES))) {
        incident_free(n);
        return NULL;
    }
    return incidents_key_adopt(i, n) == STATUS_OK ? n : NULL;
}

static void open_alert(struct incidents *i, const struct monitor_alert *a,
                       const struct incident *before)
{
    struct incident *n = make_incident(i, a);
    if (!n) {
        COUNT(i, no_memory);
        return;
    }
    if (before)
        memcpy(n->recurs_of, before->id, sizeof n->recurs_of);
    (void)update_member(i, n, a);
    incident_detect_date(n, start_of(a));
    n->times[TIME_FIRST_EVENT] = n->times[TIME_ALERT] = a->now_us;
    n->last_us = n->last_journal_us = a->now_us;
    n->detections = 1;
    if (a->host.len && !inventory_is_nobody(ENTITY_HOST, a->host)) {
        (void)incident_add_entity(n, ENTITY_HOST, a->host, 1);
        n->criticality = inventory_find(i->inventory, ENTITY_HOST, a->host)->criticality;
    }
    (void)incident_weigh(n, a->now_us);
    charge_all(i, n);
    incident_detect_open(i, n, a->now_us);
}

static void record_member(struct incidents *i, struct incident *n, const char *kind,
                          const struct monitor_alert *a)
{
    struct buffer more;
    buffer_init(&more, 1 << 16);
    json_write_string(&more, "alert", text_head(a->member_key, 500));
    json_write_string(&more, "name", text_head(a->name, 500));
    json_write_string(&more, "summary", text_head(a->title, SUMMARY_BYTES));
    json_write_time(&more, "occurred", n->times[TIME_OCCURRED]);
    incident_detect_record(i, n, kind, a->integration, buffer_text(&more), a->now_us);
    buffer_fini(&more);
}

static void grow(struct incidents *i, struct incident *n, const struct monitor_alert *a)
{
    enum heard heard = update_member(i, n, a);
    if (heard == HEARD_NOTHING)
        return; /* the same state once more */
    bool was_quiet = n->last_us != TIMESTAMP_NONE && a->now_us - n->last_us >= DAY_US;
    n->recurrences++;
    n->detections++;
    n->last_us = n->last_journal_us = a->now_us;
    incident_detect_date(n, start_of(a));
    if (a->host.len && !inventory_is_nobody(ENTITY_HOST, a->host))
        (void)incident_add_entity(n, ENTITY_HOST, a->host, 1);
    regrade(n);
    bool has_risen = incident_weigh(n, a->now_us);
    charge_all(i, n);
    if (heard == HEARD_NEWS)
        record_member(i, n, "incident.grew", a);
    if (has_risen) {
        outbox_notice(i, n, NOTICE_RAISED, a->now_us);
    } else if (was_quiet) {
        incident_detect_record(i, n, "incident.recurred", a->integration, TEXT_NONE, a->now_us);
        outbox_notice(i, n, NOTICE_RECURRED, a->now_us);
    }
}

static int64_t settled_us(const struct incident *n)
{
    int64_t us = n->times[TIME_RESOLVED];
    return n->times[TIME_CLOSED] > us ? n->times[TIME_CLOSED] : us;
}

void monitor_alert_fire(struct incidents *i, const struct monitor_alert *a)
{
    struct incident *n = incidents_key_find_alert(i, a->incident_key);
    if (n && !incident_is_settled(n)) {
        grow(i, n, a);
        return;
    }
    if (n && a->now_us - settled_us(n) <= REOPEN_US && !n->merged_into[0]) {
        (void)update_member(i, n, a);
        regrade(n);
        (void)incident_weigh(n, a->now_us);
        incident_detect_reopen(i, n, a->integration, "it fires again", a->now_us);
        return;
    }
    open_alert(i, a, n);
}

/* ---- the end of an alert ---- */

static void settle(struct incidents *i, struct incident *n, struct text by, int64_t now_us)
{
    if (any_firing(n) || incident_is_settled(n) || n->origin != ORIGIN_ALERT)
        return;
    incident_command_move(i, n, STATE_RESOLVED, by, TEXT("\"because\":\"no alert of it fires\""),
                          now_us);
}

/* The late end of an episode before the one that fires now. Only the sender's own times tell, and
 * an episode of no length has none: who names no start gets the end for it from Alertmanager. That
 * of an alert which expires may be ours, and it ends without being told, too. */
static bool is_of_older(const struct incident_alert *m, const struct monitor_alert *a)
{
    return m->expires_us == TIMESTAMP_NONE && a->starts_us != TIMESTAMP_NONE &&
           a->starts_us < a->ends_us && m->starts_us != TIMESTAMP_NONE && a->ends_us < m->starts_us;
}

void monitor_alert_resolve(struct incidents *i, const struct monitor_alert *a)
{
    struct incident *n = incidents_key_find_alert(i, a->incident_key);
    struct incident_alert *m = n ? find_member(n, a->member_key) : NULL;
    if (m && m->is_firing && is_of_older(m, a))
        return;
    monitor_waiting_forget(i, a);
    if (!m || !m->is_firing)
        return; /* resolve of nothing: on the journal, of no effect */
    m->is_firing = false;
    m->ends_us = a->ends_us == TIMESTAMP_NONE ? a->now_us : a->ends_us;
    record_member(i, n, "incident.alert_resolved", a);
    settle(i, n, a->integration, a->now_us);
}

static void acknowledge(struct incidents *i, const struct monitor_alert *a)
{
    struct incident *n = incidents_key_find_alert(i, a->incident_key);
    if (n && n->state == STATE_OPEN)
        incident_command_move(i, n, STATE_ACKNOWLEDGED, a->integration, TEXT_NONE, a->now_us);
}

/* ---- in and on
 * --------------------------------------------------------------------------------------------------------
 */

void monitor_alert_apply(struct incidents *i, const struct event *alert)
{
    struct monitor_alert a;
    if (!monitor_alert_read(i, alert, &a)) {
        COUNT(i, uncharged);
        return;
    }
    if (a.is_heartbeat)
        monitor_heartbeat_beat(i, &a);
    else if (text_equal(a.status, TEXT("resolved")))
        monitor_alert_resolve(i, &a);
    else if (text_equal(a.status, TEXT("acknowledged")))
        acknowledge(i, &a);
    else if (a.severity > SEVERITY_INFO && !monitor_waiting_must(i, &a, alert->record->raw))
        monitor_alert_fire(i, &a);
}

static void expire_members(struct incidents *i, struct incident *n)
{
    bool is_any = false;
    for (uint32_t m = 0; m < n->alert_count; m++) {
        struct incident_alert *at = &n->alerts[m];
        if (!at->is_firing || at->expires_us == TIMESTAMP_NONE || at->expires_us > i->journal_us)
            continue;
        at->is_firing = false;
        at->ends_us = at->expires_us;
        is_any = true;
    }
    if (!is_any)
        return;
    incidents_touch_incident(i, n);
    settle(i, n, TEXT("expiry"), i->journal_us);
}

static const struct incident *incident_of(const void *at)
{
    struct hash_link *const *link = at;
    return CONTAINER_OF(*link, struct incident, key_link);
}

static bool is_open(const struct hash_link *at, const void *context)
{
    (void)context;
    return !incident_is_settled(incident_of(&at));
}

static int by_id(const void *a, const void *b)
{
    return strcmp(incident_of(a)->id, incident_of(b)->id);
}

void monitor_alert_tick(struct incidents *i)
{
    size_t count = 0;
    monitor_waiting_tick(i);
    if (i->journal_us - i->alerts_checked_us < CHECK_US)
        return;
    i->alerts_checked_us = i->journal_us;
    monitor_heartbeat_tick(i);
    struct hash_link **open = hash_table_pick(&i->keys, is_open, NULL, by_id, &count);
    for (size_t o = 0; o < count; o++) {
        struct incident *n = CONTAINER_OF(open[o], struct incident, key_link);
        expire_members(i, n);
        charge_all(i, n);
    }
    free(open);
}

void monitor_alert_clear(struct incidents *i)
{
    monitor_waiting_clear(i);
    monitor_heartbeat_clear(i);
    i->alerts_checked_us = 0;
}
