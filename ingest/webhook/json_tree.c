/* SPDX-License-Identifier: Apache-2.0 */
#include "ingest/webhook/json_tree.h"
#include "base/json_weight.h"
#include <jansson.h>
#include <stdlib.h>

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
    t->root =
        json_loadb(source.at ? source.at : "", source.len, JSON_DECODE_ANY | JSON_ALLOW_NUL, &why);
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
