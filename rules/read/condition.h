/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include "rules/match/compiled.h"
#include "rules/read/selection.h"

/*
 * The condition of a rule: `or` < `and` < `not` < `N of` < parentheses; `1 of x*`, `all of them`.
 * A list of conditions is their OR.
 */

enum { CONDITION_DEPTH = 256, CONDITION_REACH = 1 << 15 };

/* Marks what it uses in `selections`. INVALID: told. */
NODISCARD enum status condition_read(struct compiler *c, struct named_term *selections,
                                     uint32_t count, const struct yaml_node *condition,
                                     struct term *out);
