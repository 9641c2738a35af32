/* SPDX-License-Identifier: Apache-2.0 */
#include "correlator/window_store.h"
#include <stdlib.h>
#include <string.h>

struct window_page {
    void *next;     /* the slab's */
    uint64_t spare; /* windows start on a cache line */
    uint64_t marked[WINDOW_PAGE / 64];
    uint64_t fill[6];
    struct window windows[WINDOW_PAGE];
};
_Static_assert(sizeof(struct window) == 64, "a window is one cache line");

static struct window_page *page_of(const struct window_store *s, uint32_t number)
{
    return s->pages[number / WINDOW_PAGE];
}

struct window *window_store_at(const struct window_store *s, uint32_t number)
{
    return &page_of(s, number)->windows[number % WINDOW_PAGE];
}

/* The slab may have what table and list leave. */
static void set_slab_ceiling(struct window_store *s)
{
    size_t others = key_index_bytes(&s->index) + s->page_max * sizeof *s->pages;
    s->slab.max_bytes = s->max_bytes > others ? s->max_bytes - others : 0;
}

enum status window_store_init(struct window_store *s, size_t max_bytes)
{
    *s = (struct window_store){.first_free = WINDOW_NONE, .max_bytes = max_bytes};
    slab_init(&s->slab, max_bytes);
    enum status status = key_index_init(&s->index);
    if (!status)
        set_slab_ceiling(s);
    return status;
}

void window_store_fini(struct window_store *s)
{
    for (uint32_t i = 0; i < s->used; i++) {
        struct window *w = window_store_at(s, i);
        if (w->flags & WINDOW_LIVE)
            window_drop_block(w, &s->slab);
    }
    slab_fini(&s->slab);
    key_index_fini(&s->index);
    free(s->pages);
    *s = (struct window_store){.first_free = WINDOW_NONE};
}

size_t window_store_bytes(const struct window_store *s)
{
    return s->slab.used_bytes + key_index_bytes(&s->index) + s->page_max * sizeof *s->pages;
}

uint32_t window_store_find(const struct window_store *s, struct hash128 key)
{
    const struct key_index *x = &s->index;
    uint32_t home = key_index_home(key);
    for (uint32_t at = home & x->mask; x->cells[at].number; at = (at + 1) & x->mask) {
        if (x->cells[at].home != home)
            continue;
        uint32_t number = x->cells[at].number - 1;
        if (hash_equal(window_store_at(s, number)->key, key))
            return number;
    }
    return WINDOW_NONE;
}

void window_store_prefetch(const struct window_store *s, struct hash128 key, int round)
{
    const struct key_index *x = &s->index;
    uint32_t home = key_index_home(key);
    uint32_t at = home & x->mask;
    if (round == 0) {
        __builtin_prefetch(&x->cells[at], 0, 3);
        return;
    }
    while (x->cells[at].number && x->cells[at].home != home)
        at = (at + 1) & x->mask;
    if (!x->cells[at].number)
        return;
    const struct window *w = window_store_at(s, x->cells[at].number - 1);
    if (round == 1) {
        __builtin_prefetch(w, 1, 3);
        return;
    }
    if (w->block)
        __builtin_prefetch(w->block, 1, 3);
    if (w->older != WINDOW_NONE) /* a touch moves the window within its list */
        __builtin_prefetch(window_store_at(s, w->older), 1, 3);
    if (w->newer != WINDOW_NONE)
        __builtin_prefetch(window_store_at(s, w->newer), 1, 3);
}

static enum status grow_pages(struct window_store *s)
{
    if (s->page_count == s->page_max) {
        uint32_t max = s->page_max ? s->page_max * 2 : 16;
        struct window_page **pages = realloc(s->pages, max * sizeof *pages);
        if (!pages)
            return STATUS_NOMEM;
        s->pages = pages;
        s->page_max = max;
        set_slab_ceiling(s);
    }
    struct window_page *page = slab_take_page(&s->slab, sizeof *page);
    if (!page)
        return STATUS_LIMIT;
    memset(page->marked, 0, sizeof page->marked);
    s->pages[s->page_count++] = page;
    return STATUS_OK;
}

/* The table doubles: it must stay below the ceiling together with all the rest. */
static bool has_table_room(const struct window_store *s)
{
    const struct key_index *x = &s->index;
    bool is_growing = (uint64_t)x->count * 10 >= ((uint64_t)x->mask + 1) * 7;
    return !is_growing || window_store_bytes(s) + key_index_bytes(x) <= s->max_bytes;
}

enum status window_store_add(struct window_store *s, struct hash128 key, uint32_t *out_number)
{
    if (!has_table_room(s))
        return STATUS_LIMIT;
    enum status status = key_index_reserve(&s->index);
    if (status)
        return status;
    set_slab_ceiling(s);
    uint32_t number = s->first_free;
    if (number == WINDOW_NONE) {
        if (s->used == s->page_count * WINDOW_PAGE)
            status = s->used < WINDOW_NONE - WINDOW_PAGE ? grow_pages(s) : STATUS_LIMIT;
        if (status)
            return status;
        number = s->used++;
    } else {
        s->first_free = window_store_at(s, number)->older;
    }
    struct window *w = window_store_at(s, number);
    *w = (struct window){.key = key,
                         .newest_us = INT64_MIN,
                         .older = WINDOW_NONE,
                         .newer = WINDOW_NONE,
                         .size_class = UINT8_MAX,
                         .flags = WINDOW_LIVE};
    key_index_add(&s->index, key, number);
    s->live++;
    *out_number = number;
    return STATUS_OK;
}

void window_store_remove(struct window_store *s, uint32_t number)
{
    struct window *w = window_store_at(s, number);
    window_drop_block(w, &s->slab);
    key_index_remove(&s->index, w->key, number);
    page_of(s, number)->marked[number % WINDOW_PAGE / 64] &= ~(UINT64_C(1) << (number % 64));
    w->flags = 0;
    w->older = s->first_free;
    s->first_free = number;
    s->live--;
}

void window_store_mark(struct window_store *s, uint32_t number)
{
    page_of(s, number)->marked[number % WINDOW_PAGE / 64] |= UINT64_C(1) << (number % 64);
}

uint32_t window_store_next_marked(struct window_store *s, uint32_t from)
{
    while (from < s->used) {
        uint64_t *word = &page_of(s, from)->marked[from % WINDOW_PAGE / 64];
        uint64_t rest = *word >> (from % 64);
        if (!rest) {
            from = (from | 63) + 1;
            continue;
        }
        from += (uint32_t)__builtin_ctzll(rest);
        *word &= ~(UINT64_C(1) << (from % 64));
        return from;
    }
    return WINDOW_NONE;
}
