/* SPDX-License-Identifier: Apache-2.0 */
#include "rules/read/selection.h"
#include "rules/read/value.h"
#include <stdlib.h>

/* From this many plain strings on, a list is one predicate with a table. */
enum { EXACT_LEAST = 3 };

static enum status no_memory(struct compiler *c, const struct yaml_node *at)
{
    (void)diagnostic_error(c->diagnostics, at, "no-memory", "no memory");
    return STATUS_NOMEM;
}

static int compare_texts(const void *a, const void *b)
{
    return text_compare(*(const struct text *)a, *(const struct text *)b);
}

/* In order: lists that say the same are one predicate. */
static enum status read_exact(struct compiler *c, const struct modifiers *m,
                              const struct yaml_node *at, struct text *items, uint32_t count,
                              struct term *out)
{
    qsort(items, count, sizeof *items, compare_texts);
    struct predicate p = {
        .field = names_add(c->names, m->field),
        .op = PREDICATE_IN,
        .is_cased = m->is_cased,
        .items = items,
        .item_count = count,
    };
    return p.field == NAMES_NONE ? no_memory(c, at) : value_add(c, at, &p, out);
}

/* A list under a field: plain strings together, everything else by itself. */
static enum status read_list(struct compiler *c, const struct modifiers *m,
                             const struct yaml_node *list, struct term *out)
{
    struct term *terms = arena_alloc(c->scratch, ((size_t)list->count + 1) * sizeof *terms);
    struct text *exact = arena_alloc(c->scratch, ((size_t)list->count + 1) * sizeof *exact);
    if (!terms || !exact)
        return no_memory(c, list);
    uint32_t exact_count = 0;
    uint32_t count = 0;
    for (uint32_t i = 0; i < list->count && !m->has_all; i++)
        exact_count += value_is_exact(c, m, list->items[i], &exact[exact_count]);
    bool has_table = exact_count >= EXACT_LEAST;
    enum status status = STATUS_OK;
    if (has_table)
        status = read_exact(c, m, list, exact, exact_count, &terms[count++]);
    for (uint32_t i = 0; i < list->count && !status; i++) {
        struct text unused;
        if (has_table && value_is_exact(c, m, list->items[i], &unused))
            continue;
        status = value_read(c, m, list->items[i], &terms[count++]);
    }
    if (status)
        return status;
    bool is_joined = node_join(c->arena, m->has_all ? NODE_AND : NODE_OR, terms, count, out);
    return is_joined ? STATUS_OK : no_memory(c, list);
}

static enum status read_field(struct compiler *c, const struct yaml_pair *pair, struct term *out)
{
    struct modifiers m;
    enum status status = modifier_read(pair->key, c->diagnostics, &m);
    if (status)
        return status;
    if (pair->value->kind == YAML_MAPPING)
        return diagnostic_error(c->diagnostics, pair->value, "bad-value",
                                "'%.*s' holds a mapping: want a value or a list of values",
                                TEXT_ARG(pair->key->value));
    if (pair->value->kind == YAML_SEQUENCE && !pair->value->count)
        return diagnostic_error(c->diagnostics, pair->value, "empty-list",
                                "'%.*s' has an empty list, which nothing matches",
                                TEXT_ARG(pair->key->value));
    if (m.has_all && pair->value->kind != YAML_SEQUENCE)
        diagnostic_lint(c->diagnostics, pair->key, DIAGNOSTIC_HINT, "all-alone",
                        "'all' has no effect on a single value");
    status = pair->value->kind == YAML_SEQUENCE ? read_list(c, &m, pair->value, out)
                                                : value_read(c, &m, pair->value, out);
    if (!status && m.is_negated && !node_negate(c->arena, *out, out))
        return no_memory(c, pair->value);
    return status;
}

static enum status read_map(struct compiler *c, const struct yaml_node *map, struct term *out)
{
    struct term *terms = arena_alloc(c->scratch, ((size_t)map->count + 1) * sizeof *terms);
    if (!terms)
        return no_memory(c, map);
    if (!map->count)
        return diagnostic_error(c->diagnostics, map, "empty-selection", "an empty selection");
    for (uint32_t i = 0; i < map->count; i++) {
        enum status status = read_field(c, &map->pairs[i], &terms[i]);
        if (status)
            return status;
    }
    return node_join(c->arena, NODE_AND, terms, map->count, out) ? STATUS_OK : no_memory(c, map);
}

enum status selection_read(struct compiler *c, const struct yaml_node *node, struct term *out)
{
    static const struct modifiers keyword = {.place = PLACE_WHOLE};
    if (node->kind == YAML_MAPPING)
        return read_map(c, node, out);
    if (node->kind == YAML_SCALAR)
        return value_read(c, &keyword, node, out);
    if (!node->count)
        return diagnostic_error(c->diagnostics, node, "empty-selection", "an empty selection");
    struct term *terms = arena_alloc(c->scratch, ((size_t)node->count + 1) * sizeof *terms);
    if (!terms)
        return no_memory(c, node);
    for (uint32_t i = 0; i < node->count; i++) {
        const struct yaml_node *item = node->items[i];
        enum status status = item->kind == YAML_MAPPING ? read_map(c, item, &terms[i])
                                                        : value_read(c, &keyword, item, &terms[i]);
        if (status)
            return status;
    }
    return node_join(c->arena, NODE_OR, terms, node->count, out) ? STATUS_OK : no_memory(c, node);
}
