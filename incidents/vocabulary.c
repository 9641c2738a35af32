/* SPDX-License-Identifier: Apache-2.0 */
#include "incidents/vocabulary.h"
#include "base/own.h"

enum { CEILING_BYTES = 32 << 20 };

struct word {
    struct shelf_link link;
    struct text text;
};

void vocabulary_init(struct vocabulary *v)
{
    *v = (struct vocabulary){0};
    arena_init(&v->arena, CEILING_BYTES);
}

void vocabulary_fini(struct vocabulary *v)
{
    shelf_fini(&v->shelf);
    arena_fini(&v->arena);
}

struct text vocabulary_keep(struct vocabulary *v, struct text t)
{
    uint64_t hash = shelf_hash(t, 0);
    for (struct shelf_link *at = shelf_first(&v->shelf, hash); at; at = shelf_next(at)) {
        struct word *word = CONTAINER_OF(at, struct word, link);
        if (text_equal(word->text, t))
            return word->text;
    }
    struct word *word = arena_zero(&v->arena, sizeof *word);
    if (!word)
        return TEXT_NONE;
    word->text = arena_copy(&v->arena, t);
    if (!word->text.at || shelf_put(&v->shelf, &word->link, hash) != STATUS_OK)
        return TEXT_NONE;
    return word->text;
}
