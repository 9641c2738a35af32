/* SPDX-License-Identifier: Apache-2.0 */
#include "incidents/decide/restraints.h"
#include "base/json_write.h"
#include "base/timestamp.h"
#include "incidents/model/doc_tree.h"
#include "incidents/model/ident.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

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
    char incident[IDENT_LEN + 1]; /* that left it */
    char bytes[];
};

void restraints_init(struct restraints *restraints, struct string_pool *strings)
{
    *restraints = (struct restraints){0};
    withheld_init(&restraints->withheld, strings);
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
    suppression =
        restraints->suppressed.count < SUPPRESSIONS ? calloc(1, sizeof *suppression) : NULL;
    if (!suppression)
        return NULL;
    suppression->key = key;
    if (hash_table_put(&restraints->suppressed, &suppression->link, hash_home(key)) == STATUS_OK)
        return suppression;
    free(suppression);
    return NULL;
}

static struct hash128 suppression_key(const struct detection *detection,
                                      const struct entity *entity)
{
    struct hasher h;
    hash_start(&h);
    hash_part_text(&h, detection->rule->key);
    for (uint32_t g = 0; g < detection->subject->group_count; g++)
        hash_part_text(&h, detection->subject->group[g]);
    hash_part_u64(&h, (uint64_t)entity->kind);
    hash_part_text(&h, entity->value);
    return hash_end(&h);
}

bool restraints_suppress(struct restraints *restraints, struct changes *changes,
                         const struct detection *detection, const struct entity *entity,
                         int64_t t_us)
{
    char hex[33], digits[CHANGES_DIGITS];
    if (detection->rule->suppress_us <= 0)
        return false;
    struct hash128 key = suppression_key(detection, entity);
    struct suppression *suppression = put_suppression(restraints, key);
    if (!suppression) {
        COUNT(changes->counters, suppressions_left_out);
        return false;
    }
    if (suppression->until_us && t_us < suppression->until_us)
        return true;
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

/* Its name for people and programs: the same each time. */
enum { EXCEPTION_ID = 36 };
static void exception_id(struct text key, char out[EXCEPTION_ID + 1])
{
    struct hasher h;
    hash_start(&h);
    hash_part_text(&h, key);
    memcpy(out, "exc_", 4);
    hash_to_hex(hash_end(&h), out + 4);
}

/* False without memory. */
static bool put_exception(struct restraints *restraints, struct text key, int64_t until_us,
                          struct text incident)
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
    (void)snprintf(exception->incident, sizeof exception->incident, "%.*s",
                   TEXT_ARG(text_head(incident, IDENT_LEN)));
    return true;
}

void restraints_add_exception(struct restraints *restraints, struct changes *changes,
                              const struct restraints_excepted *excepted)
{
    struct buffer key, item;
    exception_key(excepted->kind, excepted->value, excepted->family, &key);
    buffer_init(&item, 1 << 20);
    char id[EXCEPTION_ID + 1];
    exception_id(buffer_text(&key), id);
    json_write_open(&item, NULL, '{');
    json_write_string(&item, "id", text_of(id));
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
    if (!put_exception(restraints, buffer_text(&key), excepted->until_us,
                       text_of(excepted->incident)))
        COUNT(changes->counters, no_memory);
    buffer_fini(&key);
    buffer_fini(&item);
}

static void drop_exception(struct restraints *restraints, struct changes *changes,
                           struct exception *exception)
{
    struct effect *effect = changes_effect(changes);
    if (effect)
        EFFECT(effect, TEXT("HDEL"), TEXT("tocsin:exceptions"), exception->key);
    hash_table_remove(&restraints->exceptions, &exception->link);
    free(exception);
}

static void record_withdrawal(struct changes *changes, const struct exception *exception,
                              const struct restraints_withdrawal *why)
{
    struct buffer data;
    char id[EXCEPTION_ID + 1];
    exception_id(exception->key, id);
    buffer_init(&data, ITEM_BYTES);
    json_write_open(&data, NULL, '{');
    json_write_string(&data, "exception", text_of(id));
    json_write_string(&data, "of", exception->key);
    if (why->reason.len)
        json_write_string(&data, "reason", why->reason);
    json_write_close(&data, '}');
    changes_record(changes, &(struct ledger_entry){.kind = "exception.withdrawn",
                                                   .incident = text_of(exception->incident),
                                                   .by = why->by,
                                                   .time_us = why->now_us,
                                                   .data = buffer_text(&data)});
    buffer_fini(&data);
}

static const struct exception *exception_of(const void *at)
{
    struct hash_link *const *link = at;
    return CONTAINER_OF(*link, struct exception, link);
}

static bool is_of_incident(const struct hash_link *link, const void *incident)
{
    return strcmp(exception_of(&link)->incident, incident) == 0;
}

static bool is_of_id(const struct hash_link *link, const void *context)
{
    const struct text *id = context;
    char own[EXCEPTION_ID + 1];
    exception_id(exception_of(&link)->key, own);
    return text_equal(text_of(own), *id);
}

static int by_exception(const void *a, const void *b)
{
    return text_compare(exception_of(a)->key, exception_of(b)->key);
}

/* In the order of their keys, for the ledger is the same each time. */
static uint32_t withdraw(struct restraints *restraints, struct changes *changes,
                         bool (*is_meant)(const struct hash_link *, const void *),
                         const void *context, const struct restraints_withdrawal *why)
{
    size_t count = 0;
    struct hash_link **found =
        hash_table_pick(&restraints->exceptions, is_meant, context, by_exception, &count);
    for (size_t e = 0; e < count; e++) {
        struct exception *exception = CONTAINER_OF(found[e], struct exception, link);
        record_withdrawal(changes, exception, why);
        drop_exception(restraints, changes, exception);
    }
    free(found);
    return (uint32_t)count;
}

uint32_t restraints_withdraw_of(struct restraints *restraints, struct changes *changes,
                                const char *incident, const struct restraints_withdrawal *why)
{
    return withdraw(restraints, changes, is_of_incident, incident, why);
}

bool restraints_withdraw(struct restraints *restraints, struct changes *changes, struct text id,
                         const struct restraints_withdrawal *why)
{
    return withdraw(restraints, changes, is_of_id, &id, why) > 0;
}

/* ---- to and from the store: what suppresses and excepts is written when it is decided ---- */

bool restraints_is_dirty(const struct restraints *restraints)
{
    return loudness_is_dirty(&restraints->loudness) || withheld_is_dirty(&restraints->withheld);
}

void restraints_save(struct restraints *restraints, struct changes *changes)
{
    loudness_save(&restraints->loudness, changes);
    withheld_save(&restraints->withheld, changes);
}

static enum status load_suppression(void *context, struct text field, struct text value)
{
    struct restraints *restraints = context;
    struct hash128 key;
    int64_t until_us;
    if (!hash_from_hex(field, &key) || !text_to_int64(value, &until_us))
        return STATUS_OK;
    struct suppression *suppression = put_suppression(restraints, key);
    if (suppression)
        suppression->until_us = until_us;
    return suppression ? STATUS_OK : STATUS_NOMEM;
}

static enum status load_exception(void *context, struct text field, struct text value)
{
    struct restraints *restraints = context;
    struct arena arena;
    struct doc_tree tree;
    bool is_ok = true;
    arena_init(&arena, ITEM_BYTES);
    if (doc_tree_parse(value, &arena, &tree, NULL) == STATUS_OK)
        is_ok = put_exception(restraints, field, doc_tree_time(&tree, "until"),
                              doc_tree_text(&tree, "incident"));
    arena_fini(&arena);
    return is_ok ? STATUS_OK : STATUS_NOMEM;
}

enum status restraints_load(struct restraints *restraints, struct incident_store *store,
                            struct error *err)
{
    enum status status =
        incident_store_read_hash(store, TEXT("tocsin:suppress"), load_suppression, restraints, err);
    if (!status)
        status = incident_store_read_hash(store, TEXT("tocsin:exceptions"), load_exception,
                                          restraints, err);
    if (!status)
        status = loudness_load(&restraints->loudness, store, err);
    return status ? status : withheld_load(&restraints->withheld, store, err);
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
        drop_exception(restraints, changes, exception);
    }
}

void restraints_tick(struct restraints *restraints, struct changes *changes, int64_t half_life_us)
{
    loudness_tick(&restraints->loudness, changes);
    withheld_tick(&restraints->withheld, changes, half_life_us);
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
    loudness_clear(&restraints->loudness);
    withheld_clear(&restraints->withheld);
    hash_table_fini(&restraints->suppressed);
    hash_table_fini(&restraints->exceptions);
}
