/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include "correlator/shard_state.h"

/* One pass of a shard over one batch: the correlations of one depth. */
struct pass {
    struct shard *shard;
    const struct batch *batch;
    uint32_t depth;
    struct shard_reply *reply;
    uint32_t next_record; /* of the batch: the first that has not moved the clock yet */
    int64_t silence_due;  /* time listened after which some group of this depth is silent */
};

/* Moves journal time over all records up to `position`; silences come out on the way, but those
 * that the record at `position` itself would show wait for what it releases. */
void pass_advance(struct pass *p, uint64_t position);
/* The end of the batch. */
void pass_finish(struct pass *p);
/* One feed into its window, and what follows from it. `is_last`: no further feed of the same event
 * goes to the same window, so its condition is evaluated now. */
void pass_insert(struct pass *p, const struct work *work, bool is_last);
/* A feed that has what its correlation looks at. */
bool pass_is_complete(const struct rule_state *r, const struct feed *f);
