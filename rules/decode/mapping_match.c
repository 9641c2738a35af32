/* SPDX-License-Identifier: Apache-2.0 */
#include "base/substring.h"
#include "rules/decode/mapping_parts.h"
#include <string.h>

static char lower_of(char c)
{
    return (char)(c + ((unsigned char)(c - 'A') < 26) * 32);
}

/* Sixteen bytes at once; `lower` is MAPPING_VALUE bytes. */
static void fold(struct text value, char *lower)
{
    memcpy(lower, value.at, value.len);
    for (size_t i = 0; i < value.len; i += sizeof(substring_lanes)) {
        substring_lanes bytes = substring_load(lower + i);
        bytes += (substring_lanes)((bytes - 'A') < 26) & 32;
        memcpy(lower + i, &bytes, sizeof bytes);
    }
}

/* Values that name channels and services hold no other escapes than these three. */
static bool fold_escaped(struct text value, char *lower, struct text *out)
{
    size_t len = 0;
    for (size_t i = 0; i < value.len; i++) {
        if (value.at[i] == '\\' && i + 1 < value.len && strchr("\"\\/", value.at[i + 1]))
            i++;
        if (len == MAPPING_VALUE)
            return false;
        lower[len++] = lower_of(value.at[i]);
    }
    *out = (struct text){lower, len};
    return true;
}

bool mapping_match_fold(const struct field *f, char *lower, struct text *out)
{
    const struct text value = f->value;
    if (f->is_escaped)
        return fold_escaped(value, lower, out);
    if (value.len > MAPPING_VALUE)
        return false;
    if (value.len)
        fold(value, lower);
    *out = (struct text){lower, value.len};
    return true;
}

/* Stars stand for any bytes. The pieces between them are found leftmost first: linear enough. */
static bool glob(struct text pattern, struct text t)
{
    size_t star = text_find_byte(pattern, '*');
    if (star == pattern.len)
        return text_equal(pattern, t);
    if (!text_starts(t, text_head(pattern, star)))
        return false;
    t = text_skip(t, star);
    for (pattern = text_skip(pattern, star + 1);; pattern = text_skip(pattern, star + 1)) {
        star = text_find_byte(pattern, '*');
        const struct text piece = text_head(pattern, star);
        if (star == pattern.len)
            return text_ends(t, piece);
        const size_t at = text_find(t, piece);
        if (at == t.len && piece.len)
            return false;
        t = text_skip(t, at + piece.len);
    }
}

/* Whether a folded value is one of the condition's. */
uint32_t mapping_match_mark(struct text value)
{
    if (!value.len)
        return 0;
    const uint32_t first = (unsigned char)value.at[0];
    const uint32_t middle = (unsigned char)value.at[value.len / 2];
    const uint32_t last = (unsigned char)value.at[value.len - 1];
    return (first * 7 + middle * 31 + last * 101 + (uint32_t)value.len) & 255;
}

static bool is_one_of(const struct mapping_condition *c, struct text folded)
{
    const uint32_t mark = mapping_match_mark(folded);
    if (!c->has_wildcard && !(c->marks[mark / 64] >> (mark % 64) & 1))
        return false;
    for (uint32_t i = 0; i < c->value_count; i++)
        if (c->has_wildcard ? glob(c->values[i], folded) : text_equal(c->values[i], folded))
            return true;
    return false;
}

const struct field *mapping_match_field(const struct mapping_condition *c,
                                        const struct mapping_seen *seen)
{
    for (uint32_t i = 0; i < c->slot_count; i++) {
        const struct field *f = mapping_seen_field(seen, c->slots[i]);
        if (f)
            return f;
    }
    return NULL;
}

static bool has_value(const struct mapping_condition *c, const struct field *f)
{
    char lower[MAPPING_VALUE];
    struct text folded = TEXT_NONE;
    return f && mapping_match_fold(f, lower, &folded) && is_one_of(c, folded);
}

/* Fields are looked for before any value is compared: most clauses fail by one that is not there.
 */
bool mapping_match_clause(const struct mapping_clause *clause, const struct mapping_seen *seen)
{
    for (uint32_t i = 0; i < clause->count; i++) {
        const struct mapping_condition *c = &clause->conditions[i];
        const bool is_there = mapping_match_field(c, seen) != NULL;
        if (c->is_existence ? is_there == c->is_negated : !is_there && !c->is_negated)
            return false;
    }
    for (uint32_t i = 0; i < clause->count; i++) {
        const struct mapping_condition *c = &clause->conditions[i];
        if (!c->is_existence && has_value(c, mapping_match_field(c, seen)) == c->is_negated)
            return false;
    }
    return true;
}

bool mapping_match_when(const struct mapping_when *when, const struct mapping_seen *seen)
{
    bool is_match = !when->count;
    for (uint32_t i = 0; i < when->count && !is_match; i++)
        is_match = mapping_match_clause(&when->clauses[i], seen);
    return is_match;
}
