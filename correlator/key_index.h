/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include "base/error.h"
#include "base/hash.h"
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * From a window's key to its number: open addressing over 8-byte cells, so that a miss costs one
 * cache line and growing reads nothing but the table itself. The full key is compared by the
 * caller, which holds the windows. One thread.
 */
struct key_cell {
    uint32_t home;   /* of its hash_home: where the search begins, and what is compared first */
    uint32_t number; /* window number + 1; 0: empty */
};
struct key_index {
    struct key_cell *cells;
    uint32_t mask; /* size - 1 */
    uint32_t count;
};

NODISCARD enum status key_index_init(struct key_index *x);
void key_index_fini(struct key_index *x);

/* Where the search for `key` begins; the walk goes to the next cell, with `mask`. */
static inline uint32_t key_index_home(struct hash128 key)
{
    return (uint32_t)hash_home(key);
}
size_t key_index_bytes(const struct key_index *x);
/* Room for one more. At most 70 of 100 cells are used. NOMEM leaves the table as it is. */
NODISCARD enum status key_index_reserve(struct key_index *x);
/* There is room, and the key is not in the table. */
void key_index_add(struct key_index *x, struct hash128 key, uint32_t number);
/* The cell of that window is taken out; the others stay reachable. */
void key_index_remove(struct key_index *x, struct hash128 key, uint32_t number);
