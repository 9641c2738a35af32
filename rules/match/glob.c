/* SPDX-License-Identifier: Apache-2.0 */
#include "rules/match/glob.h"
#include "base/substring.h"
#include "rules/match/fold.h"

/* What stands between two stars: bytes alone, or units of which some are not bytes. */
enum { UNIT_ONE = 256, UNIT_DASH = 257 };
struct segment {
    struct text bytes;     /* where units is NULL */
    const uint16_t *units; /* 0..255 a byte, UNIT_ONE, UNIT_DASH */
    uint32_t count;
};

struct text glob_dash(uint32_t index)
{
    /* hyphen-minus, slash, en dash, em dash, horizontal bar */
    static const char *const dashes[GLOB_DASHES] = {"-", "/", "\xE2\x80\x93", "\xE2\x80\x94",
                                                    "\xE2\x80\x95"};
    return text_of(dashes[index]);
}

static size_t dash_length(struct text t)
{
    for (uint32_t i = 0; i < GLOB_DASHES; i++)
        if (text_starts(t, glob_dash(i)))
            return glob_dash(i).len;
    return 0;
}

/* ---- strings of rules ---- */

static void add_text(struct part *parts, uint32_t *count, struct text t)
{
    if (t.len)
        parts[(*count)++] = (struct part){PART_TEXT, t};
}

bool glob_parse(struct text source, struct arena *arena, struct pattern *out)
{
    uint32_t wildcards = 0;
    for (size_t i = 0; i < source.len; i++)
        wildcards += source.at[i] == '*' || source.at[i] == '?';
    struct part *parts = arena_alloc(arena, (2 * (size_t)wildcards + 1) * sizeof *parts);
    char *bytes = arena_bytes(arena, source.len + 1);
    if (!parts || !bytes)
        return false;
    uint32_t count = 0;
    size_t start = 0;
    size_t n = 0;
    for (size_t i = 0; i < source.len; i++) {
        char c = source.at[i];
        char next = i + 1 < source.len ? source.at[i + 1] : 'x';
        if (c == '\\' && (next == '*' || next == '?' || next == '\\')) {
            bytes[n++] = next;
            i++;
        } else if (c == '*' || c == '?') {
            add_text(parts, &count, (struct text){bytes + start, n - start});
            start = n;
            bool is_doubled = c == '*' && count && parts[count - 1].kind == PART_STAR;
            if (!is_doubled)
                parts[count++] = (struct part){c == '*' ? PART_STAR : PART_ONE, TEXT_NONE};
        } else {
            bytes[n++] = c;
        }
    }
    add_text(parts, &count, (struct text){bytes + start, n - start});
    *out = (struct pattern){parts, count};
    return true;
}

bool glob_literal(struct text literal, struct arena *arena, struct pattern *out)
{
    struct part *parts = arena_alloc(arena, sizeof *parts);
    struct text copy = arena_copy(arena, literal);
    if (!parts || !copy.at)
        return false;
    uint32_t count = 0;
    add_text(parts, &count, copy);
    *out = (struct pattern){parts, count};
    return true;
}

bool glob_wrap(struct pattern in, bool star_before, bool star_behind, struct arena *arena,
               struct pattern *out)
{
    struct part *parts = arena_alloc(arena, ((size_t)in.count + 2) * sizeof *parts);
    if (!parts)
        return false;
    uint32_t count = 0;
    if (star_before && !(in.count && in.parts[0].kind == PART_STAR))
        parts[count++] = (struct part){PART_STAR, TEXT_NONE};
    for (uint32_t i = 0; i < in.count; i++)
        parts[count++] = in.parts[i];
    if (star_behind && !(count && parts[count - 1].kind == PART_STAR))
        parts[count++] = (struct part){PART_STAR, TEXT_NONE};
    *out = (struct pattern){parts, count};
    return true;
}

bool glob_fold(struct pattern in, struct arena *arena, struct pattern *out)
{
    struct part *parts = arena_alloc(arena, ((size_t)in.count + 1) * sizeof *parts);
    if (!parts)
        return false;
    for (uint32_t i = 0; i < in.count; i++) {
        parts[i] = in.parts[i];
        if (parts[i].kind != PART_TEXT)
            continue;
        char *bytes = arena_bytes(arena, fold_room(parts[i].text.len));
        if (!bytes)
            return false;
        parts[i].text = (struct text){bytes, fold_text(in.parts[i].text, bytes)};
    }
    *out = (struct pattern){parts, in.count};
    return true;
}

static bool is_word(unsigned char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' ||
           c >= 0x80;
}

/* \B[-/]\b, as the reference implementation reads the specification. */
static bool is_option_dash(struct text t, size_t i)
{
    bool is_dash = t.at[i] == '-' || t.at[i] == '/';
    bool after_word = i > 0 && is_word((unsigned char)t.at[i - 1]);
    bool before_word = i + 1 < t.len && is_word((unsigned char)t.at[i + 1]);
    return is_dash && !after_word && before_word;
}

bool glob_dashes(struct pattern in, struct arena *arena, struct pattern *out, uint32_t *out_count)
{
    uint32_t dashes = 0;
    for (uint32_t i = 0; i < in.count; i++)
        for (size_t k = 0; in.parts[i].kind == PART_TEXT && k < in.parts[i].text.len; k++)
            dashes += is_option_dash(in.parts[i].text, k);
    *out_count = dashes;
    struct part *parts = arena_alloc(arena, (in.count + 2 * (size_t)dashes + 1) * sizeof *parts);
    if (!parts)
        return false;
    uint32_t count = 0;
    for (uint32_t i = 0; i < in.count; i++) {
        struct text t = in.parts[i].text;
        if (in.parts[i].kind != PART_TEXT) {
            parts[count++] = in.parts[i];
            continue;
        }
        size_t start = 0;
        for (size_t k = 0; k < t.len; k++) {
            if (!is_option_dash(t, k))
                continue;
            add_text(parts, &count, (struct text){t.at + start, k - start});
            parts[count++] = (struct part){PART_DASH, TEXT_NONE};
            start = k + 1;
        }
        add_text(parts, &count, text_skip(t, start));
    }
    *out = (struct pattern){parts, count};
    return true;
}

/* ---- compiling ---- */

static size_t unit_count(const struct part *parts, uint32_t count, bool *out_is_plain)
{
    size_t units = 0;
    *out_is_plain = true;
    for (uint32_t i = 0; i < count; i++) {
        units += parts[i].kind == PART_TEXT ? parts[i].text.len : 1;
        *out_is_plain = *out_is_plain && parts[i].kind == PART_TEXT;
    }
    return units;
}

static bool compile_segment(const struct part *parts, uint32_t count, struct arena *arena,
                            struct segment *out)
{
    bool is_plain = true;
    size_t total = unit_count(parts, count, &is_plain);
    if (is_plain && count == 1) {
        *out = (struct segment){.bytes = parts[0].text};
        return true;
    }
    uint16_t *units = arena_alloc(arena, total * sizeof *units);
    if (!units)
        return false;
    uint32_t n = 0;
    for (uint32_t i = 0; i < count; i++) {
        if (parts[i].kind != PART_TEXT)
            units[n++] = parts[i].kind == PART_ONE ? UNIT_ONE : UNIT_DASH;
        for (size_t k = 0; parts[i].kind == PART_TEXT && k < parts[i].text.len; k++)
            units[n++] = (unsigned char)parts[i].text.at[k];
    }
    *out = (struct segment){.units = units, .count = n};
    return true;
}

bool glob_compile(const struct pattern *p, struct arena *arena, struct glob *out)
{
    struct segment *segments = arena_alloc(arena, ((size_t)p->count + 1) * sizeof *segments);
    if (!segments)
        return false;
    uint32_t count = 0;
    uint32_t start = 0;
    for (uint32_t i = 0; i <= p->count; i++) {
        if (i < p->count && p->parts[i].kind != PART_STAR)
            continue;
        if (i > start && !compile_segment(p->parts + start, i - start, arena, &segments[count++]))
            return false;
        start = i + 1;
    }
    *out = (struct glob){
        .segments = segments,
        .count = count,
        .is_open_before = p->count && p->parts[0].kind == PART_STAR,
        .is_open_behind = p->count && p->parts[p->count - 1].kind == PART_STAR,
    };
    return true;
}

/* ---- matching ---- */

/* Bytes that one unit takes at the start of `t`; 0: it does not match. */
static size_t unit_length(uint16_t unit, struct text t)
{
    if (!t.len)
        return 0;
    if (unit == UNIT_DASH)
        return dash_length(t);
    if (unit == UNIT_ONE) {
        size_t len = text_utf8_len(t);
        return len ? len : 1;
    }
    return (unsigned char)t.at[0] == unit;
}

/* Bytes that the segment takes at `from`; SIZE_MAX: it does not match there. */
static size_t match_at(const struct segment *s, struct text t, size_t from)
{
    if (!s->units)
        return text_starts(text_skip(t, from), s->bytes) ? s->bytes.len : SIZE_MAX;
    size_t at = from;
    for (uint32_t i = 0; i < s->count; i++) {
        size_t len = unit_length(s->units[i], text_skip(t, at));
        if (!len)
            return SIZE_MAX;
        at += len;
    }
    return at - from;
}

/* Leftmost place at or behind `from`; gives the end of the match. */
static bool find(const struct segment *s, struct text t, size_t from, size_t *out_end)
{
    if (!s->units) {
        struct text rest = text_skip(t, from);
        size_t at = substring_find(rest, s->bytes);
        *out_end = from + at + s->bytes.len;
        return at < rest.len || s->bytes.len == 0;
    }
    for (size_t at = from; at < t.len; at++) {
        if (s->units[0] < UNIT_ONE) {
            at += text_find_byte(text_skip(t, at), (char)s->units[0]);
            if (at >= t.len)
                return false;
        }
        size_t len = match_at(s, t, at);
        if (len != SIZE_MAX) {
            *out_end = at + len;
            return true;
        }
    }
    return false;
}

/* Length of the character that ends at t's end. */
static size_t last_length(struct text t)
{
    for (size_t len = 1; len <= 4 && len <= t.len; len++)
        if (text_utf8_len(text_skip(t, t.len - len)) == len)
            return len;
    return t.len ? 1 : 0;
}

static size_t unit_length_back(uint16_t unit, struct text t)
{
    if (!t.len)
        return 0;
    if (unit == UNIT_ONE)
        return last_length(t);
    if (unit < UNIT_ONE)
        return (unsigned char)t.at[t.len - 1] == unit;
    for (uint32_t i = 0; i < GLOB_DASHES; i++)
        if (text_ends(t, glob_dash(i)))
            return glob_dash(i).len;
    return 0;
}

/* The segment at the very end of `t`, not reaching before `from`. */
static bool match_end(const struct segment *s, struct text t, size_t from)
{
    if (!s->units)
        return t.len - from >= s->bytes.len && text_ends(t, s->bytes);
    struct text rest = t;
    for (uint32_t i = s->count; i > 0; i--) {
        size_t len = unit_length_back(s->units[i - 1], rest);
        if (!len || rest.len - len < from)
            return false;
        rest.len -= len;
    }
    return true;
}

bool glob_matches(const struct glob *g, struct text t)
{
    uint32_t i = 0;
    uint32_t end = g->count;
    size_t at = 0;
    if (!g->count)
        return g->is_open_before || t.len == 0;
    if (!g->is_open_before) {
        size_t len = match_at(&g->segments[0], t, 0);
        if (len == SIZE_MAX)
            return false;
        at = len;
        i = 1;
        if (end == 1)
            return g->is_open_behind || at == t.len;
    }
    if (!g->is_open_behind)
        end--;
    for (; i < end; i++)
        if (!find(&g->segments[i], t, at, &at))
            return false;
    return g->is_open_behind || match_end(&g->segments[end], t, at);
}
