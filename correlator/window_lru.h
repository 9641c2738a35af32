/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include "correlator/shard_state.h"

/* Which windows there are: the lists by last touch, the ceilings, and forgetting. */

/* Time spent listening so far: journal time without the gaps between runs. */
static inline int64_t window_lru_now(const struct shard *s)
{
    return s->clock.now_us - s->clock.gap_us;
}

/* Nothing came for so long before `at_us` (time listened) that the window is as good as gone. */
bool window_lru_is_idle(const struct rule_state *r, const struct window *w, int64_t at_us);

/* The window of that key, or a new one; WINDOW_NONE where there is no memory. An idle one is as
 * new. */
uint32_t window_lru_find(struct shard *s, struct rule_state *r, struct hash128 key);
/* An event came. */
void window_lru_mark(struct shard *s, struct rule_state *r, uint32_t number);
/* From the list it is in to the end of the other: heard again, or silent. */
void window_lru_set_silent(struct shard *s, struct rule_state *r, uint32_t number, bool is_silent);
/* Appends a window that is in no list: restore. */
void window_lru_enlist(struct shard *s, uint32_t number);
/* Takes a window out of its list, to be enlisted again. */
void window_lru_leave(struct shard *s, uint32_t number);
void window_lru_forget(struct shard *s, uint32_t number);
/* Evicts the least recently touched window of the shard but not `keep`, and up to one of a thousand
 * more that are no younger than the next correlation's; false: there is none. */
bool window_lru_evict(struct shard *s, uint32_t keep);
/* Forgets windows of one correlation that are idle at `at_us`, a bounded number of them. */
void window_lru_sweep(struct shard *s, struct rule_state *r, int64_t at_us);
