/* SPDX-License-Identifier: Apache-2.0 */
#include "rules/decode/decoder_parts.h"
#include <ctype.h>
#include <stdlib.h>
#include <string.h>

const struct decoder_name *decoder_index_name(const struct decoder_names *names, uint64_t hash,
                                              struct text from)
{
    uint32_t low = 0;
    uint32_t high = names->count;
    while (low < high) {
        uint32_t middle = (low + high) / 2;
        if (names->items[middle].from_hash < hash)
            low = middle + 1;
        else
            high = middle;
    }
    if (low < names->count && text_equal(names->items[low].from, from))
        return &names->items[low];
    return NULL;
}

/* ---- literal of a pattern ---- */

/* True where a bar outside all parentheses makes the anchor hold for one branch only. */
static bool has_branches(struct text p)
{
    size_t depth = 0;
    bool is_class = false;
    for (size_t i = 0; i < p.len; i++) {
        if (p.at[i] == '\\')
            i++;
        else if (p.at[i] == ']')
            is_class = false;
        else if (is_class)
            continue;
        else if (p.at[i] == '[') {
            is_class = true;
            i += i + 1 < p.len && p.at[i + 1] == '^';
            i += i + 1 < p.len && p.at[i + 1] == ']';
        } else if (p.at[i] == '(')
            depth++;
        else if (p.at[i] == ')')
            depth -= depth > 0;
        else if (p.at[i] == '|' && !depth)
            return true;
    }
    return false;
}

bool decoder_index_firsts(struct text pattern, struct decoder_firsts *out)
{
    return decoder_regex_firsts(has_branches(pattern) ? TEXT("") : pattern, out);
}

/* The plain character at `i` of the pattern, moving *i behind it; false at anything else. */
static bool plain_at(struct text p, size_t *i, char *out)
{
    char c = p.at[*i];
    if (c == '\\') {
        if (*i + 1 == p.len || isalnum((unsigned char)p.at[*i + 1]) ||
            (unsigned char)p.at[*i + 1] >= 0x80)
            return false;
        c = p.at[*i + 1];
        ++*i;
    } else if (strchr(".[]{}()*+?|^$#", c)) {
        return false;
    }
    ++*i;
    *out = c;
    return true;
}

struct text decoder_index_literal(struct text pattern, struct arena *arena)
{
    if (!text_starts(pattern, TEXT("^")) || text_find(pattern, TEXT("\\Q")) < pattern.len ||
        has_branches(pattern))
        return TEXT("");
    char *literal = arena_bytes(arena, pattern.len);
    if (!literal)
        return TEXT("");
    size_t len = 0;
    for (size_t i = 1; i < pattern.len && pattern.at[i];) {
        char c = 0;
        if (!plain_at(pattern, &i, &c))
            break;
        /* a quantifier makes it optional, or many */
        if (i < pattern.len && strchr("*+?{", pattern.at[i]))
            break;
        literal[len++] = c;
    }
    return (struct text){literal, len};
}

/* ---- patterns by first byte ---- */

static bool can_begin(const struct decoder_pattern *p, uint32_t byte)
{
    return byte == 256 ? !p->is_never_empty : decoder_firsts_has(&p->firsts, (unsigned char)byte);
}

bool decoder_index_patterns(struct decoder *d, struct arena *arena)
{
    uint32_t total = 0;
    for (uint32_t byte = 0; byte < 257; byte++)
        for (uint32_t i = 0; i < d->pattern_count; i++)
            total += can_begin(&d->patterns[i], byte);
    uint16_t *order = arena_alloc(arena, (total ? total : 1) * sizeof *order);
    if (!order)
        return false;
    uint32_t at = 0;
    for (uint32_t byte = 0; byte < 257; byte++) {
        d->starts[byte] = at;
        for (uint32_t i = 0; i < d->pattern_count; i++)
            if (can_begin(&d->patterns[i], byte))
                order[at++] = (uint16_t)i;
    }
    d->starts[257] = at;
    d->order = order;
    return true;
}

/* ---- decoders by program ---- */

struct claim {
    struct text program;
    uint32_t decoder;
};

static int by_program(const void *left, const void *right)
{
    const struct claim *a = left;
    const struct claim *b = right;
    int order = text_compare(a->program, b->program);
    return order ? order : (a->decoder > b->decoder) - (a->decoder < b->decoder);
}

static int longest_first(const void *left, const void *right)
{
    const struct decoder_program *a = left;
    const struct decoder_program *b = right;
    if (a->name.len != b->name.len)
        return a->name.len > b->name.len ? -1 : 1;
    return text_compare(a->name, b->name);
}

static struct claim *list_claims(struct decoder_set *s, uint32_t *out_count)
{
    uint32_t count = 0;
    for (uint32_t i = 0; i < s->count; i++)
        count += s->decoders[i]->program_count;
    struct claim *claims = arena_alloc(&s->arena, (count ? count : 1) * sizeof *claims);
    uint32_t at = 0;
    for (uint32_t i = 0; claims && i < s->count; i++)
        for (uint32_t j = 0; j < s->decoders[i]->program_count; j++)
            claims[at++] = (struct claim){s->decoders[i]->programs[j], i};
    if (claims)
        qsort(claims, count, sizeof *claims, by_program);
    *out_count = count;
    return claims;
}

static void put_program(struct decoder_set *s, const struct decoder_program *p)
{
    uint32_t at = (uint32_t)p->hash & s->table_mask;
    while (s->table[at].count)
        at = (at + 1) & s->table_mask;
    s->table[at] = *p;
}

/* One program for each run of equal names among the sorted claims. */
static bool index_programs(struct decoder_set *s)
{
    uint32_t count = 0;
    const struct claim *claims = list_claims(s, &count);
    uint32_t size = 16;
    while (size < count * 2)
        size *= 2;
    s->table_mask = size - 1;
    s->table = arena_zero(&s->arena, size * sizeof *s->table);
    s->prefixes = arena_zero(&s->arena, (count ? count : 1) * sizeof *s->prefixes);
    uint32_t *decoders = arena_alloc(&s->arena, (count ? count : 1) * sizeof *decoders);
    if (!claims || !s->table || !s->prefixes || !decoders)
        return false;
    for (uint32_t i = 0, next = 0; i < count; i = next) {
        for (next = i; next < count && text_equal(claims[next].program, claims[i].program); next++)
            decoders[next] = claims[next].decoder;
        struct decoder_program p = {claims[i].program, 0, decoders + i, next - i};
        const bool is_prefix = text_ends(p.name, TEXT("*"));
        p.name.len -= is_prefix;
        p.hash = event_name_hash(p.name);
        if (is_prefix)
            s->prefixes[s->prefix_count++] = p;
        else
            put_program(s, &p);
    }
    qsort(s->prefixes, s->prefix_count, sizeof *s->prefixes, longest_first);
    return true;
}

static bool may_look(const struct decoder *d, uint32_t byte)
{
    if (!d->when)
        return false;
    return byte == 256 ? !d->is_when_never_empty
                       : decoder_firsts_has(&d->when_firsts, (unsigned char)byte);
}

static bool index_whens(struct decoder_set *s)
{
    uint32_t total = 0;
    for (uint32_t byte = 0; byte < 257; byte++)
        for (uint32_t i = 0; i < s->count; i++)
            total += may_look(s->decoders[i], byte);
    uint32_t *whens = arena_alloc(&s->arena, (total ? total : 1) * sizeof *whens);
    if (!whens)
        return false;
    uint32_t at = 0;
    for (uint32_t byte = 0; byte < 257; byte++) {
        s->when_starts[byte] = at;
        for (uint32_t i = 0; i < s->count; i++)
            if (may_look(s->decoders[i], byte))
                whens[at++] = i;
    }
    s->when_starts[257] = at;
    s->whens = whens;
    return true;
}

bool decoder_index_set(struct decoder_set *s)
{
    const uint32_t most = s->count ? s->count : 1;
    uint32_t *matches = arena_alloc(&s->arena, most * sizeof *matches);
    if (!matches || !index_whens(s) || !index_programs(s))
        return false;
    for (uint32_t i = 0; i < s->count; i++) {
        if (s->decoders[i]->has_match)
            matches[s->match_count++] = i;
    }
    s->matches = matches;
    return true;
}

uint64_t decoder_index_mark(struct text name)
{
    if (!name.len)
        return 0;
    const uint32_t first = (unsigned char)name.at[0] | 32U;
    const uint32_t last = (unsigned char)name.at[name.len - 1] | 32U;
    return UINT64_C(1) << ((first * 5 + last * 3 + (uint32_t)name.len) & 63);
}
