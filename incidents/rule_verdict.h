/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include "incidents/state.h"

/*
 * What people said of a rule's incidents, and what of it counts already: confidence changes only in
 * generations that go through the journal, so that a replay decides as that time did.
 */
struct rule_verdict {
    struct hash_link link;
    struct text rule;                     /* string pool */
    int64_t right, wrong;                 /* true and false positives so far; benign is neither */
    int64_t learned_right, learned_wrong; /* of the current generation */
};

/* Counts a closed incident (sign 1) or takes it back when it opens again (sign -1). */
void rule_verdict_count(struct incidents *i, const struct incident *n, int sign);
/* The rule's own confidence, weighed with what was learned. */
double rule_verdict_confidence(const struct incidents *i, const struct rule *rule);
/* From Redis. False without memory. */
bool rule_verdict_load(struct incidents *i, struct text rule, const struct doc_tree *t);
void rule_verdict_clear(struct incidents *i);
