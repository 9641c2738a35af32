/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include <stddef.h>
#include <stdint.h>

/*
 * Blocks for the entries of windows: some fifty sizes from 32 bytes to 64 MiB, freed ones kept per
 * size, under one ceiling. Small blocks are cut from pages of 64 KiB; those of more than 8 KiB are
 * the allocator's. One thread.
 */
enum { SLAB_CLASSES = 44 };

struct slab {
    void *free[SLAB_CLASSES]; /* first free block of each size, linked through its first word */
    void *pages;              /* all pages, linked through their first word */
    char *fresh;              /* not yet cut part of the newest page */
    size_t fresh_bytes;
    size_t used_bytes; /* pages and large blocks */
    size_t max_bytes;
};

void slab_init(struct slab *s, size_t max_bytes);
/* Large blocks must have been given back before. */
void slab_fini(struct slab *s);

/* Any size, never given back before slab_fini; `bytes` at least 16, of which the first 8 are
 * slab's own. NULL at the ceiling or without memory. */
void *slab_take_page(struct slab *s, uint32_t bytes);

/* Size in bytes of a class: 32, 48, 64, 96, 128, 192, ... */
static inline uint32_t slab_size(uint32_t size_class)
{
    return (32U << (size_class / 2)) + (16U << (size_class / 2)) * (size_class % 2);
}
/* The smallest class that holds `bytes`, or SLAB_CLASSES where none does. */
uint32_t slab_class(size_t bytes);
/* A block, or NULL at the ceiling or without memory. */
void *slab_take(struct slab *s, uint32_t size_class);
void slab_give(struct slab *s, uint32_t size_class, void *block);
