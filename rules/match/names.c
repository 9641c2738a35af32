/* SPDX-License-Identifier: Apache-2.0 */
#include "rules/match/names.h"
#include "base/hash.h"
#include "rules/match/grow.h"
#include <stdlib.h>

struct names {
    struct arena *arena;
    struct text *texts; /* by number */
    uint32_t count, max;
    uint32_t *buckets; /* number + 1; 0: free. A power of two, at most half full */
    uint32_t bucket_count;
};

void names_free(struct names *n)
{
    if (!n)
        return;
    free(n->texts);
    free(n->buckets);
    free(n);
}

struct names *names_new(struct arena *arena)
{
    AUTO(names) n = calloc(1, sizeof *n);
    if (!n)
        return NULL;
    n->arena = arena;
    n->bucket_count = 256;
    n->buckets = calloc(n->bucket_count, sizeof *n->buckets);
    if (!n->buckets || !GROW(n->texts, n->count, n->max))
        return NULL;
    n->texts[n->count++] = TEXT_NONE; /* the whole event */
    return MOVE(n);
}

static uint32_t *bucket_of(const struct names *n, struct text name)
{
    uint64_t at = hash_seeded(name.at, name.len, 0);
    for (;; at++) {
        uint32_t *bucket = &n->buckets[at & (n->bucket_count - 1)];
        if (!*bucket || text_equal(n->texts[*bucket - 1], name))
            return bucket;
    }
}

static bool rehash(struct names *n)
{
    uint32_t *old = n->buckets;
    n->buckets = calloc((size_t)n->bucket_count * 2, sizeof *n->buckets);
    if (!n->buckets) {
        n->buckets = old;
        return false;
    }
    n->bucket_count *= 2;
    free(old);
    for (uint32_t i = 1; i < n->count; i++)
        *bucket_of(n, n->texts[i]) = i + 1;
    return true;
}

uint32_t names_find(const struct names *n, struct text name)
{
    uint32_t bucket = *bucket_of(n, name);
    return bucket ? bucket - 1 : NAMES_NONE;
}

uint32_t names_add(struct names *n, struct text name)
{
    uint32_t found = *bucket_of(n, name);
    if (found)
        return found - 1;
    if (n->count * 2 >= n->bucket_count && !rehash(n))
        return NAMES_NONE;
    struct text copy = arena_copy(n->arena, name);
    if (!copy.at || !GROW(n->texts, n->count, n->max))
        return NAMES_NONE;
    n->texts[n->count++] = copy;
    *bucket_of(n, name) = n->count;
    return n->count - 1;
}

uint32_t names_count(const struct names *n)
{
    return n->count;
}

struct text names_text(const struct names *n, uint32_t number)
{
    return n->texts[number];
}
