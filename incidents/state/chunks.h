/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include "incidents/model/hash_table.h"
#include "incidents/store/incident_store.h"

/*
 * Checkpoints of app: chunks under new names, then one commit that names those that count. What it
 * does not name is removed behind, some at a time, so that nothing else waits.
 */
struct chunks {
    struct hash_table names; /* of the values in the store */
    uint64_t failures;       /* of values put, as of the latest commit */
};

NODISCARD enum status chunks_put(struct chunks *chunks, struct incident_store *store,
                                 struct text key, struct text value);
NODISCARD enum status chunks_get(struct incident_store *store, struct text key, struct buffer *out);
/* IO: a value that a commit may name did not arrive. */
NODISCARD enum status chunks_are_there(struct chunks *chunks, const struct incident_store *store);
/* That commit counts from here on. */
void chunks_committed(struct chunks *chunks, struct text commit);
/* Removes a few values that no commit names. */
void chunks_sweep(struct chunks *chunks, struct incident_store *store);
/* The names that Redis holds. */
NODISCARD enum status chunks_load(struct chunks *chunks, struct incident_store *store,
                                  struct error *err);
void chunks_clear(struct chunks *chunks);
