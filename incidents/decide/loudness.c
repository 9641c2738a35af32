/* SPDX-License-Identifier: Apache-2.0 */
#include "incidents/decide/loudness.h"
#include "base/json_write.h"
#include "incidents/model/doc_tree.h"
#include "incidents/model/latest.h"
#include <stdlib.h>
#include <string.h>

enum { ITEM_BYTES = 1 << 20 };
static const int64_t default_window_us = INT64_C(600) * 1000000;

struct noise {
    struct hash_link link;
    struct noise *next_dirty;
    bool is_dirty, is_loud, is_pair;
    struct text rule; /* in bytes[]; of a pair the loud one, a line feed, the other one */
    struct noise_ceiling ceiling;
    struct latest latest; /* at most one more than the ceiling */
    char bytes[];
};

static struct noise *find(const struct loudness *loudness, struct text rule)
{
    for (struct hash_link *at = hash_table_first(&loudness->rules, hash_table_hash(rule, 0)); at;
         at = hash_table_next(at)) {
        struct noise *noise = CONTAINER_OF(at, struct noise, link);
        if (text_equal(noise->rule, rule))
            return noise;
    }
    return NULL;
}

static struct noise *find_or_make(struct loudness *loudness, struct text rule)
{
    struct noise *noise = find(loudness, rule);
    if (noise)
        return noise;
    bool is_pair = text_find_byte(rule, '\n') < rule.len;
    size_t like = is_pair ? loudness->pair_count : loudness->rules.count - loudness->pair_count;
    noise = like < NOISE_RULES ? calloc(1, sizeof *noise + rule.len + 1) : NULL;
    if (!noise)
        return NULL;
    if (rule.len)
        memcpy(noise->bytes, rule.at, rule.len);
    noise->rule = (struct text){noise->bytes, rule.len};
    noise->is_pair = is_pair;
    if (hash_table_put(&loudness->rules, &noise->link, hash_table_hash(rule, 0)) != STATUS_OK) {
        free(noise);
        return NULL;
    }
    loudness->pair_count += is_pair;
    return noise;
}

static struct text entities_key(struct changes *changes, const struct noise *noise)
{
    return CHANGES_JOIN(changes, TEXT("tocsin:noise:"), noise->rule);
}

static void forget_entity(struct changes *changes, const struct noise *noise, uint64_t entity)
{
    char digits[CHANGES_DIGITS];
    struct effect *effect = changes_effect(changes);
    if (effect)
        EFFECT(effect, TEXT("HDEL"), entities_key(changes, noise),
               changes_digits((int64_t)entity, digits));
}

static void touch(struct loudness *loudness, struct noise *noise)
{
    if (noise->is_dirty)
        return;
    noise->is_dirty = true;
    noise->next_dirty = loudness->dirty;
    loudness->dirty = noise;
}

/* A rule that was loaded anew may have another ceiling. */
static void fit(struct changes *changes, struct noise *noise, struct noise_ceiling ceiling)
{
    uint64_t entity;
    noise->ceiling = ceiling;
    while (noise->latest.count > ceiling.max + 1 && latest_drop(&noise->latest, &entity))
        forget_entity(changes, noise, entity);
}

bool loudness_note(struct loudness *loudness, struct changes *changes, struct text rule,
                   struct noise_ceiling ceiling, uint64_t entity, int64_t t_us, bool *out_is_first)
{
    struct latest_gone gone;
    *out_is_first = false;
    if (!ceiling.max || ceiling.max > NOISE_ENTITIES || ceiling.window_us <= 0)
        return false;
    struct noise *noise = find_or_make(loudness, rule);
    if (!noise) {
        COUNT(changes->counters, noise_unwatched);
        return false;
    }
    fit(changes, noise, ceiling);
    if (latest_note(&noise->latest, ceiling.max + 1, entity, t_us, &gone) != STATUS_OK)
        COUNT(changes->counters, no_memory);
    if (gone.is_gone)
        forget_entity(changes, noise, gone.thing);
    bool was_loud = noise->is_loud;
    noise->is_loud = noise->latest.count > ceiling.max &&
                     latest_oldest_us(&noise->latest) >= t_us - ceiling.window_us;
    *out_is_first = noise->is_loud && !was_loud;
    touch(loudness, noise);
    return noise->is_loud;
}

bool loudness_note_pair(struct loudness *loudness, struct changes *changes, struct text loud,
                        struct text other, uint64_t entity, int64_t t_us)
{
    bool is_first;
    const struct noise *noise = find(loudness, loud);
    struct text pair = CHANGES_JOIN(changes, loud, TEXT("\n"), other);
    return noise && pair.len &&
           loudness_note(loudness, changes, pair, noise->ceiling, entity, t_us, &is_first);
}

/* ---- forgetting ---- */

static bool has_ended(const struct noise *noise, int64_t since_us)
{
    if (!noise->is_pair || noise->is_dirty)
        return false;
    for (uint32_t i = 0; i < noise->latest.count; i++)
        if (noise->latest.heap[i]->at_us >= since_us)
            return false;
    return true;
}

static void noise_free(struct noise *noise)
{
    latest_fini(&noise->latest);
    free(noise);
}

void loudness_tick(struct loudness *loudness, struct changes *changes)
{
    size_t slot = 0;
    struct hash_link *next = hash_table_walk(&loudness->rules, &slot, NULL);
    while (next) {
        struct noise *noise = CONTAINER_OF(next, struct noise, link);
        next = hash_table_walk(&loudness->rules, &slot, next);
        if (!has_ended(noise, changes->journal_us - DAY_US))
            continue;
        struct effect *effect = changes_effect(changes);
        if (effect) {
            EFFECT(effect, TEXT("DEL"), entities_key(changes, noise));
            EFFECT(effect, TEXT("HDEL"), TEXT("tocsin:noise"), noise->rule);
        }
        hash_table_remove(&loudness->rules, &noise->link);
        loudness->pair_count--;
        noise_free(noise);
    }
}

/* ---- to and from the store ---- */

bool loudness_is_dirty(const struct loudness *loudness)
{
    return loudness->dirty;
}

static void save(struct changes *changes, struct noise *noise)
{
    char entity[CHANGES_DIGITS], at[CHANGES_DIGITS];
    struct effect *effect = changes_effect(changes);
    if (!effect)
        return;
    buffer_clear(&changes->text);
    json_write_open(&changes->text, NULL, '{');
    json_write_uint(&changes->text, "max", noise->ceiling.max);
    json_write_int(&changes->text, "window", noise->ceiling.window_us);
    json_write_bool(&changes->text, "loud", noise->is_loud);
    json_write_close(&changes->text, '}');
    EFFECT(effect, TEXT("HSET"), TEXT("tocsin:noise"), noise->rule, buffer_text(&changes->text));
    struct text key = entities_key(changes, noise);
    for (struct latest_item *item = latest_take_dirty(&noise->latest); item;
         item = latest_take_dirty(&noise->latest))
        EFFECT(effect, TEXT("HSET"), key, changes_digits((int64_t)item->thing, entity),
               changes_digits(item->at_us, at));
}

void loudness_save(struct loudness *loudness, struct changes *changes)
{
    while (loudness->dirty) {
        struct noise *noise = loudness->dirty;
        loudness->dirty = noise->next_dirty;
        noise->is_dirty = false;
        if (!changes->is_dry)
            save(changes, noise);
        else
            while (latest_take_dirty(&noise->latest))
                ;
    }
}

struct loading {
    struct loudness *loudness;
    struct incident_store *store;
    struct error *err;
};

static enum status load_entity(void *context, struct text field, struct text value)
{
    struct noise *noise = context;
    struct latest_gone gone;
    int64_t entity, at_us;
    if (!text_to_int64(field, &entity) || !text_to_int64(value, &at_us))
        return STATUS_OK;
    enum status status =
        latest_note(&noise->latest, noise->ceiling.max + 1, (uint64_t)entity, at_us, &gone);
    (void)latest_take_dirty(&noise->latest);
    return status;
}

static enum status load_entities(const struct loading *loading, struct noise *noise)
{
    struct buffer key;
    buffer_init(&key, ITEM_BYTES);
    buffer_append(&key, TEXT("tocsin:noise:"));
    buffer_append(&key, noise->rule);
    enum status status = key.has_failed
                             ? STATUS_NOMEM
                             : incident_store_read_hash(loading->store, buffer_text(&key),
                                                        load_entity, noise, loading->err);
    buffer_fini(&key);
    return status;
}

static enum status load(void *context, struct text field, struct text value)
{
    const struct loading *loading = context;
    struct arena arena;
    struct doc_tree tree = {0};
    enum status status = STATUS_OK;
    arena_init(&arena, ITEM_BYTES);
    bool is_read = doc_tree_parse(value, &arena, &tree, NULL) == STATUS_OK;
    int64_t max = is_read ? doc_tree_whole(&tree, "max", 0) : 0;
    if (max >= 1 && max <= NOISE_ENTITIES) {
        struct noise *noise = find_or_make(loading->loudness, field);
        if (noise) {
            noise->is_loud = doc_tree_bool(&tree, "loud");
            noise->ceiling = (struct noise_ceiling){
                (uint32_t)max, doc_tree_whole(&tree, "window", default_window_us)};
        }
        status = noise ? load_entities(loading, noise) : STATUS_NOMEM;
    }
    arena_fini(&arena);
    return status;
}

enum status loudness_load(struct loudness *loudness, struct incident_store *store,
                          struct error *err)
{
    struct loading loading = {loudness, store, err};
    return incident_store_read_hash(store, TEXT("tocsin:noise"), load, &loading, err);
}

void loudness_clear(struct loudness *loudness)
{
    size_t slot = 0;
    struct hash_link *next = hash_table_walk(&loudness->rules, &slot, NULL);
    while (next) {
        struct noise *noise = CONTAINER_OF(next, struct noise, link);
        next = hash_table_walk(&loudness->rules, &slot, next);
        noise_free(noise);
    }
    hash_table_fini(&loudness->rules);
    loudness->dirty = NULL;
    loudness->pair_count = 0;
}
