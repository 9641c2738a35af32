/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include "correlator/shard_state.h"

/* Detections into a reply. Without room they are counted as refused. */

/* A window's condition was met by `f`; also a renewal. */
void firing_add(struct shard *s, const struct rule_state *r, const struct window *w,
                const struct feed *f, bool is_renewal, struct shard_reply *reply);
/* A group fell silent at `event_us`; the shard's clock says which record showed it. */
void firing_add_silence(struct shard *s, const struct rule_state *r, const struct window *w,
                        int64_t event_us, bool is_renewal, struct shard_reply *reply);
