/* SPDX-License-Identifier: Apache-2.0 */
#include "base/option.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Edit distance, for "did you mean": words are short, so the plain table does. */
static size_t distance(struct text a, struct text b)
{
    enum { MOST = 48 };
    size_t row[MOST + 1];
    if (a.len > MOST || b.len > MOST)
        return MOST;
    for (size_t j = 0; j <= b.len; j++)
        row[j] = j;
    for (size_t i = 1; i <= a.len; i++) {
        size_t diagonal = row[0];
        row[0] = i;
        for (size_t j = 1; j <= b.len; j++) {
            size_t replaced = diagonal + (a.at[i - 1] != b.at[j - 1]);
            diagonal = row[j];
            size_t shifted = (row[j] < row[j - 1] ? row[j] : row[j - 1]) + 1;
            row[j] = replaced < shifted ? replaced : shifted;
        }
    }
    return row[b.len];
}

static const char *nearest(const struct option *table, size_t count, struct text key)
{
    const char *best = NULL;
    size_t least = 4;
    for (size_t i = 0; i < count; i++) {
        size_t d = distance(key, text_of(table[i].name));
        if (d < least) {
            least = d;
            best = table[i].name;
        }
    }
    return best;
}

static enum status fail(struct error *err, enum status code, const struct yaml_node *at,
                        const char *what, const char *name)
{
    (void)error_set(err, code, at ? at->line : 0, "%s: %s", name, what);
    if (err && at)
        err->column = at->column;
    return code;
}

static enum status check_keys(const struct option *table, size_t count,
                              const struct yaml_node *node, struct error *err)
{
    for (uint32_t i = 0; i < node->count; i++) {
        const struct yaml_node *key = node->pairs[i].key;
        size_t row = 0;
        while (row < count && !text_equal(key->value, text_of(table[row].name)))
            row++;
        if (row < count)
            continue;
        const char *near = nearest(table, count, key->value);
        (void)error_set(err, STATUS_INVALID, key->line, "unknown key '%.*s'%s%s%s",
                        TEXT_ARG(text_head(key->value, 60)), near ? ": did you mean '" : "",
                        near ? near : "", near ? "'?" : "");
        if (err)
            err->column = key->column;
        return STATUS_INVALID;
    }
    return STATUS_OK;
}

static bool in_range(const struct option *row, double value)
{
    return (row->least == 0 && row->most == 0) || (value >= row->least && value <= row->most);
}

static enum status read_number(const struct option *row, struct text t, void *member,
                               const struct yaml_node *at, struct error *err)
{
    int64_t whole = 0;
    uint64_t size = 0;
    double real = 0;
    bool is_read = false;
    if (row->type == OPTION_INT && (is_read = text_to_int64(t, &whole)))
        real = (double)whole;
    else if (row->type == OPTION_SIZE && (is_read = text_to_size_bytes(t, &size)))
        real = (double)size;
    else if (row->type == OPTION_DURATION && (is_read = text_to_duration_us(t, &whole)))
        real = (double)whole;
    else if (row->type == OPTION_DOUBLE)
        is_read = text_to_double(t, &real);
    if (!is_read)
        return fail(err, STATUS_INVALID, at,
                    row->type == OPTION_SIZE       ? "want a size such as 64KiB or 20GiB"
                    : row->type == OPTION_DURATION ? "want a duration such as 10s, 5m or 14d"
                                                   : "want a number",
                    row->name);
    if (!in_range(row, real)) {
        char text[120];
        (void)snprintf(text, sizeof text, "want between %g and %g%s", row->least, row->most,
                       row->type == OPTION_DURATION ? " microseconds" : "");
        return fail(err, STATUS_INVALID, at, text, row->name);
    }
    if (row->type == OPTION_DOUBLE)
        *(double *)member = real;
    else if (row->type == OPTION_SIZE)
        *(uint64_t *)member = size;
    else
        *(int64_t *)member = whole;
    return STATUS_OK;
}

static enum status read_choice(const struct option *row, struct text t, int *member,
                               const struct yaml_node *at, struct error *err)
{
    char names[160] = "want one of";
    for (int i = 0; row->choices[i]; i++) {
        if (text_equal(t, text_of(row->choices[i]))) {
            *member = i;
            return STATUS_OK;
        }
        size_t used = strlen(names);
        (void)snprintf(names + used, sizeof names - used, " %s", row->choices[i]);
    }
    return fail(err, STATUS_INVALID, at, names, row->name);
}

static enum status read_scalar(const struct option *row, struct text t, void *member,
                               const struct yaml_node *at, struct arena *arena, struct error *err)
{
    switch (row->type) {
    case OPTION_TEXT:
        *(struct text *)member = arena_copy(arena, t);
        return STATUS_OK;
    case OPTION_BOOL:
        *(bool *)member = text_equal(t, TEXT("true"));
        if (!*(bool *)member && !text_equal(t, TEXT("false")))
            return fail(err, STATUS_INVALID, at, "want true or false", row->name);
        return STATUS_OK;
    case OPTION_CHOICE:
        return read_choice(row, t, member, at, err);
    case OPTION_INT:
    case OPTION_SIZE:
    case OPTION_DURATION:
    case OPTION_DOUBLE:
        return read_number(row, t, member, at, err);
    case OPTION_TEXTS:
    case OPTION_NODE:
        break;
    }
    return fail(err, STATUS_INVALID, at, "want another kind of value", row->name);
}

static enum status read_texts(const struct option *row, const struct yaml_node *node,
                              struct option_texts *member, struct arena *arena, struct error *err)
{
    bool is_list = node->kind == YAML_SEQUENCE;
    uint32_t count = is_list ? node->count : 1;
    struct text *items = arena_alloc(arena, (count ? count : 1) * sizeof *items);
    if (!items)
        return fail(err, STATUS_NOMEM, node, "no memory for its values", row->name);
    for (uint32_t i = 0; i < count; i++) {
        const struct yaml_node *item = is_list ? node->items[i] : node;
        if (item->kind != YAML_SCALAR)
            return fail(err, STATUS_INVALID, item, "want a list of plain values", row->name);
        items[i] = arena_copy(arena, item->value);
    }
    *member = (struct option_texts){items, count};
    return STATUS_OK;
}

static enum status read_row(const struct option *row, const struct yaml_node *node,
                            struct arena *arena, void *member, struct error *err)
{
    if (row->type == OPTION_NODE) {
        *(const struct yaml_node **)member = node;
        return STATUS_OK;
    }
    if (row->type == OPTION_TEXTS)
        return read_texts(row, node, member, arena, err);
    if (node->kind != YAML_SCALAR)
        return fail(err, STATUS_INVALID, node, "want a single value", row->name);
    return read_scalar(row, node->value, member, node, arena, err);
}

static enum status read_default(const struct option *row, const struct yaml_node *parent,
                                struct arena *arena, void *member, struct error *err)
{
    if (!row->fallback)
        return fail(err, STATUS_INVALID, parent, "this key is required", row->name);
    if (row->type == OPTION_NODE) {
        *(const struct yaml_node **)member = NULL;
        return STATUS_OK;
    }
    if (row->type != OPTION_TEXTS)
        return read_scalar(row, text_of(row->fallback), member, NULL, arena, err);
    struct option_texts none = {NULL, 0};
    if (row->fallback[0]) {
        struct text *one = arena_alloc(arena, sizeof *one);
        if (!one)
            return fail(err, STATUS_NOMEM, parent, "no memory for its value", row->name);
        *one = arena_copy(arena, text_of(row->fallback));
        none = (struct option_texts){one, 1};
    }
    *(struct option_texts *)member = none;
    return STATUS_OK;
}

enum status option_read(const struct option *table, size_t count, const struct yaml_node *node,
                        struct arena *arena, void *out, struct error *err)
{
    if (node && yaml_is_null(node))
        node = NULL;
    if (node && node->kind != YAML_MAPPING)
        return fail(err, STATUS_INVALID, node, "want `key: value` pairs", "options");
    enum status status = node ? check_keys(table, count, node, err) : STATUS_OK;
    for (size_t i = 0; i < count && !status; i++) {
        const struct yaml_node *value = yaml_get(node, text_of(table[i].name));
        void *member = (char *)out + table[i].offset;
        bool is_said = value && (table[i].type == OPTION_NODE || !yaml_is_null(value));
        status = is_said ? read_row(&table[i], value, arena, member, err)
                         : read_default(&table[i], node, arena, member, err);
    }
    return status;
}

static void print_duration(int64_t us, struct buffer *out)
{
    static const struct {
        int64_t us;
        const char *unit;
    } units[] = {{INT64_C(86400000000), "d"},
                 {INT64_C(3600000000), "h"},
                 {60000000, "m"},
                 {1000000, "s"},
                 {1000, "ms"},
                 {1, "us"}};
    for (size_t i = 0; i < sizeof units / sizeof *units; i++)
        if (us % units[i].us == 0 && (us || units[i].us == 1000000)) {
            buffer_int64(out, us / units[i].us);
            buffer_append(out, text_of(units[i].unit));
            return;
        }
}

static void print_size(uint64_t bytes, struct buffer *out)
{
    static const char *const units[] = {"", "KiB", "MiB", "GiB", "TiB"};
    size_t i = 0;
    while (i < 4 && bytes && bytes % 1024 == 0) {
        bytes /= 1024;
        i++;
    }
    buffer_printf(out, "%llu%s", (unsigned long long)bytes, units[i]);
}

static void print_text(struct text t, struct buffer *out)
{
    buffer_byte(out, '\'');
    for (size_t i = 0; i < t.len; i++) {
        if (t.at[i] == '\'')
            buffer_byte(out, '\'');
        buffer_byte(out, t.at[i]);
    }
    buffer_byte(out, '\'');
}

static void print_value(const struct option *row, const void *member, struct buffer *out)
{
    switch (row->type) {
    case OPTION_TEXT:
        print_text(*(const struct text *)member, out);
        return;
    case OPTION_BOOL:
        buffer_append(out, *(const bool *)member ? TEXT("true") : TEXT("false"));
        return;
    case OPTION_INT:
        buffer_int64(out, *(const int64_t *)member);
        return;
    case OPTION_SIZE:
        print_size(*(const uint64_t *)member, out);
        return;
    case OPTION_DURATION:
        print_duration(*(const int64_t *)member, out);
        return;
    case OPTION_DOUBLE:
        buffer_printf(out, "%g", *(const double *)member);
        return;
    case OPTION_CHOICE:
        buffer_append(out, text_of(row->choices[*(const int *)member]));
        return;
    case OPTION_TEXTS: {
        const struct option_texts *texts = member;
        buffer_byte(out, '[');
        for (uint32_t i = 0; i < texts->count; i++) {
            if (i)
                buffer_append(out, TEXT(", "));
            print_text(texts->items[i], out);
        }
        buffer_byte(out, ']');
        return;
    }
    case OPTION_NODE:
        return;
    }
}

void option_print(const struct option *table, size_t count, const void *values, int indent,
                  struct buffer *out)
{
    for (size_t i = 0; i < count; i++) {
        struct buffer line;
        buffer_init(&line, 1 << 16);
        buffer_printf(&line, "%*s%s: ", indent, "", table[i].name);
        if (table[i].type != OPTION_NODE)
            print_value(&table[i], (const char *)values + table[i].offset, &line);
        buffer_append(out, buffer_text(&line));
        int pad = line.len < 48 ? (int)(48 - line.len) : 1;
        buffer_printf(out, "%*s# %s\n", pad, "", table[i].help);
        buffer_fini(&line);
    }
}
