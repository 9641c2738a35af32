/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include "base/correlation.h"
#include "base/detection.h"
#include "incidents/decide/loudness.h"
#include "incidents/decide/withheld.h"
#include "incidents/model/hash_table.h"
#include "incidents/model/string_pool.h"
#include "incidents/state/changes.h"

/*
 * What keeps a detection from charging: its rule's suppress time, an exception after a false
 * positive, a rule that charges too many entities at once.
 */

enum { SUPPRESSIONS = 200000 /* remembered; beyond that nothing more is suppressed */ };

struct restraints {
    struct hash_table exceptions, suppressed;
    struct loudness loudness;
    struct withheld withheld;
};

void restraints_init(struct restraints *restraints, struct string_pool *strings);
/* True when the rule charged this entity for this group less than its suppress time ago; else notes
 * this one. Another entity is another thing: it is charged. */
bool restraints_suppress(struct restraints *restraints, struct changes *changes,
                         const struct detection *detection, const struct entity *entity,
                         int64_t t_us);
bool restraints_except(const struct restraints *restraints, enum entity_kind kind,
                       struct text value, struct text family, int64_t t_us);
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
/* What a person said was wrong: all exceptions that the incident left, or the one of that id
 * ("exc_..."), go. How many did; each is on the ledger. */
struct restraints_withdrawal {
    struct text by, reason;
    int64_t now_us;
};
uint32_t restraints_withdraw_of(struct restraints *restraints, struct changes *changes,
                                const char *incident, const struct restraints_withdrawal *why);
bool restraints_withdraw(struct restraints *restraints, struct changes *changes, struct text id,
                         const struct restraints_withdrawal *why);
/* Forgets what ended. */
void restraints_tick(struct restraints *restraints, struct changes *changes, int64_t half_life_us);
bool restraints_is_dirty(const struct restraints *restraints);
void restraints_save(struct restraints *restraints, struct changes *changes);
NODISCARD enum status restraints_load(struct restraints *restraints, struct incident_store *store,
                                      struct error *err);
void restraints_clear(struct restraints *restraints);
