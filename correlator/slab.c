/* SPDX-License-Identifier: Apache-2.0 */
#include "correlator/slab.h"
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

enum { SMALLEST = 32, PAGE_BYTES = 64 * 1024, PAGE_HEAD = 16, LARGEST_CUT = 8192 };

void slab_init(struct slab *s, size_t max_bytes)
{
    *s = (struct slab){.max_bytes = max_bytes};
}

void slab_fini(struct slab *s)
{
    for (void *page = s->pages; page;) {
        void *next = NULL;
        memcpy(&next, page, sizeof next);
        free(page);
        page = next;
    }
    *s = (struct slab){.max_bytes = s->max_bytes};
}

uint32_t slab_class(size_t bytes)
{
    if (bytes <= SMALLEST)
        return 0;
    if (bytes > slab_size(SLAB_CLASSES - 1))
        return SLAB_CLASSES;
    uint32_t log = 63U - (uint32_t)__builtin_clzll(bytes - 1); /* 2^log < bytes <= 2^(log + 1) */
    uint32_t half = (log - 5) * 2 + 1;
    return slab_size(half) >= bytes ? half : half + 1;
}

static void *take_large(struct slab *s, uint32_t bytes)
{
    if (s->used_bytes > s->max_bytes || bytes > s->max_bytes - s->used_bytes)
        return NULL;
    void *block = aligned_alloc(64, (bytes + 63U) & ~63U); /* pages hold cache lines */
    if (block)
        s->used_bytes += bytes;
    return block;
}

void *slab_take_page(struct slab *s, uint32_t bytes)
{
    void *page = take_large(s, bytes);
    if (!page)
        return NULL;
    memcpy(page, &s->pages, sizeof s->pages);
    s->pages = page;
    return page;
}

/* What is left of the old page is lost: less than the largest block that is cut from pages. */
static bool add_page(struct slab *s)
{
    char *page = slab_take_page(s, PAGE_BYTES);
    if (!page)
        return false;
    s->fresh = page + PAGE_HEAD;
    s->fresh_bytes = PAGE_BYTES - PAGE_HEAD;
    return true;
}

void *slab_take(struct slab *s, uint32_t size_class)
{
    void *block = s->free[size_class];
    if (block) {
        memcpy(&s->free[size_class], block, sizeof block);
        return block;
    }
    uint32_t bytes = slab_size(size_class);
    if (bytes > LARGEST_CUT)
        return take_large(s, bytes);
    if (s->fresh_bytes < bytes && !add_page(s))
        return NULL;
    block = s->fresh;
    s->fresh += bytes;
    s->fresh_bytes -= bytes;
    return block;
}

void slab_give(struct slab *s, uint32_t size_class, void *block)
{
    uint32_t bytes = slab_size(size_class);
    if (bytes > LARGEST_CUT) {
        s->used_bytes -= bytes;
        free(block);
        return;
    }
    memcpy(block, &s->free[size_class], sizeof block);
    s->free[size_class] = block;
}
