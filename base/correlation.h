/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include "base/fixed.h"
#include "base/rule.h"
#include <stdbool.h>
#include <stdint.h>

/*
 * A compiled Sigma correlation rule as the correlator sees it, and what feeds it. Plain and
 * immutable, owned by its ruleset. Source: Sigma correlation rules specification 2.1.0, SEP 198.
 */

enum correlation_type {
    CORRELATION_EVENT_COUNT,
    CORRELATION_VALUE_COUNT,
    CORRELATION_TEMPORAL,
    CORRELATION_TEMPORAL_ORDERED,
    CORRELATION_VALUE_SUM,
    CORRELATION_VALUE_AVG,
    CORRELATION_VALUE_PERCENTILE,
    CORRELATION_VALUE_MEDIAN,
};

enum fire_policy { FIRE_EDGE, FIRE_LEVEL, FIRE_CONSUME };

enum bound_operator { BOUND_LT, BOUND_LTE, BOUND_GT, BOUND_GTE, BOUND_EQ, BOUND_NEQ };

struct bound {
    enum bound_operator operator;
    fixed128 than;
};

/* One step of an extended temporal condition in postfix order. */
enum step_kind { STEP_INPUT, STEP_NOT, STEP_AND, STEP_OR };
struct step {
    enum step_kind kind;
    uint32_t input; /* STEP_INPUT */
};

enum { CORRELATION_INPUTS = 64, CORRELATION_GROUP = 16, CORRELATION_STEPS = 256 };

/* Where a correlation's own detections go on: into another correlation. */
struct chain_link {
    uint32_t correlation; /* index in ruleset_correlations() */
    uint32_t input;       /* which of its references this is */
    /* The child's i-th group value is this correlation's group value group_from[i]; UINT8_MAX: it
     * has none, so nothing is fed. */
    uint8_t group_from[CORRELATION_GROUP];
    /* The child's value fields the same way (value_count tuples); UINT8_MAX: none. */
    uint8_t value_from[CORRELATION_GROUP];
};

struct correlation {
    const struct rule *rule;
    uint32_t index; /* in ruleset_correlations() */
    enum correlation_type type;
    uint32_t input_count; /* references, at most CORRELATION_INPUTS */
    int64_t timespan_us;
    struct bound bounds[2]; /* both must hold */
    uint32_t bound_count;   /* 0 for temporal without a condition: all inputs */
    struct step steps[CORRELATION_STEPS];
    uint32_t step_count;  /* extended condition; 0: none */
    double percentile;    /* 0..100, value_percentile */
    uint32_t value_count; /* fields that make one value: 0 or 1, more for tuples */
    uint32_t group_count; /* group-by fields */
    uint32_t depth;       /* 1 where all inputs are rules, else 1 + the deepest input */
    const struct chain_link *links;
    uint32_t link_count;

    enum fire_policy fire;
    int64_t renew_us;    /* edge: while true, a renewal this often; 0: never */
    int64_t lateness_us; /* 0: inserted at arrival */
    uint32_t max_groups;
    bool is_absence; /* event_count eq 0: known groups that fell silent */
    int64_t first_seen_learn_us, first_seen_remember_us; /* 0: off */
};

/* Entities of one detection and the values it is grouped by: views, all in one place. */
enum entity_kind { ENTITY_ADDRESS, ENTITY_HOST, ENTITY_USER, ENTITY_SERVICE };
struct entity {
    struct text value; /* as charged: a user is "user@host" or "DOMAIN\user" */
    enum entity_kind kind;
    bool is_charged;
};
/* What rules made of one event, for people: views live as long as the event. */
struct entity_report {
    struct text decoder, mapping; /* their names; empty: none read it */
    const struct entity *entities;
    uint32_t entity_count;
};
const char *correlation_entity_name(enum entity_kind kind); /* "address" ... */

struct subject {
    const struct text *group; /* values, in order of rule->group */
    uint32_t group_count;
    const struct entity *entities;
    uint32_t entity_count;
};

/*
 * When a record lets something pass: what was held goes before the record that moves time past it,
 * so that no answer depends on traffic that matches nothing; a drain lets pass after the last one.
 */
enum release_turn { RELEASE_BEFORE = -1, RELEASE_WITH = 0, RELEASE_AFTER = 1 };

/* One event (or detection) on its way into one correlation's window. */
struct feed {
    const struct correlation *correlation;
    uint32_t input;     /* which reference matched */
    struct hash128 key; /* of the correlation's content hash and the group values */
    int64_t event_us;
    uint64_t position; /* of the event */
    uint64_t released; /* position that let it pass; its own without lateness */
    int8_t turn;       /* enum release_turn, against that record's own feeds */
    const struct record *record;
    bool has_value;          /* value_*: the field was there (and a number) */
    struct hash128 distinct; /* value_count: hash of the tuple */
    fixed128 number;         /* value_sum, _avg, _percentile, _median */
    const struct subject *subject;
};

/* The key of a window: of the correlation's content hash and the values of its group-by fields, in
 * order. Whoever feeds a correlation makes it here, so that all its feeds meet in one window. */
struct hash128 correlation_key(const struct correlation *c, const struct text *group,
                               uint32_t group_count);
/* The `distinct` of a feed: of the values of its value fields, in order. */
struct hash128 correlation_distinct(const struct text *values, uint32_t count);

enum { CORRELATION_BUCKETS = 1024 };
/* Which of the fixed buckets a key belongs to; a shard owns a set of buckets. */
static inline uint32_t correlation_bucket(struct hash128 key)
{
    return (uint32_t)(key.lo & (CORRELATION_BUCKETS - 1));
}
