/* SPDX-License-Identifier: Apache-2.0 */
#include "ingest/format/windows_event.h"
#include <stdlib.h>
#include <string.h>

/* ---- XML ---- */

enum { DEPTH = 16, ROUTE = 256, ENTITY = 10 };

/* An element that is open. */
struct element {
    struct text name;
    size_t name_len;  /* of the route with it */
    const char *text; /* behind its tag */
    bool has_children, has_attributes;
};

struct reading {
    const char *at, *end;
    struct arena *arena;
    struct event *event;
    char route[ROUTE]; /* names of what is open, dots between */
    struct element open[DEPTH];
    int depth;
};

static bool is_blank(char c)
{
    return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

static bool is_name_byte(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' ||
           c == '-' || c == '.' || c == ':';
}

static struct text take_name(struct reading *r)
{
    const char *start = r->at;
    while (r->at < r->end && is_name_byte(*r->at))
        r->at++;
    return (struct text){start, (size_t)(r->at - start)};
}

static void skip_blanks(struct reading *r)
{
    while (r->at < r->end && is_blank(*r->at))
        r->at++;
}

/* UTF-8 of a character; its length. */
static size_t put_character(uint32_t c, char *out)
{
    if (c < 0x80) {
        out[0] = (char)c;
        return 1;
    }
    if (c < 0x800) {
        out[0] = (char)(0xC0 | c >> 6);
        out[1] = (char)(0x80 | (c & 0x3F));
        return 2;
    }
    if (c < 0x10000) {
        out[0] = (char)(0xE0 | c >> 12);
        out[1] = (char)(0x80 | (c >> 6 & 0x3F));
        out[2] = (char)(0x80 | (c & 0x3F));
        return 3;
    }
    out[0] = (char)(0xF0 | c >> 18);
    out[1] = (char)(0x80 | (c >> 12 & 0x3F));
    out[2] = (char)(0x80 | (c >> 6 & 0x3F));
    out[3] = (char)(0x80 | (c & 0x3F));
    return 4;
}

/* &#10; and &#xA; as numbers. False: none, or no character. */
static bool read_number(struct text name, uint32_t *out)
{
    uint32_t value = 0;
    const bool is_hex = name.len > 2 && (name.at[1] == 'x' || name.at[1] == 'X');
    for (size_t i = is_hex ? 2 : 1; i < name.len; i++) {
        const char c = name.at[i];
        const uint32_t digit = c >= '0' && c <= '9' ? (uint32_t)(c - '0')
                               : is_hex && (c | 0x20) >= 'a' && (c | 0x20) <= 'f'
                                   ? (uint32_t)((c | 0x20) - 'a' + 10)
                                   : 99;
        if (digit == 99 || value > 0x10FFFF)
            return false;
        value = value * (is_hex ? 16 : 10) + digit;
    }
    *out = value;
    return name.len > 1 && value && value <= 0x10FFFF && (value < 0xD800 || value > 0xDFFF);
}

static size_t put_entity(struct text name, char *out)
{
    static const struct {
        const char *name;
        char byte;
    } known[] = {{"lt", '<'}, {"gt", '>'}, {"amp", '&'}, {"quot", '"'}, {"apos", '\''}};
    uint32_t character = 0;
    for (size_t i = 0; i < sizeof known / sizeof *known; i++)
        if (text_equal(name, text_of(known[i].name))) {
            *out = known[i].byte;
            return 1;
        }
    const bool is_number = name.len && name.at[0] == '#' && read_number(name, &character);
    return is_number ? put_character(character, out) : 0;
}

/* With entities undone; those that nobody knows stay. */
static struct text plain(struct text t, struct arena *arena)
{
    if (text_find_byte(t, '&') == t.len)
        return t;
    char *copy = arena_bytes(arena, t.len);
    size_t len = 0;
    for (size_t i = 0; copy && i < t.len; i++) {
        const struct text rest = text_head(text_skip(t, i + 1), ENTITY);
        const size_t semicolon = text_find_byte(rest, ';');
        const size_t put = t.at[i] == '&' && semicolon < rest.len
                               ? put_entity(text_head(rest, semicolon), copy + len)
                               : 0;
        if (put) {
            len += put;
            i += semicolon + 1;
        } else
            copy[len++] = t.at[i];
    }
    return (struct text){copy ? copy : t.at, copy ? len : t.len};
}

static bool extend_name(char route[ROUTE], size_t *len, struct text name)
{
    if (*len + 1 + name.len > ROUTE)
        return false;
    if (*len)
        route[(*len)++] = '.';
    memcpy(route + *len, name.at, name.len);
    *len += name.len;
    return true;
}

/* False where the event is full. */
static bool add(struct reading *r, size_t name_len, struct text value)
{
    const struct text name = arena_copy(r->arena, (struct text){r->route, name_len});
    return name.at && event_add(r->event, name, plain(value, r->arena));
}

static size_t open_len(const struct reading *r)
{
    return r->depth ? r->open[r->depth - 1].name_len : 0;
}

/* One attribute, name and value; at NULL: the tag is over. False: broken. */
static bool take_attribute(struct reading *r, struct text *out_name, struct text *out_value)
{
    skip_blanks(r);
    *out_name = take_name(r);
    if (!out_name->len)
        return true;
    skip_blanks(r);
    if (r->at == r->end || *r->at++ != '=')
        return false;
    skip_blanks(r);
    if (r->at == r->end || (*r->at != '"' && *r->at != '\''))
        return false;
    const char quote = *r->at++;
    const struct text rest = {r->at, (size_t)(r->end - r->at)};
    const size_t len = text_find_byte(rest, quote);
    *out_value = text_head(rest, len);
    r->at += len + 1;
    return len < rest.len;
}

/* The attributes of the element that is open last. <Data Name="x"> is x itself. */
static bool read_attributes(struct reading *r, bool is_data)
{
    struct element *mine = &r->open[r->depth - 1];
    const size_t parent_len = r->depth > 1 ? r->open[r->depth - 2].name_len : 0;
    struct text name;
    struct text value;
    while (take_attribute(r, &name, &value)) {
        if (!name.len)
            return true;
        size_t len = is_data ? parent_len : mine->name_len;
        if (is_data && text_equal(name, TEXT("Name")) && value.len) {
            if (!extend_name(r->route, &len, plain(value, r->arena)))
                return false;
            mine->name_len = len;
            continue;
        }
        if (is_data || text_starts(name, TEXT("xmlns")))
            continue;
        mine->has_attributes = true;
        if (!extend_name(r->route, &len, TEXT("#attributes")) ||
            !extend_name(r->route, &len, name) || !add(r, len, value))
            return false;
    }
    return false;
}

static bool read_open_tag(struct reading *r)
{
    size_t len = open_len(r);
    const struct text name = take_name(r);
    if (!name.len || r->depth == DEPTH || !extend_name(r->route, &len, name))
        return false;
    if (r->depth)
        r->open[r->depth - 1].has_children = true;
    r->open[r->depth++] = (struct element){.name = name, .name_len = len};
    if (!read_attributes(r, text_equal(name, TEXT("Data"))))
        return false;
    const bool is_empty = r->at < r->end && *r->at == '/';
    r->at += is_empty;
    if (r->at == r->end || *r->at++ != '>')
        return false;
    r->open[r->depth - 1].text = r->at;
    r->depth -= is_empty;
    return true;
}

static bool read_close_tag(struct reading *r, const char *text_end)
{
    const struct element *mine = &r->open[r->depth - 1];
    const struct text name = take_name(r);
    skip_blanks(r);
    if (!text_equal(name, mine->name) || r->at == r->end || *r->at++ != '>')
        return false;
    r->depth--;
    if (mine->has_children)
        return true;
    const struct text value = text_trim((struct text){mine->text, (size_t)(text_end - mine->text)});
    size_t len = mine->name_len;
    if (mine->has_attributes && !value.len)
        return true;
    if (mine->has_attributes && !extend_name(r->route, &len, TEXT("#text")))
        return false;
    return add(r, len, value);
}

static bool read_elements(struct reading *r)
{
    do {
        const struct text rest = {r->at, (size_t)(r->end - r->at)};
        const size_t tag = text_find_byte(rest, '<');
        if (tag + 1 >= rest.len)
            return false;
        const char *text_end = r->at + tag;
        r->at = text_end + 1;
        const bool is_close = *r->at == '/';
        r->at += is_close;
        if (is_close ? !r->depth || !read_close_tag(r, text_end) : !read_open_tag(r))
            return false;
    } while (r->depth);
    return true;
}

bool windows_event_read_xml(struct text t, struct arena *arena, struct event *e)
{
    const uint32_t before = e->field_count;
    if (text_starts(t, TEXT("<?xml")))
        t = text_trim(text_skip(t, text_find(t, TEXT("?>")) + 2));
    if (!text_starts(t, TEXT("<Event")) || t.len < 8 || is_name_byte(t.at[6]))
        return false;
    struct reading r = {.at = t.at, .end = t.at + t.len, .arena = arena, .event = e};
    if (read_elements(&r) || e->flags & EVENT_FIELDS_CUT)
        return true;
    e->field_count = before;
    return false;
}

/* ---- Snare ---- */

/* A cell from the front: tabs stand between them, or what rsyslog makes of a tab. */
static bool take_cell(struct text *t, struct text *out)
{
    if (!t->at)
        return false;
    const size_t tab = text_find_byte(*t, '\t');
    const size_t escaped = text_find(*t, TEXT("#011"));
    const size_t end = tab < escaped ? tab : escaped;
    *out = text_trim(text_head(*t, end));
    *t = end == t->len ? TEXT_NONE : text_skip(*t, end + (tab < escaped ? 1 : 4));
    return true;
}

bool windows_event_read_snare(struct text t, struct arena *arena, struct event *e)
{
    /* by the names that NXLog gives; empty: not kept */
    static const char *const names[] = {
        "",         "",         "Channel",   "",         "EventTime", "EventID", "SourceName",
        "UserName", "UserType", "EventType", "Hostname", "Category",  "Data",    "Message"};
    enum { CELLS = sizeof names / sizeof *names, LEAST = 11 };
    struct text cells[CELLS];
    uint32_t count = 0;
    (void)arena;
    if (!text_starts(t, TEXT("MSWinEventLog")))
        return false;
    while (count < CELLS && take_cell(&t, &cells[count]))
        count++;
    int64_t id = 0;
    if (count < LEAST || !text_to_int64(cells[5], &id))
        return false;
    for (uint32_t i = 0; i < count; i++)
        if (names[i][0] && cells[i].len && !text_equal(cells[i], TEXT("N/A")))
            (void)event_add(e, text_of(names[i]), cells[i]);
    return true;
}
