/* SPDX-License-Identifier: Apache-2.0 */
#include "base/record.h"
#include <stdlib.h>

struct hash128 record_identity(const struct record *r)
{
    struct hasher h;
    hash_start(&h);
    hash_part_text(&h, r->origin);
    if (r->origin.len == 0) {
        hash_part_u64(&h, r->epoch);
        hash_part_u64(&h, r->position);
    }
    return hash_end(&h);
}

struct batch *batch_new(void)
{
    AUTO(batch) b = calloc(1, sizeof *b);
    if (!b)
        return NULL;
    arena_init(&b->arena, BATCH_ARENA_BYTES);
    b->records = calloc(BATCH_RECORDS, sizeof *b->records);
    return b->records ? MOVE(b) : NULL;
}

void batch_free(struct batch *b)
{
    if (!b)
        return;
    arena_fini(&b->arena);
    free(b->records);
    free(b);
}

void batch_reset(struct batch *b)
{
    struct record *records = b->records;
    struct arena arena = b->arena;
    arena_reset(&arena);
    *b = (struct batch){.records = records, .arena = arena};
}

struct record *batch_add(struct batch *b, struct text raw)
{
    if (b->count == BATCH_RECORDS)
        return NULL;
    struct text copy = arena_copy(&b->arena, raw);
    if (!copy.at)
        return NULL;
    struct record *r = &b->records[b->count++];
    *r = (struct record){.raw = copy, .source = b->source};
    b->raw_bytes += copy.len;
    return r;
}
