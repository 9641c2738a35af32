/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include "base/rule.h"
#include "base/text.h"
#include <stdint.h>

/*
 * The severity score: noisy-OR over the strongest detection of each (tactic, family), forward
 * decay (Cormode, Korn, Tirthapura, PODS 2008), a bonus for distinct tactics, weighted by the
 * entity's criticality. Pure functions.
 */

/* Chance that a detection means harm: level times confidence, 0..0.99. */
double score_chance(enum rule_level level, double confidence);
/* The rule's confidence after `right` and `wrong` verdicts; the rule's own word weighs as 8. */
double score_confidence(double prior, double right, double wrong);
/* What is kept of a detection at t_us: log2(lambda) + t/h. -INFINITY for chance 0. */
double score_mark(double chance, int64_t t_us, int64_t half_life_us);
/* Its lambda as of t_us. */
double score_weight(double mark, int64_t t_us, int64_t half_life_us);

struct score_part {
    struct text tactic;
    double mark;
};
struct score_reading {
    double score;     /* 0..100, with criticality */
    double severity;  /* 0..100, at criticality 1 */
    double diversity; /* 1..4.25 */
    double lambda;    /* sum of weights */
};
/* `parts` are sorted by tactic: the sums are then the same bits whatever order they came in. */
struct score_reading score_read(const struct score_part *parts, uint32_t count, int64_t t_us,
                                int64_t half_life_us, double criticality);
