/* SPDX-License-Identifier: Apache-2.0 */
#include "incidents/restraint.h"
#include "base/json_write.h"
#include "base/timestamp.h"
#include <stdio.h>
#include <stdlib.h>

enum { DIGITS = 32 };

static struct text int_text(int64_t value, char out[DIGITS])
{
    int len = snprintf(out, DIGITS, "%lld", (long long)value);
    return (struct text){out, (size_t)len};
}

/* ---- suppress ----------------------------------------------------------------------------------
 */

static struct suppression *find_suppression(const struct incidents *i, struct hash128 key)
{
    for (struct hash_link *at = hash_table_first(&i->suppressed, hash_home(key)); at;
         at = hash_table_next(at)) {
        struct suppression *s = CONTAINER_OF(at, struct suppression, link);
        if (hash_equal(s->key, key))
            return s;
    }
    return NULL;
}

static struct suppression *put_suppression(struct incidents *i, struct hash128 key)
{
    struct suppression *s = find_suppression(i, key);
    if (s)
        return s;
    s = calloc(1, sizeof *s);
    if (s && hash_table_put(&i->suppressed, &s->link, hash_home(key)) != STATUS_OK) {
        free(s);
        s = NULL;
    }
    if (s)
        s->key = key;
    return s;
}

static struct hash128 group_key(const struct detection *d)
{
    struct hasher h;
    hash_start(&h);
    hash_part_text(&h, d->rule->key);
    for (uint32_t g = 0; g < d->subject->group_count; g++)
        hash_part_text(&h, d->subject->group[g]);
    return hash_end(&h);
}

bool restraint_suppresses(struct incidents *i, const struct detection *d, int64_t t_us)
{
    char hex[33], digits[DIGITS];
    if (d->rule->suppress_us <= 0)
        return false;
    struct hash128 key = group_key(d);
    struct suppression *s = put_suppression(i, key);
    if (!s || (s->until_us && t_us < s->until_us))
        return s != NULL;
    s->until_us = t_us + d->rule->suppress_us;
    hash_to_hex(key, hex);
    struct effect *e = incidents_effect(i);
    if (e)
        EFFECT(e, TEXT("HSET"), TEXT("tocsin:suppress"), {hex, 32}, int_text(s->until_us, digits));
    return false;
}

bool restraint_load_suppression(struct incidents *i, struct text key, struct text value)
{
    struct hash128 hash;
    int64_t until_us;
    if (!hash_from_hex(key, &hash) || !text_to_int64(value, &until_us))
        return true;
    struct suppression *s = put_suppression(i, hash);
    if (s)
        s->until_us = until_us;
    return s != NULL;
}

/* ---- exceptions ---- */

static struct exception *find_exception(const struct incidents *i, struct text key)
{
    for (struct hash_link *at = hash_table_first(&i->exceptions, hash_table_hash(key, 0)); at;
         at = hash_table_next(at)) {
        struct exception *e = CONTAINER_OF(at, struct exception, link);
        if (text_equal(e->key, key))
            return e;
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

bool restraint_excepts(const struct incidents *i, enum entity_kind kind, struct text value,
                       struct text family, int64_t t_us)
{
    if (!i->exceptions.count)
        return false;
    struct buffer key;
    exception_key(kind, value, family, &key);
    const struct exception *e = find_exception(i, buffer_text(&key));
    buffer_fini(&key);
    return e && t_us < e->until_us;
}

bool restraint_load_exception(struct incidents *i, struct text key, int64_t until_us)
{
    struct exception *e = find_exception(i, key);
    if (!e) {
        e = calloc(1, sizeof *e + key.len + 1);
        if (!e)
            return false;
        if (key.len)
            memcpy(e->bytes, key.at, key.len);
        e->key = (struct text){e->bytes, key.len};
        if (hash_table_put(&i->exceptions, &e->link, hash_table_hash(key, 0)) != STATUS_OK) {
            free(e);
            return false;
        }
    }
    e->until_us = until_us;
    return true;
}

void restraint_add_exception(struct incidents *i, enum entity_kind kind, struct text value,
                             struct text family, int64_t until_us, struct text by,
                             const char *incident)
{
    struct buffer key, item;
    exception_key(kind, value, family, &key);
    buffer_init(&item, 1 << 20);
    json_write_open(&item, NULL, '{');
    json_write_time(&item, "until", until_us);
    json_write_string(&item, "kind", text_of(correlation_entity_name(kind)));
    json_write_string(&item, "value", value);
    json_write_string(&item, "family", family);
    json_write_string(&item, "owner", by);
    json_write_string(&item, "incident", text_of(incident));
    json_write_close(&item, '}');
    struct effect *e = incidents_effect(i);
    if (e)
        EFFECT(e, TEXT("HSET"), TEXT("tocsin:exceptions"), buffer_text(&key), buffer_text(&item));
    if (!restraint_load_exception(i, buffer_text(&key), until_us))
        COUNT(i, no_memory);
    buffer_fini(&key);
    buffer_fini(&item);
}

/* ---- noise ---- */

static struct noise *find_noise(struct incidents *i, struct text rule, uint32_t max)
{
    struct text kept = string_pool_keep(&i->words, rule);
    uint64_t hash = hash_table_hash(rule, 0);
    for (struct hash_link *at = hash_table_first(&i->noise, hash); at; at = hash_table_next(at)) {
        struct noise *n = CONTAINER_OF(at, struct noise, link);
        if (n->rule.at == kept.at)
            return n;
    }
    if (!kept.at || i->noise.count >= NOISE_RULES)
        return NULL;
    struct noise *n = calloc(1, sizeof *n);
    if (!n)
        return NULL;
    n->rule = kept;
    n->max = max;
    n->seen = calloc((size_t)max + 1, sizeof *n->seen);
    if (!n->seen || hash_table_put(&i->noise, &n->link, hash) != STATUS_OK) {
        free(n->seen);
        free(n);
        return NULL;
    }
    return n;
}

static struct text noise_key(struct incidents *i, const struct noise *n)
{
    static const char prefix[] = "tocsin:noise:";
    char *at = arena_bytes(&i->scratch, sizeof prefix + n->rule.len);
    if (!at)
        return TEXT_NONE;
    memcpy(at, prefix, sizeof prefix - 1);
    memcpy(at + sizeof prefix - 1, n->rule.at, n->rule.len);
    return (struct text){at, sizeof prefix - 1 + n->rule.len};
}

/* Notes the entity; the one seen longest ago gives way. */
static void see(struct incidents *i, struct noise *n, uint64_t entity, int64_t t_us)
{
    char digits[DIGITS];
    uint32_t oldest = 0;
    for (uint32_t s = 0; s < n->count; s++) {
        if (n->seen[s].entity == entity) {
            if (t_us > n->seen[s].at_us)
                n->seen[s] = (struct seen){entity, t_us, true};
            return;
        }
        if (n->seen[s].at_us < n->seen[oldest].at_us)
            oldest = s;
    }
    if (n->count <= n->max) {
        n->seen[n->count++] = (struct seen){entity, t_us, true};
        return;
    }
    struct effect *e = incidents_effect(i);
    if (e)
        EFFECT(e, TEXT("HDEL"), noise_key(i, n), int_text((int64_t)n->seen[oldest].entity, digits));
    n->seen[oldest] = (struct seen){entity, t_us, true};
}

static uint32_t count_since(const struct noise *n, int64_t since_us)
{
    uint32_t count = 0;
    for (uint32_t s = 0; s < n->count; s++)
        count += n->seen[s].at_us >= since_us;
    return count;
}

bool restraint_is_noise(struct incidents *i, const struct rule *rule, uint64_t entity, int64_t t_us,
                        bool *out_is_first)
{
    *out_is_first = false;
    if (!rule->max_entities || rule->max_entities_us <= 0)
        return false;
    if (rule->max_entities > NOISE_ENTITIES)
        return false;
    struct noise *n = find_noise(i, rule->key, rule->max_entities);
    if (!n)
        return false;
    see(i, n, entity, t_us);
    bool was_loud = n->is_loud;
    n->is_loud = count_since(n, t_us - rule->max_entities_us) > n->max;
    *out_is_first = n->is_loud && !was_loud;
    if (!n->is_dirty) {
        n->is_dirty = true;
        n->next_dirty = i->dirty_noise;
        i->dirty_noise = n;
    }
    return n->is_loud;
}

void restraint_write_noise(struct incidents *i, struct noise *n)
{
    char entity[DIGITS], at[DIGITS];
    struct effect *e = incidents_effect(i);
    if (!e)
        return;
    buffer_clear(&i->text);
    json_write_open(&i->text, NULL, '{');
    json_write_uint(&i->text, "max", n->max);
    json_write_bool(&i->text, "loud", n->is_loud);
    json_write_close(&i->text, '}');
    EFFECT(e, TEXT("HSET"), TEXT("tocsin:noise"), n->rule, buffer_text(&i->text));
    struct text key = noise_key(i, n);
    for (uint32_t s = 0; s < n->count; s++) {
        if (!n->seen[s].is_dirty)
            continue;
        n->seen[s].is_dirty = false;
        EFFECT(e, TEXT("HSET"), key, int_text((int64_t)n->seen[s].entity, entity),
               int_text(n->seen[s].at_us, at));
    }
}

bool restraint_load_noise(struct incidents *i, struct text rule, const struct doc_tree *t,
                          const struct reply *seen)
{
    int64_t max = doc_tree_whole(t, "max", 0);
    if (max < 1 || max > NOISE_ENTITIES)
        return true;
    struct noise *n = find_noise(i, rule, (uint32_t)max);
    if (!n)
        return false;
    n->is_loud = doc_tree_bool(t, "loud");
    for (uint32_t s = 0; s + 1 < seen->count && n->count <= n->max; s += 2) {
        int64_t entity, at_us;
        if (text_to_int64(seen->items[s].text, &entity) &&
            text_to_int64(seen->items[s + 1].text, &at_us))
            n->seen[n->count++] = (struct seen){(uint64_t)entity, at_us, false};
    }
    return true;
}

/* ---- forgetting ---- */

static void forget_suppressions(struct incidents *i)
{
    size_t slot = 0;
    char hex[33];
    struct hash_link *next = hash_table_walk(&i->suppressed, &slot, NULL);
    while (next) {
        struct suppression *s = CONTAINER_OF(next, struct suppression, link);
        next = hash_table_walk(&i->suppressed, &slot, next);
        if (s->until_us > i->journal_us - DAY_US)
            continue;
        hash_to_hex(s->key, hex);
        struct effect *e = incidents_effect(i);
        if (e)
            EFFECT(e, TEXT("HDEL"), TEXT("tocsin:suppress"), {hex, 32});
        hash_table_remove(&i->suppressed, &s->link);
        free(s);
    }
}

static void forget_exceptions(struct incidents *i)
{
    size_t slot = 0;
    struct hash_link *next = hash_table_walk(&i->exceptions, &slot, NULL);
    while (next) {
        struct exception *x = CONTAINER_OF(next, struct exception, link);
        next = hash_table_walk(&i->exceptions, &slot, next);
        if (x->until_us > i->journal_us - DAY_US)
            continue;
        struct effect *e = incidents_effect(i);
        if (e)
            EFFECT(e, TEXT("HDEL"), TEXT("tocsin:exceptions"), x->key);
        hash_table_remove(&i->exceptions, &x->link);
        free(x);
    }
}

void restraint_tick(struct incidents *i)
{
    forget_suppressions(i);
    forget_exceptions(i);
}

void restraint_clear(struct incidents *i)
{
    size_t slot = 0;
    for (struct hash_link *at = hash_table_walk(&i->suppressed, &slot, NULL), *next; at;
         at = next) {
        next = hash_table_walk(&i->suppressed, &slot, at);
        free(CONTAINER_OF(at, struct suppression, link));
    }
    slot = 0;
    for (struct hash_link *at = hash_table_walk(&i->exceptions, &slot, NULL), *next; at;
         at = next) {
        next = hash_table_walk(&i->exceptions, &slot, at);
        free(CONTAINER_OF(at, struct exception, link));
    }
    slot = 0;
    for (struct hash_link *at = hash_table_walk(&i->noise, &slot, NULL), *next; at; at = next) {
        struct noise *n = CONTAINER_OF(at, struct noise, link);
        next = hash_table_walk(&i->noise, &slot, at);
        free(n->seen);
        free(n);
    }
    hash_table_fini(&i->suppressed);
    hash_table_fini(&i->exceptions);
    hash_table_fini(&i->noise);
    i->dirty_noise = NULL;
}
