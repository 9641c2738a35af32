/* SPDX-License-Identifier: Apache-2.0 */
#include "rules/decode/mapping_condition.h"

bool mapping_condition_no_memory(struct decoder_document *d, const struct yaml_node *node)
{
    return decoder_document_refuse(d, node, STATUS_NOMEM, "no-memory", "no memory");
}

bool mapping_condition_watch_name(struct decoder_document *d, const struct yaml_node *node,
                                  struct mapping_set *s, struct text name, uint16_t *out)
{
    for (uint32_t i = 0; i < s->slot_count; i++)
        if (text_equal(s->slot_names[i], name)) {
            *out = (uint16_t)i;
            return true;
        }
    if (s->slot_count == MAPPING_SLOTS)
        return decoder_document_refuse(d, node, STATUS_LIMIT, "too-many-fields",
                                       "all mappings together may look at %d fields",
                                       MAPPING_SLOTS);
    const struct text copy = arena_copy(d->arena, name);
    if (!copy.at)
        return mapping_condition_no_memory(d, node);
    *out = (uint16_t)s->slot_count;
    s->slot_names[s->slot_count++] = copy;
    return true;
}

/* An event's own name stands for itself; the mapping's names are tried where it has none. */
bool mapping_condition_watch(struct decoder_document *d, const struct yaml_node *node,
                             const struct mapping_reading *r, struct mapping_condition *c)
{
    struct text names[MAPPING_NAMES];
    uint32_t count = mapping_names(r->mapping, c->field, d->arena, names);
    if (text_find_byte(c->field, '.') < c->field.len) {
        names[0] = c->field;
        count = 1;
    }
    uint16_t *slots = arena_alloc(d->arena, count * sizeof *slots);
    if (!slots)
        return mapping_condition_no_memory(d, node);
    for (uint32_t i = 0; i < count; i++)
        if (!mapping_condition_watch_name(d, node, r->set, names[i], &slots[i]))
            return false;
    c->slots = slots;
    c->slot_count = count;
    return true;
}

static bool read_values(struct decoder_document *d, const struct yaml_node *node,
                        struct mapping_condition *c)
{
    struct decoder_document_texts texts = {0};
    if (!decoder_document_texts(d, node, &texts))
        return false;
    struct text *values = arena_alloc(d->arena, texts.count * sizeof *values);
    if (!values)
        return mapping_condition_no_memory(d, node);
    for (uint32_t i = 0; i < texts.count; i++) {
        const struct field f = {.value = texts.items[i]};
        char *lower = arena_bytes(d->arena, MAPPING_VALUE);
        if (!lower)
            return mapping_condition_no_memory(d, node);
        if (!mapping_match_fold(&f, lower, &values[i]))
            return decoder_document_refuse(d, node, STATUS_LIMIT, "long-value",
                                           "a value may have %d bytes", MAPPING_VALUE);
        c->has_wildcard |= text_find_byte(values[i], '*') < values[i].len;
        const uint32_t mark = mapping_match_mark(values[i]);
        c->marks[mark / 64] |= UINT64_C(1) << (mark % 64);
    }
    c->values = values;
    c->value_count = texts.count;
    return true;
}

/* {exists: true} or {not: value(s)}. */
static bool read_question(struct decoder_document *d, const struct yaml_node *node,
                          struct mapping_condition *c)
{
    static const struct decoder_document_key keys[] = {
        {"field", NULL, false},
        {"exists", NULL, false},
        {"not", NULL, false},
        {"value", NULL, false},
    };
    if (!decoder_document_walk(d, node, "a condition", keys, sizeof keys / sizeof *keys, NULL))
        return false;
    const struct yaml_node *exists = yaml_get(node, TEXT("exists"));
    const struct yaml_node *not = yaml_get(node, TEXT("not"));
    const struct yaml_node *value = yaml_get(node, TEXT("value"));
    if (!exists + !not +!value != 2)
        return decoder_document_refuse(d, node, STATUS_INVALID, "bad-condition",
                                       "a condition has one of 'exists', 'not' and 'value'");
    bool is_wanted = true;
    if (exists && !yaml_bool(exists, &is_wanted))
        return decoder_document_refuse(d, exists, STATUS_SYNTAX, "not-a-boolean",
                                       "want true or false");
    c->is_existence = exists != NULL;
    c->is_negated = not || !is_wanted;
    return exists || read_values(d, not ? not : value, c);
}

static bool read_condition(struct decoder_document *d, const struct mapping_reading *r,
                           const struct yaml_node *field, const struct yaml_node *value,
                           struct mapping_condition *out)
{
    if (!decoder_document_text(d, field, &out->field) || !mapping_condition_watch(d, field, r, out))
        return false;
    return value->kind == YAML_MAPPING ? read_question(d, value, out) : read_values(d, value, out);
}

/* {field: name, exists: true} or {name: value(s), name: value(s)}. */
static bool read_clause(struct decoder_document *d, const struct mapping_reading *r,
                        const struct yaml_node *node, struct mapping_clause *out)
{
    if (node->kind != YAML_MAPPING || !node->count)
        return decoder_document_refuse(d, node, STATUS_SYNTAX, "bad-condition",
                                       "want {field: value} or {field: name, exists: true}");
    const struct yaml_node *field = yaml_get(node, TEXT("field"));
    const uint32_t count = field ? 1 : node->count;
    struct mapping_condition *conditions = arena_zero(d->arena, count * sizeof *conditions);
    if (!conditions)
        return mapping_condition_no_memory(d, node);
    *out = (struct mapping_clause){conditions, count};
    if (field)
        return read_condition(d, r, field, node, conditions);
    for (uint32_t i = 0; i < count; i++)
        if (!read_condition(d, r, node->pairs[i].key, node->pairs[i].value, &conditions[i]))
            return false;
    return true;
}

bool mapping_condition_read(struct decoder_document *d, const struct mapping_reading *r,
                            const struct yaml_node *node, struct mapping_when *out)
{
    const bool is_list = node->kind == YAML_SEQUENCE;
    const uint32_t count = is_list ? node->count : 1;
    struct mapping_clause *clauses = arena_zero(d->arena, (count + 1) * sizeof *clauses);
    if (!clauses)
        return mapping_condition_no_memory(d, node);
    for (uint32_t i = 0; i < count; i++)
        if (!read_clause(d, r, is_list ? node->items[i] : node, &clauses[i]))
            return false;
    *out = (struct mapping_when){clauses, count};
    return true;
}
