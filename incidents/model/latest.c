/* SPDX-License-Identifier: Apache-2.0 */
#include "incidents/model/latest.h"
#include <stdlib.h>

enum { FIRST_ROOM = 16 };

static bool is_older(int64_t a_us, uint64_t a, int64_t b_us, uint64_t b)
{
    return a_us != b_us ? a_us < b_us : a < b;
}

static bool is_before(const struct latest_item *a, const struct latest_item *b)
{
    return is_older(a->at_us, a->thing, b->at_us, b->thing);
}

static void set(struct latest *latest, uint32_t place, struct latest_item *item)
{
    latest->heap[place] = item;
    item->place = place;
}

static void rise(struct latest *latest, struct latest_item *item)
{
    uint32_t at = item->place;
    while (at && is_before(item, latest->heap[(at - 1) / 2])) {
        set(latest, at, latest->heap[(at - 1) / 2]);
        at = (at - 1) / 2;
    }
    set(latest, at, item);
}

static void sink(struct latest *latest, struct latest_item *item)
{
    uint32_t at = item->place;
    for (;;) {
        uint32_t child = at * 2 + 1;
        if (child >= latest->count)
            break;
        if (child + 1 < latest->count && is_before(latest->heap[child + 1], latest->heap[child]))
            child++;
        if (!is_before(latest->heap[child], item))
            break;
        set(latest, at, latest->heap[child]);
        at = child;
    }
    set(latest, at, item);
}

static uint64_t home(uint64_t thing)
{
    return hash_home((struct hash128){thing, ~thing});
}

static struct latest_item *find(const struct latest *latest, uint64_t thing)
{
    for (struct hash_link *at = hash_table_first(&latest->items, home(thing)); at;
         at = hash_table_next(at)) {
        struct latest_item *item = CONTAINER_OF(at, struct latest_item, link);
        if (item->thing == thing)
            return item;
    }
    return NULL;
}

static void touch(struct latest *latest, struct latest_item *item)
{
    if (item->is_dirty)
        return;
    item->is_dirty = true;
    item->next_dirty = latest->dirty;
    latest->dirty = item;
}

static bool grow(struct latest *latest)
{
    if (latest->count < latest->room)
        return true;
    uint32_t room = latest->room ? latest->room * 2 : FIRST_ROOM;
    struct latest_item **heap = realloc(latest->heap, room * sizeof(*heap));
    if (!heap)
        return false;
    latest->heap = heap;
    latest->room = room;
    return true;
}

static enum status add(struct latest *latest, uint64_t thing, int64_t at_us)
{
    struct latest_item *item = grow(latest) ? calloc(1, sizeof *item) : NULL;
    if (!item)
        return STATUS_NOMEM;
    item->thing = thing;
    item->at_us = at_us;
    if (hash_table_put(&latest->items, &item->link, home(thing)) != STATUS_OK) {
        free(item);
        return STATUS_NOMEM;
    }
    item->place = latest->count++;
    rise(latest, item);
    touch(latest, item);
    return STATUS_OK;
}

enum status latest_note(struct latest *latest, uint32_t max, uint64_t thing, int64_t at_us,
                        struct latest_gone *out)
{
    *out = (struct latest_gone){0};
    struct latest_item *item = find(latest, thing);
    if (item) {
        if (at_us <= item->at_us)
            return STATUS_OK;
        item->at_us = at_us;
        sink(latest, item);
        touch(latest, item);
        return STATUS_OK;
    }
    if (latest->count < max)
        return add(latest, thing, at_us);
    item = latest->count ? latest->heap[0] : NULL;
    if (!item || is_older(at_us, thing, item->at_us, item->thing))
        return STATUS_OK;
    *out = (struct latest_gone){true, item->thing};
    hash_table_remove(&latest->items, &item->link);
    item->thing = thing;
    item->at_us = at_us;
    sink(latest, item);
    touch(latest, item);
    return hash_table_put(&latest->items, &item->link, home(thing));
}

bool latest_drop(struct latest *latest, uint64_t *out_thing)
{
    if (!latest->count)
        return false;
    struct latest_item *item = latest->heap[0], *last = latest->heap[--latest->count];
    *out_thing = item->thing;
    if (item != last) {
        last->place = 0;
        sink(latest, last);
    }
    hash_table_remove(&latest->items, &item->link);
    for (struct latest_item **at = &latest->dirty; item->is_dirty && *at; at = &(*at)->next_dirty)
        if (*at == item) {
            *at = item->next_dirty;
            break;
        }
    free(item);
    return true;
}

int64_t latest_oldest_us(const struct latest *latest)
{
    return latest->heap[0]->at_us;
}

struct latest_item *latest_take_dirty(struct latest *latest)
{
    struct latest_item *item = latest->dirty;
    if (item) {
        latest->dirty = item->next_dirty;
        item->is_dirty = false;
    }
    return item;
}

void latest_fini(struct latest *latest)
{
    for (uint32_t i = 0; i < latest->count; i++)
        free(latest->heap[i]);
    free(latest->heap);
    hash_table_fini(&latest->items);
    *latest = (struct latest){0};
}
