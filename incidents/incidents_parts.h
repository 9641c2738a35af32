/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include "incidents/alert/alerts.h"
#include "incidents/decide/detect.h"
#include "incidents/incidents.h"
#include "incidents/state/applied.h"
#include "incidents/state/chunks.h"
#include "incidents/state/due.h"
#include <pthread.h>

/*
 * What the decider thread knows: the whole live state, decided on in memory; Redis holds the
 * durable copy, written by effects. Each part owns its state, its Redis keys, and how both are
 * loaded, saved and cleared; a part is given the parts below it and nothing else. Private to
 * incidents*.c; that thread only, but for counters and sizes.
 */
struct incidents {
    struct incident_store *store;
    struct counters counters;
    struct changes changes;       /* what is written */
    struct tables tables;         /* where entities and incidents are found */
    struct applied applied;       /* detections that were decided before */
    struct restraints restraints; /* what keeps a detection from charging */
    struct verdicts verdicts;     /* what people said of rules */
    struct due_index due;         /* what falls due by the wall clock */
    struct outbox outbox;         /* what must be told */
    struct chunks chunks;         /* checkpoints of app */
    struct charger charger;       /* the decisions, with the parts they need */
    struct lifecycle lifecycle;
    struct detector detector;
    struct alerts alerts;
    uint32_t max_pending;
    bool has_rolled_back;
    bool is_behind; /* rolled back since it was opened: no checkpoint may say that all is well */
    _Atomic uint64_t candidate_count, incident_count, entry_count, pending_count;
    _Atomic bool is_memory_full;
    pthread_mutex_t head_lock;
    struct ledger head;         /* durable; under head_lock */
    _Atomic int health;         /* enum incidents_health */
    _Atomic uint64_t health_ms; /* monotonic: since when */
    _Atomic uint64_t looked_ms; /* when that was found out */
};

/* Gives each part those it needs; the store is open. Takes the inventory. */
void incidents_parts_init(struct incidents *incidents, const struct incidents_options *options,
                          struct inventory *inventory);
void incidents_parts_fini(struct incidents *incidents);
/* Forgets all live state. */
void incidents_parts_clear(struct incidents *incidents);
/* The live state from the store, into cleared parts. */
NODISCARD enum status incidents_parts_load(struct incidents *incidents, struct error *err);
bool incidents_parts_are_dirty(const struct incidents *incidents);
/* Writes what is dirty into the effect and submits it. */
void incidents_parts_flush(struct incidents *incidents);
/* For incidents_metrics. */
void incidents_parts_tell_sizes(struct incidents *incidents);
