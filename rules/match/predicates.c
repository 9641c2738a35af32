/* SPDX-License-Identifier: Apache-2.0 */
#include "base/hash.h"
#include "rules/match/grow.h"
#include "rules/match/predicate.h"
#include <stdlib.h>

/* The set of all predicates of a ruleset: equal ones are one. */
struct predicates {
    struct arena *arena;
    struct predicate **items;
    struct hash128 *hashes;
    uint32_t count, max, hash_max;
    uint32_t *buckets; /* number + 1 */
    uint32_t bucket_count;
};

void predicates_free(struct predicates *p)
{
    if (!p)
        return;
    for (uint32_t i = 0; i < p->count; i++)
        regex_free(p->items[i]->regex);
    free(p->items);
    free(p->hashes);
    free(p->buckets);
    free(p);
}

enum status predicates_new(struct arena *arena, struct predicates **out, struct error *err)
{
    AUTO(predicates) p = calloc(1, sizeof *p);
    if (p) {
        p->arena = arena;
        p->bucket_count = 1024;
        p->buckets = calloc(p->bucket_count, sizeof *p->buckets);
    }
    if (!p || !p->buckets)
        return error_set(err, STATUS_NOMEM, 0, "no memory for predicates");
    *out = MOVE(p);
    return STATUS_OK;
}

static void hash_pattern(struct hasher *h, const struct pattern *p)
{
    for (uint32_t i = 0; i < p->count; i++) {
        hash_part_u64(h, p->parts[i].kind);
        hash_part_text(h, p->parts[i].text);
    }
}

/* Of the question, not of what it is compiled to. */
static struct hash128 hash_of(const struct predicate *p)
{
    struct hasher h;
    hash_start(&h);
    hash_part_u64(&h, (uint64_t)p->field << 32 | (uint64_t)p->op << 8 | p->is_cased);
    hash_part_u64(&h, (uint64_t)p->compare << 32 | (uint64_t)p->unit << 16 | p->match);
    hash_part_u64(&h, (uint64_t)p->other << 32 | p->regex_flags);
    hash_part_text(&h, p->text);
    hash_part_u64(&h, number_key(&p->number));
    hash_part(&h, p->cidr.base.bytes, sizeof p->cidr.base.bytes);
    hash_part_u64(&h, (uint64_t)p->cidr.base.len << 8 | p->cidr.bits);
    hash_pattern(&h, &p->pattern);
    for (uint32_t i = 0; i < p->item_count; i++)
        hash_part_text(&h, p->items[i]);
    return hash_end(&h);
}

static uint32_t *bucket_of(const struct predicates *p, struct hash128 hash)
{
    for (uint64_t at = hash.lo;; at++) {
        uint32_t *bucket = &p->buckets[at & (p->bucket_count - 1)];
        if (!*bucket || hash_equal(p->hashes[*bucket - 1], hash))
            return bucket;
    }
}

static bool rehash(struct predicates *p)
{
    uint32_t *bigger = calloc((size_t)p->bucket_count * 2, sizeof *bigger);
    if (!bigger)
        return false;
    free(p->buckets);
    p->buckets = bigger;
    p->bucket_count *= 2;
    for (uint32_t i = 0; i < p->count; i++)
        *bucket_of(p, p->hashes[i]) = i + 1;
    return true;
}

static bool copy_items(struct arena *arena, struct predicate *p)
{
    struct text *items = arena_alloc(arena, p->item_count * sizeof *items);
    uint32_t size = 16;
    while (size < 2 * p->item_count)
        size *= 2;
    uint32_t *buckets = arena_zero(arena, size * sizeof *buckets);
    if (!items || !buckets)
        return false;
    for (uint32_t i = 0; i < p->item_count; i++) {
        items[i] = arena_copy(arena, p->items[i]);
        if (!items[i].at)
            return false;
        uint64_t at = hash_seeded(items[i].at, items[i].len, 0);
        while (buckets[at & (size - 1)])
            at++;
        buckets[at & (size - 1)] = i + 1;
    }
    p->items = items;
    p->buckets = buckets;
    p->bucket_mask = size - 1;
    return true;
}

static bool copy_pattern(struct arena *arena, struct predicate *p)
{
    struct part *parts = arena_alloc(arena, ((size_t)p->pattern.count + 1) * sizeof *parts);
    if (!parts)
        return false;
    for (uint32_t i = 0; i < p->pattern.count; i++) {
        parts[i] = p->pattern.parts[i];
        if (parts[i].kind != PART_TEXT)
            continue;
        parts[i].text = arena_copy(arena, parts[i].text);
        if (!parts[i].text.at)
            return false;
    }
    p->pattern.parts = parts;
    return glob_compile(&p->pattern, arena, &p->glob);
}

static enum status compile(struct predicates *set, const struct predicate *in,
                           struct predicate **out, struct error *err)
{
    struct predicate *p = arena_alloc(set->arena, sizeof *p);
    if (!p)
        return error_set(err, STATUS_NOMEM, 0, "no memory for a predicate");
    *p = *in;
    p->text = arena_copy(set->arena, in->text);
    bool is_ok = p->text.at;
    if (is_ok && p->op == PREDICATE_IN)
        is_ok = copy_items(set->arena, p);
    if (is_ok && p->op == PREDICATE_GLOB)
        is_ok = copy_pattern(set->arena, p);
    if (!is_ok)
        return error_set(err, STATUS_NOMEM, 0, "no memory for a predicate");
    *out = p;
    return p->op == PREDICATE_REGEX ? regex_new(p->text, p->regex_flags, &p->regex, err)
                                    : STATUS_OK;
}

enum status predicates_add(struct predicates *set, const struct predicate *p, uint32_t *out_number,
                           struct error *err)
{
    struct hash128 hash = hash_of(p);
    uint32_t known = *bucket_of(set, hash);
    if (known) {
        *out_number = known - 1;
        return STATUS_OK;
    }
    bool has_room = GROW(set->items, set->count, set->max) &&
                    GROW(set->hashes, set->count, set->hash_max) &&
                    (set->count * 2 < set->bucket_count || rehash(set));
    if (!has_room)
        return error_set(err, STATUS_NOMEM, 0, "no memory for predicates");
    enum status status = compile(set, p, &set->items[set->count], err);
    if (status)
        return status;
    set->hashes[set->count] = hash;
    *out_number = set->count++;
    *bucket_of(set, hash) = set->count;
    return STATUS_OK;
}

uint32_t predicates_count(const struct predicates *set)
{
    return set->count;
}

const struct predicate *predicates_at(const struct predicates *set, uint32_t number)
{
    return set->items[number];
}
