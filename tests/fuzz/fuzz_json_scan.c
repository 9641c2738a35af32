/* SPDX-License-Identifier: Apache-2.0 */
#include "base/json_scan.h"
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

/*
 * json_scan and jansson accept the same documents and see the same leaves in the same order. Left
 * out of the comparison: what only jansson limits (numbers that no double holds, keys twice) and
 * what only we limit (depth, count of fields). Then the document is read again with a shape that
 * wants some fields: while it learns the names, and as it knows them. Documents are split by 0x1E,
 * so that one learns what the next one is guessed by.
 */

struct walk {
    const struct event *event;
    struct arena *arena;
    uint32_t next;
    size_t depth, deepest;
};

static void check(bool is_right)
{
    if (!is_right)
        abort();
}

static const struct field *next_field(struct walk *w, struct text path)
{
    check(w->next < w->event->field_count);
    const struct field *f = &w->event->fields[w->next++];
    check(text_equal(f->name, path) && f->hash == event_name_hash(path));
    return f;
}

static void check_leaf(struct walk *w, const struct field *f, const json_t *value)
{
    struct text bytes = json_value(f, w->arena);
    if (json_is_string(value))
        check(
            f->type == VALUE_STRING &&
            text_equal(bytes, (struct text){json_string_value(value), json_string_length(value)}));
    else if (json_is_true(value))
        check(f->type == VALUE_TRUE);
    else if (json_is_false(value))
        check(f->type == VALUE_FALSE);
    else if (json_is_null(value))
        check(f->type == VALUE_NULL);
    else {
        double number = 0;
        check(f->type == VALUE_NUMBER);
        if (bytes.len >= 64) /* longer ones text_to_double refuses */
            return;
        check(text_to_double(bytes, &number));
        check(number >= json_number_value(value) && number <= json_number_value(value));
    }
}

static void walk_value(struct walk *w, struct text path, const json_t *value, bool is_root);

static void walk_object(struct walk *w, struct text path, const json_t *object, bool is_root)
{
    /* jansson keeps the order of insertion */
    void *at = json_object_iter((json_t *)(uintptr_t)object);
    for (; at; at = json_object_iter_next((json_t *)(uintptr_t)object, at)) {
        struct text key = text_of(json_object_iter_key(at));
        struct text whole = key;
        if (!is_root) {
            char *joined = arena_bytes(w->arena, path.len + 1 + key.len);
            check(joined != NULL);
            memcpy(joined, path.at, path.len);
            joined[path.len] = '.';
            memcpy(joined + path.len + 1, key.at, key.len);
            whole = (struct text){joined, path.len + 1 + key.len};
        }
        walk_value(w, whole, json_object_iter_value(at), false);
    }
}

static void walk_value(struct walk *w, struct text path, const json_t *value, bool is_root)
{
    const struct field *f = is_root ? NULL : next_field(w, path);
    if (json_is_object(value)) {
        check(!f || (f->type == VALUE_OBJECT && f->value.at[f->value.len - 1] == '}'));
        walk_object(w, path, value, is_root);
    } else if (json_is_array(value)) {
        check(f && f->type == VALUE_OBJECT && f->value.at[f->value.len - 1] == ']');
        for (size_t i = 0; i < json_array_size(value); i++)
            walk_value(w, path, json_array_get(value, i), false);
    } else {
        check(f != NULL);
        check_leaf(w, f, value);
    }
}

/* Brackets that are open at once, strings aside: an upper bound of the depth. */
static size_t depth_of(struct text t)
{
    size_t depth = 0;
    size_t deepest = 0;
    for (size_t i = 0; i < t.len; i++) {
        depth += t.at[i] == '{' || t.at[i] == '[';
        depth -= depth && (t.at[i] == '}' || t.at[i] == ']');
        deepest = depth > deepest ? depth : deepest;
    }
    return deepest;
}

static void compare(struct text document, struct arena *arena, struct event *event)
{
    size_t at = 0;
    enum status status = json_scan(document, NULL, arena, event, &at);
    check(at <= document.len);
    check(status != STATUS_SYNTAX || event->field_count == 0);
    if (depth_of(document) > JSON_SCAN_DEPTH || status == STATUS_LIMIT)
        return;
    if (document.len && memchr(document.at, 0, document.len)) {
        check(status == STATUS_SYNTAX); /* jansson 2.14 loses a NUL that follows a number */
        return;
    }
    json_error_t error;
    json_t *want =
        json_loadb(document.at, document.len,
                   JSON_REJECT_DUPLICATES | JSON_ALLOW_NUL | JSON_DECODE_INT_AS_REAL, &error);
    enum json_error_code code = want ? json_error_unknown : json_error_code(&error);
    if (want && json_is_object(want)) {
        check(status == STATUS_OK);
        struct walk w = {.event = event, .arena = arena};
        walk_value(&w, TEXT_NONE, want, true);
        check(w.next == event->field_count);
    } else if (code != json_error_numeric_overflow && code != json_error_duplicate_key) {
        check(status == STATUS_SYNTAX);
    }
    json_decref(want);
}

static bool is_wanted(const void *context, struct text path, uint64_t hash)
{
    (void)path;
    return hash >> 3 & *(const unsigned char *)context;
}

static bool is_same_value(const struct field *a, const struct field *b)
{
    return text_equal(a->name, b->name) && a->hash == b->hash && a->type == b->type &&
           a->is_escaped == b->is_escaped && a->value.at == b->value.at &&
           a->value.len == b->value.len;
}

static void compare_shape(struct text document, struct json_shape *shape, const void *context,
                          struct arena *arena)
{
    struct event all = {0};
    struct event some = {0};
    size_t at = 0;
    size_t some_at = 0;
    enum status status = json_scan(document, NULL, arena, &all, &at);
    enum status same = json_scan(document, shape, arena, &some, &some_at);
    check((status == STATUS_SYNTAX) == (same == STATUS_SYNTAX));
    check(status != STATUS_SYNTAX || at == some_at);
    uint32_t next = 0;
    for (uint32_t i = 0; i < all.field_count && !status; i++)
        if (is_wanted(context, all.fields[i].name, all.fields[i].hash)) {
            check(next < some.field_count);
            check(is_same_value(&all.fields[i], &some.fields[next++]));
        }
    check(status != STATUS_OK || next == some.field_count);
    check(status != STATUS_OK || some.is_partial == (next < all.field_count));
    check(status != STATUS_OK || some.is_plain == all.is_plain);
    event_fini(&all);
    event_fini(&some);
}

static void compare_shapes(struct text all, struct arena *arena)
{
    const unsigned char mask = all.len ? (unsigned char)all.at[all.len / 2] : 0;
    AUTO(json_shape) shape = json_shape_new(is_wanted, &mask);
    check(shape != NULL);
    for (int pass = 0; pass < 2; pass++) {
        struct text rest = all;
        struct text document;
        while (text_split(&rest, 0x1E, &document))
            compare_shape(document, shape, &mask, arena);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char *copy = malloc(size ? size : 1);
    if (!copy)
        return 0;
    if (size)
        memcpy(copy, data, size);
    struct arena arena;
    arena_init(&arena, 16 << 20);
    struct event event = {0};
    compare((struct text){copy, size}, &arena, &event);
    compare_shapes((struct text){copy, size}, &arena);
    event_fini(&event);
    arena_fini(&arena);
    free(copy);
    return 0;
}
