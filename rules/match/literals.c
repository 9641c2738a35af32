/* SPDX-License-Identifier: Apache-2.0 */
#include "base/hash.h"
#include "rules/match/gram.h"
#include "rules/match/literal.h"
#include <stdlib.h>

/*
 * The rare-gram filter. Of each literal that may stand anywhere the rarest four bytes are hashed
 * into a bitmap that fits the first cache; four bytes at every n-th place of the text are looked up
 * there (n as the shortest literal allows: then n neighbouring grams of each are kept), and only
 * where the bitmap says so the literals behind that hash are compared. Literals that must stand at
 * the start or the end are found through the text's first and last eight (or four) bytes, without
 * any pass.
 *
 * Hyperscan behind the same interface was no faster over all public rules, and took seconds to
 * compile.
 */

enum { STRIDE_MOST = 8 };

struct entry {
    uint64_t key; /* gram, or the edge's bytes */
    const char *at;
    uint32_t len;
    uint32_t offset; /* of the gram in the literal */
    uint32_t id;
};

/* Entries by hash of their key: those of bucket b are starts[b] .. starts[b + 1]. */
struct buckets {
    struct entry *entries;
    uint32_t *starts;
    uint64_t *bitmap;
    unsigned bits, bitmap_bits; /* 2^bits buckets; a bucket is the upper bits of a bitmap's place */
    uint32_t count;
};

struct literals {
    unsigned stride; /* every n-th place of a text is looked at */
    struct buckets grams;
    struct buckets starts_long, starts_short, ends_long, ends_short;
};

static uint64_t load(const char *at, size_t len)
{
    uint64_t word = 0;
    memcpy(&word, at, len);
    return word;
}

static uint32_t bucket_of(uint64_t key, unsigned bits)
{
    return (uint32_t)((key * UINT64_C(0x9E3779B97F4A7C15)) >> (64 - bits));
}

static void free_buckets(struct buckets *b)
{
    free(b->entries);
    free(b->starts);
    free(b->bitmap);
}

void literals_free(struct literals *l)
{
    if (!l)
        return;
    free_buckets(&l->grams);
    free_buckets(&l->starts_long);
    free_buckets(&l->starts_short);
    free_buckets(&l->ends_long);
    free_buckets(&l->ends_short);
    free(l);
}

/* ---- building ---- */

static struct buckets *home_of(struct literals *set, const struct literal *l)
{
    bool is_long = l->text.len >= 8;
    if (l->place == LITERAL_ANYWHERE)
        return &set->grams;
    if (l->place == LITERAL_AT_START)
        return is_long ? &set->starts_long : &set->starts_short;
    return is_long ? &set->ends_long : &set->ends_short;
}

/* The first entry of a literal: of one that may stand anywhere as many neighbouring grams are kept
 * as places of a text are passed over. */
static struct entry entry_of(const struct literals *set, const struct literal *l)
{
    struct text t = l->text;
    size_t edge = t.len >= 8 ? 8 : LITERAL_LEAST;
    struct entry e = {.at = t.at, .len = (uint32_t)t.len, .id = l->id};
    if (l->place == LITERAL_ANYWHERE) {
        e.offset = gram_rarest(t, LITERAL_LEAST + set->stride - 1);
        e.key = load(t.at + e.offset, LITERAL_LEAST);
    } else {
        e.key = load(l->place == LITERAL_AT_START ? t.at : t.at + t.len - edge, edge);
    }
    return e;
}

/* As far apart as the shortest literal allows, so that one of its grams is met. */
static unsigned stride_of(const struct literal *items, uint32_t count)
{
    size_t stride = STRIDE_MOST;
    for (uint32_t i = 0; i < count; i++)
        if (items[i].place == LITERAL_ANYWHERE && items[i].text.len < LITERAL_LEAST + stride - 1)
            stride = items[i].text.len - LITERAL_LEAST + 1;
    return (unsigned)stride;
}

static unsigned entry_count(const struct literals *set, const struct literal *l)
{
    return l->place == LITERAL_ANYWHERE ? set->stride : 1;
}

static bool reserve(struct buckets *b)
{
    b->bits = 4;
    while (b->bits < 20 && (UINT32_C(1) << b->bits) < b->count * 2)
        b->bits++;
    b->bitmap_bits = b->bits + 5 < 18 ? b->bits + 5 : 18; /* 32 KiB at most: the first cache */
    if (b->bitmap_bits < b->bits)
        b->bitmap_bits = b->bits;
    size_t size = (size_t)1 << b->bits;
    b->entries = calloc((size_t)b->count + 1, sizeof *b->entries);
    b->starts = calloc(size + 2, sizeof *b->starts);
    b->bitmap = calloc(((size_t)1 << b->bitmap_bits) / 64 + 1, sizeof *b->bitmap);
    return b->entries && b->starts && b->bitmap;
}

/* Counting sort: counts, then offsets, then each entry to its place. */
static void sort(struct literals *set, const struct literal *items, const struct entry *entries,
                 uint32_t count)
{
    struct buckets *all[] = {&set->grams, &set->starts_long, &set->starts_short, &set->ends_long,
                             &set->ends_short};
    const struct entry *e = entries;
    for (uint32_t i = 0; i < count; i++) {
        struct buckets *to = home_of(set, &items[i]);
        for (unsigned k = entry_count(set, &items[i]); k; k--, e++) {
            uint32_t place = bucket_of(e->key, to->bitmap_bits);
            to->starts[bucket_of(e->key, to->bits) + 2]++;
            to->bitmap[place / 64] |= UINT64_C(1) << (place % 64);
        }
    }
    for (size_t i = 0; i < sizeof all / sizeof *all; i++)
        for (size_t k = 2; all[i]->count && k < ((size_t)1 << all[i]->bits) + 2; k++)
            all[i]->starts[k] += all[i]->starts[k - 1];
    e = entries;
    for (uint32_t i = 0; i < count; i++) {
        struct buckets *to = home_of(set, &items[i]);
        for (unsigned k = entry_count(set, &items[i]); k; k--, e++)
            to->entries[to->starts[bucket_of(e->key, to->bits) + 1]++] = *e;
    }
}

static bool reserve_all(struct literals *set, const struct literal *items, uint32_t count)
{
    for (uint32_t i = 0; i < count; i++)
        home_of(set, &items[i])->count += entry_count(set, &items[i]);
    struct buckets *all[] = {&set->grams, &set->starts_long, &set->starts_short, &set->ends_long,
                             &set->ends_short};
    for (size_t i = 0; i < sizeof all / sizeof *all; i++)
        if (all[i]->count && !reserve(all[i]))
            return false;
    return true;
}

static unsigned put_entries(const struct literals *set, const struct literal *l, struct entry *out)
{
    unsigned count = entry_count(set, l);
    out[0] = entry_of(set, l);
    for (unsigned k = 1; k < count; k++) {
        out[k] = out[0];
        out[k].offset += k;
        out[k].key = load(l->text.at + out[k].offset, LITERAL_LEAST);
    }
    return count;
}

static bool fill(struct literals *set, const struct literal *items, uint32_t count)
{
    set->stride = stride_of(items, count);
    struct entry *entries = calloc((size_t)count * set->stride + 1, sizeof *entries);
    bool is_ok = entries && reserve_all(set, items, count);
    size_t n = 0;
    for (uint32_t i = 0; is_ok && i < count; i++)
        n += put_entries(set, &items[i], entries + n);
    if (is_ok)
        sort(set, items, entries, count);
    free(entries);
    return is_ok;
}

enum status literals_new(const struct literal *items, uint32_t count, struct literals **out,
                         struct error *err)
{
    AUTO(literals) l = calloc(1, sizeof *l);
    if (!l || !fill(l, items, count))
        return error_set(err, STATUS_NOMEM, 0, "no memory for literals");
    *out = MOVE(l);
    return STATUS_OK;
}

/* ---- finding ---- */

static void find_edge(const struct buckets *b, struct text t, const char *edge, size_t len,
                      bool is_end, literal_fn hit, void *context)
{
    uint64_t key = load(edge, len);
    uint32_t place = bucket_of(key, b->bitmap_bits);
    if (!(b->bitmap[place / 64] >> (place % 64) & 1))
        return;
    uint32_t bucket = bucket_of(key, b->bits);
    for (uint32_t i = b->starts[bucket]; i < b->starts[bucket + 1]; i++) {
        const struct entry *e = &b->entries[i];
        if (e->key != key || e->len > t.len)
            continue;
        const char *from = is_end ? t.at + t.len - e->len : t.at;
        if (memcmp(from, e->at, e->len) == 0)
            hit(context, e->id);
    }
}

static void verify(const struct buckets *b, uint32_t bucket, uint64_t key, struct text t, size_t at,
                   literal_fn hit, void *context)
{
    for (uint32_t i = b->starts[bucket]; i < b->starts[bucket + 1]; i++) {
        const struct entry *e = &b->entries[i];
        if (e->key != key || e->offset > at || e->len > t.len - (at - e->offset))
            continue;
        if (memcmp(t.at + at - e->offset, e->at, e->len) == 0)
            hit(context, e->id);
    }
}

static void find_grams(const struct buckets *b, unsigned stride, struct text t, literal_fn hit,
                       void *context)
{
    const uint64_t *bitmap = b->bitmap;
    unsigned bits = b->bitmap_bits;
    for (size_t i = 0; i + LITERAL_LEAST <= t.len; i += stride) {
        uint64_t key = load(t.at + i, LITERAL_LEAST);
        uint32_t place = bucket_of(key, bits);
        if (bitmap[place / 64] >> (place % 64) & 1)
            verify(b, bucket_of(key, b->bits), key, t, i, hit, context);
    }
}

void literals_find(const struct literals *l, struct text t, literal_fn hit, void *context)
{
    if (t.len < LITERAL_LEAST)
        return;
    if (l->grams.count)
        find_grams(&l->grams, l->stride, t, hit, context);
    if (l->starts_short.count)
        find_edge(&l->starts_short, t, t.at, LITERAL_LEAST, false, hit, context);
    if (l->ends_short.count)
        find_edge(&l->ends_short, t, t.at + t.len - LITERAL_LEAST, LITERAL_LEAST, true, hit,
                  context);
    if (t.len < 8)
        return;
    if (l->starts_long.count)
        find_edge(&l->starts_long, t, t.at, 8, false, hit, context);
    if (l->ends_long.count)
        find_edge(&l->ends_long, t, t.at + t.len - 8, 8, true, hit, context);
}
