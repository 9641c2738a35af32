/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include "base/correlation.h"
#include "base/own.h"
#include "base/rule.h"
#include "base/text.h"
#include "incidents/model/hash_table.h"
#include "incidents/model/ident.h"
#include "incidents/model/score.h"
#include <stdbool.h>
#include <stdint.h>

/*
 * What an entity is charged with: its episode, the strongest detection of each (tactic, family),
 * and the incident it belongs to once confirmed.
 */
enum {
    MEMBER_POSITIONS = 5, /* of evidence, at both ends */
    CANDIDATE_MEMBERS = 256,
};

struct member {
    struct text tactic, family; /* kept in the string pool, like all texts here */
    struct text rule, title;    /* of the strongest detection */
    enum rule_level level;
    double chance, mark;
    int64_t first_us, last_us; /* event time */
    uint64_t count;            /* detections */
    uint64_t first[MEMBER_POSITIONS], last[MEMBER_POSITIONS];
    uint32_t first_count, last_count;
};

struct incident;
struct candidate {
    struct hash_link link;
    struct candidate *next_dirty;
    bool is_dirty, is_gone; /* gone: freed when the dirty ones are written */
    double strength;        /* as of when it last changed; order among the weakest */
    uint32_t place;         /* among them, from 1; 0: not there */
    bool is_new;            /* not yet written: its keys enter the lists of names */
    char id[IDENT_LEN + 1]; /* "cnd_...", of this episode's first detection */
    enum entity_kind kind;
    struct text value;                 /* in bytes[] */
    uint32_t episode;                  /* from 1 */
    int64_t episode_us;                /* it holds detections from this event time on */
    struct incident *incident;         /* the one it belongs to in this episode, or NULL */
    char last_incident[IDENT_LEN + 1]; /* of an earlier episode, or "" */
    int64_t last_closed_us;
    bool was_confirmed;  /* ... closed as a true positive */
    int64_t first_us;    /* event time of this episode's earliest evidence */
    int64_t last_us;     /* event time of its latest detection */
    int64_t received_us; /* receipt of the first one's event */
    int64_t alert_us;    /* journal time of the first one */
    uint64_t detections;
    bool is_backfill;
    double criticality;     /* of the inventory; not stored */
    struct member *members; /* sorted by tactic, then family */
    uint32_t member_count, member_max;
    char bytes[];
};

struct candidate *candidate_new(enum entity_kind kind, struct text value);
void candidate_free(struct candidate *c);
AUTO_DEFINE(candidate);
uint64_t candidate_hash(enum entity_kind kind, struct text value);
/* The member, made where there is none yet (*out_is_new). NULL: CANDIDATE_MEMBERS or no memory. */
struct member *candidate_member(struct candidate *c, struct text tactic, struct text family,
                                bool *out_is_new);
/* Removes one of its members. */
void candidate_drop(struct candidate *c, const struct member *member);
/* The member that weighs least; there must be one. */
const struct member *candidate_weakest(const struct candidate *c);
/* What all its members weigh together, as one mark; -1e300 without members. */
double candidate_strength(const struct candidate *c);
/* Score as of t_us. */
struct score_reading candidate_read(const struct candidate *c, int64_t t_us, int64_t half_life_us);
/* Forgets this episode's members. */
void candidate_reset(struct candidate *c);
