/* SPDX-License-Identifier: Apache-2.0 */
#include "incidents/model/string_pool.h"
#include "base/own.h"

enum { CEILING_BYTES = 32 << 20 };

struct word {
    struct hash_link link;
    struct text text;
};

void string_pool_init(struct string_pool *v)
{
    *v = (struct string_pool){0};
    arena_init(&v->arena, CEILING_BYTES);
}

void string_pool_fini(struct string_pool *v)
{
    hash_table_fini(&v->hash_table);
    arena_fini(&v->arena);
}

struct text string_pool_keep(struct string_pool *v, struct text t)
{
    uint64_t hash = hash_table_hash(t, 0);
    for (struct hash_link *at = hash_table_first(&v->hash_table, hash); at;
         at = hash_table_next(at)) {
        struct word *word = CONTAINER_OF(at, struct word, link);
        if (text_equal(word->text, t))
            return word->text;
    }
    struct word *word = arena_zero(&v->arena, sizeof *word);
    if (!word)
        return TEXT_NONE;
    word->text = arena_copy(&v->arena, t);
    if (!word->text.at || hash_table_put(&v->hash_table, &word->link, hash) != STATUS_OK)
        return TEXT_NONE;
    return word->text;
}
