/* SPDX-License-Identifier: Apache-2.0 */
#include "sinks/document.h"
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>

struct document {
    json_t *root;
};

enum status document_new(struct text json, struct document **out, struct error *err)
{
    AUTO(document) d = calloc(1, sizeof *d);
    if (!d)
        return error_set(err, STATUS_NOMEM, 0, "no memory for a document");
    json_error_t why;
    d->root = json_loadb(json.at ? json.at : "", json.len, JSON_REJECT_DUPLICATES, &why);
    if (!json_is_object(d->root))
        return error_set(err, STATUS_SYNTAX, 0, "the document is not a JSON object");
    *out = MOVE(d);
    return STATUS_OK;
}

void document_free(struct document *d)
{
    if (!d)
        return;
    json_decref(d->root);
    free(d);
}

static const json_t *step(const json_t *from, struct text key)
{
    char name[128]; /* jansson 2.13 knows only keys with a NUL behind them */
    if (json_is_object(from)) {
        (void)snprintf(name, sizeof name, "%.*s", TEXT_ARG(key));
        return json_object_get(from, name);
    }
    int64_t index = 0;
    if (!json_is_array(from) || !text_to_int64(key, &index) || index < 0)
        return NULL;
    return json_array_get(from, (size_t)index);
}

static const json_t *find(const struct document *d, struct text path)
{
    const json_t *at = d->root;
    struct text key;
    while (at && text_split(&path, '.', &key))
        at = step(at, key);
    return at;
}

static struct text dumped(const json_t *value, struct arena *arena)
{
    /* 15 digits are what a decimal keeps through a double: 70.33, not 70.329999999999998 */
    size_t flags = JSON_COMPACT | JSON_ENCODE_ANY | JSON_SORT_KEYS | JSON_REAL_PRECISION(15);
    size_t len = json_dumpb(value, NULL, 0, flags);
    char *at = arena_bytes(arena, len + 1);
    if (!at || json_dumpb(value, at, len, flags) != len)
        return TEXT_NONE;
    return (struct text){at, len};
}

struct text document_text(const struct document *d, struct text path, struct arena *arena)
{
    const json_t *value = find(d, path);
    if (!value || json_is_null(value))
        return TEXT_NONE;
    if (json_is_string(value))
        return arena_copy(arena,
                          (struct text){json_string_value(value), json_string_length(value)});
    return dumped(value, arena);
}

struct text document_json(const struct document *d, struct text path, struct arena *arena)
{
    const json_t *value = find(d, path);
    return value ? dumped(value, arena) : TEXT("null");
}

uint32_t document_count(const struct document *d, const char *path)
{
    return (uint32_t)json_array_size(find(d, text_of(path)));
}
