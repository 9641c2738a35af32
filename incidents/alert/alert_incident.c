/* SPDX-License-Identifier: Apache-2.0 */
#include "incidents/alert/alert_incident.h"
#include "base/json_write.h"
#include "base/timestamp.h"
#include <stdlib.h>

#define REOPEN_US (INT64_C(600) * 1000000) /* firing again within this reopens */

enum { SUMMARY_BYTES = 1000 };

/* ---- members ---- */

static struct incident_alert *find_member(const struct incident *incident, struct text key)
{
    for (uint32_t m = 0; m < incident->alert_count; m++)
        if (text_equal(text_of(incident->alerts[m].key), key))
            return &incident->alerts[m];
    return NULL;
}

static int64_t start_of(const struct alert *alert)
{
    return alert->starts_us == TIMESTAMP_NONE ? alert->now_us : alert->starts_us;
}

static struct incident_alert *add_member(struct tables *tables, struct incident *incident,
                                         const struct alert *alert)
{
    if (incident->alert_count == INCIDENT_ALERTS)
        return NULL;
    if (incident->alert_count == incident->alert_max) {
        uint32_t max = incident->alert_max ? incident->alert_max * 2 : 4;
        struct incident_alert *alerts = realloc(incident->alerts, max * sizeof *alerts);
        if (!alerts)
            return NULL;
        incident->alerts = alerts;
        incident->alert_max = max;
    }
    struct incident_alert *m = &incident->alerts[incident->alert_count];
    *m = (struct incident_alert){.charged_us = TIMESTAMP_NONE};
    if (!incident_set_text(&m->key, alert->key))
        return NULL;
    if (tables_place_alert(tables, incident, m) != STATUS_OK) {
        free(m->key);
        return NULL;
    }
    incident->alert_count++;
    return m;
}

static bool any_firing(const struct incident *incident)
{
    for (uint32_t m = 0; m < incident->alert_count; m++)
        if (incident->alerts[m].is_firing)
            return true;
    return false;
}

static void regrade(struct incident *incident)
{
    enum incident_severity floor = SEVERITY_INFO;
    for (uint32_t m = 0; m < incident->alert_count; m++)
        if (incident->alerts[m].is_firing && incident->alerts[m].severity > floor)
            floor = incident->alerts[m].severity;
    if (floor > SEVERITY_INFO)
        incident->severity = incident->floor = floor;
}

/* These senders trigger once for each thing that happens, and each counts. The others say again
 * what still is, for as long as it is: only what is new in it counts. */
static bool is_eventful(const struct alert *alert)
{
    return text_equal(alert->integration, TEXT("pagerduty")) ||
           text_equal(alert->integration, TEXT("opsgenie"));
}

enum heard { HEARD_NOTHING, HEARD_AGAIN, HEARD_NEWS };

/* What an alert adds to a member as it was told last. Texts with a measured value in them differ
 * each time, so a state's do not count; and where a state says when it ends if it is not told
 * again, another start is the same one prolonged. */
static enum heard hear(const struct incident_alert *m, const struct alert *alert)
{
    if (!m->is_firing || m->severity != alert->severity)
        return HEARD_NEWS;
    if (is_eventful(alert))
        return text_equal(m->summary ? text_of(m->summary) : TEXT_NONE,
                          text_head(alert->title, SUMMARY_BYTES))
                   ? HEARD_AGAIN
                   : HEARD_NEWS;
    bool is_restarted = alert->starts_us != TIMESTAMP_NONE && alert->starts_us != m->starts_us &&
                        m->expires_us == TIMESTAMP_NONE;
    return is_restarted ? HEARD_NEWS : HEARD_NOTHING;
}

static enum heard update_member(const struct alert_incidents *incidents, struct incident *incident,
                                const struct alert *alert)
{
    struct incident_alert *m = find_member(incident, alert->key);
    if (!m)
        m = add_member(incidents->lifecycle->tables, incident, alert);
    if (!m) {
        COUNT(incidents->lifecycle->changes->counters, members_left_out);
        return HEARD_NOTHING;
    }
    enum heard heard = hear(m, alert);
    bool was_firing = m->is_firing;
    m->is_firing = true;
    m->severity = alert->severity;
    m->expires_us = alert->expires_us;
    m->ends_us = TIMESTAMP_NONE;
    bool is_told_anew =
        heard == HEARD_NEWS && !is_eventful(alert) && alert->starts_us != TIMESTAMP_NONE;
    if (!was_firing || m->starts_us == TIMESTAMP_NONE || is_told_anew)
        m->starts_us = start_of(alert);
    if (!incident_set_text(&m->name, alert->name) || !incident_set_text(&m->host, alert->host) ||
        !incident_set_text(&m->summary, text_head(alert->title, SUMMARY_BYTES)))
        COUNT(incidents->lifecycle->changes->counters, no_memory);
    tables_touch_incident(incidents->lifecycle->tables, incident);
    return heard;
}

/* ---- charging the host ---- */

static double chance_of(enum incident_severity s)
{
    static const double chances[] = {0, 0, .05, .10, .15};
    return chances[s];
}

/* Context beside logs: all alerts of a host are one family, and never enough by themselves. */
static void charge_host(const struct alert_incidents *incidents, struct incident_alert *m,
                        int64_t now_us)
{
    struct text host = text_of(m->host);
    if (!host.len || inventory_is_nobody(ENTITY_HOST, host) || chance_of(m->severity) <= 0 ||
        inventory_find(incidents->lifecycle->tables->inventory, ENTITY_HOST, host)->is_excluded)
        return;
    if (m->charged_us != TIMESTAMP_NONE && now_us - m->charged_us < HOUR_US)
        return;
    struct candidate *c =
        charge_candidate(incidents->charger, ENTITY_HOST, host, chance_of(m->severity), now_us);
    bool is_new;
    const struct charge charge = {TEXT("availability"),
                                  TEXT("alerts"),
                                  text_of(m->name ? m->name : "alert"),
                                  text_of(m->name ? m->name : "alert"),
                                  LEVEL_LOW,
                                  chance_of(m->severity),
                                  now_us};
    struct member *member = c ? charge_member(incidents->charger, c, &charge, &is_new) : NULL;
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

static void charge_all(const struct alert_incidents *incidents, struct incident *incident)
{
    for (uint32_t m = 0; m < incident->alert_count; m++)
        if (incident->alerts[m].is_firing)
            charge_host(incidents, &incident->alerts[m], incidents->lifecycle->changes->journal_us);
}

/* ---- opening ---- */

static struct incident *make_incident(const struct alert_incidents *incidents,
                                      const struct alert *alert)
{
    char id[IDENT_LEN + 1];
    ident_make("inc_", alert->now_us, alert->id, id);
    struct incident *incident = incident_new(id);
    if (!incident)
        return NULL;
    incident->origin = ORIGIN_ALERT;
    incident->profile = PROFILE_OPERATIONS;
    incident->category =
        string_pool_keep(&incidents->lifecycle->tables->strings, TEXT("availability"));
    incident->severity = incident->floor = alert->severity;
    struct text title = alert->title.len  ? alert->title
                        : alert->name.len ? alert->name
                                          : alert->key;
    if (!incident_set_text(&incident->key, alert->incident_key) ||
        !incident_set_text(&incident->title, text_head(title, SUMMARY_BYTES))) {
        incident_free(incident);
        return NULL;
    }
    return tables_adopt(incidents->lifecycle->tables, incident) == STATUS_OK ? incident : NULL;
}

static void open_alert(const struct alert_incidents *incidents, const struct alert *alert,
                       const struct incident *before)
{
    struct incident *incident = make_incident(incidents, alert);
    if (!incident) {
        COUNT(incidents->lifecycle->changes->counters, no_memory);
        return;
    }
    if (before)
        memcpy(incident->recurs_of, before->id, sizeof incident->recurs_of);
    (void)update_member(incidents, incident, alert);
    lifecycle_date(incident, start_of(alert));
    incident->times[TIME_FIRST_EVENT] = incident->times[TIME_ALERT] = alert->now_us;
    incident->last_us = incident->last_journal_us = alert->now_us;
    incident->detections = 1;
    if (alert->host.len && !inventory_is_nobody(ENTITY_HOST, alert->host)) {
        (void)incident_add_entity(incident, ENTITY_HOST, alert->host, 1);
        incident->criticality =
            inventory_find(incidents->lifecycle->tables->inventory, ENTITY_HOST, alert->host)
                ->criticality;
    }
    (void)incident_weigh(incident, alert->now_us);
    charge_all(incidents, incident);
    lifecycle_open(incidents->lifecycle, incident, TEXT_NONE, alert->now_us);
}

static void record_member(const struct alert_incidents *incidents, struct incident *incident,
                          const char *kind, const struct alert *alert)
{
    struct buffer more;
    buffer_init(&more, 1 << 16);
    json_write_string(&more, "alert", text_head(alert->key, 500));
    json_write_string(&more, "name", text_head(alert->name, 500));
    json_write_string(&more, "summary", text_head(alert->title, SUMMARY_BYTES));
    json_write_time(&more, "occurred", incident->times[TIME_OCCURRED]);
    lifecycle_record(incidents->lifecycle, incident, kind, alert->integration, buffer_text(&more),
                     alert->now_us);
    buffer_fini(&more);
}

static void grow(const struct alert_incidents *incidents, struct incident *incident,
                 const struct alert *alert)
{
    enum heard heard = update_member(incidents, incident, alert);
    if (heard == HEARD_NOTHING)
        return; /* the same state once more */
    bool was_quiet =
        incident->last_us != TIMESTAMP_NONE && alert->now_us - incident->last_us >= DAY_US;
    incident->recurrences++;
    incident->detections++;
    incident->last_us = incident->last_journal_us = alert->now_us;
    lifecycle_date(incident, start_of(alert));
    if (alert->host.len && !inventory_is_nobody(ENTITY_HOST, alert->host))
        (void)incident_add_entity(incident, ENTITY_HOST, alert->host, 1);
    regrade(incident);
    bool has_risen = incident_weigh(incident, alert->now_us);
    charge_all(incidents, incident);
    if (heard == HEARD_NEWS)
        record_member(incidents, incident, "incident.grew", alert);
    if (has_risen) {
        lifecycle_notice(incidents->lifecycle, incident, NOTICE_RAISED, alert->now_us);
    } else if (was_quiet) {
        lifecycle_record(incidents->lifecycle, incident, "incident.recurred", alert->integration,
                         TEXT_NONE, alert->now_us);
        lifecycle_notice(incidents->lifecycle, incident, NOTICE_RECURRED, alert->now_us);
    }
}

static struct text integration_of(struct text incident_key)
{
    return text_head(incident_key, text_find_byte(incident_key, '/'));
}

/* The member of that key and integration that fires in the incident, whatever its group. */
static struct incident_alert *find_firing(const struct incident *incident,
                                          const struct alert *alert)
{
    bool is_theirs =
        incident->key && !incident_is_settled(incident) &&
        text_equal(integration_of(text_of(incident->key)), integration_of(alert->incident_key));
    struct incident_alert *m = is_theirs ? find_member(incident, alert->key) : NULL;
    return m && m->is_firing ? m : NULL;
}

static bool has_same_start(const struct incident_alert *m, const struct alert *alert)
{
    return alert->starts_us != TIMESTAMP_NONE && m->starts_us == alert->starts_us;
}

/* The group of a sender is not known, or over: its configuration was read again and groups
 * otherwise, or another replica speaks. The same alert of the same receiver that began at the same
 * time is no second incident. */
static struct incident *find_elsewhere(const struct alert_incidents *incidents,
                                       const struct alert *alert)
{
    const struct tables *tables = incidents->lifecycle->tables;
    struct text receiver = alert_receiver(alert->incident_key);
    struct incident *at = tables_next_with_alert(tables, alert->key, "");
    for (; at; at = tables_next_with_alert(tables, alert->key, at->id)) {
        const struct incident_alert *m = find_firing(at, alert);
        if (m && has_same_start(m, alert) && text_equal(alert_receiver(text_of(at->key)), receiver))
            return at;
    }
    return NULL;
}

struct incident *alert_incident_open(const struct alert_incidents *incidents,
                                     const struct alert *alert)
{
    struct incident *incident =
        tables_alert_incident(incidents->lifecycle->tables, alert->incident_key);
    return incident && !incident_is_settled(incident) ? incident : find_elsewhere(incidents, alert);
}

static int64_t settled_us(const struct incident *incident)
{
    int64_t us = incident->times[TIME_RESOLVED];
    return incident->times[TIME_CLOSED] > us ? incident->times[TIME_CLOSED] : us;
}

void alert_incident_fire(const struct alert_incidents *incidents, const struct alert *alert)
{
    struct incident *open = alert_incident_open(incidents, alert);
    if (open) {
        grow(incidents, open, alert);
        return;
    }
    struct incident *incident =
        tables_alert_incident(incidents->lifecycle->tables, alert->incident_key);
    if (incident && alert->now_us - settled_us(incident) <= REOPEN_US &&
        !incident->merged_into[0]) {
        (void)update_member(incidents, incident, alert);
        regrade(incident);
        (void)incident_weigh(incident, alert->now_us);
        lifecycle_reopen(incidents->lifecycle, incident, alert->integration, "it fires again",
                         alert->now_us);
        return;
    }
    open_alert(incidents, alert, incident);
}

/* ---- the end of an alert ---- */

static void settle(const struct alert_incidents *incidents, struct incident *incident,
                   struct text by, int64_t now_us)
{
    if (any_firing(incident) || incident_is_settled(incident) || incident->origin != ORIGIN_ALERT)
        return;
    lifecycle_move(incidents->lifecycle, incident, STATE_RESOLVED, by,
                   TEXT("\"because\":\"no alert of it fires\""), now_us);
}

/* The late end of an episode before the one that fires now. Only the sender's own times tell, and
 * an episode of no length has none: who names no start gets the end for it from Alertmanager. That
 * of an alert which expires may be ours, and it ends without being told, too. */
static bool is_of_older(const struct incident_alert *m, const struct alert *alert)
{
    return m->expires_us == TIMESTAMP_NONE && alert->starts_us != TIMESTAMP_NONE &&
           alert->starts_us < alert->ends_us && m->starts_us != TIMESTAMP_NONE &&
           alert->ends_us < m->starts_us;
}

bool alert_incident_is_past(const struct alert_incidents *incidents, const struct alert *alert)
{
    const struct incident *incident =
        tables_alert_incident(incidents->lifecycle->tables, alert->incident_key);
    const struct incident_alert *member = incident ? find_member(incident, alert->key) : NULL;
    return member && member->is_firing && is_of_older(member, alert);
}

static void resolve_member(const struct alert_incidents *incidents, struct incident *incident,
                           struct incident_alert *member, const struct alert *alert)
{
    member->is_firing = false;
    member->ends_us = alert->ends_us == TIMESTAMP_NONE ? alert->now_us : alert->ends_us;
    record_member(incidents, incident, "incident.alert_resolved", alert);
    settle(incidents, incident, alert->integration, alert->now_us);
}

/* A resolve of nothing is on the journal, and of no effect. One whose group has been regrouped
 * since, or is another replica's, ends its alert where that fires: it is known by its key, and by
 * its sender or its start. */
void alert_incident_resolve(const struct alert_incidents *incidents, const struct alert *alert)
{
    const struct tables *tables = incidents->lifecycle->tables;
    const struct incident *own = tables_alert_incident(tables, alert->incident_key);
    struct text scope = alert_scope(alert->incident_key);
    struct incident *at = tables_next_with_alert(tables, alert->key, "");
    for (; at; at = tables_next_with_alert(tables, alert->key, at->id)) {
        struct incident_alert *m = at == own ? find_member(at, alert->key) : find_firing(at, alert);
        bool is_meant =
            at == own ||
            (m && !is_of_older(m, alert) &&
             (has_same_start(m, alert) || text_equal(alert_scope(text_of(at->key)), scope)));
        if (is_meant && m && m->is_firing)
            resolve_member(incidents, at, m, alert);
    }
}

void alert_incident_acknowledge(const struct alert_incidents *incidents, const struct alert *alert)
{
    struct incident *incident =
        tables_alert_incident(incidents->lifecycle->tables, alert->incident_key);
    if (incident && incident->state == STATE_OPEN)
        lifecycle_move(incidents->lifecycle, incident, STATE_ACKNOWLEDGED, alert->integration,
                       TEXT_NONE, alert->now_us);
}

static void expire_members(const struct alert_incidents *incidents, struct incident *incident)
{
    bool is_any = false;
    for (uint32_t m = 0; m < incident->alert_count; m++) {
        struct incident_alert *at = &incident->alerts[m];
        if (!at->is_firing || at->expires_us == TIMESTAMP_NONE ||
            at->expires_us > incidents->lifecycle->changes->journal_us)
            continue;
        at->is_firing = false;
        at->ends_us = at->expires_us;
        is_any = true;
    }
    if (!is_any)
        return;
    tables_touch_incident(incidents->lifecycle->tables, incident);
    settle(incidents, incident, TEXT("expiry"), incidents->lifecycle->changes->journal_us);
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

void alert_incident_tick(const struct alert_incidents *incidents)
{
    size_t count = 0;
    struct hash_link **open =
        hash_table_pick(&incidents->lifecycle->tables->alert_keys, is_open, NULL, by_id, &count);
    for (size_t o = 0; o < count; o++) {
        struct incident *incident = CONTAINER_OF(open[o], struct incident, key_link);
        expire_members(incidents, incident);
        charge_all(incidents, incident);
    }
    free(open);
}
