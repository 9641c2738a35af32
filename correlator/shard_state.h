/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include "correlator/correlator.h"
#include "correlator/counters.h"
#include "correlator/succession.h"
#include "correlator/window_store.h"

/* A list of windows by the time of their last touch. */
struct touch_list {
    uint32_t oldest, newest; /* WINDOW_NONE: empty */
};

/* What a shard knows of one correlation of the current ruleset. */
struct rule_state {
    const struct correlation *correlation;
    struct hash128 content; /* the rule's: outlives a swap */
    struct window_shape shape;
    struct touch_list touched, silent; /* silent: absence, reported */
    uint32_t group_count, group_max;
    struct shard_cost cost;
    int64_t idle_us;  /* forgotten when nothing came for longer than this */
    int64_t since_us; /* journal time at which it came into force; INT64_MIN: with the next batch */
    uint64_t since_generation; /* restore: of the freeze that said so */
    struct succession *ways;   /* ORDERED: any of them */
    uint32_t way_count;        /* 0: bounds on the longest */
};

/* No record was seen yet. Far enough from both ends that differences do not overflow. */
#define SHARD_NO_TIME (INT64_MIN / 4)

/* Journal time during a pass. */
struct shard_clock {
    int64_t now_us;    /* journal time */
    int64_t gap_us;    /* of it, time that nobody listened */
    uint64_t position; /* of the record it stands at */
    int64_t before_us; /* time listened before that record */
    int64_t heard_us;  /* time listened that counts for the feed at hand */
};

/* One thing to do in a pass. */
struct work {
    const struct feed *feed;
    uint32_t rule;                /* index in the shard's rules */
    const struct detection *from; /* of a lower pass; NULL: fed by an event */
};

/* An event that came too late for its window: kept for shard_explain alone. */
struct late_event {
    struct hash128 key;
    uint64_t position;
    int64_t event_us, late_us;
};
enum { SHARD_LATE = 256 };

struct shard {
    uint32_t index, count;
    struct window_store store;
    const struct correlation *correlations; /* borrowed: the current ruleset's */
    struct rule_state *rules;               /* one per correlation */
    uint32_t rule_count, depth;
    uint32_t *by_rule; /* rule->index -> correlation + 1, 0: none */
    uint32_t by_rule_count;
    bool has_fresh; /* some since_us is not set */
    bool has_absence;

    struct shard_clock clock, before; /* now; and before the current batch */
    int64_t swept_us;                 /* time listened at which idle windows were last looked for */
    struct work *work;                /* what a pass handles, in order */
    uint32_t work_count, work_max;
    uint64_t inserted; /* which are timed */

    uint64_t generation;   /* of the next freeze; raised by restored ones */
    uint64_t *generations; /* restore only: of each window's newest part; NULL otherwise */
    uint32_t generation_max;
    uint64_t clock_generation; /* restore: of the freeze that said the time */
    bool must_be_whole;        /* the last freeze failed half-way */

    struct late_event *late; /* SHARD_LATE, the newest overwrites the oldest */
    uint64_t late_count;
    struct shard_counters counters;
};
