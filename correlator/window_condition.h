/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include "correlator/shard_state.h"

/* What a correlation's condition says about a window that was pruned. */
bool window_condition_holds(const struct rule_state *r, const struct window *w);
/* The value that the bounds are compared with: a count, a sum, an average, a rank's value. */
fixed128 window_condition_value(const struct rule_state *r, const struct window *w);
/* Each extended condition of an ordered correlation as its ways to be satisfied. LIMIT beyond 64,
 * NOMEM. Gives *out, which free() frees. */
NODISCARD enum status window_condition_ways(const struct correlation *c, struct succession **out,
                                            uint32_t *out_count, struct error *err);
/* Up to how many events, values or inputs the bounds can tell numbers apart. */
uint64_t window_condition_needed(const struct correlation *c);
