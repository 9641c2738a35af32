/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include "rules/match/node.h"
#include "rules/match/predicate.h"

/* Can a condition ever hold, can it ever not? A search over the answers of its predicates, with
 * what one says of another; after a bounded number of steps it gives up and says yes. */
struct logic {
    const struct predicates *predicates;
    uint8_t *answers; /* by predicate, while searching */
    uint32_t *asked;  /* those that have one */
    uint32_t asked_count, steps;
    bool is_single;    /* every field has one value: else two values of a list may answer */
    uint32_t conflict; /* field of the last pair that excluded each other, or NAMES_NONE */
};
enum { LOGIC_LEAVES = 512 }; /* a larger condition is not looked at */

bool logic_init(struct logic *l, const struct predicates *predicates);
void logic_fini(struct logic *l);
/* Whether some event gives the condition this answer. */
bool logic_can_be(struct logic *l, struct term term, bool answer, bool is_single);
