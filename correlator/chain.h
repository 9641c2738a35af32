/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include "correlator/shard_state.h"

/* A lower pass's detections as feeds of this shard's correlations of `depth`, into the shard's
 * work. They view into `arena` and the replies. */
void chain_feed(struct shard *s, const struct shard_reply *lower, uint32_t depth,
                struct arena *arena);
/* Room for one more. */
bool chain_reserve_work(struct shard *s);
