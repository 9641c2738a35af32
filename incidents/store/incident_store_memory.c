/* SPDX-License-Identifier: Apache-2.0 */
#include "base/own.h"
#include "incidents/model/hash_table.h"
#include "incidents/store/incident_store.h"
#include <stdlib.h>

/* Keeps the small values of checkpoints; effects are acknowledged and gone, for the record itself
 * holds what they say. */
struct value {
    struct hash_link link;
    struct text key, value;
    char bytes[];
};

struct incident_store_memory {
    struct incident_store base;
    struct hash_table values;
};

static struct incident_store_memory *self(struct incident_store *s)
{
    return CONTAINER_OF(s, struct incident_store_memory, base);
}

static void close_memory(struct incident_store *s)
{
    struct incident_store_memory *m = self(s);
    size_t slot = 0;
    struct hash_link *next = hash_table_walk(&m->values, &slot, NULL);
    while (next) {
        struct hash_link *at = next;
        next = hash_table_walk(&m->values, &slot, at);
        free(CONTAINER_OF(at, struct value, link));
    }
    hash_table_fini(&m->values);
    free(m);
}

static void submit(struct incident_store *s, struct effect *e)
{
    s->submitted = s->acknowledged = e->number;
    effect_free(e);
}

static void poll_memory(struct incident_store *s, uint64_t timeout_ms)
{
    (void)s;
    (void)timeout_ms;
}

static struct value *find(const struct incident_store_memory *m, struct text key)
{
    for (struct hash_link *at = hash_table_first(&m->values, hash_table_hash(key, 0)); at;
         at = hash_table_next(at)) {
        struct value *v = CONTAINER_OF(at, struct value, link);
        if (text_equal(v->key, key))
            return v;
    }
    return NULL;
}

static void drop(struct incident_store_memory *m, struct text key)
{
    struct value *v = find(m, key);
    if (!v)
        return;
    hash_table_remove(&m->values, &v->link);
    free(v);
}

static enum status keep(struct incident_store_memory *m, struct text key, struct text value)
{
    struct value *v = malloc(sizeof *v + key.len + value.len + 1);
    if (!v)
        return STATUS_NOMEM;
    *v = (struct value){.key = {v->bytes, key.len}, .value = {v->bytes + key.len, value.len}};
    if (key.len)
        memcpy(v->bytes, key.at, key.len);
    if (value.len)
        memcpy(v->bytes + key.len, value.at, value.len);
    drop(m, key);
    enum status s = hash_table_put(&m->values, &v->link, hash_table_hash(key, 0));
    if (s != STATUS_OK)
        free(v);
    return s;
}

static enum status tell(struct incident_store *s, const struct text *words, uint32_t count)
{
    struct incident_store_memory *m = self(s);
    if (text_equal(words[0], TEXT("SET")) && count == 3)
        return keep(m, words[1], words[2]);
    for (uint32_t i = 1; i < count && text_equal(words[0], TEXT("DEL")); i++)
        drop(m, words[i]);
    return STATUS_OK;
}

static enum status ask(struct incident_store *s, const struct text *words, uint32_t count,
                       struct arena *arena, struct reply *out)
{
    *out = (struct reply){.kind = REPLY_NIL};
    struct value *v =
        count == 2 && text_equal(words[0], TEXT("GET")) ? find(self(s), words[1]) : NULL;
    if (!v)
        return STATUS_OK;
    *out = (struct reply){.kind = REPLY_TEXT, .text = arena_copy(arena, v->value)};
    return out->text.at ? STATUS_OK : STATUS_NOMEM;
}

enum status incident_store_memory_open(struct incident_store **out, struct error *err)
{
    static const struct incident_store_calls calls = {close_memory, submit, poll_memory, ask, tell};
    struct incident_store_memory *m = calloc(1, sizeof *m);
    if (!m)
        return error_set(err, STATUS_NOMEM, 0, "no memory for the record");
    m->base = (struct incident_store){.calls = &calls, .is_connected = true, .is_memory = true};
    *out = &m->base;
    return STATUS_OK;
}
