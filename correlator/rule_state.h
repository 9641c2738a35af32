/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include "correlator/shard_state.h"

enum {
    /* Ceilings of one window, in events. Thresholds beyond them are refused. */
    RULE_STATE_EVENTS = 1 << 20,
    RULE_STATE_VALUES = 1 << 16,
    RULE_STATE_NUMBERS = 1 << 18,
    RULE_STATE_RANKS = 1 << 16,
};

/* What one correlation needs of a shard out of `shards`. LIMIT with a reason for a threshold that
 * no window can hold, NOMEM. */
NODISCARD enum status rule_state_init(struct rule_state *r, const struct correlation *c,
                                      uint32_t shards, struct error *err);
void rule_state_fini(struct rule_state *r);
