/* SPDX-License-Identifier: Apache-2.0 */
#include "incidents/model/hash_table.h"
#include <stdlib.h>

enum { FIRST_SIZE = 64 };

void hash_table_fini(struct hash_table *s)
{
    free(s->slots);
    *s = (struct hash_table){0};
}

static enum status grow(struct hash_table *s)
{
    size_t size = s->size ? s->size * 2 : FIRST_SIZE;
    struct hash_link **slots = calloc(size, sizeof *slots);
    if (!slots)
        return s->size ? STATUS_OK : STATUS_NOMEM; /* a full table is slow, not wrong */
    for (size_t i = 0; i < s->size; i++) {
        while (s->slots[i]) {
            struct hash_link *link = s->slots[i];
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

enum status hash_table_put(struct hash_table *s, struct hash_link *link, uint64_t hash)
{
    if (s->count >= s->size && grow(s) != STATUS_OK)
        return STATUS_NOMEM;
    link->hash = hash;
    link->next = s->slots[hash & (s->size - 1)];
    s->slots[hash & (s->size - 1)] = link;
    s->count++;
    return STATUS_OK;
}

void hash_table_remove(struct hash_table *s, struct hash_link *link)
{
    for (struct hash_link **at = &s->slots[link->hash & (s->size - 1)]; *at; at = &(*at)->next) {
        if (*at != link)
            continue;
        *at = link->next;
        s->count--;
        return;
    }
}

static struct hash_link *same(struct hash_link *from, uint64_t hash)
{
    while (from && from->hash != hash)
        from = from->next;
    return from;
}

struct hash_link *hash_table_first(const struct hash_table *s, uint64_t hash)
{
    return s->size ? same(s->slots[hash & (s->size - 1)], hash) : NULL;
}

struct hash_link *hash_table_next(const struct hash_link *link)
{
    return same(link->next, link->hash);
}

struct hash_link *hash_table_walk(const struct hash_table *s, size_t *slot,
                                  const struct hash_link *after)
{
    struct hash_link *at = after ? after->next : NULL;
    while (!at && *slot < s->size)
        at = s->slots[(*slot)++];
    return at;
}

struct hash_link **hash_table_pick(const struct hash_table *s,
                                   bool (*is_wanted)(const struct hash_link *, const void *),
                                   const void *context, int (*compare)(const void *, const void *),
                                   size_t *out_count)
{
    size_t count = 0, slot = 0;
    for (const struct hash_link *at = hash_table_walk(s, &slot, NULL); at;
         at = hash_table_walk(s, &slot, at))
        count += is_wanted(at, context);
    *out_count = 0;
    struct hash_link **all = count ? malloc(count * sizeof(*all)) : NULL;
    if (!all)
        return NULL;
    slot = 0;
    for (struct hash_link *at = hash_table_walk(s, &slot, NULL); at;
         at = hash_table_walk(s, &slot, at))
        if (is_wanted(at, context))
            all[(*out_count)++] = at;
    qsort(all, count, sizeof(*all), compare);
    return all;
}
