/* SPDX-License-Identifier: Apache-2.0 */
#include "ingest/format/cef.h"
#include "base/digit.h"
#include "ingest/format/cef_names.h"
#include <string.h>

enum { HEADERS = 7, SEARCHED = 256 };

size_t cef_headless(struct text t, struct text versions, int headers)
{
    struct text head = text_head(t, SEARCHED);
    if (!head.len || text_find_byte(versions, head.at[0]) == versions.len)
        return t.len;
    const size_t first = text_find_byte(head, '|');
    bool has_letter = false;
    int pipes = 0;
    size_t i = first;
    for (; i < head.len && pipes < headers; i++) {
        has_letter |= (head.at[i] | 0x20) >= 'a' && (head.at[i] | 0x20) <= 'z';
        pipes += head.at[i] == '|' && head.at[i - 1] != '\\';
    }
    /* versions are "0", "1", "1.0", "2.0" */
    const bool is_version = first == 1 || (first == 3 && head.at[1] == '.' && head.at[2] == '0');
    const bool has_pairs = text_find_byte(text_skip(t, i), '=') < t.len - i;
    return is_version && has_letter && pipes == headers && has_pairs ? 0 : t.len;
}

size_t cef_find(struct text t)
{
    if (!cef_headless(t, TEXT("01"), HEADERS))
        return 0;
    struct text head = text_head(t, SEARCHED);
    size_t pipe = text_find_byte(head, '|');
    if (pipe == head.len)
        return t.len;
    size_t at = text_find(text_head(head, pipe), TEXT("CEF:"));
    size_t digit = at + 4;
    if (digit < pipe && head.at[digit] == ' ')
        digit++;
    return digit < pipe && digit_is(head.at[digit]) ? at : t.len;
}

/* Undoes backslashes before the bytes of `escapable`; n and r there mean LF and CR. */
static struct text without_escapes(struct text value, const char *escapable, struct arena *arena)
{
    size_t first = text_find_byte(value, '\\');
    if (first == value.len)
        return value;
    char *copy = arena_bytes(arena, value.len);
    if (!copy)
        return value;
    size_t n = 0;
    for (size_t i = 0; i < value.len; i++) {
        char c = value.at[i];
        char next = i + 1 < value.len ? value.at[i + 1] : '\0';
        if (c == '\\' && next && strchr(escapable, next)) {
            i++;
            c = next == 'n' ? '\n' : next == 'r' ? '\r' : next;
        }
        copy[n++] = c;
    }
    return (struct text){copy, n};
}

/* One header up to its '|', escapes undone. False at the end of the text. */
static bool take_header(struct text *t, struct arena *arena, struct text *out)
{
    for (size_t i = 0; i < t->len; i++) {
        if (t->at[i] == '\\') {
            i++;
            continue;
        }
        if (t->at[i] != '|')
            continue;
        *out = without_escapes(text_head(*t, i), "\\|", arena);
        *t = text_skip(*t, i + 1);
        return true;
    }
    return false;
}

static bool is_key_byte(char c)
{
    return digit_is(c) || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || c == '_' ||
           c == '.' || c == '-' || c == ',' || c == '[' || c == ']';
}

/* Where the key of the next pair begins, or t.len; *out_equals is its '='. */
static size_t find_key(struct text t, size_t from, size_t *out_equals)
{
    for (size_t i = from; i < t.len; i++) {
        if (t.at[i] == '\\') {
            i++;
            continue;
        }
        if (t.at[i] != '=')
            continue;
        size_t start = i;
        while (start > from && is_key_byte(t.at[start - 1]))
            start--;
        bool is_word = start == 0 || t.at[start - 1] == ' ' || t.at[start - 1] == '\t';
        if (start == i || !is_word)
            continue;
        *out_equals = i;
        return start;
    }
    return t.len;
}

static void add_pair(struct text key, struct text value, struct arena *arena, struct event *e)
{
    value = without_escapes(text_trim(value), "=\\nr", arena);
    struct text name = cef_names_find(key);
    (void)event_add(e, key, value);
    if (name.len)
        (void)event_add(e, name, value);
}

void cef_read_pairs(struct text t, struct arena *arena, struct event *e)
{
    size_t equals = 0;
    size_t key = find_key(t, 0, &equals);
    while (key < t.len) {
        size_t next_equals = 0;
        size_t next = find_key(t, equals + 1, &next_equals);
        struct text value = {t.at + equals + 1, next - equals - 1};
        add_pair((struct text){t.at + key, equals - key}, value, arena, e);
        key = next;
        equals = next_equals;
    }
}

bool cef_read(struct text t, struct arena *arena, struct event *e)
{
    static const char *const names[HEADERS] = {
        "cefVersion",         "deviceVendor", "deviceProduct", "deviceVersion",
        "deviceEventClassId", "name",         "severity",
    };
    struct text headers[HEADERS];
    if (text_starts(t, TEXT("CEF:")))
        t = text_skip(t, 4);
    else if (cef_headless(t, TEXT("01"), HEADERS))
        return false;
    for (int i = 0; i < HEADERS; i++)
        if (!take_header(&t, arena, &headers[i]))
            return false;
    headers[0] = text_trim(headers[0]);
    for (int i = 0; i < HEADERS; i++)
        (void)event_add(e, text_of(names[i]), headers[i]);
    cef_read_pairs(t, arena, e);
    return true;
}
