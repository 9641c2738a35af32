/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include "base/text.h"
#include <stddef.h>

/*
 * Memory that dies together. Allocation is a pointer bump; one whole release. Chunks are kept on
 * reset, so a batch that is used again allocates nothing. One thread at a time.
 */
struct arena {
    struct arena_chunk *first;   /* oldest chunk, NULL before the first allocation */
    struct arena_chunk *current; /* the one that is filled */
    size_t used_bytes;           /* given out since the last reset */
    size_t max_bytes;            /* ceiling of used_bytes */
};

void arena_init(struct arena *a, size_t max_bytes);
/* Everything given out so far is gone; chunks up to 1 MiB in all are kept for the next round. */
void arena_reset(struct arena *a);
void arena_fini(struct arena *a);

/* Uninitialised bytes, aligned to 16, or NULL at the ceiling or without memory. Owned by arena. */
void *arena_alloc(struct arena *a, size_t size);
/* The same, zeroed. */
void *arena_zero(struct arena *a, size_t size);
/* Unaligned bytes for text. */
char *arena_bytes(struct arena *a, size_t size);
/* A copy with a NUL behind it (not counted in len). `at` is NULL when there is no room. */
struct text arena_copy(struct arena *a, struct text t);
