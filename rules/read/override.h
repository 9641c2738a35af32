/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include "rules/read/draft.h"

/*
 * overrides.yml: local tuning that survives updates of foreign rules. By rule id or name it sets
 * enabled, level, confidence, open, fire, suppress, or leaves out what `not` matches:
 *
 *     929a690e-bef0-4204-a928-ef5e620d6fcc:
 *       level: low
 *       not: {match: {User: 'CORP\backup'}, owner: alice, reason: nightly job, end: 2027-01-31}
 *
 * A correlation's `not` is about its group (also by an alias) or any field of the events that its
 * rules matched; it is an exception for this correlation alone.
 *
 * Applied to a draft before it is linked. `now_us` decides which exceptions have ended.
 */
NODISCARD enum status override_apply(struct draft *d, const char *path, struct arena *nodes,
                                     int64_t now_us);
/* What the correlation is not told of the events of one of its rules: the exceptions of its `not`
 * in that rule's words; NULL: none. For linking. */
NODISCARD enum status override_unless(struct draft *d, const struct relation_draft *r,
                                      uint32_t input, const struct node **out);
