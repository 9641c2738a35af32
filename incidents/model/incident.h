/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include "base/buffer.h"
#include "base/own.h"
#include "base/text.h"
#include "incidents/model/candidate.h"
#include "incidents/model/hash_table.h"
#include "incidents/model/ident.h"
#include "incidents/model/telling.h"
#include <stdbool.h>
#include <stdint.h>

/* One incident in memory. Texts are owned by it unless said otherwise. */

enum incident_state {
    STATE_OPEN,
    STATE_ACKNOWLEDGED,
    STATE_CONTAINED,  /* security */
    STATE_ERADICATED, /* security */
    STATE_RECOVERED,  /* security */
    STATE_RESOLVED,   /* operations */
    STATE_REVIEWED,   /* security */
    STATE_CLOSED,
};
enum incident_profile { PROFILE_OPERATIONS, PROFILE_SECURITY };
enum incident_origin { ORIGIN_SCORE, ORIGIN_RULE, ORIGIN_ALERT, ORIGIN_PERSON };
enum incident_severity {
    SEVERITY_INFO,
    SEVERITY_LOW,
    SEVERITY_MEDIUM,
    SEVERITY_HIGH,
    SEVERITY_CRITICAL
};
enum incident_urgency { URGENCY_LOW, URGENCY_MEDIUM, URGENCY_HIGH };
enum incident_disposition {
    DISPOSITION_NONE,
    DISPOSITION_TRUE_POSITIVE,
    DISPOSITION_BENIGN,
    DISPOSITION_FALSE_POSITIVE,
    DISPOSITION_DUPLICATE,
    DISPOSITION_TEST,
};
enum incident_time {
    TIME_OCCURRED,    /* earliest evidence */
    TIME_FIRST_EVENT, /* its receipt */
    TIME_ALERT,       /* first detection, journal time */
    TIME_OPENED,
    TIME_REPORTED, /* by a person */
    TIME_NOTIFIED, /* first send that a provider took */
    TIME_DELIVERED,
    TIME_ACKNOWLEDGED,
    TIME_ASSIGNED,
    TIME_TRIAGED,
    TIME_CONTAINED,
    TIME_ERADICATED,
    TIME_RECOVERED,
    TIME_RESOLVED,
    TIME_REVIEWED,
    TIME_CLOSED,
    TIME_REOPENED, /* the latest */
    TIME_COUNT,
};

const char *incident_state_name(enum incident_state s);
const char *incident_profile_name(enum incident_profile p);
const char *incident_origin_name(enum incident_origin o);
const char *incident_severity_name(enum incident_severity s);
const char *incident_urgency_name(enum incident_urgency u);
const char *incident_disposition_name(enum incident_disposition d);
const char *incident_time_name(enum incident_time t);
/* Back from the name; false where it is none. */
bool incident_parse_state(struct text name, enum incident_state *out);
bool incident_parse_severity(struct text name, enum incident_severity *out);
bool incident_parse_disposition(struct text name, enum incident_disposition *out);
bool incident_parse_origin(struct text name, enum incident_origin *out);

/* An entity of the incident: its own copy, for the candidate goes on with the next episode. */
struct incident_entity {
    enum entity_kind kind;
    char *value;
    size_t len;
    uint32_t episode;
    double score;
};

/* One contribution as shown: of the entity that scores highest. Texts of the string pool. */
struct incident_part {
    struct member member;
    double weight, share;
};

/* One alert of a monitoring system that belongs to the incident. */
struct incident_alert {
    char *key, *name, *host, *summary;
    char of[IDENT_LEN + 1]; /* the incident that it was merged with; empty: its own */
    enum incident_severity severity;
    bool is_firing;
    int64_t starts_us, ends_us, expires_us, charged_us;
    struct alert_place *place; /* where it is found by its key; not the incident's to free */
};

enum {
    INCIDENT_ENTITIES = 64,
    INCIDENT_ALERTS = 1000,
    INCIDENT_EVIDENCE_BYTES = 64 * 1024,
    INCIDENT_NOTES_BYTES = 256 * 1024,
    INCIDENT_REQUEST = 32,
};

struct incident {
    struct hash_link link;     /* by id */
    struct hash_link key_link; /* by key; only of alerts */
    bool has_key_link;
    struct incident *next_dirty;
    bool is_dirty, is_new;
    char id[IDENT_LEN + 1];
    uint32_t version; /* raised by each change that is on the ledger */
    uint32_t episode;
    enum incident_profile profile;
    enum incident_origin origin;
    enum incident_state state;
    struct text category; /* string pool */
    char *title;
    char *key; /* of an alert's incident: "(integration, dedup_key)"; or NULL */
    enum incident_severity severity;
    enum incident_severity floor; /* severity of a rule or alert that opened by itself */
    enum incident_urgency urgency;
    int priority; /* 1..5 */
    double score, severity_score, diversity, criticality;
    struct incident_part *parts;
    uint32_t part_count;
    struct incident_entity entities[INCIDENT_ENTITIES];
    uint32_t entity_count; /* the one that opened it is first */
    uint32_t entities_left_out;
    struct incident_alert *alerts;
    uint32_t alert_count, alert_max;
    int64_t times[TIME_COUNT];
    int64_t last_us, last_journal_us; /* of the latest detection */
    uint64_t detections, recurrences;
    struct buffer evidence; /* items of a JSON list */
    struct buffer notes;    /* the same */
    struct buffer pauses;   /* the same: ended ones */
    struct buffer merged;   /* the same: ids that were merged into this */
    int64_t paused_us;      /* since; TIMESTAMP_NONE: it runs */
    char *pause_reason;
    char *assignee, *next_action;
    char continued_in[IDENT_LEN + 1]; /* the latest one that took what found no room here */
    char recurs_of[IDENT_LEN + 1], merged_into[IDENT_LEN + 1];
    enum incident_disposition disposition;
    char request[INCIDENT_REQUEST + 1]; /* digest of the Idempotency-Key of a report; or empty */
    bool is_backfill;
    bool has_override; /* a person's severity */
    enum incident_severity override_severity;
    char *override_by, *override_reason;
    int64_t override_until_us;
    struct telling telling; /* who was told of it */
};

struct incident *incident_new(const char *id);
void incident_free(struct incident *incident);
AUTO_DEFINE(incident);
/* Replaces an owned text; NULL `*at` where t is empty. False without memory: unchanged. */
bool incident_set_text(char **at, struct text t);
/* Settled: nobody works on it any more, though it may not be closed. */
bool incident_is_settled(const struct incident *incident);
/* Adds it unless it is there. False: no room, counted in entities_left_out. */
bool incident_add_entity(struct incident *incident, enum entity_kind kind, struct text value,
                         uint32_t episode);
/* Severity by score with 5 points of hysteresis downward from `now`. */
enum incident_severity incident_grade(double score, enum incident_severity now);
/* Severity, urgency and priority from its scores, floor and override. True when priority rose. */
bool incident_weigh(struct incident *incident, int64_t now_us);
