/* SPDX-License-Identifier: Apache-2.0 */
#include "incidents/shelf.h"
#include <stdlib.h>

enum { FIRST_SIZE = 64 };

void shelf_fini(struct shelf *s)
{
    free(s->slots);
    *s = (struct shelf){0};
}

static enum status grow(struct shelf *s)
{
    size_t size = s->size ? s->size * 2 : FIRST_SIZE;
    struct shelf_link **slots = calloc(size, sizeof *slots);
    if (!slots)
        return s->size ? STATUS_OK : STATUS_NOMEM; /* a full table is slow, not wrong */
    for (size_t i = 0; i < s->size; i++) {
        while (s->slots[i]) {
            struct shelf_link *link = s->slots[i];
            s->slots[i] = link->next;
            link->next = slots[link->hash & (size - 1)];
            slots[link->hash & (size - 1)] = link;
        }
    }
    free(s->slots);
    s->slots = slots;
    s->size = size;
    return STATUS_OK;
}

enum status shelf_put(struct shelf *s, struct shelf_link *link, uint64_t hash)
{
    if (s->count >= s->size && grow(s) != STATUS_OK)
        return STATUS_NOMEM;
    link->hash = hash;
    link->next = s->slots[hash & (s->size - 1)];
    s->slots[hash & (s->size - 1)] = link;
    s->count++;
    return STATUS_OK;
}

void shelf_remove(struct shelf *s, struct shelf_link *link)
{
    for (struct shelf_link **at = &s->slots[link->hash & (s->size - 1)]; *at; at = &(*at)->next) {
        if (*at != link)
            continue;
        *at = link->next;
        s->count--;
        return;
    }
}

static struct shelf_link *same(struct shelf_link *from, uint64_t hash)
{
    while (from && from->hash != hash)
        from = from->next;
    return from;
}

struct shelf_link *shelf_first(const struct shelf *s, uint64_t hash)
{
    return s->size ? same(s->slots[hash & (s->size - 1)], hash) : NULL;
}

struct shelf_link *shelf_next(const struct shelf_link *link)
{
    return same(link->next, link->hash);
}

struct shelf_link *shelf_walk(const struct shelf *s, size_t *slot, const struct shelf_link *after)
{
    struct shelf_link *at = after ? after->next : NULL;
    while (!at && *slot < s->size)
        at = s->slots[(*slot)++];
    return at;
}

struct shelf_link **shelf_pick(const struct shelf *s,
                               bool (*is_wanted)(const struct shelf_link *, const void *),
                               const void *context, int (*compare)(const void *, const void *),
                               size_t *out_count)
{
    size_t count = 0, slot = 0;
    for (const struct shelf_link *at = shelf_walk(s, &slot, NULL); at;
         at = shelf_walk(s, &slot, at))
        count += is_wanted(at, context);
    *out_count = 0;
    struct shelf_link **all = count ? malloc(count * sizeof(*all)) : NULL;
    if (!all)
        return NULL;
    slot = 0;
    for (struct shelf_link *at = shelf_walk(s, &slot, NULL); at; at = shelf_walk(s, &slot, at))
        if (is_wanted(at, context))
            all[(*out_count)++] = at;
    qsort(all, count, sizeof(*all), compare);
    return all;
}
