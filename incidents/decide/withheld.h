/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include "base/detection.h"
#include "incidents/model/candidate.h"
#include "incidents/model/string_pool.h"
#include "incidents/state/changes.h"

/*
 * What rules would have charged while they were too loud, by entity, until another rule speaks of
 * that entity: then it charges after all, at its own time.
 */
enum { HELD_CHARGES = 200000 /* the rule with the most of them gives its oldest */ };

struct held_rule;
struct held_charge {
    struct hash_link link;              /* by the entity */
    struct held_charge *before, *after; /* of its rule, in the order they came */
    struct held_charge *next_dirty;
    struct held_rule *owner;
    bool is_dirty, is_gone; /* gone: freed when the dirty ones are written */
    struct hash128 entity;
    struct member member;
    enum rule_open open;
    int64_t first_us;    /* event time of its earliest evidence */
    int64_t received_us; /* receipt of the first one's event */
    int64_t alert_us;    /* journal time of the first one */
    uint64_t order;
};
struct withheld {
    struct hash_table charges, rules;
    struct held_charge *dirty;
    struct string_pool *strings;
    uint64_t order; /* of the latest */
};

void withheld_init(struct withheld *withheld, struct string_pool *strings);
struct hash128 withheld_entity(enum entity_kind kind, struct text value);
/* The charges held for the entity, by rule; how many. */
uint32_t withheld_of(const struct withheld *withheld, struct hash128 entity,
                     struct held_charge *out[CANDIDATE_MEMBERS]);
struct held_charge *withheld_find(const struct withheld *withheld, struct hash128 entity,
                                  struct text rule);
/* The rule's charge of that entity, made where there is none (times TIMESTAMP_NONE), as the latest
 * of its rule; it is written with the next effect. NULL without memory, or where the entity has
 * CANDIDATE_MEMBERS of them. */
struct held_charge *withheld_put(struct withheld *withheld, struct changes *changes,
                                 struct hash128 entity, const struct rule *rule);
/* It changed. */
void withheld_touch(struct withheld *withheld, struct held_charge *charge);
void withheld_remove(struct withheld *withheld, struct changes *changes,
                     struct held_charge *charge);
/* What weighs next to nothing any more by that time is as good as gone. */
bool withheld_has_faded(const struct held_charge *charge, int64_t t_us, int64_t half_life_us);
/* Forgets those. */
void withheld_tick(struct withheld *withheld, struct changes *changes, int64_t half_life_us);
bool withheld_is_dirty(const struct withheld *withheld);
void withheld_save(struct withheld *withheld, struct changes *changes);
NODISCARD enum status withheld_load(struct withheld *withheld, struct incident_store *store,
                                    struct error *err);
void withheld_clear(struct withheld *withheld);
