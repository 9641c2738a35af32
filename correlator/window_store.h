/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include "base/error.h"
#include "correlator/key_index.h"
#include "correlator/window.h"

/*
 * All windows of a shard by key and by number: pages that never move, a table of keys, and which of
 * them changed since they were last written out. One ceiling for windows, blocks and table. One
 * thread.
 */
#define WINDOW_NONE UINT32_MAX
enum { WINDOW_PAGE = 1024 };

struct window_page;
struct window_store {
    struct slab slab;
    struct key_index index;
    struct window_page **pages;
    uint32_t page_count, page_max;
    uint32_t used;       /* numbers given out at least once */
    uint32_t first_free; /* of those that came back, linked through `older` */
    uint32_t live;
    size_t max_bytes; /* of slab, table and the list of pages together */
};

NODISCARD enum status window_store_init(struct window_store *s, size_t max_bytes);
void window_store_fini(struct window_store *s);
size_t window_store_bytes(const struct window_store *s);

struct window *window_store_at(const struct window_store *s, uint32_t number);
/* WINDOW_NONE where there is none. */
uint32_t window_store_find(const struct window_store *s, struct hash128 key);
/* A new window for a key that is not there, zeroed but for key, block class and links. LIMIT at
 * the ceiling, NOMEM. */
NODISCARD enum status window_store_add(struct window_store *s, struct hash128 key,
                                       uint32_t *out_number);
/* The window is in no list any more. */
void window_store_remove(struct window_store *s, uint32_t number);

/* Fetches ahead what a later find of `key` will read. Three rounds over a group of keys: 0 the
 * table, 1 the window, 2 its entries. */
void window_store_prefetch(const struct window_store *s, struct hash128 key, int round);

void window_store_mark(struct window_store *s, uint32_t number);
/* The next changed window from `from` on, unmarked by this; WINDOW_NONE behind the last. */
uint32_t window_store_next_marked(struct window_store *s, uint32_t from);
