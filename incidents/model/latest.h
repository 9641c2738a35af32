/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include "base/error.h"
#include "incidents/model/hash_table.h"
#include <stdbool.h>
#include <stdint.h>

/*
 * The latest distinct things, at most some number of them: which was seen longest ago is known at
 * once, whatever the order they come in. A heap by time, and a table that finds each in it.
 */
struct latest_item {
    struct hash_link link;
    struct latest_item *next_dirty;
    uint64_t thing;
    int64_t at_us;
    uint32_t place; /* in the heap */
    bool is_dirty;
};
struct latest {
    struct hash_table items;
    struct latest_item **heap;
    uint32_t count, room;
    struct latest_item *dirty; /* noted since the list was emptied */
};

/* What gave way to a new one. */
struct latest_gone {
    bool is_gone;
    uint64_t thing;
};

/* Notes that it was seen; beyond `max` things the one seen longest ago gives way, were it this
 * one. Of things seen at one time the lesser one is the older. NOMEM: not noted. */
NODISCARD enum status latest_note(struct latest *latest, uint32_t max, uint64_t thing,
                                  int64_t at_us, struct latest_gone *out);
/* Removes the one seen longest ago; false where there is none. */
bool latest_drop(struct latest *latest, uint64_t *out_thing);
/* When that one was seen; there must be one. */
int64_t latest_oldest_us(const struct latest *latest);
/* Takes the next item to be written from the list; NULL: none. */
struct latest_item *latest_take_dirty(struct latest *latest);
void latest_fini(struct latest *latest);
