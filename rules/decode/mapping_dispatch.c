/* SPDX-License-Identifier: Apache-2.0 */
#include "rules/decode/mapping_parts.h"
#include <stdlib.h>

/* Sources of a mapping by the values of the two fields that most of them ask for: channel and
 * event id, mostly. */

static bool is_exact(const struct mapping_condition *c)
{
    return !c->is_existence && !c->is_negated && !c->has_wildcard;
}

static bool is_same_field(const struct mapping_condition *a, const struct mapping_condition *b)
{
    return a && b && text_equal(a->field, b->field);
}

static const struct mapping_condition *exact_on(const struct mapping_source *s,
                                                const struct mapping_condition *field)
{
    for (uint32_t i = 0; i < s->clause.count; i++)
        if (is_exact(&s->clause.conditions[i]) && is_same_field(&s->clause.conditions[i], field))
            return &s->clause.conditions[i];
    return NULL;
}

/* The field that most sources ask for exactly, `but` aside. */
static const struct mapping_condition *favourite(const struct mapping *m,
                                                 const struct mapping_condition *but)
{
    const struct mapping_condition *best = NULL;
    uint32_t most = 0;
    for (uint32_t i = 0; i < m->source_count; i++)
        for (uint32_t j = 0; j < m->sources[i].clause.count; j++) {
            const struct mapping_condition *c = &m->sources[i].clause.conditions[j];
            if (!is_exact(c) || is_same_field(c, but) || is_same_field(c, best))
                continue;
            uint32_t users = 0;
            for (uint32_t k = 0; k < m->source_count; k++)
                users += exact_on(&m->sources[k], c) != NULL;
            if (users > most) {
                most = users;
                best = c;
            }
        }
    return best;
}

static uint64_t value_hash(struct text value)
{
    return hash_seeded(value.at, value.len, 0) | 1; /* never the 0 of "does not ask" */
}

static uint64_t key_of(uint64_t first, uint64_t second)
{
    return hash_mix(first * 3 + second) | 1;
}

struct pair {
    uint64_t key;
    uint32_t source;
};

static int by_key(const void *left, const void *right)
{
    const struct pair *a = left;
    const struct pair *b = right;
    if (a->key != b->key)
        return a->key < b->key ? -1 : 1;
    return (a->source > b->source) - (a->source < b->source);
}

/* Number of (value, value) pairs of one source; written to `out` where it is given. */
static uint32_t list_pairs(const struct mapping *m, uint32_t source, struct pair *out)
{
    const struct mapping_condition *first = exact_on(&m->sources[source], m->dispatch.by[0]);
    const struct mapping_condition *second = exact_on(&m->sources[source], m->dispatch.by[1]);
    const uint32_t firsts = first ? first->value_count : 1;
    const uint32_t seconds = second ? second->value_count : 1;
    for (uint32_t i = 0; out && i < firsts * seconds; i++) {
        const uint64_t a = first ? value_hash(first->values[i / seconds]) : 0;
        const uint64_t b = second ? value_hash(second->values[i % seconds]) : 0;
        out[i] = (struct pair){key_of(a, b), source};
    }
    return firsts * seconds;
}

static void put(struct mapping_dispatch *d, const struct mapping_entry *entry)
{
    uint32_t at = (uint32_t)entry->key & d->mask;
    while (d->table[at].count)
        at = (at + 1) & d->mask;
    d->table[at] = *entry;
}

/* A source found by its key has the values that the key was made of: equal hashes of 64 bits. */
static bool keep_rest(const struct mapping_dispatch *d, struct mapping_source *s,
                      struct arena *arena)
{
    struct mapping_condition *rest = arena_alloc(arena, (s->clause.count + 1) * sizeof *rest);
    if (!rest)
        return false;
    uint32_t count = 0;
    for (uint32_t i = 0; i < s->clause.count; i++) {
        const struct mapping_condition *c = &s->clause.conditions[i];
        if (c != exact_on(s, d->by[0]) && c != exact_on(s, d->by[1]))
            rest[count++] = *c;
    }
    s->rest = (struct mapping_clause){rest, count};
    return true;
}

bool mapping_dispatch_build(struct mapping *m, struct arena *arena)
{
    struct mapping_dispatch *d = &m->dispatch;
    d->by[0] = favourite(m, NULL);
    d->by[1] = d->by[0] ? favourite(m, d->by[0]) : NULL;
    uint32_t count = 0;
    for (uint32_t i = 0; i < m->source_count; i++)
        count += list_pairs(m, i, NULL);
    uint32_t size = 4;
    while (size < count * 2)
        size *= 2;
    struct pair *pairs = arena_alloc(arena, (count + 1) * sizeof *pairs);
    uint16_t *order = arena_alloc(arena, (count + 1) * sizeof *order);
    d->table = arena_zero(arena, size * sizeof *d->table);
    if (!pairs || !order || !d->table)
        return false;
    d->mask = size - 1;
    d->order = order;
    for (uint32_t i = 0; i < m->source_count; i++)
        if (!keep_rest(d, &m->sources[i], arena))
            return false;
    for (uint32_t i = 0, at = 0; i < m->source_count; i++)
        at += list_pairs(m, i, pairs + at);
    qsort(pairs, count, sizeof *pairs, by_key);
    for (uint32_t i = 0, next = 0; i < count; i = next) {
        for (next = i; next < count && pairs[next].key == pairs[i].key; next++)
            order[next] = (uint16_t)pairs[next].source;
        const struct mapping_entry entry = {pairs[i].key, i, next - i};
        put(d, &entry);
    }
    return true;
}

static uint64_t seen_hash(const struct mapping_condition *by, const struct mapping_seen *seen)
{
    char lower[MAPPING_VALUE];
    struct text folded = TEXT_NONE;
    const struct field *f = by ? mapping_match_field(by, seen) : NULL;
    return f && mapping_match_fold(f, lower, &folded) ? value_hash(folded) : 0;
}

static uint32_t insert(uint16_t *out, uint32_t count, uint16_t source)
{
    if (count == MAPPING_CANDIDATES)
        return count;
    uint32_t at = count;
    for (; at > 0 && out[at - 1] > source; at--)
        out[at] = out[at - 1];
    out[at] = source;
    return count + 1;
}

uint32_t mapping_dispatch_find(const struct mapping *m, const struct mapping_seen *seen,
                               uint16_t *out)
{
    const struct mapping_dispatch *d = &m->dispatch;
    const uint64_t first = seen_hash(d->by[0], seen);
    const uint64_t second = seen_hash(d->by[1], seen);
    uint32_t count = 0;
    for (unsigned mask = 0; mask < 4; mask++) {
        if ((mask & 1 && !first) || (mask & 2 && !second))
            continue;
        const uint64_t key = key_of(mask & 1 ? first : 0, mask & 2 ? second : 0);
        uint32_t at = (uint32_t)key & d->mask;
        while (d->table[at].count && d->table[at].key != key)
            at = (at + 1) & d->mask;
        for (uint32_t i = 0; i < d->table[at].count; i++)
            count = insert(out, count, d->order[d->table[at].first + i]);
    }
    return count;
}
