/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include "incidents/model/hash_table.h"
#include "incidents/state/changes.h"

/*
 * Which rules charge too many entities at once, each found by its latest distinct entities: one
 * more than its ceiling within its time, and it is loud. Two rules that meet on entity after entity
 * are counted in the same way, as a pair.
 */

/* A rule that may charge more than NOISE_ENTITIES has no breaker; beyond NOISE_RULES, and as many
 * pairs, another one has none (counted). */
enum { NOISE_ENTITIES = 10000, NOISE_RULES = 10000 };

struct noise;
struct loudness {
    struct hash_table rules;
    uint32_t pair_count;
    struct noise *dirty;
};

/* How many entities, in which time. */
struct noise_ceiling {
    uint32_t max;
    int64_t window_us;
};
/* Notes the entity. True when the rule is too loud; *out_is_first when it became so just now. */
bool loudness_note(struct loudness *loudness, struct changes *changes, struct text rule,
                   struct noise_ceiling ceiling, uint64_t entity, int64_t t_us, bool *out_is_first);
/* The same of a loud rule and another one that charges the entity too; what counts is the loud
 * rule's ceiling. */
bool loudness_note_pair(struct loudness *loudness, struct changes *changes, struct text loud,
                        struct text other, uint64_t entity, int64_t t_us);
/* Forgets pairs that have not met for a day. */
void loudness_tick(struct loudness *loudness, struct changes *changes);
bool loudness_is_dirty(const struct loudness *loudness);
void loudness_save(struct loudness *loudness, struct changes *changes);
NODISCARD enum status loudness_load(struct loudness *loudness, struct incident_store *store,
                                    struct error *err);
void loudness_clear(struct loudness *loudness);
