/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include "app/pipeline.h"

/*
 * What each rule cost and how often it fired, told for the rules of one ruleset: what the threads
 * of a pipeline know of others is found by kind and key, so that a reload on its way confuses
 * nobody. What a swap leaves unchanged (the same content) goes on counting.
 */

/* Costs of every rule and correlation, summed over workers and shards, some events old while they
 * run. `out` has room for ruleset_rules() entries. Any thread. */
void pipeline_costs(const struct pipeline *p, const struct ruleset *ruleset, struct rule_cost *out);

struct pipeline_firing {
    uint64_t fired;  /* detections that left the correlator, shadow rules' too */
    int64_t last_us; /* event time of the latest; TIMESTAMP_NONE: none */
};
/* The same for these. Any thread. */
void pipeline_costs_firings(struct pipeline *p, const struct ruleset *ruleset,
                            struct pipeline_firing *out);

struct pipeline_firings {
    pthread_mutex_t lock;
    struct ruleset *ruleset; /* whose rules `items` has; one reference */
    struct pipeline_firing *items;
};
/* The deciding thread: these left the correlator. */
void pipeline_costs_fired(struct pipeline_firings *f, struct ruleset *ruleset,
                          struct detection *const *detections, uint32_t count);
