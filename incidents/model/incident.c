/* SPDX-License-Identifier: Apache-2.0 */
#include "incidents/model/incident.h"
#include "base/timestamp.h"
#include <stdlib.h>

enum { NOTE_BYTES = 64 * 1024 };

static const char *const states[] = {"open",      "acknowledged", "contained", "eradicated",
                                     "recovered", "resolved",     "reviewed",  "closed"};
static const char *const origins[] = {"score", "rule", "alert", "person"};
static const char *const severities[] = {"info", "low", "medium", "high", "critical"};
static const char *const dispositions[] = {"",          "true_positive", "benign", "false_positive",
                                           "duplicate", "test"};

const char *incident_state_name(enum incident_state s)
{
    return states[s];
}

const char *incident_profile_name(enum incident_profile p)
{
    return p == PROFILE_SECURITY ? "security" : "operations";
}

const char *incident_origin_name(enum incident_origin o)
{
    return origins[o];
}

const char *incident_severity_name(enum incident_severity s)
{
    return severities[s];
}

const char *incident_urgency_name(enum incident_urgency u)
{
    static const char *const names[] = {"low", "medium", "high"};
    return names[u];
}

const char *incident_disposition_name(enum incident_disposition d)
{
    return dispositions[d];
}

const char *incident_time_name(enum incident_time t)
{
    static const char *const names[TIME_COUNT] = {
        "occurred",  "first_event",  "alert",    "opened",  "reported",  "notified",
        "delivered", "acknowledged", "assigned", "triaged", "contained", "eradicated",
        "recovered", "resolved",     "reviewed", "closed",  "reopened"};
    return names[t];
}

static int find_name(const char *const *names, size_t count, struct text want)
{
    for (size_t i = 0; i < count; i++)
        if (text_equal(text_of(names[i]), want))
            return (int)i;
    return -1;
}

bool incident_parse_state(struct text name, enum incident_state *out)
{
    int at = find_name(states, sizeof states / sizeof states[0], name);
    if (at >= 0)
        *out = (enum incident_state)at;
    return at >= 0;
}

bool incident_parse_severity(struct text name, enum incident_severity *out)
{
    int at = find_name(severities, sizeof severities / sizeof severities[0], name);
    if (at >= 0)
        *out = (enum incident_severity)at;
    return at >= 0;
}

bool incident_parse_disposition(struct text name, enum incident_disposition *out)
{
    int at = find_name(dispositions, sizeof dispositions / sizeof dispositions[0], name);
    if (at >= 0)
        *out = (enum incident_disposition)at;
    return at >= 0;
}

bool incident_parse_origin(struct text name, enum incident_origin *out)
{
    int at = find_name(origins, sizeof origins / sizeof origins[0], name);
    if (at >= 0)
        *out = (enum incident_origin)at;
    return at >= 0;
}

struct incident *incident_new(const char *id)
{
    struct incident *incident = calloc(1, sizeof *incident);
    if (!incident)
        return NULL;
    memcpy(incident->id, id, IDENT_LEN);
    incident->episode = 1;
    incident->is_new = true;
    incident->criticality = 1;
    incident->diversity = 1;
    for (int t = 0; t < TIME_COUNT; t++)
        incident->times[t] = TIMESTAMP_NONE;
    incident->last_us = incident->last_journal_us = incident->paused_us = TIMESTAMP_NONE;
    incident->override_until_us = TIMESTAMP_NONE;
    telling_init(&incident->telling);
    buffer_init(&incident->evidence, INCIDENT_EVIDENCE_BYTES);
    buffer_init(&incident->notes, INCIDENT_NOTES_BYTES);
    buffer_init(&incident->pauses, NOTE_BYTES);
    buffer_init(&incident->merged, NOTE_BYTES);
    return incident;
}

static void free_alerts(struct incident *incident)
{
    for (uint32_t a = 0; a < incident->alert_count; a++) {
        free(incident->alerts[a].key);
        free(incident->alerts[a].name);
        free(incident->alerts[a].host);
        free(incident->alerts[a].summary);
    }
    free(incident->alerts);
}

void incident_free(struct incident *incident)
{
    if (!incident)
        return;
    for (uint32_t e = 0; e < incident->entity_count; e++)
        free(incident->entities[e].value);
    free_alerts(incident);
    free(incident->parts);
    char *const texts[] = {incident->title,          incident->key,         incident->pause_reason,
                           incident->assignee,       incident->next_action, incident->override_by,
                           incident->override_reason};
    for (size_t t = 0; t < sizeof texts / sizeof texts[0]; t++)
        free(texts[t]);
    buffer_fini(&incident->evidence);
    buffer_fini(&incident->notes);
    buffer_fini(&incident->pauses);
    buffer_fini(&incident->merged);
    telling_fini(&incident->telling);
    free(incident);
}

bool incident_set_text(char **at, struct text t)
{
    char *copy = NULL;
    if (t.len) {
        copy = malloc(t.len + 1);
        if (!copy)
            return false;
        memcpy(copy, t.at, t.len);
        copy[t.len] = 0;
    }
    free(*at);
    *at = copy;
    return true;
}

bool incident_is_settled(const struct incident *incident)
{
    return incident->state == STATE_RECOVERED || incident->state == STATE_RESOLVED ||
           incident->state == STATE_REVIEWED || incident->state == STATE_CLOSED;
}

static struct incident_entity *find_entity(struct incident *incident, enum entity_kind kind,
                                           struct text value)
{
    for (uint32_t e = 0; e < incident->entity_count; e++) {
        struct incident_entity *at = &incident->entities[e];
        if (at->kind == kind && text_equal((struct text){at->value, at->len}, value))
            return at;
    }
    return NULL;
}

bool incident_add_entity(struct incident *incident, enum entity_kind kind, struct text value,
                         uint32_t episode)
{
    struct incident_entity *old = find_entity(incident, kind, value);
    if (old) {
        old->episode = episode;
        return true;
    }
    char *copy = incident->entity_count < INCIDENT_ENTITIES ? malloc(value.len + 1) : NULL;
    if (!copy) {
        incident->entities_left_out++;
        return false;
    }
    if (value.len)
        memcpy(copy, value.at, value.len);
    copy[value.len] = 0;
    incident->entities[incident->entity_count++] =
        (struct incident_entity){.kind = kind, .value = copy, .len = value.len, .episode = episode};
    return true;
}

enum incident_severity incident_grade(double score, enum incident_severity now)
{
    static const double bounds[] = {20, 40, 65, 90};
    const double hysteresis = 5;
    enum incident_severity grade = SEVERITY_INFO;
    for (int i = 0; i < 4; i++)
        if (score >= bounds[i])
            grade = (enum incident_severity)(i + 1);
    while (grade < now && score < bounds[now - 1] - hysteresis)
        now = (enum incident_severity)(now - 1);
    return grade > now ? grade : now;
}

static int rank(enum incident_severity s, enum incident_urgency u)
{
    static const int table[5][3] = {
        /* urgency low, medium, high */
        [SEVERITY_INFO] = {5, 5, 4}, [SEVERITY_LOW] = {5, 4, 3},      [SEVERITY_MEDIUM] = {4, 3, 2},
        [SEVERITY_HIGH] = {3, 2, 1}, [SEVERITY_CRITICAL] = {2, 1, 1},
    };
    return table[s][u];
}

bool incident_weigh(struct incident *incident, int64_t now_us)
{
    int before = incident->priority;
    if (incident->origin == ORIGIN_SCORE || incident->origin == ORIGIN_RULE)
        incident->severity = incident_grade(incident->severity_score, incident->severity);
    if (incident->severity < incident->floor)
        incident->severity = incident->floor;
    if (incident->has_override && incident->override_until_us != TIMESTAMP_NONE &&
        now_us > incident->override_until_us)
        incident->has_override = false;
    incident->urgency = incident->criticality >= 1.5 ? URGENCY_HIGH
                        : incident->criticality >= 1 ? URGENCY_MEDIUM
                                                     : URGENCY_LOW;
    incident->priority =
        rank(incident->has_override ? incident->override_severity : incident->severity,
             incident->urgency);
    return before && incident->priority < before;
}
