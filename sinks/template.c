/* SPDX-License-Identifier: Apache-2.0 */
#include "sinks/template.h"
#include "base/json_write.h"
#include "sinks/defang.h"
#include <string.h>

enum { MOST_FILTERS = 6, VALUE_BYTES = 1 << 20 };

enum filter_kind {
    FILTER_JSON,
    FILTER_SLACK,
    FILTER_WIKI,
    FILTER_MARKDOWN,
    FILTER_DEFANG,
    FILTER_LINE,
    FILTER_CUT,
    FILTER_MAP,
    FILTER_OR,
    FILTER_LOWER,
    FILTER_BASE64,
    FILTER_AS_IS,
    FILTER_INT,
};
static const struct filter_name {
    const char *name;
    bool has_argument;
} filter_names[] = {
    [FILTER_JSON] = {"json", false},     [FILTER_SLACK] = {"slack", false},
    [FILTER_WIKI] = {"wiki", false},     [FILTER_MARKDOWN] = {"markdown", false},
    [FILTER_DEFANG] = {"defang", false}, [FILTER_LINE] = {"line", false},
    [FILTER_CUT] = {"cut", true},        [FILTER_MAP] = {"map", true},
    [FILTER_OR] = {"or", true},          [FILTER_LOWER] = {"lower", false},
    [FILTER_BASE64] = {"base64", false}, [FILTER_AS_IS] = {"as_is", false},
    [FILTER_INT] = {"int", false},
};

struct filter {
    enum filter_kind kind;
    struct text argument;
    int64_t number; /* of cut */
};

/* Literal text, then perhaps a value. */
struct piece {
    struct piece *next;
    struct text literal, path;
    struct filter filters[MOST_FILTERS];
    uint32_t filter_count;
    bool is_json, is_raw;
};
struct template
{
    enum template_medium medium;
    struct piece *pieces;
};

static enum status read_filter(struct text t, struct filter *out, struct error *err)
{
    size_t at = text_find_byte(t, '=');
    struct text name = text_trim(text_head(t, at));
    for (size_t i = 0; i < sizeof filter_names / sizeof *filter_names; i++) {
        if (!text_equal(name, text_of(filter_names[i].name)))
            continue;
        *out = (struct filter){.kind = (enum filter_kind)i, .argument = text_skip(t, at + 1)};
        if (filter_names[i].has_argument != (at < t.len))
            return error_set(err, STATUS_SYNTAX, 0, "the filter %s takes %s argument",
                             filter_names[i].name, filter_names[i].has_argument ? "an" : "no");
        bool is_number = out->kind != FILTER_CUT ||
                         (text_to_int64(out->argument, &out->number) && out->number > 0);
        return is_number ? STATUS_OK
                         : error_set(err, STATUS_SYNTAX, 0, "cut wants a number of bytes");
    }
    return error_set(err, STATUS_SYNTAX, 0, "there is no filter '%.*s'",
                     TEXT_ARG(text_head(name, 40)));
}

static enum status read_value(struct text inside, struct piece *p, struct error *err)
{
    struct text part;
    (void)text_split(&inside, '|', &part);
    p->path = text_trim(part);
    if (!p->path.len)
        return error_set(err, STATUS_SYNTAX, 0, "nothing is named between {{ and }}");
    while (text_split(&inside, '|', &part)) {
        if (p->filter_count == MOST_FILTERS)
            return error_set(err, STATUS_LIMIT, 0, "more than %d filters", MOST_FILTERS);
        struct filter *f = &p->filters[p->filter_count++];
        enum status status = read_filter(part, f, err);
        if (status)
            return status;
        p->is_json |= f->kind == FILTER_JSON;
        p->is_raw |= f->kind == FILTER_AS_IS;
    }
    if ((p->is_json || p->is_raw) && p->filter_count > 1)
        return error_set(err, STATUS_SYNTAX, 0, "json and as_is stand alone");
    if (p->is_raw && !text_starts(p->path, TEXT("option.")))
        return error_set(err, STATUS_SYNTAX, 0, "as_is is for option.* alone");
    return STATUS_OK;
}

enum status template_new(struct text source, enum template_medium medium, struct arena *arena,
                         const struct template **out, struct error *err)
{
    struct template *t = arena_zero(arena, sizeof *t);
    struct text rest = t ? arena_copy(arena, source) : TEXT_NONE;
    if (!rest.at)
        return error_set(err, STATUS_NOMEM, 0, "no memory for a template");
    t->medium = medium;
    struct piece **last = &t->pieces;
    while (rest.len) {
        struct piece *p = arena_zero(arena, sizeof *p);
        if (!p)
            return error_set(err, STATUS_NOMEM, 0, "no memory for a template");
        *last = p;
        last = &p->next;
        size_t open = text_find(rest, TEXT("{{"));
        bool is_end = open == rest.len;
        p->literal = text_head(rest, open);
        if (is_end)
            break;
        rest = text_skip(rest, open + 2);
        size_t close = text_find(rest, TEXT("}}"));
        if (close == rest.len)
            return error_set(err, STATUS_SYNTAX, 0, "a {{ without its }}");
        enum status status = read_value(text_head(rest, close), p, err);
        if (status)
            return status;
        rest = text_skip(rest, close + 2);
    }
    *out = t;
    return STATUS_OK;
}

/* ---- writing ---- */

/* A backslash before each byte of `special`. */
static void backslash(struct buffer *out, struct text t, const char *special)
{
    for (size_t i = 0; i < t.len; i++) {
        if (t.at[i] && strchr(special, t.at[i]))
            buffer_byte(out, '\\');
        buffer_byte(out, t.at[i]);
    }
}

static void entities(struct buffer *out, struct text t)
{
    for (size_t i = 0; i < t.len; i++) {
        if (t.at[i] == '&')
            buffer_append(out, TEXT("&amp;"));
        else if (t.at[i] == '<')
            buffer_append(out, TEXT("&lt;"));
        else if (t.at[i] == '>')
            buffer_append(out, TEXT("&gt;"));
        else
            buffer_byte(out, t.at[i]);
    }
}

static void lower(struct buffer *out, struct text t)
{
    for (size_t i = 0; i < t.len; i++)
        buffer_byte(out, t.at[i] >= 'A' && t.at[i] <= 'Z' ? (char)(t.at[i] | 0x20) : t.at[i]);
}

/* The head of up to `len` bytes that ends between characters, and "..." where something is left. */
static void cut(struct buffer *out, struct text t, size_t len)
{
    if (t.len <= len) {
        buffer_append(out, t);
        return;
    }
    while (len > 0 && ((unsigned char)t.at[len] & 0xC0) == 0x80)
        len--;
    buffer_append(out, text_head(t, len));
    buffer_append(out, TEXT("..."));
}

static void base64(struct buffer *out, struct text t)
{
    char *at = buffer_reserve(out, 4 * ((t.len + 2) / 3));
    if (at)
        out->len += text_to_base64(t, at);
}

static void apply(const struct filter *f, const struct template_scope *scope, struct text t,
                  struct buffer *out)
{
    int64_t number = 0;
    switch (f->kind) {
    case FILTER_JSON:
    case FILTER_AS_IS:
        buffer_append(out, t);
        return;
    case FILTER_INT:
        buffer_int64(out, text_to_int64(t, &number) ? number : 0);
        return;
    case FILTER_BASE64:
        base64(out, t);
        return;
    case FILTER_SLACK:
        entities(out, t);
        return;
    case FILTER_WIKI:
        backslash(out, t, "{}[]|!*_^~+-?#\\");
        return;
    case FILTER_MARKDOWN:
        backslash(out, t, "\\`*_{}[]()#+!|<>~");
        return;
    case FILTER_DEFANG:
        defang_append(out, t, VALUE_BYTES);
        return;
    case FILTER_LINE:
        defang_line(out, t, VALUE_BYTES);
        return;
    case FILTER_CUT:
        cut(out, t, (size_t)f->number);
        return;
    case FILTER_MAP:
        buffer_append(out, scope->map(scope->context, f->argument, t));
        return;
    case FILTER_OR:
        buffer_append(out, t.len ? t : f->argument);
        return;
    case FILTER_LOWER:
        lower(out, t);
        return;
    }
}

static void percent(struct buffer *out, struct text t)
{
    for (size_t i = 0; i < t.len; i++) {
        char c = t.at[i];
        bool is_plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
                        (c >= '0' && c <= '9') || (c && strchr("-._~", c));
        if (is_plain)
            buffer_byte(out, c);
        else
            buffer_printf(out, "%%%02X", (unsigned)(unsigned char)c);
    }
}

static void header(struct buffer *out, struct text t)
{
    for (size_t i = 0; i < t.len; i++)
        buffer_byte(out, t.at[i] >= ' ' && t.at[i] <= '~' ? t.at[i] : '?');
}

static void escape(enum template_medium medium, struct buffer *out, struct text t)
{
    switch (medium) {
    case TEMPLATE_JSON:
        json_write_escape(out, t);
        return;
    case TEMPLATE_URL:
        percent(out, t);
        return;
    case TEMPLATE_HEADER:
        header(out, t);
        return;
    case TEMPLATE_PLAIN:
        buffer_append(out, t);
        return;
    }
}

static void write_value(const struct template *t, const struct piece *p,
                        const struct template_scope *scope, struct arena *arena, struct buffer *out)
{
    struct text value = scope->find(scope->context, p->path, p->is_json, arena);
    for (uint32_t i = 0; i < p->filter_count; i++) {
        struct buffer next;
        buffer_init(&next, VALUE_BYTES);
        apply(&p->filters[i], scope, value, &next);
        value = arena_copy(arena, buffer_text(&next));
        out->has_failed |= next.has_failed || !value.at;
        buffer_fini(&next);
    }
    if (p->is_raw || (p->is_json && t->medium == TEMPLATE_JSON))
        buffer_append(out, value);
    else
        escape(t->medium, out, value);
}

void template_write(const struct template *t, const struct template_scope *scope,
                    struct arena *arena, struct buffer *out)
{
    for (const struct piece *p = t->pieces; p; p = p->next) {
        buffer_append(out, p->literal);
        if (p->path.len)
            write_value(t, p, scope, arena, out);
    }
}

struct text template_unknown(const struct template *t,
                             bool (*knows)(const void *context, struct text path),
                             const void *context)
{
    for (const struct piece *p = t->pieces; p; p = p->next) {
        if (p->path.len && !knows(context, p->path))
            return p->path;
    }
    return TEXT_NONE;
}
