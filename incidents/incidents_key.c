/* SPDX-License-Identifier: Apache-2.0 */
#include "incidents/incidents_key.h"
#include <stdlib.h>

struct incident *incidents_key_find(const struct incidents *i, struct text id)
{
    for (struct hash_link *at = hash_table_first(&i->incidents, hash_table_hash(id, 0)); at;
         at = hash_table_next(at)) {
        struct incident *n = CONTAINER_OF(at, struct incident, link);
        if (text_equal(text_of(n->id), id))
            return n;
    }
    return NULL;
}

struct incident *incidents_key_find_alert(const struct incidents *i, struct text key)
{
    struct incident *latest = NULL;
    for (struct hash_link *at = hash_table_first(&i->keys, hash_table_hash(key, 0)); at;
         at = hash_table_next(at)) {
        struct incident *n = CONTAINER_OF(at, struct incident, key_link);
        if (text_equal(text_of(n->key), key) &&
            (!latest || n->times[TIME_OPENED] > latest->times[TIME_OPENED]))
            latest = n;
    }
    return latest;
}

enum status incidents_key_adopt(struct incidents *i, struct incident *n)
{
    struct text id = text_of(n->id);
    if (incidents_key_find(i, id)) {
        incident_free(n);
        return STATUS_OK;
    }
    if (hash_table_put(&i->incidents, &n->link, hash_table_hash(id, 0)) != STATUS_OK) {
        incident_free(n);
        return STATUS_NOMEM;
    }
    if (n->key)
        n->has_key_link = hash_table_put(&i->keys, &n->key_link,
                                         hash_table_hash(text_of(n->key), 0)) == STATUS_OK;
    return STATUS_OK;
}

void incidents_key_drop(struct incidents *i, struct incident *n)
{
    hash_table_remove(&i->incidents, &n->link);
    if (n->has_key_link)
        hash_table_remove(&i->keys, &n->key_link);
    incident_free(n);
}

struct candidate *incidents_key_candidate(const struct incidents *i, enum entity_kind kind,
                                          struct text value)
{
    for (struct hash_link *at = hash_table_first(&i->candidates, candidate_hash(kind, value)); at;
         at = hash_table_next(at)) {
        struct candidate *c = CONTAINER_OF(at, struct candidate, link);
        if (c->kind == kind && text_equal(c->value, value))
            return c;
    }
    return NULL;
}

/* ---- ids ---- */

static uint32_t slot_of(const struct applied *a, struct hash128 id)
{
    static const struct hash128 empty = {0, 0};
    uint32_t at = (uint32_t)hash_home(id) & (a->size - 1);
    while (!hash_equal(a->slots[at], empty) && !hash_equal(a->slots[at], id))
        at = (at + 1) & (a->size - 1);
    return at;
}

bool incidents_key_is_applied(const struct applied *a, struct hash128 id)
{
    return a->size && hash_equal(a->slots[slot_of(a, id)], id);
}

static bool grow(struct applied *a)
{
    struct applied bigger = {.size = a->size ? a->size * 2 : 1024};
    bigger.slots = calloc(bigger.size, sizeof *bigger.slots);
    if (!bigger.slots)
        return false;
    for (uint32_t s = 0; s < a->size; s++) {
        if (!a->slots[s].lo && !a->slots[s].hi)
            continue;
        bigger.slots[slot_of(&bigger, a->slots[s])] = a->slots[s];
        bigger.count++;
    }
    free(a->slots);
    *a = bigger;
    return true;
}

bool incidents_key_remember(struct applied *a, struct hash128 id)
{
    if (a->count >= a->size / 2 && !grow(a))
        return false;
    uint32_t at = slot_of(a, id);
    a->count += !hash_equal(a->slots[at], id);
    a->slots[at] = id;
    return true;
}
