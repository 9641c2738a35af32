/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include "incidents/model/candidate.h"
#include "incidents/model/hash_table.h"
#include "incidents/model/incident.h"
#include "incidents/model/inventory.h"
#include "incidents/model/string_pool.h"
#include "incidents/state/changes.h"
#include "incidents/state/weakest.h"
#include "incidents/store/incident_store.h"

/*
 * Where entities and incidents are found: everything that is live, in memory, and which of it is
 * not written yet. Closed incidents leave after some days and are fetched from the store.
 */
enum { TABLES_CANDIDATES = 200000 };

/* Where an alert is a member. */
struct alert_place {
    struct hash_link link;
    struct incident *incident;
};

struct tables {
    struct hash_table candidates, incidents;
    struct hash_table alert_keys;    /* alerts' incidents by key */
    struct hash_table alert_members; /* alert_place of each of their alerts, by its key */
    struct candidate *dirty_candidates;
    struct incident *dirty_incidents;
    struct string_pool strings; /* rules, titles, tactics: what outlives its ruleset */
    struct inventory *inventory;
    struct incident_store *store;
    int64_t half_life_us;
    struct weakest weakest; /* candidates in no incident */
    size_t sweep_slot;      /* where the search for faded candidates goes on */
};

/* Takes the inventory; the store only has to outlive it. */
void tables_init(struct tables *tables, struct inventory *inventory, struct incident_store *store,
                 int64_t half_life_us);
void tables_fini(struct tables *tables);
/* Forgets candidates and incidents. */
void tables_clear(struct tables *tables);

struct incident *tables_incident(const struct tables *tables, struct text id);
/* The report that was made with this Idempotency-Key's digest, open or closed some days ago. */
struct incident *tables_requested(const struct tables *tables, const char *request);
/* The latest incident of an alert's key; where it was merged, that into which it was. */
struct incident *tables_alert_incident(const struct tables *tables, struct text key);
/* A new member of the incident can be found by its key. */
NODISCARD enum status tables_place_alert(struct tables *tables, struct incident *incident,
                                         struct incident_alert *alert);
/* The alerts of one incident become another's, in merging it: each remembers whose it was. With
 * `is_back` those that came from `to` return to it. False: no room or no memory, nothing moved. */
bool tables_move_alerts(struct tables *tables, struct incident *from, struct incident *to,
                        bool is_back);
/* The incident with the least id above `after` that has a place for that key, or one whose hash is
 * the same: the caller looks. NULL: none. */
struct incident *tables_next_with_alert(const struct tables *tables, struct text key,
                                        const char *after);
/* Takes the incident on OK; frees it otherwise. */
NODISCARD enum status tables_adopt(struct tables *tables, struct incident *incident);
void tables_drop(struct tables *tables, struct incident *incident);
struct candidate *tables_candidate(const struct tables *tables, enum entity_kind kind,
                                   struct text value);
/* One more, its weight by the inventory; it will be charged with `mark`. At TABLES_CANDIDATES the
 * one that weighs least gives way, if it is in no incident and weighs less. NULL: none does, or no
 * memory; counted. */
struct candidate *tables_add_candidate(struct tables *tables, struct changes *changes,
                                       enum entity_kind kind, struct text value, double mark);
/* It is known no more; only in memory. */
void tables_drop_candidate(struct tables *tables, struct candidate *candidate);
/* It changed: its document is written with the next effect. */
void tables_touch_candidate(struct tables *tables, struct candidate *candidate);
void tables_touch_incident(struct tables *tables, struct incident *incident);
bool tables_is_dirty(const struct tables *tables);
