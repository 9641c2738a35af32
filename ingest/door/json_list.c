/* SPDX-License-Identifier: Apache-2.0 */
#include "ingest/door/json_list.h"

static bool is_space(char c)
{
    return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

/* A brace with nothing behind it on its line. */
static bool is_lone_brace(struct text t)
{
    size_t i = 0;
    while (i < t.len && is_space(t.at[i]))
        i++;
    if (i == t.len || t.at[i] != '{')
        return false;
    for (i++; i < t.len && t.at[i] != '\n'; i++)
        if (!is_space(t.at[i]))
            return false;
    return i < t.len;
}

/* "[" and an object behind it. */
static enum json_list_head look_at_array(struct text t, size_t *out_len)
{
    size_t i = 0;
    while (i < t.len && is_space(t.at[i]))
        i++;
    if (i < t.len && t.at[i] != '[')
        return JSON_LIST_NONE;
    const size_t bracket = i;
    for (i++; i < t.len && is_space(t.at[i]);)
        i++;
    if (i >= t.len)
        return JSON_LIST_MORE;
    *out_len = bracket + 1;
    return t.at[i] == '{' ? JSON_LIST_HEAD : JSON_LIST_NONE;
}

enum json_list_head json_list_look(struct text t, size_t *out_len)
{
    /* one byte of a token at a time, with space before each token; '/' stands for [Rr] */
    static const char *const tokens[] = {"{", "\"/ecords\"", ":", "["};
    size_t i = 0;
    for (size_t k = 0; k < sizeof tokens / sizeof *tokens; k++) {
        while (i < t.len && is_space(t.at[i]))
            i++;
        for (const char *c = tokens[k]; *c; c++, i++) {
            if (i == t.len)
                return JSON_LIST_MORE;
            bool fits = *c == '/' ? t.at[i] == 'R' || t.at[i] == 'r' : t.at[i] == *c;
            if (!fits && k == 0)
                return look_at_array(t, out_len);
            if (!fits)
                return is_lone_brace(t) ? JSON_LIST_ROW : JSON_LIST_NONE;
        }
    }
    *out_len = i;
    return JSON_LIST_HEAD;
}

bool json_list_scan(struct json_list *l, struct text t, size_t *at)
{
    for (; *at < t.len; (*at)++) {
        char c = t.at[*at];
        if (l->in_string) {
            l->in_string = l->is_escaped || c != '"';
            l->is_escaped = !l->is_escaped && c == '\\';
        } else if (c == '"') {
            l->in_string = true;
        } else if (l->depth == 0 && (c == ',' || c == ']')) {
            return true;
        } else if (c == '{' || c == '[') {
            l->depth++;
        } else if ((c == '}' || c == ']') && l->depth) {
            l->depth--;
        }
    }
    return false;
}

bool json_list_scan_object(struct json_list *l, struct text t, size_t *at)
{
    for (; *at < t.len; (*at)++) {
        const char c = t.at[*at];
        if (l->in_string) {
            l->in_string = l->is_escaped || c != '"';
            l->is_escaped = !l->is_escaped && c == '\\';
        } else if (c == '"') {
            l->in_string = true;
        } else if (c == '{' || c == '[') {
            l->depth++;
        } else if ((c == '}' || c == ']') && l->depth && --l->depth == 0) {
            (*at)++;
            return true;
        }
    }
    return false;
}

size_t json_list_space(struct text t)
{
    size_t i = 0;
    while (i < t.len && (is_space(t.at[i]) || t.at[i] == ','))
        i++;
    return i;
}
