/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include "base/error.h"
#include "base/hash.h"
#include "base/text.h"
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* A hash table of objects that embed their own link; it owns only its slots. One thread. */
struct hash_link {
    struct hash_link *next;
    uint64_t hash;
};

struct hash_table {
    struct hash_link **slots; /* size of them, a power of two; NULL before the first object */
    size_t size, count;
};

void hash_table_fini(struct hash_table *s);
/* NOMEM: not put. */
NODISCARD enum status hash_table_put(struct hash_table *s, struct hash_link *link, uint64_t hash);
void hash_table_remove(struct hash_table *s, struct hash_link *link);
/* The first object with that hash, and the next one with the same; NULL: none. The caller compares.
 */
struct hash_link *hash_table_first(const struct hash_table *s, uint64_t hash);
struct hash_link *hash_table_next(const struct hash_link *link);
/* Every object, in no order that means anything: start with *slot 0 and `after` NULL. The object
 * given may be removed before the next call only if `after` is read first. */
struct hash_link *hash_table_walk(const struct hash_table *s, size_t *slot,
                                  const struct hash_link *after);

/*
 * The objects that are wanted, in the order that `compare` (as for qsort, of links' addresses)
 * gives: what is decided one after the other must not hang on where the table has them. Gives an
 * array of *out_count links, to be freed; NULL where none is wanted, or without memory.
 */
struct hash_link **hash_table_pick(const struct hash_table *s,
                                   bool (*is_wanted)(const struct hash_link *, const void *),
                                   const void *context, int (*compare)(const void *, const void *),
                                   size_t *out_count);

static inline uint64_t hash_table_hash(struct text t, uint64_t seed)
{
    return hash_seeded(t.at, t.len, seed);
}
