/* SPDX-License-Identifier: Apache-2.0 */
#include "incidents/incidents_state.h"
#include <stdlib.h>

enum { SWEPT_AT_ONCE = 32, NAMES_BYTES = 64 << 20 };

struct chunk {
    struct hash_link link;
    struct text name;
    bool is_stale; /* not in the latest commit */
    bool is_named; /* while a commit is read */
    bool is_new;   /* put since the latest commit */
    char bytes[];
};

static struct chunk *find(const struct incidents *i, struct text name)
{
    for (struct hash_link *at = hash_table_first(&i->chunks, hash_table_hash(name, 0)); at;
         at = hash_table_next(at)) {
        struct chunk *c = CONTAINER_OF(at, struct chunk, link);
        if (text_equal(c->name, name))
            return c;
    }
    return NULL;
}

static struct chunk *note(struct incidents *i, struct text name)
{
    struct chunk *c = find(i, name);
    if (c)
        return c;
    c = calloc(1, sizeof *c + name.len + 1);
    if (!c)
        return NULL;
    if (name.len)
        memcpy(c->bytes, name.at, name.len);
    c->name = (struct text){c->bytes, name.len};
    if (hash_table_put(&i->chunks, &c->link, hash_table_hash(name, 0)) != STATUS_OK) {
        free(c);
        return NULL;
    }
    return c;
}

enum status incidents_put_state(struct incidents *i, struct text key, struct text value)
{
    const struct text words[] = {TEXT("HSET"), TEXT("tocsin:state"), key, value};
    const struct text plain[] = {TEXT("SET"), key, value};
    if (i->is_behind || i->store->has_lost)
        return STATUS_CONFLICT;
    if (i->store->is_full)
        return STATUS_FULL;
    struct chunk *c = note(i, key);
    if (!c)
        return STATUS_NOMEM;
    c->is_new = true;
    c->is_stale = false;
    return i->store->is_memory ? i->store->calls->tell(i->store, plain, 3)
                               : i->store->calls->tell(i->store, words, 4);
}

/* Marks what the commit's words name; everything older that it leaves out is stale. */
static void mark_stale(struct incidents *i, struct text commit)
{
    struct text line, word;
    while (text_split(&commit, '\n', &line))
        while (text_split(&line, ' ', &word)) {
            struct chunk *c = find(i, word);
            if (c)
                c->is_named = true;
        }
    size_t slot = 0;
    for (struct hash_link *at = hash_table_walk(&i->chunks, &slot, NULL); at;
         at = hash_table_walk(&i->chunks, &slot, at)) {
        struct chunk *c = CONTAINER_OF(at, struct chunk, link);
        c->is_stale = !c->is_named;
        c->is_named = c->is_new = false;
    }
}

enum status incidents_commit_state(struct incidents *i, struct text commit)
{
    struct incident_store *s = i->store;
    const struct text plain[] = {TEXT("SET"), TEXT("tocsin:commit"), commit};
    if (i->is_behind || s->has_lost)
        return STATUS_CONFLICT;
    if (s->tell_failures != i->chunk_failures || s->told != s->heard) {
        i->chunk_failures = s->tell_failures;
        return STATUS_IO; /* a value it may name is not there */
    }
    if (s->is_memory) {
        enum status status = s->calls->tell(s, plain, 3);
        if (status == STATUS_OK)
            mark_stale(i, commit);
        return status;
    }
    struct effect *e = incidents_effect(i);
    if (!e)
        return STATUS_NOMEM;
    /* An effect, not a mere value: it is sent again after a broken connection, behind the effects
     * it stands for. */
    EFFECT(e, TEXT("SET"), TEXT("tocsin:commit"), commit);
    incidents_flush(i);
    mark_stale(i, commit);
    return STATUS_OK;
}

enum status incidents_get_state(struct incidents *i, struct text key, struct buffer *out)
{
    bool is_commit = text_equal(key, TEXT("commit"));
    const struct text get[] = {TEXT("GET"), is_commit ? TEXT("tocsin:commit") : key};
    const struct text hget[] = {TEXT("HGET"), TEXT("tocsin:state"), key};
    bool is_plain = is_commit || i->store->is_memory;
    struct arena arena;
    struct reply reply = {0};
    arena_init(&arena, NAMES_BYTES);
    enum status s =
        i->store->calls->ask(i->store, is_plain ? get : hget, is_plain ? 2 : 3, &arena, &reply);
    if (s == STATUS_OK && reply.kind == REPLY_ERROR)
        s = STATUS_IO;
    if (s == STATUS_OK && reply.kind != REPLY_TEXT)
        s = STATUS_NOTFOUND;
    if (s == STATUS_OK)
        buffer_append(out, reply.text);
    arena_fini(&arena);
    return s == STATUS_OK && out->has_failed ? STATUS_LIMIT : s;
}

void incidents_state_sweep(struct incidents *i)
{
    struct incident_store *s = i->store;
    struct text words[SWEPT_AT_ONCE + 2] = {TEXT("HDEL"), TEXT("tocsin:state")};
    struct chunk *gone[SWEPT_AT_ONCE];
    uint32_t count = 0;
    size_t slot = 0;
    /* Only when the commit is durable: until then the elder one still counts. */
    if (!i->chunks.count || s->acknowledged != s->submitted || s->told != s->heard)
        return;
    for (struct hash_link *at = hash_table_walk(&i->chunks, &slot, NULL);
         at && count < SWEPT_AT_ONCE; at = hash_table_walk(&i->chunks, &slot, at)) {
        struct chunk *c = CONTAINER_OF(at, struct chunk, link);
        if (!c->is_stale)
            continue;
        words[count + 2] = c->name;
        gone[count++] = c;
    }
    if (!count)
        return;
    if (s->is_memory)
        words[1] = TEXT("DEL");
    enum status status =
        s->calls->tell(s, s->is_memory ? words + 1 : words, s->is_memory ? count + 1 : count + 2);
    for (uint32_t g = 0; status == STATUS_OK && g < count; g++) {
        hash_table_remove(&i->chunks, &gone[g]->link);
        free(gone[g]);
    }
}

enum status incidents_state_load(struct incidents *i, struct error *err)
{
    const struct text words[] = {TEXT("HKEYS"), TEXT("tocsin:state")};
    struct arena arena;
    struct reply names = {0};
    arena_init(&arena, NAMES_BYTES);
    enum status s = i->store->calls->ask(i->store, words, 2, &arena, &names);
    if (s != STATUS_OK)
        (void)error_set(err, s, 0, "Redis did not answer while the record was read");
    for (uint32_t n = 0; s == STATUS_OK && n < names.count; n++)
        if (!note(i, names.items[n].text))
            s = error_set(err, STATUS_NOMEM, 0, "no memory for the record");
    i->chunk_failures = i->store->tell_failures;
    arena_fini(&arena);
    return s;
}

void incidents_state_clear(struct incidents *i)
{
    size_t slot = 0;
    for (struct hash_link *at = hash_table_walk(&i->chunks, &slot, NULL), *next; at; at = next) {
        next = hash_table_walk(&i->chunks, &slot, at);
        free(CONTAINER_OF(at, struct chunk, link));
    }
    hash_table_fini(&i->chunks);
}
