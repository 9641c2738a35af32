/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include "base/rule.h"
#include "incidents/model/hash_table.h"
#include "incidents/model/incident.h"
#include "incidents/model/string_pool.h"
#include "incidents/state/changes.h"

/*
 * What people said of a rule's incidents, and what of it counts already: confidence changes only in
 * generations that go through the journal, so that a replay decides as that time did.
 */
struct rule_verdict {
    struct hash_link link;
    struct text rule;                     /* kept */
    int64_t right, wrong;                 /* true and false positives so far; benign is neither */
    int64_t learned_right, learned_wrong; /* of the current generation */
};

struct verdicts {
    struct hash_table rules;
    struct string_pool *strings;
};

void verdicts_init(struct verdicts *verdicts, struct string_pool *strings);
/* Counts a closed incident (sign 1) or takes it back when it opens again (sign -1). */
void verdicts_count(struct verdicts *verdicts, struct changes *changes,
                    const struct incident *incident, int sign);
/* The rule's own confidence, weighed with what was learned. */
double verdicts_confidence(const struct verdicts *verdicts, const struct rule *rule);
/* {"rules":{KEY:{"right":N,"wrong":N}}}, sorted: a generation. */
void verdicts_write(const struct verdicts *verdicts, struct buffer *out);
/* From here on that generation counts. SYNTAX, INVALID, NOMEM. */
NODISCARD enum status verdicts_learn(struct verdicts *verdicts, struct changes *changes,
                                     struct text generation);
NODISCARD enum status verdicts_load(struct verdicts *verdicts, struct incident_store *store,
                                    struct error *err);
void verdicts_clear(struct verdicts *verdicts);
