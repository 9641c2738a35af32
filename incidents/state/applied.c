/* SPDX-License-Identifier: Apache-2.0 */
#include "incidents/state/applied.h"
#include <stdlib.h>

enum { FIRST_SIZE = 1024 };

static struct text key_of(uint32_t generation)
{
    return generation ? TEXT("tocsin:applied:1") : TEXT("tocsin:applied:0");
}

static uint32_t slot_of(const struct applied_set *set, struct hash128 id)
{
    static const struct hash128 empty = {0, 0};
    uint32_t at = (uint32_t)hash_home(id) & (set->size - 1);
    while (!hash_equal(set->slots[at], empty) && !hash_equal(set->slots[at], id))
        at = (at + 1) & (set->size - 1);
    return at;
}

static bool has(const struct applied_set *set, struct hash128 id)
{
    return set->size && hash_equal(set->slots[slot_of(set, id)], id);
}

static bool grow(struct applied_set *set)
{
    struct applied_set bigger = {.size = set->size ? set->size * 2 : FIRST_SIZE};
    bigger.slots = calloc(bigger.size, sizeof *bigger.slots);
    if (!bigger.slots)
        return false;
    for (uint32_t s = 0; s < set->size; s++) {
        if (!set->slots[s].lo && !set->slots[s].hi)
            continue;
        bigger.slots[slot_of(&bigger, set->slots[s])] = set->slots[s];
        bigger.count++;
    }
    free(set->slots);
    *set = bigger;
    return true;
}

/* False without memory. */
static bool put(struct applied_set *set, struct hash128 id)
{
    if (set->count >= set->size / 2 && !grow(set))
        return false;
    uint32_t at = slot_of(set, id);
    set->count += !hash_equal(set->slots[at], id);
    set->slots[at] = id;
    return true;
}

static void empty_set(struct applied_set *set)
{
    free(set->slots);
    *set = (struct applied_set){0};
}

bool applied_has(const struct applied *applied, struct hash128 id)
{
    return has(&applied->sets[0], id) || has(&applied->sets[1], id);
}

bool applied_is_full(const struct applied *applied)
{
    return applied->sets[applied->generation].count >= APPLIED_MAX;
}

void applied_turn(struct applied *applied, struct changes *changes)
{
    applied->generation ^= 1;
    empty_set(&applied->sets[applied->generation]);
    applied->is_dirty = true;
    struct effect *effect = changes_effect(changes);
    if (effect)
        EFFECT(effect, TEXT("DEL"), key_of(applied->generation));
}

void applied_add(struct applied *applied, struct changes *changes, struct hash128 id)
{
    if (!put(&applied->sets[applied->generation], id))
        COUNT(changes->counters, no_memory);
    struct effect *effect = changes_effect(changes);
    if (!effect)
        return;
    effect->generation = applied->generation;
    effect_id(effect, id);
}

static enum status load_set(struct applied *applied, uint32_t generation,
                            struct incident_store *store, struct error *err)
{
    struct arena arena;
    struct reply ids = {0};
    arena_init(&arena, INCIDENT_STORE_ANSWER);
    enum status status = STORE_ASK(store, &arena, &ids, err, TEXT("SMEMBERS"), key_of(generation));
    for (uint32_t k = 0; !status && k < ids.count; k++) {
        struct hash128 id;
        if (ids.items[k].text.len != sizeof id)
            continue;
        memcpy(&id, ids.items[k].text.at, sizeof id);
        if (!put(&applied->sets[generation], id))
            status = error_set(err, STATUS_NOMEM, 0, "no memory for the ids of detections");
    }
    arena_fini(&arena);
    return status;
}

enum status applied_load(struct applied *applied, struct incident_store *store, struct error *err)
{
    enum status status = load_set(applied, 0, store, err);
    return status ? status : load_set(applied, 1, store, err);
}

void applied_clear(struct applied *applied)
{
    empty_set(&applied->sets[0]);
    empty_set(&applied->sets[1]);
    applied->is_dirty = false;
}
