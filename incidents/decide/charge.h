/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include "base/detection.h"
#include "incidents/decide/restraints.h"
#include "incidents/decide/verdicts.h"
#include "incidents/outbox/outbox.h"
#include "incidents/state/tables.h"

/* Who is charged, and what it makes of their scores. */
enum { CHARGE_ENTITIES = 16 /* by one detection */ };

struct charger {
    struct changes *changes;
    struct tables *tables;
    struct restraints *restraints;
    struct verdicts *verdicts;
    struct outbox *outbox; /* is told of rules that are too loud */
    double threshold;      /* an incident from this score on */
};

struct charged {
    struct candidate *candidate;
    struct member *member; /* valid until the candidate's next new member */
    bool is_new_member;
    bool crosses; /* over the threshold and in no incident */
    double score;
};
struct charging {
    int64_t t_us; /* event time, not beyond receipt */
    bool is_old;  /* it came long after that */
    struct charged all[CHARGE_ENTITIES];
    uint32_t count;
};
/* All entities of a detection that nothing restrains. */
void charge_detection(const struct charger *charger, const struct detection *detection,
                      struct charging *out);

struct charge {
    struct text tactic, family, rule, title; /* any life: kept here */
    enum rule_level level;
    double chance;
    int64_t t_us;
};
/* The candidate of an entity that is about to be charged, made where there is none; NULL where all
 * others weigh more and there is no room, or without memory. */
struct candidate *charge_candidate(const struct charger *charger, enum entity_kind kind,
                                   struct text value, double chance, int64_t t_us);
/* Charges it; NULL where it was left out. */
struct member *charge_member(const struct charger *charger, struct candidate *candidate,
                             const struct charge *charge, bool *out_is_new);
