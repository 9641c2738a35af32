/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include "correlator/shard_state.h"

/* The correlations of the current ruleset become the shard's rules. Windows of those whose content
 * is unchanged stay, the others go. On failure all is as before. */
NODISCARD enum status ruleset_map_set(struct shard *s, const struct correlation *correlations,
                                      uint32_t count, struct error *err);
void ruleset_map_fini(struct shard *s);
NODISCARD enum status ruleset_map_check(const struct correlation *correlations, uint32_t count,
                                        struct error *err);

/* The shard's rule for a feed's correlation, also for one of an older ruleset that a held feed
 * knows; WINDOW_NONE where the content is gone. */
uint32_t ruleset_map_find(const struct shard *s, const struct correlation *c);
uint32_t ruleset_map_find_content(const struct shard *s, struct hash128 content);
