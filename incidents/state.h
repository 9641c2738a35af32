/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include "base/buffer.h"
#include "incidents/candidate.h"
#include "incidents/doc_tree.h"
#include "incidents/effect.h"
#include "incidents/hash_table.h"
#include "incidents/incident.h"
#include "incidents/incident_store.h"
#include "incidents/incidents.h"
#include "incidents/inventory.h"
#include "incidents/ledger.h"
#include "incidents/string_pool.h"
#include <stdatomic.h>

/*
 * What the record thread knows: the whole live state, decided on in memory; Redis holds the durable
 * copy, written by effects. Private to incidents/; that thread only, but for the counters.
 */

#define COUNTERS(COUNTER)                                                                          \
    COUNTER(detections, "Detections that reached the record")                                      \
    COUNTER(redelivered, "Detections that had been applied before")                                \
    COUNTER(shadowed, "Detections of shadow rules: recorded, not charged")                         \
    COUNTER(uncharged, "Detections that charged no entity")                                        \
    COUNTER(suppressed, "Detections held by their rule's suppress time")                           \
    COUNTER(excepted, "Charges left out by an exception after a false positive")                   \
    COUNTER(noise_held, "Charges left out because their rule charges too many entities")           \
    COUNTER(late, "Detections of an episode that was closed before")                               \
    COUNTER(members_left_out, "Charges left out because an entity has too many families")          \
    COUNTER(entities_refused, "Charges left out because too many entities are known")              \
    COUNTER(opened, "Incidents opened")                                                            \
    COUNTER(reopened, "Incidents reopened")                                                        \
    COUNTER(recurred, "Detections appended to open incidents")                                     \
    COUNTER(alerts, "Alerts of monitoring systems")                                                \
    COUNTER(notices, "Notices put into the outbox or suppressed")                                  \
    COUNTER(deliveries, "Deliveries queued")                                                       \
    COUNTER(deliveries_settled, "Deliveries that ended, well or not")                              \
    COUNTER(deliveries_refused, "Deliveries expired at once because the outbox was full")          \
    COUNTER(effects, "Effects submitted")                                                          \
    COUNTER(rollbacks, "Times Redis lost effects it had acknowledged")                             \
    COUNTER(no_memory, "Steps left out without memory")

struct counters {
#define COUNTER(name, help) _Atomic uint64_t name;
    COUNTERS(COUNTER)
#undef COUNTER
};
/* Relaxed: numbers for people, read by incidents_metrics from other threads. */
#define COUNT(i, name)                                                                             \
    ((void)atomic_fetch_add_explicit(&(i)->counters.name, 1, memory_order_relaxed))

/* Detection ids applied, in two generations: the elder is dropped when the younger is full. */
struct applied {
    struct hash128 *slots; /* open addressing; zero: empty */
    uint32_t size, count;
};

enum {
    APPLIED_MAX = 250000, /* per generation */
    CANDIDATES_MAX = 200000,
    STORM_INCIDENTS = 10,
    NOISE_RULES = 10000,
};
#define HOUR_US (INT64_C(3600) * 1000000)
#define DAY_US  (24 * HOUR_US)

struct incidents {
    struct incidents_options options;
    char *socket, *url; /* what options points to */
    double threshold;
    int64_t half_life_us;
    uint32_t max_pending;
    int64_t journal_us; /* highest so far */
    struct incident_store *store;
    struct effect *effect; /* being filled; NULL: nothing yet */
    struct ledger ledger;
    struct inventory *inventory;
    struct string_pool words;
    struct hash_table candidates, incidents, keys; /* keys: alerts' incidents by key */
    struct candidate *dirty_candidates;
    struct incident *dirty_incidents;
    struct applied applied[2];
    uint32_t generation; /* which of the two is filled */
    struct hash_table exceptions, suppressed, noise;
    struct hash_table entries;             /* the outbox */
    struct hash_table waiting, heartbeats; /* of alerts */
    struct hash_table verdicts;            /* on rules */
    int64_t alerts_checked_us;
    struct hash_table chunks; /* names of checkpoint values in Redis */
    uint64_t chunk_failures;
    int64_t openings_us[STORM_INCIDENTS + 1]; /* journal times, a ring: the latest openings */
    uint32_t opening_count;
    bool is_storm;
    struct buffer digest; /* items of a JSON list: ids to be told together */
    uint32_t digest_count;
    int64_t digest_us; /* since; TIMESTAMP_NONE: empty */
    bool is_meta_dirty;
    bool has_rolled_back;
    bool is_behind; /* rolled back since it was opened: no checkpoint may say that all is well */
    bool is_urgent; /* something new: the effect goes at once */
    struct noise *dirty_noise;
    size_t sweep_slot; /* where the search for faded candidates goes on */
    struct outbox_entry *first_entry, **last_entry; /* not yet given, oldest first */
    uint64_t connects_seen;
    struct arena scratch;
    struct buffer text; /* for documents */
    struct counters counters;
    _Atomic uint64_t candidate_count, incident_count, entry_count, pending_count;
    _Atomic bool is_memory_full;
};

/* The effect that is being filled; NULL without memory. */
struct effect *incidents_effect(struct incidents *i);
/* Writes what is dirty into the effect and submits it. */
void incidents_flush(struct incidents *i);
void incidents_touch_candidate(struct incidents *i, struct candidate *c);
void incidents_touch_incident(struct incidents *i, struct incident *n);
