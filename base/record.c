/* SPDX-License-Identifier: Apache-2.0 */
#include "base/record.h"
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

struct text record_journal_origin(const struct record *r, char out[RECORD_ORIGIN_LEN])
{
    int len = snprintf(out, RECORD_ORIGIN_LEN, "journal:%016" PRIx64 ":%" PRIu32 ":%" PRIu64,
                       r->instance, r->epoch, r->position);
    return (struct text){out, (size_t)len};
}

struct hash128 record_identity(const struct record *r)
{
    struct hasher h;
    char journal[RECORD_ORIGIN_LEN];
    bool is_journal = r->origin.len == 0 && r->instance != 0;
    hash_start(&h);
    hash_part_text(&h, is_journal ? record_journal_origin(r, journal) : r->origin);
    if (r->origin.len == 0 && !is_journal) {
        hash_part_u64(&h, r->epoch);
        hash_part_u64(&h, r->position);
    }
    if (r->origin.len && record_part(r))
        hash_part_u64(&h, record_part(r));
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
