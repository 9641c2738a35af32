/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include "base/hash.h"
#include "incidents/state/changes.h"

/*
 * Ids of detections and alerts that were applied, in two generations: the elder is forgotten when
 * the younger is full, for by then no restart comes back that far.
 */
enum { APPLIED_MAX = 250000 }; /* per generation */

struct applied_set {
    struct hash128 *slots; /* open addressing; zero: empty */
    uint32_t size, count;
};
struct applied {
    struct applied_set sets[2];
    uint32_t generation; /* which of the two is filled */
    bool is_dirty;       /* the generation is not written */
};

bool applied_has(const struct applied *applied, struct hash128 id);
bool applied_is_full(const struct applied *applied);
/* The other generation is filled from here on, empty. What was noted before must be submitted: an
 * effect's ids all go into one generation. */
void applied_turn(struct applied *applied, struct changes *changes);
void applied_add(struct applied *applied, struct changes *changes, struct hash128 id);
NODISCARD enum status applied_load(struct applied *applied, struct incident_store *store,
                                   struct error *err);
void applied_clear(struct applied *applied);
