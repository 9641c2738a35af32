/* SPDX-License-Identifier: Apache-2.0 */
#include "rules/match/gate.h"
#include "base/substring.h"
#include "rules/match/gram.h"
#include "rules/match/sieve.h"
#include <stdlib.h>

/*
 * Of each keyword some characters are looked for that stand in a row and that JSON does not change.
 * Setting bit 5 of every byte folds ASCII letters (and some other bytes together, which only opens
 * the gate too often). A few keywords are looked for with a sieve. Of many, or where there is none,
 * every n-th place of the text is looked at (n up to 8, as the rows are long), and n neighbouring
 * grams of each keyword are kept.
 */
enum { GRAM = GRAM_BYTES, STRIDE_MOST = 8 };

struct gate {
    uint64_t *bitmap; /* fits the first cache */
    uint32_t *grams;  /* open addressing, 0: free; what the bitmap lets through is looked up here */
    unsigned bits, gram_bits;
    unsigned stride;
    bool has_sieve;
    struct sieve sieve;
};

void gate_free(struct gate *g)
{
    if (!g)
        return;
    free(g->bitmap);
    free(g->grams);
    free(g);
}

static uint32_t gram_at(const char *at)
{
    uint32_t word = 0;
    memcpy(&word, at, sizeof word);
    return word | 0x20202020U;
}

static uint32_t bucket_of(uint32_t gram, unsigned bits)
{
    return (gram * 2654435761U) >> (32 - bits);
}

/* Written in JSON as it is. */
static bool is_steady(char c)
{
    return c >= ' ' && c <= '~' && c != '"' && c != '\\' && c != '/';
}

/* The longest row of such characters. */
static struct text longest_row(struct text t)
{
    struct text best = TEXT_NONE;
    size_t start = 0;
    for (size_t i = 0; i <= t.len; i++) {
        if (i < t.len && is_steady(t.at[i]))
            continue;
        if (i - start > best.len)
            best = (struct text){t.at + start, i - start};
        start = i + 1;
    }
    return best;
}

static bool is_kept(const struct gate *g, uint32_t gram)
{
    uint32_t mask = (UINT32_C(1) << g->gram_bits) - 1;
    for (uint32_t at = bucket_of(gram, g->gram_bits); g->grams[at]; at = (at + 1) & mask)
        if (g->grams[at] == gram)
            return true;
    return false;
}

static void keep(struct gate *g, uint32_t gram)
{
    uint32_t mask = (UINT32_C(1) << g->gram_bits) - 1;
    uint32_t bucket = bucket_of(gram, g->bits);
    g->bitmap[bucket / 64] |= UINT64_C(1) << (bucket % 64);
    if (is_kept(g, gram))
        return;
    uint32_t at = bucket_of(gram, g->gram_bits);
    while (g->grams[at])
        at = (at + 1) & mask;
    g->grams[at] = gram;
}

static bool reserve(struct gate *g, uint32_t count)
{
    g->bits = 12;
    while (g->bits < 18 && (UINT32_C(1) << g->bits) < count * 512)
        g->bits++;
    g->gram_bits = 6;
    while (g->gram_bits < 26 && (UINT32_C(1) << g->gram_bits) < count * 2)
        g->gram_bits++;
    g->bitmap = calloc(((size_t)1 << g->bits) / 64, sizeof *g->bitmap);
    g->grams = calloc((size_t)1 << g->gram_bits, sizeof *g->grams);
    return g->bitmap && g->grams;
}

static void build_sieve(struct gate *g, const struct text *keywords, uint32_t count)
{
    uint32_t grams[SIEVE_GRAMS];
    if (count > SIEVE_GRAMS)
        return;
    for (uint32_t i = 0; i < count; i++) {
        struct text row = longest_row(keywords[i]);
        grams[i] = gram_at(row.at + gram_rarest(row, GRAM));
    }
    g->has_sieve = sieve_build(&g->sieve, grams, count);
}

struct gate *gate_new(const struct text *keywords, uint32_t count)
{
    AUTO(gate) g = calloc(1, sizeof *g);
    if (!g)
        return NULL;
    g->stride = STRIDE_MOST;
    for (uint32_t i = 0; i < count; i++) {
        size_t len = longest_row(keywords[i]).len;
        if (len < GRAM)
            return NULL;
        if (len < GRAM + g->stride - 1)
            g->stride = (unsigned)len - GRAM + 1;
    }
    build_sieve(g, keywords, count);
    if (g->has_sieve)
        g->stride = 1;
    if (!reserve(g, count * g->stride))
        return NULL;
    for (uint32_t i = 0; i < count; i++) {
        struct text row = longest_row(keywords[i]);
        size_t from = gram_rarest(row, GRAM + g->stride - 1);
        for (unsigned k = 0; k < g->stride; k++)
            keep(g, gram_at(row.at + from + k));
    }
    return MOVE(g);
}

static bool is_kept_at(const struct gate *g, struct text t, size_t at)
{
    return at + GRAM <= t.len && is_kept(g, gram_at(t.at + at));
}

static bool passes_sieve(const struct gate *g, struct text t)
{
    uint32_t places = 0;
    for (size_t i = sieve_next(&g->sieve, t, 0, &places); i < t.len;
         i = sieve_next(&g->sieve, t, i + SIEVE_BLOCK, &places))
        for (; places; places &= places - 1)
            if (is_kept_at(g, t, i + (size_t)__builtin_ctz(places)))
                return true;
    return false;
}

static bool has_gram(const struct gate *g, struct text t)
{
    if (g->has_sieve)
        return passes_sieve(g, t);
    const uint64_t *bitmap = g->bitmap;
    for (size_t i = 0; i + GRAM <= t.len; i += g->stride) {
        uint32_t gram = gram_at(t.at + i);
        uint32_t bucket = bucket_of(gram, g->bits);
        if ((bitmap[bucket / 64] >> (bucket % 64) & 1) && is_kept(g, gram))
            return true;
    }
    return false;
}

/* A pair of bytes that begins a character written otherwise: an escape (\u0041, \u212A; what
 * follows in C:\\users is none), or one of the two signs that fold to k and s (U+212A, U+017F). */
static bool is_disguise(const char *at, size_t left)
{
    unsigned char a = (unsigned char)at[0];
    unsigned char b = (unsigned char)at[1];
    if (a == '\\')
        return b == 'u' && left > 2 && (at[2] == '0' || at[2] == '2');
    return (a == 0xC5 && b == 0xBF) || (a == 0xE2 && b == 0x84);
}

static bool has_disguise(struct text raw)
{
    size_t i = 0;
    for (; i + 17 <= raw.len; i += 16) {
        substring_lanes first = substring_load(raw.at + i);
        substring_lanes second = substring_load(raw.at + i + 1);
        substring_lanes found = (substring_equal(first, substring_fill('\\')) &
                                 substring_equal(second, substring_fill('u'))) |
                                (substring_equal(first, substring_fill(0xC5)) &
                                 substring_equal(second, substring_fill(0xBF))) |
                                (substring_equal(first, substring_fill(0xE2)) &
                                 substring_equal(second, substring_fill(0x84)));
        for (size_t k = i; substring_is_any(found) && k < i + 16; k++)
            if (is_disguise(raw.at + k, raw.len - k))
                return true;
    }
    for (; i + 1 < raw.len; i++)
        if (is_disguise(raw.at + i, raw.len - i))
            return true;
    return false;
}

static bool is_inside(struct text part, struct text whole)
{
    return part.at >= whole.at && part.at + part.len <= whole.at + whole.len;
}

static bool may_hold(const struct gate *g, struct text raw, struct text part)
{
    return part.len && !is_inside(part, raw) && (has_gram(g, part) || has_disguise(part));
}

bool gate_has_sieve(const struct gate *g)
{
    return g->has_sieve;
}

bool gate_admits(const struct gate *g, struct text value, bool is_plain)
{
    return has_gram(g, value) || (!is_plain && has_disguise(value));
}

/* Around the document, whose bytes are known to be plain. */
static bool has_disguise_around(struct text raw, struct text document)
{
    const size_t before = (size_t)(document.at - raw.at);
    return has_disguise(text_head(raw, before)) ||
           has_disguise(text_skip(raw, before + document.len));
}

bool gate_is_open(const struct gate *g, const struct event *e)
{
    struct text raw = e->record ? e->record->raw : TEXT_NONE;
    if (!raw.len || has_gram(g, raw))
        return true;
    if (e->is_plain && is_inside(e->document, raw) ? has_disguise_around(raw, e->document)
                                                   : has_disguise(raw))
        return true;
    for (uint32_t i = 0; i < e->field_count; i++)
        if (may_hold(g, raw, e->fields[i].value))
            return true;
    return may_hold(g, raw, e->message);
}
