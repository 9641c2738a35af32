/* SPDX-License-Identifier: Apache-2.0 */
#include "base/json_weight.h"
#include <string.h>

/* As measured with jansson 2.14 and glibc's heap, rounded up. */
enum { OBJECT_BYTES = 320, ARRAY_BYTES = 144, STRING_BYTES = 112, NEXT_BYTES = 56 };

/* Behind the string that begins at `at`, whose opening quote stands there; its end may be missing.
 */
static size_t string_end(struct text t, size_t at)
{
    for (at++; at < t.len && t.at[at] != '"'; at++)
        at += t.at[at] == '\\';
    return at < t.len ? at + 1 : t.len;
}

struct json_weight json_weight_of(struct text t)
{
    struct json_weight w = {.bytes = NEXT_BYTES};
    uint32_t open = 0;
    for (size_t at = 0; at < t.len;) {
        size_t end = at + 1;
        switch (t.at[at]) {
        case '"':
            end = string_end(t, at);
            w.bytes += STRING_BYTES + (end - at);
            break;
        case '{':
        case '[':
            w.bytes += t.at[at] == '{' ? OBJECT_BYTES : ARRAY_BYTES;
            open++;
            w.depth = open > w.depth ? open : w.depth;
            break;
        case '}':
        case ']':
            open -= open > 0;
            break;
        case ',':
            w.bytes += NEXT_BYTES;
            break;
        default:
            break;
        }
        at = end;
    }
    return w;
}

static size_t skip_blank(struct text t, size_t at)
{
    while (at < t.len &&
           (t.at[at] == ' ' || t.at[at] == '\t' || t.at[at] == '\n' || t.at[at] == '\r'))
        at++;
    return at;
}

/* The string whose opening quote stands at `at`. */
static struct text string_at(struct text t, size_t at)
{
    size_t end = string_end(t, at);
    bool is_whole = end > at + 1 && t.at[end - 1] == '"';
    struct text value = {t.at + at + 1, is_whole ? end - at - 2 : 0};
    return text_find_byte(value, '\\') < value.len ? TEXT_NONE : value;
}

/* Where the value of that member of the outermost object begins; the length: there is none. */
static size_t find_member(struct text t, struct text name)
{
    uint32_t open = 0;
    for (size_t at = 0; at < t.len;) {
        char c = t.at[at];
        if (c != '"') {
            open += c == '{' || c == '[';
            open -= (c == '}' || c == ']') && open;
            at++;
            continue;
        }
        size_t end = string_end(t, at);
        size_t colon = skip_blank(t, end);
        size_t value = skip_blank(t, colon + 1);
        if (open == 1 && colon < t.len && t.at[colon] == ':' && text_equal(string_at(t, at), name))
            return value < t.len ? value : t.len;
        at = end;
    }
    return t.len;
}

struct text json_weight_member(struct text t, struct text name)
{
    size_t value = find_member(t, name);
    return value < t.len && t.at[value] == '"' ? string_at(t, value) : TEXT_NONE;
}

struct text json_weight_bare(struct text t, struct text name)
{
    size_t value = find_member(t, name);
    size_t end = value;
    while (end < t.len && !memchr(" \t\r\n,]}", t.at[end], 7))
        end++;
    bool is_bare = value < t.len && !memchr("\"{[", t.at[value], 3);
    return is_bare ? (struct text){t.at + value, end - value} : TEXT_NONE;
}
