/* SPDX-License-Identifier: Apache-2.0 */
#include "ingest/format/kv.h"
#include "base/digit.h"
#include <stdint.h>

enum { KEY_BYTES = 64 };

/* Which bytes a key is made of (1) and may begin with (2), by byte; none above 127. */
enum { KEY_BYTE = 1, FIRST_BYTE = 2 };
static const uint8_t classes[256] = {
    /* clang-format off */
    0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0,
    0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0,
    0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 1, 1,
    1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 0, 0, 0, 0, 0,
    3, 3, 3, 3, 3, 3, 3, 3, 3, 3, 3, 3, 3, 3, 3, 3,
    3, 3, 3, 3, 3, 3, 3, 3, 3, 3, 3, 1, 0, 1, 0, 3,
    0, 3, 3, 3, 3, 3, 3, 3, 3, 3, 3, 3, 3, 3, 3, 3,
    3, 3, 3, 3, 3, 3, 3, 3, 3, 3, 3, 0, 0, 0, 0, 0,
    /* clang-format on */
};

/* Length of the key at the start of `t` that '=' follows, or 0. */
static size_t key_len(struct text t)
{
    size_t end = t.len < KEY_BYTES + 1 ? t.len : KEY_BYTES + 1;
    size_t len = 0;
    if (!end || !(classes[(unsigned char)t.at[0]] & FIRST_BYTE))
        return 0;
    while (len < end && (classes[(unsigned char)t.at[len]] & KEY_BYTE))
        len++;
    return len < end && t.at[len] == '=' ? len : 0;
}

bool kv_is_start(struct text t)
{
    return key_len(t) > 0;
}

static bool is_letter(char c)
{
    return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || c == '_';
}

static bool is_blank(char c)
{
    return c == ' ' || c == '\t';
}

static struct text without_escapes(struct text value, struct arena *arena)
{
    char *copy = arena_bytes(arena, value.len);
    if (!copy)
        return value;
    size_t n = 0;
    for (size_t i = 0; i < value.len; i++) {
        char c = value.at[i];
        if (c == '\\' && i + 1 < value.len) {
            c = value.at[++i];
            if (c == 'n' || c == 't' || c == 'r')
                c = c == 'n' ? '\n' : c == 't' ? '\t' : '\r';
            else if (c != '"' && c != '\\' && c != '\'')
                copy[n++] = '\\';
        }
        copy[n++] = c;
    }
    return (struct text){copy, n};
}

/* A quoted value from the front of *t; false where its end is missing. */
static bool take_quoted(struct text *t, struct arena *arena, struct text *out)
{
    char quote = t->at[0];
    bool has_escape = false;
    size_t i = 1;
    for (; i < t->len && t->at[i] != quote; i++)
        if (t->at[i] == '\\' && quote == '"') {
            has_escape = true;
            i++;
        }
    if (i >= t->len)
        return false;
    *out = (struct text){t->at + 1, i - 1};
    *t = text_skip(*t, i + 1);
    if (has_escape)
        *out = without_escapes(*out, arena);
    return true;
}

/* A bare value: up to a blank, or up to `delimiter` with a key behind it (values may hold it). */
static struct text take_bare(struct text *t, char delimiter)
{
    size_t i = 0;
    for (; i < t->len; i++) {
        if (is_blank(t->at[i]) && (delimiter == ' ' || delimiter == t->at[i]))
            break;
        if (t->at[i] == delimiter && (i + 1 == t->len || kv_is_start(text_skip(*t, i + 1))))
            break;
    }
    struct text value = text_head(*t, i);
    *t = text_skip(*t, i);
    return value;
}

/* What stands between the pairs: seen behind the first value. */
static char delimiter_of(struct text t)
{
    for (size_t i = key_len(t) + 1; i < t.len; i++) {
        char c = t.at[i];
        bool is_candidate = c == '\t' || c == '|' || c == ',' || c == ';' || c == ' ';
        if (c == '"')
            return ' ';
        if (is_candidate && kv_is_start(text_skip(t, i + 1)))
            return c;
        if (c == ' ')
            break;
    }
    return ' ';
}

/* One value from behind its '='. */
static struct text take_value(struct text *t, char delimiter, struct arena *arena)
{
    struct text value;
    bool is_quoted = t->len && (t->at[0] == '"' || t->at[0] == '\'');
    if (is_quoted && take_quoted(t, arena, &value))
        return value;
    return take_bare(t, delimiter);
}

bool kv_read(struct text t, struct arena *arena, struct event *e)
{
    uint32_t before = e->field_count;
    char delimiter = delimiter_of(t);
    while (t.len) {
        size_t len = key_len(t);
        if (!len) { /* on to the next word */
            size_t i = 0;
            while (i < t.len && !is_blank(t.at[i]) && t.at[i] != delimiter)
                i++;
            t = text_skip(t, i + 1);
            continue;
        }
        struct text key = text_head(t, len);
        t = text_skip(t, len + 1);
        if (!event_add(e, key, take_value(&t, delimiter, arena)))
            break;
        while (t.len &&
               (is_blank(t.at[0]) || t.at[0] == delimiter || t.at[0] == ',' || t.at[0] == ';'))
            t = text_skip(t, 1);
    }
    return e->field_count > before;
}

/* Length of the key at the start of `t` that :" follows, or 0. */
static size_t colon_key_len(struct text t)
{
    size_t len = 0;
    while (len + 1 < t.len && len <= KEY_BYTES && (is_letter(t.at[len]) || digit_is(t.at[len])))
        len++;
    return len && len + 1 < t.len && t.at[len] == ':' && t.at[len + 1] == '"' ? len : 0;
}

bool kv_read_brackets(struct text t, struct arena *arena, struct event *e)
{
    uint32_t before = e->field_count;
    struct text value;
    if (!t.len || t.at[0] != '[')
        return false;
    t = text_skip(t, 1);
    for (size_t len = colon_key_len(t); len; len = colon_key_len(t)) {
        struct text key = text_head(t, len);
        t = text_skip(t, len + 1);
        if (!take_quoted(&t, arena, &value) || !event_add(e, key, value))
            break;
        while (t.len && (t.at[0] == ';' || is_blank(t.at[0])))
            t = text_skip(t, 1);
    }
    bool is_whole = e->field_count > before && t.len && t.at[0] == ']';
    if (!is_whole)
        e->field_count = before;
    return is_whole;
}
