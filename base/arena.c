/* SPDX-License-Identifier: Apache-2.0 */
#include "base/arena.h"
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

enum { CHUNK_BYTES = 64 * 1024, KEEP_BYTES = 1024 * 1024 };

struct arena_chunk {
    struct arena_chunk *next;
    size_t size, used;
    _Alignas(16) char bytes[];
};

void arena_init(struct arena *a, size_t max_bytes)
{
    *a = (struct arena){.max_bytes = max_bytes};
}

static void free_from(struct arena_chunk *chunk)
{
    while (chunk) {
        struct arena_chunk *next = chunk->next;
        free(chunk);
        chunk = next;
    }
}

void arena_reset(struct arena *a)
{
    size_t kept = 0;
    for (struct arena_chunk *c = a->first; c; c = c->next) {
        c->used = 0;
        kept += c->size;
        if (kept > KEEP_BYTES) {
            free_from(c->next);
            c->next = NULL;
        }
    }
    a->current = a->first;
    a->used_bytes = 0;
}

void arena_fini(struct arena *a)
{
    free_from(a->first);
    *a = (struct arena){.max_bytes = a->max_bytes};
}

static struct arena_chunk *chunk_with(struct arena *a, size_t size)
{
    for (struct arena_chunk *c = a->current ? a->current->next : NULL; c; c = c->next) {
        a->current = c;
        if (c->size - c->used >= size + 16)
            return c;
    }
    size_t bytes = size + 16 > CHUNK_BYTES ? size + 16 : CHUNK_BYTES;
    struct arena_chunk *c = malloc(sizeof *c + bytes);
    if (!c)
        return NULL;
    *c = (struct arena_chunk){.size = bytes};
    if (a->current)
        a->current->next = c;
    else
        a->first = c;
    a->current = c;
    return c;
}

static void *take(struct arena *a, size_t size, size_t align)
{
    if (size > a->max_bytes - a->used_bytes || size > SIZE_MAX / 2)
        return NULL;
    struct arena_chunk *c = a->current;
    size_t start = c ? (c->used + align - 1) & ~(align - 1) : 0;
    if (!c || start > c->size || c->size - start < size) {
        c = chunk_with(a, size);
        if (!c)
            return NULL;
        start = (c->used + align - 1) & ~(align - 1);
    }
    c->used = start + size;
    a->used_bytes += size;
    return c->bytes + start;
}

void *arena_alloc(struct arena *a, size_t size)
{
    return take(a, size, 16);
}

void *arena_zero(struct arena *a, size_t size)
{
    void *at = take(a, size, 16);
    if (at)
        memset(at, 0, size);
    return at;
}

char *arena_bytes(struct arena *a, size_t size)
{
    return take(a, size, 1);
}

struct text arena_copy(struct arena *a, struct text t)
{
    char *at = take(a, t.len + 1, 1);
    if (!at)
        return TEXT_NONE;
    if (t.len)
        memcpy(at, t.at, t.len);
    at[t.len] = 0;
    return (struct text){at, t.len};
}
