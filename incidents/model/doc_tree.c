/* SPDX-License-Identifier: Apache-2.0 */
#include "incidents/model/doc_tree.h"
#include "base/json_write.h"
#include "base/timestamp.h"
#include <jansson.h>

static bool fill(json_t *from, struct arena *arena, struct doc_tree *to);

static bool fill_list(json_t *from, struct arena *arena, struct doc_tree *to)
{
    size_t count = json_array_size(from);
    struct doc_tree *items = count ? arena_zero(arena, count * sizeof *items) : NULL;
    if (count && !items)
        return false;
    for (size_t i = 0; i < count; i++)
        if (!fill(json_array_get(from, i), arena, &items[i]))
            return false;
    to->items = items;
    to->count = (uint32_t)count;
    return true;
}

static bool fill_map(json_t *from, struct arena *arena, struct doc_tree *to)
{
    size_t count = json_object_size(from), i = 0;
    struct doc_tree *items = count ? arena_zero(arena, count * sizeof *items) : NULL;
    if (count && !items)
        return false;
    for (void *at = json_object_iter(from); at; at = json_object_iter_next(from, at), i++) {
        items[i].name = arena_copy(arena, text_of(json_object_iter_key(at)));
        if (!items[i].name.at || !fill(json_object_iter_value(at), arena, &items[i]))
            return false;
    }
    to->items = items;
    to->count = (uint32_t)count;
    return true;
}

static bool fill(json_t *from, struct arena *arena, struct doc_tree *to)
{
    switch (json_typeof(from)) {
    case JSON_OBJECT:
        to->kind = TREE_MAP;
        return fill_map(from, arena, to);
    case JSON_ARRAY:
        to->kind = TREE_LIST;
        return fill_list(from, arena, to);
    case JSON_STRING:
        to->kind = TREE_TEXT;
        to->text =
            arena_copy(arena, (struct text){json_string_value(from), json_string_length(from)});
        return to->text.at != NULL;
    case JSON_INTEGER:
        to->kind = TREE_WHOLE;
        to->whole = json_integer_value(from);
        to->real = (double)to->whole;
        return true;
    case JSON_REAL:
        to->kind = TREE_REAL;
        to->real = json_real_value(from);
        return true;
    case JSON_TRUE:
    case JSON_FALSE:
        to->kind = TREE_BOOL;
        to->is_true = json_is_true(from);
        return true;
    case JSON_NULL:
        break;
    }
    to->kind = TREE_NOTHING;
    return true;
}

enum status doc_tree_parse(struct text source, struct arena *arena, struct doc_tree *out,
                           struct error *err)
{
    json_error_t why;
    json_t *root = json_loadb(source.at ? source.at : "", source.len,
                              JSON_REJECT_DUPLICATES | JSON_DECODE_ANY | JSON_ALLOW_NUL, &why);
    if (!root) {
        enum status s = error_set(err, STATUS_SYNTAX, why.line > 0 ? (uint32_t)why.line : 0,
                                  "not JSON: %s", why.text);
        if (err && why.column > 0)
            err->column = (uint32_t)why.column;
        return s;
    }
    struct doc_tree tree = {0};
    bool is_ok = fill(root, arena, &tree);
    json_decref(root);
    if (!is_ok)
        return error_set(err, STATUS_LIMIT, 0, "the JSON document is too large");
    *out = tree;
    return STATUS_OK;
}

const struct doc_tree *doc_tree_get(const struct doc_tree *map, const char *name)
{
    static const struct doc_tree nothing = {.kind = TREE_NOTHING};
    struct text want = text_of(name);
    for (uint32_t i = 0; map->kind == TREE_MAP && i < map->count; i++)
        if (text_equal(map->items[i].name, want))
            return &map->items[i];
    return &nothing;
}

struct text doc_tree_text(const struct doc_tree *map, const char *name)
{
    return doc_tree_get(map, name)->text;
}

int64_t doc_tree_whole(const struct doc_tree *map, const char *name, int64_t fallback)
{
    const struct doc_tree *t = doc_tree_get(map, name);
    return t->kind == TREE_WHOLE ? t->whole : fallback;
}

double doc_tree_real(const struct doc_tree *map, const char *name, double fallback)
{
    const struct doc_tree *t = doc_tree_get(map, name);
    return t->kind == TREE_WHOLE || t->kind == TREE_REAL ? t->real : fallback;
}

bool doc_tree_bool(const struct doc_tree *map, const char *name)
{
    return doc_tree_get(map, name)->is_true;
}

int64_t doc_tree_time(const struct doc_tree *map, const char *name)
{
    int64_t us;
    return timestamp_parse(doc_tree_text(map, name), 0, &us, NULL) ? us : TIMESTAMP_NONE;
}
static void write_named(const struct doc_tree *t, struct buffer *out)
{
    json_write_name(out, t->name);
    doc_tree_write(t, NULL, out);
}

void doc_tree_write(const struct doc_tree *t, const char *name, struct buffer *out)
{
    switch (t->kind) {
    case TREE_NOTHING:
        json_write_null(out, name);
        return;
    case TREE_BOOL:
        json_write_bool(out, name, t->is_true);
        return;
    case TREE_WHOLE:
        json_write_int(out, name, t->whole);
        return;
    case TREE_REAL:
        json_write_double(out, name, t->real);
        return;
    case TREE_TEXT:
        json_write_string(out, name, t->text);
        return;
    case TREE_LIST:
        json_write_open(out, name, '[');
        doc_tree_write_items(t, out);
        json_write_close(out, ']');
        return;
    case TREE_MAP:
        json_write_open(out, name, '{');
        for (uint32_t i = 0; i < t->count; i++)
            write_named(&t->items[i], out);
        json_write_close(out, '}');
        return;
    }
}

void doc_tree_write_items(const struct doc_tree *list, struct buffer *out)
{
    for (uint32_t i = 0; i < list->count; i++)
        doc_tree_write(&list->items[i], NULL, out);
}
