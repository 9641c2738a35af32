/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include "incidents/state.h"

/* What a detection does to entities and incidents: the one decision, at journal time. */
void incident_detect_apply(struct incidents *i, const struct detection *d);

/* Parts of it that alerts and commands share. */

/* The candidate of an entity, made where there is none; NULL at the ceiling or without memory. */
struct candidate *incident_detect_candidate(struct incidents *i, enum entity_kind kind,
                                            struct text value);
struct charge {
    struct text tactic, family, rule, title; /* any life: kept here */
    enum rule_level level;
    double chance;
    int64_t t_us;
};
/* Charges; NULL where it was left out. */
struct member *incident_detect_charge(struct incidents *i, struct candidate *c,
                                      const struct charge *charge, bool *out_is_new);
/* Scores, parts, severity and priority of an incident from its entities. True: priority rose. */
bool incident_detect_reweigh(struct incidents *i, struct incident *n);
/* It began no later than this: the earliest evidence of what belongs to it. */
void incident_detect_date(struct incident *n, int64_t first_us);
/* Ends the entity's part in its incident: the next detection starts a new episode. */
void incident_detect_release(struct incidents *i, struct candidate *c, int64_t now_us,
                             bool was_confirmed);
/* Writes a ledger record about an incident: "incident.<what>", with its state and priority. */
void incident_detect_record(struct incidents *i, struct incident *n, const char *kind,
                            struct text by, struct text more, int64_t now_us);
/* Open again: state, times, ledger, notice; its entities belong to it again. */
void incident_detect_reopen(struct incidents *i, struct incident *n, struct text by,
                            const char *why, int64_t now_us);
/* Where it is new and what it is about: opened, ledger, storm, notice. */
void incident_detect_open(struct incidents *i, struct incident *n, int64_t now_us);
