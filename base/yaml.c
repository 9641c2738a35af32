/* SPDX-License-Identifier: Apache-2.0 */
#include "base/yaml.h"
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <yaml.h>

enum { DEPTH_MAX = 1024, ANCHORS_MAX = 1024, NODES_MAX = 4 << 20, FILE_BYTES_MAX = 64 << 20 };

/* Events of libyaml become nodes; children are gathered on a stack and copied out when they end. */
struct reader {
    yaml_parser_t parser;
    struct arena *arena;
    struct error *err;
    const struct yaml_node **stack; /* children of every open collection, innermost last */
    size_t stack_len, stack_max;
    struct {
        struct text name;
        const struct yaml_node *node;
    } anchors[ANCHORS_MAX];
    uint32_t anchor_count;
    uint32_t node_count;
};

static enum status fail(struct reader *r, enum status code, yaml_mark_t mark, const char *text)
{
    (void)error_set(r->err, code, (uint32_t)mark.line + 1, "%s", text);
    if (r->err)
        r->err->column = (uint32_t)mark.column + 1;
    return code;
}

static enum status fail_parser(struct reader *r)
{
    const yaml_parser_t *p = &r->parser;
    char text[200];
    (void)snprintf(text, sizeof text, "this is not YAML: %s%s%s",
                   p->problem ? p->problem : "unreadable bytes", p->context ? " " : "",
                   p->context ? p->context : "");
    yaml_mark_t mark = p->problem_mark;
    if (p->error == YAML_READER_ERROR) {
        mark = p->mark;
        return fail(r, STATUS_SYNTAX, mark, "this is not YAML: bytes that are not UTF-8");
    }
    return fail(r, STATUS_SYNTAX, mark, text);
}

static enum status next(struct reader *r, yaml_event_t *event)
{
    return yaml_parser_parse(&r->parser, event) ? STATUS_OK : fail_parser(r);
}

static enum status push(struct reader *r, const struct yaml_node *node, yaml_mark_t mark)
{
    if (r->stack_len == r->stack_max) {
        size_t want = r->stack_max ? r->stack_max * 2 : 256;
        void *bigger = realloc(r->stack, want * sizeof(struct yaml_node *));
        if (!bigger)
            return fail(r, STATUS_NOMEM, mark, "no memory for this document");
        r->stack = bigger;
        r->stack_max = want;
    }
    r->stack[r->stack_len++] = node;
    return STATUS_OK;
}

static struct yaml_node *node_new(struct reader *r, enum yaml_kind kind, yaml_mark_t start)
{
    if (r->node_count++ >= NODES_MAX)
        return NULL;
    struct yaml_node *node = arena_zero(r->arena, sizeof *node);
    if (!node)
        return NULL;
    node->kind = kind;
    node->line = (uint32_t)start.line + 1;
    node->column = (uint32_t)start.column + 1;
    node->end_line = node->line;
    return node;
}

static enum status anchor(struct reader *r, const yaml_char_t *name, const struct yaml_node *node,
                          yaml_mark_t mark)
{
    if (!name)
        return STATUS_OK;
    struct text copy = arena_copy(r->arena, text_of((const char *)name));
    if (!copy.at || r->anchor_count == ANCHORS_MAX)
        return fail(r, STATUS_LIMIT, mark, "too many anchors in this file");
    r->anchors[r->anchor_count].name = copy;
    r->anchors[r->anchor_count++].node = node;
    return STATUS_OK;
}

static enum status alias(struct reader *r, const yaml_event_t *event)
{
    struct text name = text_of((const char *)event->data.alias.anchor);
    for (uint32_t i = r->anchor_count; i-- > 0;)
        if (text_equal(r->anchors[i].name, name))
            return push(r, r->anchors[i].node, event->start_mark);
    return fail(r, STATUS_SYNTAX, event->start_mark, "an alias without its anchor before it");
}

static enum status scalar(struct reader *r, const yaml_event_t *event)
{
    struct yaml_node *node = node_new(r, YAML_SCALAR, event->start_mark);
    struct text bytes = {(const char *)event->data.scalar.value, event->data.scalar.length};
    if (node)
        node->value = arena_copy(r->arena, bytes);
    if (!node || !node->value.at)
        return fail(r, STATUS_LIMIT, event->start_mark, "this file is larger than its limit");
    node->end_line = (uint32_t)event->end_mark.line + 1;
    node->is_plain = event->data.scalar.style == YAML_PLAIN_SCALAR_STYLE && !event->data.scalar.tag;
    enum status status = anchor(r, event->data.scalar.anchor, node, event->start_mark);
    return status ? status : push(r, node, event->start_mark);
}

static enum status read_value(struct reader *r, const yaml_event_t *event, uint32_t depth);

/* Reads children up to the collection's end; they stay on the stack from `base` on. */
static enum status children(struct reader *r, yaml_event_type_t end, uint32_t depth,
                            yaml_mark_t *out_end)
{
    for (;;) {
        yaml_event_t event;
        enum status status = next(r, &event);
        if (status)
            return status;
        if (event.type == end) {
            *out_end = event.end_mark;
            yaml_event_delete(&event);
            return STATUS_OK;
        }
        status = read_value(r, &event, depth);
        yaml_event_delete(&event);
        if (status)
            return status;
    }
}

static uint64_t key_hash(const struct yaml_node *key)
{
    uint64_t h = UINT64_C(0xcbf29ce484222325);
    for (size_t i = 0; i < key->value.len; i++)
        h = (h ^ (unsigned char)key->value.at[i]) * UINT64_C(0x100000001b3);
    return h ^ h >> 29;
}

static enum status duplicate(struct reader *r, const struct yaml_node *key)
{
    yaml_mark_t mark = {.line = key->line - 1, .column = key->column - 1};
    char text[200];
    (void)snprintf(text, sizeof text, "the key '%.*s' stands twice in this mapping",
                   (int)(key->value.len > 80 ? 80 : key->value.len), key->value.at);
    return fail(r, STATUS_SYNTAX, mark, text);
}

/* Small mappings are compared pair by pair, large ones through a table. */
static enum status unique_keys(struct reader *r, const struct yaml_pair *pairs, uint32_t count)
{
    if (count <= 16) {
        for (uint32_t i = 1; i < count; i++)
            for (uint32_t j = 0; j < i; j++)
                if (text_equal(pairs[i].key->value, pairs[j].key->value))
                    return duplicate(r, pairs[i].key);
        return STATUS_OK;
    }
    size_t size = 64;
    while (size < (size_t)count * 2)
        size *= 2;
    const struct yaml_node **table = calloc(size, sizeof(struct yaml_node *));
    if (!table)
        return error_set(r->err, STATUS_NOMEM, 0, "no memory for a mapping");
    enum status status = STATUS_OK;
    for (uint32_t i = 0; i < count && !status; i++) {
        size_t slot = key_hash(pairs[i].key) & (size - 1);
        while (table[slot] && !text_equal(table[slot]->value, pairs[i].key->value))
            slot = (slot + 1) & (size - 1);
        if (table[slot])
            status = duplicate(r, pairs[i].key);
        table[slot] = pairs[i].key;
    }
    free(table);
    return status;
}

static enum status pairs_out(struct reader *r, struct yaml_node *node, size_t base)
{
    size_t count = (r->stack_len - base) / 2;
    struct yaml_pair *pairs = arena_alloc(r->arena, (count ? count : 1) * sizeof *pairs);
    if (!pairs)
        return error_set(r->err, STATUS_LIMIT, node->line, "this file is larger than its limit");
    for (size_t i = 0; i < count; i++) {
        const struct yaml_node *key = r->stack[base + 2 * i];
        if (key->kind != YAML_SCALAR) {
            yaml_mark_t mark = {.line = key->line - 1, .column = key->column - 1};
            return fail(r, STATUS_UNSUPPORTED, mark,
                        "a key must be a plain value, not a collection");
        }
        pairs[i] = (struct yaml_pair){key, r->stack[base + 2 * i + 1]};
    }
    node->pairs = pairs;
    node->count = (uint32_t)count;
    return unique_keys(r, pairs, (uint32_t)count);
}

static enum status items_out(struct reader *r, struct yaml_node *node, size_t base)
{
    size_t count = r->stack_len - base;
    const struct yaml_node **items =
        arena_alloc(r->arena, (count ? count : 1) * sizeof(struct yaml_node *));
    if (!items)
        return error_set(r->err, STATUS_LIMIT, node->line, "this file is larger than its limit");
    if (count)
        memcpy(items, r->stack + base, count * sizeof(struct yaml_node *));
    node->items = items;
    node->count = (uint32_t)count;
    return STATUS_OK;
}

static enum status collection(struct reader *r, const yaml_event_t *event, uint32_t depth)
{
    bool is_mapping = event->type == YAML_MAPPING_START_EVENT;
    if (depth >= DEPTH_MAX)
        return fail(r, STATUS_LIMIT, event->start_mark, "nested deeper than 1024 levels");
    struct yaml_node *node =
        node_new(r, is_mapping ? YAML_MAPPING : YAML_SEQUENCE, event->start_mark);
    if (!node)
        return fail(r, STATUS_LIMIT, event->start_mark, "this file is larger than its limit");
    size_t base = r->stack_len;
    yaml_mark_t end;
    enum status status =
        children(r, is_mapping ? YAML_MAPPING_END_EVENT : YAML_SEQUENCE_END_EVENT, depth + 1, &end);
    if (status)
        return status;
    node->end_line = (uint32_t)end.line + 1;
    status = is_mapping ? pairs_out(r, node, base) : items_out(r, node, base);
    r->stack_len = base;
    if (status)
        return status;
    const yaml_char_t *name =
        is_mapping ? event->data.mapping_start.anchor : event->data.sequence_start.anchor;
    status = anchor(r, name, node, event->start_mark);
    return status ? status : push(r, node, event->start_mark);
}

static enum status read_value(struct reader *r, const yaml_event_t *event, uint32_t depth)
{
    if (event->type == YAML_SCALAR_EVENT)
        return scalar(r, event);
    if (event->type == YAML_ALIAS_EVENT)
        return alias(r, event);
    return collection(r, event, depth);
}

static enum status documents(struct reader *r)
{
    for (;;) {
        yaml_event_t event;
        enum status status = next(r, &event);
        if (status)
            return status;
        yaml_event_type_t type = event.type;
        bool is_value = type == YAML_SCALAR_EVENT || type == YAML_ALIAS_EVENT ||
                        type == YAML_MAPPING_START_EVENT || type == YAML_SEQUENCE_START_EVENT;
        if (type == YAML_DOCUMENT_START_EVENT)
            r->anchor_count = 0;
        if (is_value)
            status = read_value(r, &event, 0);
        yaml_event_delete(&event);
        if (status || type == YAML_STREAM_END_EVENT)
            return status;
    }
}

/* Takes the mark off that some editors write before the first character: libyaml would count it as
 * a column, and what stands below it would be indented less. */
static yaml_encoding_t encoding_of(struct text *source)
{
    static const struct {
        const char *mark;
        size_t len;
        yaml_encoding_t encoding;
    } marks[] = {{"\xef\xbb\xbf", 3, YAML_UTF8_ENCODING},
                 {"\xff\xfe", 2, YAML_UTF16LE_ENCODING},
                 {"\xfe\xff", 2, YAML_UTF16BE_ENCODING}};
    for (size_t i = 0; i < sizeof marks / sizeof *marks; i++)
        if (text_starts(*source, (struct text){marks[i].mark, marks[i].len})) {
            *source = text_skip(*source, marks[i].len);
            return marks[i].encoding;
        }
    return YAML_UTF8_ENCODING;
}

/* The same mark before a later document: files that were put together. Spaces at the end of a line
 * before it mean nothing, and places in the text stay. NULL: none is there, or no memory. */
static char *without_inner_marks(struct text source)
{
    static const char inner[] = "\n\xef\xbb\xbf---";
    const char *at = source.len ? memmem(source.at, source.len, inner, sizeof inner - 1) : NULL;
    char *bytes = at ? malloc(source.len) : NULL;
    if (!bytes)
        return NULL;
    memcpy(bytes, source.at, source.len);
    for (char *mark = bytes + (at - source.at); mark;
         mark = memmem(mark, source.len - (size_t)(mark - bytes), inner, sizeof inner - 1)) {
        bool has_return = mark > bytes && mark[-1] == '\r';
        memcpy(mark - has_return, has_return ? "   \r\n" : "   \n", has_return ? 5 : 4);
    }
    return bytes;
}

static enum status read_all(struct reader *r, struct text source, struct yaml_file *out)
{
    if (!yaml_parser_initialize(&r->parser))
        return error_set(r->err, STATUS_NOMEM, 0, "no memory for the YAML reader");
    yaml_parser_set_encoding(&r->parser, encoding_of(&source));
    yaml_parser_set_input_string(&r->parser, (const unsigned char *)(source.at ? source.at : ""),
                                 source.len);
    enum status status = documents(r);
    yaml_parser_delete(&r->parser);
    if (status)
        return status;
    const struct yaml_node **roots =
        arena_alloc(r->arena, (r->stack_len + 1) * sizeof(struct yaml_node *));
    if (!roots)
        return error_set(r->err, STATUS_LIMIT, 0, "this file is larger than its limit");
    uint32_t count = 0;
    for (size_t i = 0; i < r->stack_len; i++)
        if (!yaml_is_null(r->stack[i]))
            roots[count++] = r->stack[i];
    *out = (struct yaml_file){roots, count};
    return STATUS_OK;
}

enum status yaml_parse(struct text source, struct arena *arena, struct yaml_file *out,
                       struct error *err)
{
    struct reader *r = malloc(sizeof *r); /* its anchors are many, and hardly ever used */
    if (!r)
        return error_set(err, STATUS_NOMEM, 0, "no memory for the YAML reader");
    r->arena = arena;
    r->err = err;
    r->stack = NULL;
    r->stack_len = r->stack_max = 0;
    r->anchor_count = r->node_count = 0;
    char *bytes = without_inner_marks(source);
    enum status status = read_all(r, bytes ? (struct text){bytes, source.len} : source, out);
    free(bytes);
    free(r->stack);
    free(r);
    return status;
}

static enum status slurp(FILE *f, const char *path, char **out, size_t *out_len, struct error *err)
{
    size_t size = 1 << 16;
    size_t len = 0;
    char *bytes = malloc(size);
    while (bytes) {
        len += fread(bytes + len, 1, size - len, f);
        if (len < size)
            break;
        char *bigger = size > FILE_BYTES_MAX ? NULL : realloc(bytes, size * 2);
        if (!bigger) {
            free(bytes);
            return error_set(err, STATUS_LIMIT, 0, "%s: larger than 64 MiB", path);
        }
        size *= 2;
        bytes = bigger;
    }
    if (!bytes)
        return error_set(err, STATUS_NOMEM, 0, "%s: no memory to read it", path);
    if (ferror(f)) {
        free(bytes);
        return error_set(err, STATUS_IO, 0, "%s: cannot be read: %s", path, strerrordesc_np(errno));
    }
    *out = bytes;
    *out_len = len;
    return STATUS_OK;
}

enum status yaml_load(const char *path, struct arena *arena, struct yaml_file *out,
                      struct error *err)
{
    FILE *f = fopen(path, "rbe");
    if (!f)
        return error_set(err, STATUS_IO, 0, "%s: cannot be opened: %s", path,
                         strerrordesc_np(errno));
    char *bytes = NULL;
    size_t len = 0;
    enum status status = slurp(f, path, &bytes, &len, err);
    (void)fclose(f);
    if (status)
        return status;
    status = yaml_parse((struct text){bytes, len}, arena, out, err);
    free(bytes);
    return status;
}

const struct yaml_node *yaml_get(const struct yaml_node *node, struct text key)
{
    if (!node || node->kind != YAML_MAPPING)
        return NULL;
    for (uint32_t i = 0; i < node->count; i++)
        if (text_equal(node->pairs[i].key->value, key))
            return node->pairs[i].value;
    return NULL;
}

static bool is_any(const struct yaml_node *node, const char *const *words, size_t count)
{
    if (!node || node->kind != YAML_SCALAR || !node->is_plain)
        return false;
    for (size_t i = 0; i < count; i++)
        if (text_equal(node->value, text_of(words[i])))
            return true;
    return false;
}

bool yaml_is_null(const struct yaml_node *node)
{
    static const char *const words[] = {"", "~", "null", "Null", "NULL"};
    return is_any(node, words, sizeof words / sizeof *words);
}

bool yaml_bool(const struct yaml_node *node, bool *out)
{
    static const char *const yes[] = {"true", "True", "TRUE"};
    static const char *const no[] = {"false", "False", "FALSE"};
    if (!is_any(node, yes, 3) && !is_any(node, no, 3))
        return false;
    *out = is_any(node, yes, 3);
    return true;
}

static bool based_int(struct text t, unsigned base, int64_t *out)
{
    int64_t value = 0;
    if (!t.len)
        return false;
    for (size_t i = 0; i < t.len; i++) {
        char c = t.at[i];
        unsigned digit = c >= '0' && c <= '9'   ? (unsigned)(c - '0')
                         : c >= 'a' && c <= 'f' ? (unsigned)(c - 'a') + 10
                         : c >= 'A' && c <= 'F' ? (unsigned)(c - 'A') + 10
                                                : 99;
        if (digit >= base || value > (INT64_MAX - digit) / base)
            return false;
        value = value * base + digit;
    }
    *out = value;
    return true;
}

bool yaml_int64(const struct yaml_node *node, int64_t *out)
{
    if (!node || node->kind != YAML_SCALAR || !node->is_plain)
        return false;
    if (text_starts(node->value, TEXT("0x")))
        return based_int(text_skip(node->value, 2), 16, out);
    if (text_starts(node->value, TEXT("0o")))
        return based_int(text_skip(node->value, 2), 8, out);
    return text_to_int64(node->value, out);
}

bool yaml_double(const struct yaml_node *node, double *out)
{
    int64_t whole = 0;
    if (yaml_int64(node, &whole)) {
        *out = (double)whole;
        return true;
    }
    return node && node->kind == YAML_SCALAR && node->is_plain && text_to_double(node->value, out);
}

bool yaml_is_number(const struct yaml_node *node)
{
    double ignored = 0;
    return yaml_double(node, &ignored);
}
