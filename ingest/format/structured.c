/* SPDX-License-Identifier: Apache-2.0 */
#include "ingest/format/structured.h"

enum { NAME_BYTES = 32, IDS_COMPARED = 64 };

static void skip_spaces(struct text *t)
{
    while (t->len && t->at[0] == ' ')
        *t = text_skip(*t, 1);
}

/* SD-NAME: printable ASCII without '=', ' ', ']', '"'. Empty where there is none. */
static struct text take_name(struct text *t, struct event *e)
{
    size_t len = 0;
    while (len < t->len) {
        char c = t->at[len];
        if (c <= ' ' || c > '~' || c == '=' || c == ']' || c == '"')
            break;
        len++;
    }
    struct text name = text_head(*t, len);
    *t = text_skip(*t, len);
    if (len > NAME_BYTES)
        e->flags |= EVENT_HEADER_DAMAGED;
    return name;
}

static bool is_escapable(char c)
{
    return c == '"' || c == '\\' || c == ']';
}

/* RFC 5424 6.3.3: a backslash before any other character is just a backslash. */
static struct text without_escapes(struct text value, struct arena *arena)
{
    char *copy = arena_bytes(arena, value.len);
    if (!copy)
        return value;
    size_t n = 0;
    for (size_t i = 0; i < value.len; i++) {
        if (value.at[i] == '\\' && i + 1 < value.len && is_escapable(value.at[i + 1]))
            i++;
        copy[n++] = value.at[i];
    }
    return (struct text){copy, n};
}

/* "value" with its quotes, from the front of *t. */
static bool take_value(struct text *t, struct arena *arena, struct event *e, struct text *out)
{
    bool has_escape = false;
    skip_spaces(t);
    if (!t->len || t->at[0] != '"')
        return false;
    size_t i = 1;
    for (; i < t->len && t->at[i] != '"'; i++) {
        if (t->at[i] == ']')
            e->flags |= EVENT_HEADER_DAMAGED;
        if (t->at[i] == '\\' && i + 1 < t->len && is_escapable(t->at[i + 1])) {
            has_escape = true;
            i++;
        }
    }
    if (i >= t->len)
        return false;
    struct text value = {t->at + 1, i - 1};
    *t = text_skip(*t, i + 1);
    *out = has_escape ? without_escapes(value, arena) : value;
    return true;
}

static bool is_known(const struct event *e, struct text id)
{
    uint32_t count = e->param_count < IDS_COMPARED ? e->param_count : IDS_COMPARED;
    for (uint32_t i = 0; i < count; i++)
        if (text_equal(e->params[i].id, id))
            return true;
    return false;
}

/* One element from behind its '[' on. */
static bool take_element(struct text *t, struct arena *arena, struct event *e)
{
    struct text id = take_name(t, e);
    if (!id.len)
        return false;
    if (is_known(e, id))
        e->flags |= EVENT_HEADER_DAMAGED;
    uint32_t before = e->param_count;
    for (;;) {
        bool has_space = t->len && t->at[0] == ' ';
        skip_spaces(t);
        if (t->len && t->at[0] == ']')
            break;
        struct text value;
        struct text key = take_name(t, e);
        bool is_param = has_space && key.len && t->len && t->at[0] == '=';
        if (is_param)
            *t = text_skip(*t, 1);
        if (!is_param || !take_value(t, arena, e, &value)) {
            e->param_count = before;
            (void)event_add_param(e, id, TEXT_NONE, TEXT_NONE);
            return false;
        }
        if (!event_add_param(e, id, key, value))
            return false;
    }
    *t = text_skip(*t, 1);
    return e->param_count > before || event_add_param(e, id, TEXT_NONE, TEXT_NONE);
}

bool structured_read(struct text *t, struct arena *arena, struct event *e)
{
    struct text rest = *t;
    if (rest.len && rest.at[0] == '-')
        rest = text_skip(rest, 1);
    else if (!rest.len || rest.at[0] != '[')
        return false;
    while (t->at[0] == '[' && rest.len && rest.at[0] == '[') {
        rest = text_skip(rest, 1);
        if (!take_element(&rest, arena, e))
            return false;
    }
    if (rest.len && rest.at[0] != ' ')
        return false;
    *t = rest;
    return true;
}
