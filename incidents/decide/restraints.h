/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include "base/correlation.h"
#include "base/detection.h"
#include "incidents/model/hash_table.h"
#include "incidents/model/string_pool.h"
#include "incidents/state/changes.h"

/*
 * What keeps a detection from charging: its rule's suppress time, an exception after a false
 * positive, a rule that charges too many entities at once.
 */

/* A rule that may charge more than NOISE_ENTITIES has no breaker: it could not be kept exactly. */
enum { NOISE_ENTITIES = 10000, NOISE_RULES = 10000 };

struct noise;
struct restraints {
    struct hash_table exceptions, suppressed, noise;
    struct noise *dirty_noise;
    struct string_pool *strings;
};

void restraints_init(struct restraints *restraints, struct string_pool *strings);
/* True when the rule fired for this group less than its suppress time ago; else notes this one. */
bool restraints_suppress(struct restraints *restraints, struct changes *changes,
                         const struct detection *detection, int64_t t_us);
bool restraints_except(const struct restraints *restraints, enum entity_kind kind,
                       struct text value, struct text family, int64_t t_us);
/* True when the rule is too loud to charge; *out_is_first when it became so just now. */
bool restraints_are_loud(struct restraints *restraints, struct changes *changes,
                         const struct rule *rule, uint64_t entity, int64_t t_us,
                         bool *out_is_first);
/* An entity that a false positive showed to be harmless to a family of rules. */
struct restraints_excepted {
    enum entity_kind kind;
    struct text value, family;
    int64_t until_us;
    struct text by;
    const char *incident;
};
/* From now on it is not charged until then. */
void restraints_add_exception(struct restraints *restraints, struct changes *changes,
                              const struct restraints_excepted *excepted);
/* Forgets what ended. */
void restraints_tick(struct restraints *restraints, struct changes *changes);
bool restraints_is_dirty(const struct restraints *restraints);
void restraints_save(struct restraints *restraints, struct changes *changes);
NODISCARD enum status restraints_load(struct restraints *restraints, struct incident_store *store,
                                      struct error *err);
void restraints_clear(struct restraints *restraints);
