/* SPDX-License-Identifier: Apache-2.0 */
#include "incidents/decide/restraints.h"
#include "base/json_write.h"
#include "base/timestamp.h"
#include "incidents/model/doc_tree.h"
#include <stdlib.h>

enum { ITEM_BYTES = 1 << 20 };

struct suppression {
    struct hash_link link;
    struct hash128 key; /* of rule and group */
    int64_t until_us;
};

struct exception {
    struct hash_link link;
    struct text key; /* "kind:value|family", in bytes[] */
    int64_t until_us;
    char bytes[];
};

struct seen {
    uint64_t entity; /* candidate_hash */
    int64_t at_us;
    bool is_dirty;
};

/* The latest distinct entities that a rule charged, at most one more than it may. */
struct noise {
    struct hash_link link;
    struct noise *next_dirty;
    bool is_dirty, is_loud;
    struct text rule; /* kept */
    struct seen *seen;
    uint32_t count, max;
};

void restraints_init(struct restraints *restraints, struct string_pool *strings)
{
    *restraints = (struct restraints){.strings = strings};
}

/* ---- suppress ---- */

static struct suppression *find_suppression(const struct restraints *restraints, struct hash128 key)
{
    for (struct hash_link *at = hash_table_first(&restraints->suppressed, hash_home(key)); at;
         at = hash_table_next(at)) {
        struct suppression *suppression = CONTAINER_OF(at, struct suppression, link);
        if (hash_equal(suppression->key, key))
            return suppression;
    }
    return NULL;
}

static struct suppression *put_suppression(struct restraints *restraints, struct hash128 key)
{
    struct suppression *suppression = find_suppression(restraints, key);
    if (suppression)
        return suppression;
    suppression = calloc(1, sizeof *suppression);
    if (!suppression)
        return NULL;
    suppression->key = key;
    if (hash_table_put(&restraints->suppressed, &suppression->link, hash_home(key)) == STATUS_OK)
        return suppression;
    free(suppression);
    return NULL;
}

static struct hash128 group_key(const struct detection *detection)
{
    struct hasher h;
    hash_start(&h);
    hash_part_text(&h, detection->rule->key);
    for (uint32_t g = 0; g < detection->subject->group_count; g++)
        hash_part_text(&h, detection->subject->group[g]);
    return hash_end(&h);
}

bool restraints_suppress(struct restraints *restraints, struct changes *changes,
                         const struct detection *detection, int64_t t_us)
{
    char hex[33], digits[CHANGES_DIGITS];
    if (detection->rule->suppress_us <= 0)
        return false;
    struct hash128 key = group_key(detection);
    struct suppression *suppression = put_suppression(restraints, key);
    if (!suppression || (suppression->until_us && t_us < suppression->until_us))
        return suppression != NULL;
    suppression->until_us = t_us + detection->rule->suppress_us;
    hash_to_hex(key, hex);
    struct effect *effect = changes_effect(changes);
    if (effect)
        EFFECT(effect, TEXT("HSET"), TEXT("tocsin:suppress"), {hex, 32},
               changes_digits(suppression->until_us, digits));
    return false;
}

/* ---- exceptions ---- */

static struct exception *find_exception(const struct restraints *restraints, struct text key)
{
    for (struct hash_link *at = hash_table_first(&restraints->exceptions, hash_table_hash(key, 0));
         at; at = hash_table_next(at)) {
        struct exception *exception = CONTAINER_OF(at, struct exception, link);
        if (text_equal(exception->key, key))
            return exception;
    }
    return NULL;
}

static void exception_key(enum entity_kind kind, struct text value, struct text family,
                          struct buffer *out)
{
    buffer_init(out, 1 << 20);
    buffer_append(out, text_of(correlation_entity_name(kind)));
    buffer_byte(out, ':');
    buffer_append(out, value);
    buffer_byte(out, '|');
    buffer_append(out, family);
}

bool restraints_except(const struct restraints *restraints, enum entity_kind kind,
                       struct text value, struct text family, int64_t t_us)
{
    if (!restraints->exceptions.count)
        return false;
    struct buffer key;
    exception_key(kind, value, family, &key);
    const struct exception *exception = find_exception(restraints, buffer_text(&key));
    buffer_fini(&key);
    return exception && t_us < exception->until_us;
}

/* False without memory. */
static bool put_exception(struct restraints *restraints, struct text key, int64_t until_us)
{
    struct exception *exception = find_exception(restraints, key);
    if (!exception) {
        exception = calloc(1, sizeof *exception + key.len + 1);
        if (!exception)
            return false;
        if (key.len)
            memcpy(exception->bytes, key.at, key.len);
        exception->key = (struct text){exception->bytes, key.len};
        if (hash_table_put(&restraints->exceptions, &exception->link, hash_table_hash(key, 0)) !=
            STATUS_OK) {
            free(exception);
            return false;
        }
    }
    exception->until_us = until_us;
    return true;
}

void restraints_add_exception(struct restraints *restraints, struct changes *changes,
                              const struct restraints_excepted *excepted)
{
    struct buffer key, item;
    exception_key(excepted->kind, excepted->value, excepted->family, &key);
    buffer_init(&item, 1 << 20);
    json_write_open(&item, NULL, '{');
    json_write_time(&item, "until", excepted->until_us);
    json_write_string(&item, "kind", text_of(correlation_entity_name(excepted->kind)));
    json_write_string(&item, "value", excepted->value);
    json_write_string(&item, "family", excepted->family);
    json_write_string(&item, "owner", excepted->by);
    json_write_string(&item, "incident", text_of(excepted->incident));
    json_write_close(&item, '}');
    struct effect *effect = changes_effect(changes);
    if (effect)
        EFFECT(effect, TEXT("HSET"), TEXT("tocsin:exceptions"), buffer_text(&key),
               buffer_text(&item));
    if (!put_exception(restraints, buffer_text(&key), excepted->until_us))
        COUNT(changes->counters, no_memory);
    buffer_fini(&key);
    buffer_fini(&item);
}

/* ---- noise ---- */

static struct noise *find_noise(struct restraints *restraints, struct text rule, uint32_t max)
{
    struct text kept = string_pool_keep(restraints->strings, rule);
    uint64_t hash = hash_table_hash(rule, 0);
    for (struct hash_link *at = hash_table_first(&restraints->noise, hash); at;
         at = hash_table_next(at)) {
        struct noise *noise = CONTAINER_OF(at, struct noise, link);
        if (noise->rule.at == kept.at)
            return noise;
    }
    if (!kept.at || restraints->noise.count >= NOISE_RULES)
        return NULL;
    struct noise *noise = calloc(1, sizeof *noise);
    if (!noise)
        return NULL;
    noise->rule = kept;
    noise->max = max;
    noise->seen = calloc((size_t)max + 1, sizeof *noise->seen);
    if (!noise->seen || hash_table_put(&restraints->noise, &noise->link, hash) != STATUS_OK) {
        free(noise->seen);
        free(noise);
        return NULL;
    }
    return noise;
}

static struct text noise_key(struct changes *changes, const struct noise *noise)
{
    return CHANGES_JOIN(changes, TEXT("tocsin:noise:"), noise->rule);
}

/* Notes the entity; the one seen longest ago gives way. */
static void see(struct changes *changes, struct noise *noise, uint64_t entity, int64_t t_us)
{
    char digits[CHANGES_DIGITS];
    uint32_t oldest = 0;
    for (uint32_t s = 0; s < noise->count; s++) {
        if (noise->seen[s].entity == entity) {
            if (t_us > noise->seen[s].at_us)
                noise->seen[s] = (struct seen){entity, t_us, true};
            return;
        }
        if (noise->seen[s].at_us < noise->seen[oldest].at_us)
            oldest = s;
    }
    if (noise->count <= noise->max) {
        noise->seen[noise->count++] = (struct seen){entity, t_us, true};
        return;
    }
    struct effect *effect = changes_effect(changes);
    if (effect)
        EFFECT(effect, TEXT("HDEL"), noise_key(changes, noise),
               changes_digits((int64_t)noise->seen[oldest].entity, digits));
    noise->seen[oldest] = (struct seen){entity, t_us, true};
}

static uint32_t count_since(const struct noise *noise, int64_t since_us)
{
    uint32_t count = 0;
    for (uint32_t s = 0; s < noise->count; s++)
        count += noise->seen[s].at_us >= since_us;
    return count;
}

bool restraints_are_loud(struct restraints *restraints, struct changes *changes,
                         const struct rule *rule, uint64_t entity, int64_t t_us, bool *out_is_first)
{
    *out_is_first = false;
    if (!rule->max_entities || rule->max_entities_us <= 0)
        return false;
    if (rule->max_entities > NOISE_ENTITIES)
        return false;
    struct noise *noise = find_noise(restraints, rule->key, rule->max_entities);
    if (!noise)
        return false;
    see(changes, noise, entity, t_us);
    bool was_loud = noise->is_loud;
    noise->is_loud = count_since(noise, t_us - rule->max_entities_us) > noise->max;
    *out_is_first = noise->is_loud && !was_loud;
    if (!noise->is_dirty) {
        noise->is_dirty = true;
        noise->next_dirty = restraints->dirty_noise;
        restraints->dirty_noise = noise;
    }
    return noise->is_loud;
}

static void save_noise(struct changes *changes, struct noise *noise)
{
    char entity[CHANGES_DIGITS], at[CHANGES_DIGITS];
    struct effect *effect = changes_effect(changes);
    if (!effect)
        return;
    buffer_clear(&changes->text);
    json_write_open(&changes->text, NULL, '{');
    json_write_uint(&changes->text, "max", noise->max);
    json_write_bool(&changes->text, "loud", noise->is_loud);
    json_write_close(&changes->text, '}');
    EFFECT(effect, TEXT("HSET"), TEXT("tocsin:noise"), noise->rule, buffer_text(&changes->text));
    struct text key = noise_key(changes, noise);
    for (uint32_t s = 0; s < noise->count; s++) {
        if (!noise->seen[s].is_dirty)
            continue;
        noise->seen[s].is_dirty = false;
        EFFECT(effect, TEXT("HSET"), key, changes_digits((int64_t)noise->seen[s].entity, entity),
               changes_digits(noise->seen[s].at_us, at));
    }
}

/* ---- to and from the store: what suppresses and excepts is written when it is decided ---- */

bool restraints_is_dirty(const struct restraints *restraints)
{
    return restraints->dirty_noise;
}

void restraints_save(struct restraints *restraints, struct changes *changes)
{
    while (restraints->dirty_noise) {
        struct noise *noise = restraints->dirty_noise;
        restraints->dirty_noise = noise->next_dirty;
        noise->is_dirty = false;
        if (!changes->is_dry)
            save_noise(changes, noise);
    }
}

/* What is read, and from where. */
struct loading {
    struct restraints *restraints;
    struct incident_store *store;
    struct error *err;
};

static enum status load_suppression(void *context, struct text field, struct text value)
{
    const struct loading *loading = context;
    struct hash128 key;
    int64_t until_us;
    if (!hash_from_hex(field, &key) || !text_to_int64(value, &until_us))
        return STATUS_OK;
    struct suppression *suppression = put_suppression(loading->restraints, key);
    if (suppression)
        suppression->until_us = until_us;
    return suppression ? STATUS_OK : STATUS_NOMEM;
}

static enum status load_exception(void *context, struct text field, struct text value)
{
    const struct loading *loading = context;
    struct arena arena;
    struct doc_tree tree;
    bool is_ok = true;
    arena_init(&arena, ITEM_BYTES);
    if (doc_tree_parse(value, &arena, &tree, NULL) == STATUS_OK)
        is_ok = put_exception(loading->restraints, field, doc_tree_time(&tree, "until"));
    arena_fini(&arena);
    return is_ok ? STATUS_OK : STATUS_NOMEM;
}

static enum status load_seen(void *context, struct text field, struct text value)
{
    struct noise *noise = context;
    int64_t entity, at_us;
    if (noise->count <= noise->max && text_to_int64(field, &entity) && text_to_int64(value, &at_us))
        noise->seen[noise->count++] = (struct seen){(uint64_t)entity, at_us, false};
    return STATUS_OK;
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
                                                        load_seen, noise, loading->err);
    buffer_fini(&key);
    return status;
}

static enum status load_noise(void *context, struct text field, struct text value)
{
    const struct loading *loading = context;
    struct arena arena;
    struct doc_tree tree = {0};
    enum status status = STATUS_OK;
    arena_init(&arena, ITEM_BYTES);
    bool is_read = doc_tree_parse(value, &arena, &tree, NULL) == STATUS_OK;
    int64_t max = is_read ? doc_tree_whole(&tree, "max", 0) : 0;
    if (max >= 1 && max <= NOISE_ENTITIES) {
        struct noise *noise = find_noise(loading->restraints, field, (uint32_t)max);
        if (noise)
            noise->is_loud = doc_tree_bool(&tree, "loud");
        status = noise ? load_entities(loading, noise) : STATUS_NOMEM;
    }
    arena_fini(&arena);
    return status;
}

enum status restraints_load(struct restraints *restraints, struct incident_store *store,
                            struct error *err)
{
    struct loading loading = {restraints, store, err};
    enum status status =
        incident_store_read_hash(store, TEXT("tocsin:suppress"), load_suppression, &loading, err);
    if (!status)
        status = incident_store_read_hash(store, TEXT("tocsin:exceptions"), load_exception,
                                          &loading, err);
    if (!status)
        status = incident_store_read_hash(store, TEXT("tocsin:noise"), load_noise, &loading, err);
    return status;
}

/* ---- forgetting ---- */

static void forget_suppressions(struct restraints *restraints, struct changes *changes)
{
    size_t slot = 0;
    char hex[33];
    struct hash_link *next = hash_table_walk(&restraints->suppressed, &slot, NULL);
    while (next) {
        struct suppression *suppression = CONTAINER_OF(next, struct suppression, link);
        next = hash_table_walk(&restraints->suppressed, &slot, next);
        if (suppression->until_us > changes->journal_us - DAY_US)
            continue;
        hash_to_hex(suppression->key, hex);
        struct effect *effect = changes_effect(changes);
        if (effect)
            EFFECT(effect, TEXT("HDEL"), TEXT("tocsin:suppress"), {hex, 32});
        hash_table_remove(&restraints->suppressed, &suppression->link);
        free(suppression);
    }
}

static void forget_exceptions(struct restraints *restraints, struct changes *changes)
{
    size_t slot = 0;
    struct hash_link *next = hash_table_walk(&restraints->exceptions, &slot, NULL);
    while (next) {
        struct exception *exception = CONTAINER_OF(next, struct exception, link);
        next = hash_table_walk(&restraints->exceptions, &slot, next);
        if (exception->until_us > changes->journal_us - DAY_US)
            continue;
        struct effect *effect = changes_effect(changes);
        if (effect)
            EFFECT(effect, TEXT("HDEL"), TEXT("tocsin:exceptions"), exception->key);
        hash_table_remove(&restraints->exceptions, &exception->link);
        free(exception);
    }
}

void restraints_tick(struct restraints *restraints, struct changes *changes)
{
    forget_suppressions(restraints, changes);
    forget_exceptions(restraints, changes);
}

void restraints_clear(struct restraints *restraints)
{
    size_t slot = 0;
    struct hash_link *next = hash_table_walk(&restraints->suppressed, &slot, NULL);
    while (next) {
        struct suppression *suppression = CONTAINER_OF(next, struct suppression, link);
        next = hash_table_walk(&restraints->suppressed, &slot, next);
        free(suppression);
    }
    slot = 0;
    next = hash_table_walk(&restraints->exceptions, &slot, NULL);
    while (next) {
        struct exception *exception = CONTAINER_OF(next, struct exception, link);
        next = hash_table_walk(&restraints->exceptions, &slot, next);
        free(exception);
    }
    slot = 0;
    next = hash_table_walk(&restraints->noise, &slot, NULL);
    while (next) {
        struct noise *noise = CONTAINER_OF(next, struct noise, link);
        next = hash_table_walk(&restraints->noise, &slot, next);
        free(noise->seen);
        free(noise);
    }
    hash_table_fini(&restraints->suppressed);
    hash_table_fini(&restraints->exceptions);
    hash_table_fini(&restraints->noise);
    restraints->dirty_noise = NULL;
}
