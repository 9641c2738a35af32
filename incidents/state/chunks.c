/* SPDX-License-Identifier: Apache-2.0 */
#include "incidents/state/chunks.h"
#include "base/own.h"
#include <stdlib.h>

enum { SWEPT_AT_ONCE = 32, NAMES_BYTES = 64 << 20 };

struct chunk {
    struct hash_link link;
    struct text name;
    bool is_stale; /* not in the latest commit */
    bool is_named; /* while a commit is read */
    char bytes[];
};

static struct chunk *find(const struct chunks *chunks, struct text name)
{
    for (struct hash_link *at = hash_table_first(&chunks->names, hash_table_hash(name, 0)); at;
         at = hash_table_next(at)) {
        struct chunk *c = CONTAINER_OF(at, struct chunk, link);
        if (text_equal(c->name, name))
            return c;
    }
    return NULL;
}

static struct chunk *note(struct chunks *chunks, struct text name)
{
    struct chunk *c = find(chunks, name);
    if (c)
        return c;
    c = calloc(1, sizeof *c + name.len + 1);
    if (!c)
        return NULL;
    if (name.len)
        memcpy(c->bytes, name.at, name.len);
    c->name = (struct text){c->bytes, name.len};
    if (hash_table_put(&chunks->names, &c->link, hash_table_hash(name, 0)) != STATUS_OK) {
        free(c);
        return NULL;
    }
    return c;
}

enum status chunks_put(struct chunks *chunks, struct incident_store *store, struct text key,
                       struct text value)
{
    const struct text words[] = {TEXT("HSET"), TEXT("tocsin:state"), key, value};
    const struct text plain[] = {TEXT("SET"), key, value};
    if (store->is_full)
        return STATUS_FULL;
    struct chunk *c = note(chunks, key);
    if (!c)
        return STATUS_NOMEM;
    c->is_stale = false;
    return store->is_memory ? store->calls->tell(store, plain, 3)
                            : store->calls->tell(store, words, 4);
}

enum status chunks_are_there(struct chunks *chunks, const struct incident_store *store)
{
    if (store->tell_failures == chunks->failures && store->told == store->heard)
        return STATUS_OK;
    chunks->failures = store->tell_failures;
    return STATUS_IO;
}

/* Everything that the commit's words leave out is stale. */
void chunks_committed(struct chunks *chunks, struct text commit)
{
    struct text line, word;
    while (text_split(&commit, '\n', &line))
        while (text_split(&line, ' ', &word)) {
            struct chunk *c = find(chunks, word);
            if (c)
                c->is_named = true;
        }
    size_t slot = 0;
    for (struct hash_link *at = hash_table_walk(&chunks->names, &slot, NULL); at;
         at = hash_table_walk(&chunks->names, &slot, at)) {
        struct chunk *c = CONTAINER_OF(at, struct chunk, link);
        c->is_stale = !c->is_named;
        c->is_named = false;
    }
}

enum status chunks_get(struct incident_store *store, struct text key, struct buffer *out)
{
    bool is_commit = text_equal(key, TEXT("commit"));
    const struct text get[] = {TEXT("GET"), is_commit ? TEXT("tocsin:commit") : key};
    const struct text hget[] = {TEXT("HGET"), TEXT("tocsin:state"), key};
    bool is_plain = is_commit || store->is_memory;
    struct arena arena;
    struct reply reply = {0};
    arena_init(&arena, NAMES_BYTES);
    enum status s =
        store->calls->ask(store, is_plain ? get : hget, is_plain ? 2 : 3, &arena, &reply);
    if (s == STATUS_OK && reply.kind == REPLY_ERROR)
        s = STATUS_IO;
    if (s == STATUS_OK && reply.kind != REPLY_TEXT)
        s = STATUS_NOTFOUND;
    if (s == STATUS_OK)
        buffer_append(out, reply.text);
    arena_fini(&arena);
    return s == STATUS_OK && out->has_failed ? STATUS_LIMIT : s;
}

void chunks_sweep(struct chunks *chunks, struct incident_store *store)
{
    struct text words[SWEPT_AT_ONCE + 2] = {TEXT("HDEL"), TEXT("tocsin:state")};
    struct chunk *gone[SWEPT_AT_ONCE];
    uint32_t count = 0;
    size_t slot = 0;
    /* Only when the commit is durable: until then the elder one still counts. */
    if (!chunks->names.count || store->acknowledged != store->submitted ||
        store->told != store->heard)
        return;
    for (struct hash_link *at = hash_table_walk(&chunks->names, &slot, NULL);
         at && count < SWEPT_AT_ONCE; at = hash_table_walk(&chunks->names, &slot, at)) {
        struct chunk *c = CONTAINER_OF(at, struct chunk, link);
        if (!c->is_stale)
            continue;
        words[count + 2] = c->name;
        gone[count++] = c;
    }
    if (!count)
        return;
    if (store->is_memory)
        words[1] = TEXT("DEL");
    enum status status = store->calls->tell(store, store->is_memory ? words + 1 : words,
                                            store->is_memory ? count + 1 : count + 2);
    for (uint32_t g = 0; !status && g < count; g++) {
        hash_table_remove(&chunks->names, &gone[g]->link);
        free(gone[g]);
    }
}

enum status chunks_load(struct chunks *chunks, struct incident_store *store, struct error *err)
{
    struct arena arena;
    struct reply names = {0};
    arena_init(&arena, NAMES_BYTES);
    enum status status = STORE_ASK(store, &arena, &names, err, TEXT("HKEYS"), TEXT("tocsin:state"));
    for (uint32_t n = 0; !status && n < names.count; n++)
        if (!note(chunks, names.items[n].text))
            status = error_set(err, STATUS_NOMEM, 0, "no memory for the checkpoint");
    chunks->failures = store->tell_failures;
    arena_fini(&arena);
    return status;
}

void chunks_clear(struct chunks *chunks)
{
    size_t slot = 0;
    struct hash_link *next = hash_table_walk(&chunks->names, &slot, NULL);
    while (next) {
        struct chunk *c = CONTAINER_OF(next, struct chunk, link);
        next = hash_table_walk(&chunks->names, &slot, next);
        free(c);
    }
    hash_table_fini(&chunks->names);
}
