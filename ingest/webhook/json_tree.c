/* SPDX-License-Identifier: Apache-2.0 */
#include "ingest/webhook/json_tree.h"
#include "base/json_weight.h"
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

enum { MAX_DEPTH = 56 }; /* what is put around it must still be read on the event path */

struct json_tree {
    json_t *root;
};

static const json_t *value_of(const struct json_node *n)
{
    return (const void *)n;
}
static const struct json_node *node_of(const json_t *value)
{
    return (const void *)value;
}

static json_t *load(struct text source, json_error_t *why)
{
    return json_loadb(source.at ? source.at : "", source.len, JSON_DECODE_ANY | JSON_ALLOW_NUL,
                      why);
}

/* The length of the number at `at`, in text that is JSON as far as that. */
static size_t number_len(struct text t, size_t at)
{
    size_t end = at;
    while (end < t.len && strchr("+-.0123456789eE", t.at[end]) && t.at[end])
        end++;
    return end - at;
}

/* What int64_t holds has 18 digits or few more, and a double no exponent of four. */
static bool is_large(struct text number)
{
    size_t mark = text_find_byte(number, 'e');
    size_t upper = text_find_byte(number, 'E');
    size_t exponent = mark < upper ? mark : upper;
    int64_t ignored = 0;
    if (exponent == number.len && text_find_byte(number, '.') == number.len)
        return !text_to_int64(number, &ignored);
    return exponent > 300 || number.len - exponent > 3;
}

/* The document once more, with large numbers between quotes: ids of 64 bits without a sign come,
 * and hashes of more. */
static json_t *load_quoted(struct text source, json_error_t *why)
{
    struct buffer b;
    buffer_init(&b, 2 * source.len + 64);
    for (size_t at = 0; at < source.len;) {
        char c = source.at[at];
        size_t len = 1;
        bool is_number = c == '-' || (c >= '0' && c <= '9');
        if (c == '"')
            for (; at + len < source.len && source.at[at + len] != '"'; len++)
                len += source.at[at + len] == '\\';
        len += c == '"';
        if (is_number)
            len = number_len(source, at);
        struct text part = text_head(text_skip(source, at), len);
        bool is_quoted = is_number && is_large(part);
        if (is_quoted)
            buffer_byte(&b, '"');
        buffer_append(&b, part);
        if (is_quoted)
            buffer_byte(&b, '"');
        at += part.len;
    }
    bool is_light = !b.has_failed && json_weight_of(buffer_text(&b)).bytes <= JSON_TREE_BYTES;
    json_t *root = is_light ? load(buffer_text(&b), why) : NULL;
    buffer_fini(&b);
    return root;
}

enum status json_tree_parse(struct text source, struct json_tree **out, struct error *err)
{
    const struct json_weight weight = json_weight_of(source);
    if (weight.depth > MAX_DEPTH)
        return error_set(err, STATUS_LIMIT, 0, "JSON nested deeper than %d", MAX_DEPTH);
    if (weight.bytes > JSON_TREE_BYTES)
        return error_set(err, STATUS_LIMIT, 0,
                         "JSON of too many values: they would take more than %d MiB",
                         JSON_TREE_BYTES >> 20);
    AUTO(json_tree) t = calloc(1, sizeof *t);
    if (!t)
        return error_set(err, STATUS_NOMEM, 0, "no memory for a JSON document");
    json_error_t why;
    t->root = load(source, &why);
    if (!t->root && json_error_code(&why) == json_error_numeric_overflow)
        t->root = load_quoted(source, &why);
    if (!t->root && json_error_code(&why) == json_error_out_of_memory)
        return error_set(err, STATUS_NOMEM, 0, "no memory for a JSON document");
    if (!t->root) {
        (void)error_set(err, STATUS_SYNTAX, why.line > 0 ? (uint32_t)why.line : 0,
                        "not JSON: %s (line %d, column %d)", why.text, why.line, why.column);
        if (err)
            err->column = why.column > 0 ? (uint32_t)why.column : 0;
        return STATUS_SYNTAX;
    }
    *out = MOVE(t);
    return STATUS_OK;
}

void json_tree_free(struct json_tree *t)
{
    if (t)
        json_decref(t->root);
    free(t);
}

const struct json_node *json_tree_root(const struct json_tree *t)
{
    return t ? node_of(t->root) : NULL;
}

const struct json_node *json_tree_get(const struct json_node *object, const char *name)
{
    return node_of(json_object_get(value_of(object), name));
}

bool json_tree_is_object(const struct json_node *n)
{
    return json_is_object(value_of(n));
}

bool json_tree_is_array(const struct json_node *n)
{
    return json_is_array(value_of(n));
}

bool json_tree_is_null(const struct json_node *n)
{
    return json_is_null(value_of(n));
}

size_t json_tree_count(const struct json_node *n)
{
    return json_is_array(value_of(n)) ? json_array_size(value_of(n))
                                      : json_object_size(value_of(n));
}

const struct json_node *json_tree_item(const struct json_node *array, size_t i)
{
    return node_of(json_array_get(value_of(array), i));
}

struct text json_tree_text(const struct json_node *n)
{
    const json_t *value = value_of(n);
    if (!json_is_string(value))
        return TEXT_NONE;
    return (struct text){json_string_value(value), json_string_length(value)};
}

bool json_tree_int(const struct json_node *n, int64_t *out)
{
    if (!json_is_integer(value_of(n)))
        return false;
    *out = json_integer_value(value_of(n));
    return true;
}

void json_tree_each(const struct json_node *object,
                    void (*each)(void *context, struct text name, const struct json_node *value),
                    void *context)
{
    json_t *o = json_tree_is_object(object) ? (void *)(uintptr_t)object : NULL;
    for (void *at = json_object_iter(o); at; at = json_object_iter_next(o, at))
        each(context, text_of(json_object_iter_key(at)), node_of(json_object_iter_value(at)));
}

static int append(const char *bytes, size_t len, void *context)
{
    buffer_append(context, (struct text){bytes, len});
    return 0;
}

void json_tree_write(const struct json_node *n, struct buffer *out)
{
    if (json_dump_callback(value_of(n), append, out, JSON_COMPACT | JSON_ENCODE_ANY) != 0)
        buffer_append(out, TEXT("null"));
}
