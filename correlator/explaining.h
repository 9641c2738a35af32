/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include "correlator/shard_state.h"

/* What a window holds, what its condition needs, and what came too late, as one JSON object. */
void explaining_write(const struct shard *s, const struct correlation *c, struct hash128 key,
                      struct buffer *out);
