/* SPDX-License-Identifier: Apache-2.0 */
#include "rules/read/relation.h"
#include "rules/match/grow.h"
#include "rules/read/rule_header.h"

static const char *const types[] = {
    "event_count", "value_count", "temporal",         "temporal_ordered",
    "value_sum",   "value_avg",   "value_percentile", "value_median",
};
static const char *const keys[] = {"type",      "rules",   "group-by", "timespan",
                                   "condition", "aliases", "generate"};

static struct diagnostics *findings_of(struct draft *d)
{
    return d->compiler.diagnostics;
}

static enum status check_keys(struct draft *d, const struct yaml_node *node)
{
    for (uint32_t i = 0; i < node->count; i++) {
        struct text key = node->pairs[i].key->value;
        size_t k = 0;
        while (k < sizeof keys / sizeof *keys && !text_equal(key, text_of(keys[k])))
            k++;
        if (k < sizeof keys / sizeof *keys)
            continue;
        const char *near = diagnostic_nearest(key, keys, sizeof keys / sizeof *keys);
        return diagnostic_error(findings_of(d), node->pairs[i].key, "unknown-key",
                                "'%.*s' is no key of a correlation%s%s%s", TEXT_ARG(key),
                                near ? "; did you mean '" : "", near ? near : "", near ? "'?" : "");
    }
    return STATUS_OK;
}

static enum status read_type(struct draft *d, const struct yaml_node *node,
                             struct relation_draft *r)
{
    const struct yaml_node *type = yaml_get(node, TEXT("type"));
    struct text t = type && type->kind == YAML_SCALAR ? type->value : TEXT("");
    for (size_t i = 0; i < sizeof types / sizeof *types; i++)
        if (text_equal(t, text_of(types[i]))) {
            r->frozen.correlation.type = (enum correlation_type)i;
            return STATUS_OK;
        }
    const char *near = diagnostic_nearest(t, types, sizeof types / sizeof *types);
    return diagnostic_error(findings_of(d), type ? type : node, "bad-type",
                            "'%.*s' is no type of correlation%s%s%s", TEXT_ARG(t),
                            near ? "; did you mean '" : "", near ? near : "", near ? "'?" : "");
}

/* One string or a list of strings. */
static enum status read_texts(struct draft *d, const struct yaml_node *node, uint32_t most,
                              const struct text **out, uint32_t *out_count)
{
    bool is_list = node->kind == YAML_SEQUENCE;
    uint32_t count = is_list ? node->count : 1;
    struct text *items = arena_alloc(d->compiler.arena, ((size_t)count + 1) * sizeof *items);
    if (!items)
        return STATUS_NOMEM;
    if (count > most)
        return diagnostic_error(findings_of(d), node, "limit", "at most %u entries here, not %u",
                                most, count);
    for (uint32_t i = 0; i < count; i++) {
        const struct yaml_node *item = is_list ? node->items[i] : node;
        if (item->kind != YAML_SCALAR || !item->value.len)
            return diagnostic_error(findings_of(d), item, "bad-value", "want a name here");
        items[i] = arena_copy(d->compiler.arena, item->value);
    }
    *out = items;
    *out_count = count;
    return STATUS_OK;
}

static enum status read_timespan(struct draft *d, const struct yaml_node *node,
                                 struct relation_draft *r)
{
    const struct yaml_node *span = yaml_get(node, TEXT("timespan"));
    struct text t = span && span->kind == YAML_SCALAR ? span->value : TEXT("");
    bool has_unit = t.len > 1 && strchr("smhdwMy", t.at[t.len - 1]) && t.at[t.len - 2] >= '0' &&
                    t.at[t.len - 2] <= '9';
    if (!has_unit || !text_to_duration_us(t, &r->frozen.correlation.timespan_us) ||
        r->frozen.correlation.timespan_us <= 0)
        return diagnostic_error(findings_of(d), span ? span : node, "bad-timespan",
                                "'%.*s' is no timespan: want a number and s, m, h, d, w, M or y",
                                TEXT_ARG(t));
    return STATUS_OK;
}

static bool is_temporal(const struct relation_draft *r)
{
    return r->frozen.correlation.type == CORRELATION_TEMPORAL ||
           r->frozen.correlation.type == CORRELATION_TEMPORAL_ORDERED;
}

static enum status read_bound(struct draft *d, const struct yaml_pair *pair,
                              struct relation_draft *r, bool *out_is_bound)
{
    static const char *const operators[] = {"lt", "lte", "gt", "gte", "eq", "neq"};
    size_t i = 0;
    while (i < 6 && !text_equal(pair->key->value, text_of(operators[i])))
        i++;
    *out_is_bound = i < 6;
    if (i == 6)
        return STATUS_OK;
    if (r->frozen.correlation.bound_count == 2)
        return diagnostic_error(findings_of(d), pair->key, "bad-condition",
                                "a condition has one comparison, or two for a range");
    struct bound *b = &r->frozen.correlation.bounds[r->frozen.correlation.bound_count++];
    b->operator=(enum bound_operator) i;
    if (pair->value->kind != YAML_SCALAR || !fixed_parse(pair->value->value, &b->than))
        return diagnostic_error(findings_of(d), pair->value, "bad-condition", "%s wants a number",
                                operators[i]);
    return STATUS_OK;
}

static enum status read_condition_key(struct draft *d, const struct yaml_pair *pair,
                                      struct relation_draft *r)
{
    bool is_bound = false;
    enum status status = read_bound(d, pair, r, &is_bound);
    if (is_bound || status)
        return status;
    if (text_equal(pair->key->value, TEXT("field")))
        return read_texts(d, pair->value, CORRELATION_GROUP, &r->values,
                          &r->frozen.correlation.value_count);
    if (text_equal(pair->key->value, TEXT("percentile"))) {
        if (!yaml_double(pair->value, &r->frozen.correlation.percentile) ||
            r->frozen.correlation.percentile < 0 || r->frozen.correlation.percentile > 100)
            return diagnostic_error(findings_of(d), pair->value, "bad-condition",
                                    "percentile is a number from 0 to 100");
        return STATUS_OK;
    }
    static const char *const known[] = {"gt", "gte", "lt",    "lte",
                                        "eq", "neq", "field", "percentile"};
    const char *near = diagnostic_nearest(pair->key->value, known, 8);
    return diagnostic_error(findings_of(d), pair->key, "unknown-key",
                            "'%.*s' is no key of a correlation's condition%s%s%s",
                            TEXT_ARG(pair->key->value), near ? "; did you mean '" : "",
                            near ? near : "", near ? "'?" : "");
}

static enum status check_condition(struct draft *d, const struct yaml_node *at,
                                   const struct relation_draft *r)
{
    const struct correlation *c = &r->frozen.correlation;
    bool needs_value = !is_temporal(r) && c->type != CORRELATION_EVENT_COUNT;
    if (!is_temporal(r) && !c->bound_count)
        return diagnostic_error(findings_of(d), at, "bad-condition",
                                "%s needs a condition with gt, gte, lt, lte, eq or neq",
                                types[c->type]);
    if (needs_value && !c->value_count)
        return diagnostic_error(findings_of(d), at, "bad-condition",
                                "%s needs a field in its condition", types[c->type]);
    if (!needs_value && c->value_count)
        return diagnostic_error(findings_of(d), at, "bad-condition", "%s takes no field",
                                types[c->type]);
    if (c->value_count > 1 && c->type != CORRELATION_VALUE_COUNT)
        return diagnostic_error(findings_of(d), at, "bad-condition",
                                "only value_count takes several fields");
    if (c->type == CORRELATION_VALUE_PERCENTILE && c->percentile < 0)
        return diagnostic_error(findings_of(d), at, "bad-condition",
                                "value_percentile needs a percentile in its condition");
    return STATUS_OK;
}

static enum status read_condition(struct draft *d, const struct yaml_node *node,
                                  struct relation_draft *r)
{
    const struct yaml_node *condition = yaml_get(node, TEXT("condition"));
    r->frozen.correlation.percentile = -1;
    if (condition && condition->kind == YAML_SCALAR && !yaml_is_null(condition)) {
        if (!is_temporal(r))
            return diagnostic_error(findings_of(d), condition, "bad-condition",
                                    "only temporal and temporal_ordered take an expression");
        return relation_steps_read(d, condition, r->references, &r->frozen.correlation);
    }
    if (condition && condition->kind == YAML_SEQUENCE)
        return diagnostic_error(findings_of(d), condition, "bad-condition",
                                "a correlation has one condition");
    for (uint32_t i = 0; condition && i < condition->count; i++) {
        enum status status = read_condition_key(d, &condition->pairs[i], r);
        if (status)
            return status;
    }
    enum status status = check_condition(d, condition ? condition : node, r);
    if (r->frozen.correlation.percentile < 0)
        r->frozen.correlation.percentile =
            r->frozen.correlation.type == CORRELATION_VALUE_MEDIAN ? 50 : 0;
    return status;
}

static enum status read_generate(struct draft *d, const struct yaml_node *root,
                                 const struct yaml_node *node, struct relation_draft *r)
{
    const struct yaml_node *generate = yaml_get(node, TEXT("generate"));
    if (!generate)
        generate = yaml_get(root, TEXT("generate"));
    if (generate && !yaml_bool(generate, &r->has_generate))
        return diagnostic_error(findings_of(d), generate, "bad-value", "generate is true or false");
    return STATUS_OK;
}

/* The input that `label`, an id or a name, means; input_count: none. */
static uint32_t input_of(const struct draft *d, const struct relation_draft *r, struct text label)
{
    uint32_t input = 0;
    while (input < r->frozen.correlation.input_count &&
           !draft_is_same(d, r->references[input], label))
        input++;
    return input;
}

const struct yaml_node *relation_alias_of(const struct draft *d, const struct relation_draft *r,
                                          struct text alias, uint32_t input)
{
    const struct yaml_node *map = yaml_get(r->aliases, alias);
    const struct yaml_node *field = yaml_get(map, r->references[input]);
    bool is_map = map && map->kind == YAML_MAPPING;
    for (uint32_t k = 0; is_map && k < map->count && !field; k++)
        if (draft_is_same(d, r->references[input], map->pairs[k].key->value))
            field = map->pairs[k].value;
    return field;
}

static enum status check_alias(struct draft *d, const struct relation_draft *r,
                               const struct yaml_node *map)
{
    bool is_said[CORRELATION_INPUTS] = {false};
    for (uint32_t k = 0; map->kind == YAML_MAPPING && k < map->count; k++) {
        const struct yaml_node *label = map->pairs[k].key;
        uint32_t input = input_of(d, r, label->value);
        if (input == r->frozen.correlation.input_count)
            return diagnostic_error(findings_of(d), label, "bad-aliases",
                                    "'%.*s' is none of this correlation's rules",
                                    TEXT_ARG(label->value));
        if (is_said[input])
            return diagnostic_error(findings_of(d), label, "bad-aliases",
                                    "'%.*s' is the rule of another line, by id and by name: "
                                    "name its field once",
                                    TEXT_ARG(label->value));
        is_said[input] = true;
        if (map->pairs[k].value->kind != YAML_SCALAR)
            return diagnostic_error(findings_of(d), map->pairs[k].value, "bad-aliases",
                                    "want the name of a field");
    }
    if (map->kind != YAML_MAPPING)
        return diagnostic_error(findings_of(d), map, "bad-aliases",
                                "an alias is a mapping of rules to fields");
    return STATUS_OK;
}

static enum status check_aliases(struct draft *d, const struct relation_draft *r)
{
    enum status status = STATUS_OK;
    if (!r->aliases)
        return STATUS_OK;
    if (r->aliases->kind != YAML_MAPPING)
        return diagnostic_error(findings_of(d), r->aliases, "bad-aliases",
                                "aliases is a mapping: alias: {rule: field}");
    for (uint32_t i = 0; i < r->aliases->count && !status; i++)
        status = check_alias(d, r, r->aliases->pairs[i].value);
    return status;
}

static enum status read_body(struct draft *d, const struct yaml_node *root,
                             struct relation_draft *r)
{
    const struct yaml_node *node = yaml_get(root, TEXT("correlation"));
    if (node->kind != YAML_MAPPING)
        return diagnostic_error(findings_of(d), node, "bad-correlation",
                                "a correlation is a mapping");
    const struct yaml_node *rules = yaml_get(node, TEXT("rules"));
    const struct yaml_node *group = yaml_get(node, TEXT("group-by"));
    enum status status = check_keys(d, node);
    if (!status)
        status = read_type(d, node, r);
    if (!status && (!rules || (rules->kind == YAML_SEQUENCE && !rules->count)))
        status = diagnostic_error(findings_of(d), rules ? rules : node, "missing-rules",
                                  "a correlation needs the rules that it counts");
    if (!status)
        status = read_texts(d, rules, CORRELATION_INPUTS, &r->references,
                            &r->frozen.correlation.input_count);
    if (!status && group && !yaml_is_null(group))
        status = read_texts(d, group, CORRELATION_GROUP, &r->frozen.rule.group,
                            &r->frozen.rule.group_count);
    if (!status)
        status = read_timespan(d, node, r);
    if (!status)
        status = read_condition(d, node, r);
    if (!status)
        status = read_generate(d, root, node, r);
    r->aliases = yaml_get(node, TEXT("aliases"));
    r->frozen.correlation.group_count = r->frozen.rule.group_count;
    return status == STATUS_OK ? check_aliases(d, r) : status;
}

static enum status fill_policy(struct draft *d, struct relation_draft *r)
{
    struct correlation *c = &r->frozen.correlation;
    const struct extension *e = &r->extension;
    bool is_zero =
        c->bound_count == 1 && c->bounds[0].operator== BOUND_EQ && c->bounds[0].than == 0;
    if (e->is_absence && (c->type != CORRELATION_EVENT_COUNT || !is_zero))
        return diagnostic_error(findings_of(d), r->document, "bad-absence",
                                "absence goes with event_count and {eq: 0} only");
    c->fire = e->fire >= 0 ? (enum fire_policy)e->fire : d->options->fire;
    c->renew_us = c->fire == FIRE_EDGE ? e->renew_us : 0;
    c->lateness_us = e->lateness_us >= 0 ? e->lateness_us : d->options->lateness_us;
    c->max_groups = e->max_groups;
    c->is_absence = e->is_absence;
    c->first_seen_learn_us = e->learn_us;
    c->first_seen_remember_us = e->remember_us;
    return STATUS_OK;
}

static enum status check_limits(struct draft *d, struct relation_draft *r)
{
    struct error why = {.code = STATUS_OK};
    struct correlation one = r->frozen.correlation;
    if (!d->options->allows)
        return STATUS_OK;
    one.rule = &r->frozen.rule;
    enum status status = d->options->allows(&one, 1, &why);
    if (!status || status == STATUS_NOMEM)
        return status;
    return diagnostic_error(findings_of(d), yaml_get(r->document, TEXT("correlation")), "limit",
                            "%s", why.text);
}

static struct hash128 content_of(const struct relation_draft *r, const struct yaml_node *root)
{
    struct hasher h;
    hash_start(&h);
    hash_part_text(&h, r->frozen.rule.key);
    rule_header_hash(&h, yaml_get(root, TEXT("correlation")));
    rule_header_hash(&h, yaml_get(root, TEXT("tocsin")));
    hash_part_u64(&h, (uint64_t)r->frozen.correlation.fire);
    return hash_end(&h);
}

enum status relation_read(struct draft *d, const struct document *document)
{
    if (!GROW(d->relations, d->relation_count, d->relation_max))
        return STATUS_NOMEM;
    /* Two kilobytes each: built in place, counted only when it is whole. */
    struct relation_draft *r = &d->relations[d->relation_count];
    *r = (struct relation_draft){.document = document->root,
                                 .written = rule_header_labels(document->root)};
    arena_reset(d->compiler.scratch);
    enum status status = rule_header_read(d, document, &r->frozen.rule, &r->extension);
    if (!status)
        status = read_body(d, document->root, r);
    if (!status)
        status = fill_policy(d, r);
    r->frozen.rule.kind = RULE_CORRELATION;
    if (!status)
        status = check_limits(d, r);
    if (status)
        return status;
    r->content = content_of(r, document->root);
    if (!rule_header_entities(d, &r->extension, &r->frozen.entities))
        return STATUS_NOMEM;
    d->relation_count++;
    return STATUS_OK;
}
