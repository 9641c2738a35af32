/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include "base/arena.h"
#include "base/buffer.h"
#include "incidents/state/counters.h"
#include "incidents/store/effect.h"
#include "incidents/store/incident_store.h"
#include "incidents/store/ledger.h"
#include "incidents/store/ledger_head.h"

#define HOUR_US (INT64_C(3600) * 1000000)
#define DAY_US  (24 * HOUR_US)

/*
 * What the decisions write, gathered until it is submitted: the effect being filled, the ledger it
 * goes on with, and the journal time they are made at. Every part writes here and nowhere else.
 */
struct changes {
    struct effect *effect; /* being filled; NULL: nothing yet */
    struct ledger ledger;
    struct ledger_end end; /* what the ledger was found with */
    uint64_t headed;       /* number of the last record that tocsin:head knows */
    int64_t journal_us;    /* highest so far */
    bool is_urgent;        /* something new: the effect goes at once */
    bool is_dry;           /* in memory: nobody will read it, commands are passed over */
    struct arena scratch;
    struct buffer text; /* for documents */
    struct counters *counters;
};

void changes_init(struct changes *changes, bool is_dry, struct counters *counters);
void changes_fini(struct changes *changes);
/* Forgets what was not submitted, and the time. */
void changes_clear(struct changes *changes);
/* The effect that is being filled; NULL without memory (counted). */
struct effect *changes_effect(struct changes *changes);
bool changes_is_empty(const struct changes *changes);
/* One ledger record, also on the incident's own trail. */
void changes_record(struct changes *changes, const struct ledger_entry *entry);
/* The texts as one, in the scratch arena; TEXT_NONE without memory. */
struct text changes_join(struct changes *changes, const struct text *texts, size_t count);
#define CHANGES_JOIN(changes, ...)                                                                 \
    changes_join((changes), (const struct text[]){__VA_ARGS__},                                    \
                 sizeof((const struct text[]){__VA_ARGS__}) / sizeof(struct text))
/* A whole number as a word of a command. */
enum { CHANGES_DIGITS = 32 };
struct text changes_digits(int64_t value, char out[CHANGES_DIGITS]);
/* tocsin:head, where there is a new one: with the effect that has the record. */
void changes_save(struct changes *changes);
/* The ledger's head. A ledger that was cut or written anew is gone on with behind what was
 * recorded, and that is recorded: the hole stays for all to see. */
NODISCARD enum status changes_load(struct changes *changes, struct incident_store *store,
                                   struct error *err);
