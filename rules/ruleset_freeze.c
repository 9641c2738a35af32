/* SPDX-License-Identifier: Apache-2.0 */
#include "rules/ruleset_freeze.h"
#include <stdlib.h>

/* ---- entities where a rule says none ---- */

static bool number_refs(struct ruleset *r, const struct entity_field *fields, uint32_t count,
                        struct entity_refs *out)
{
    struct entity_ref *refs = arena_alloc(&r->arena, ((size_t)count + 1) * sizeof *refs);
    for (uint32_t i = 0; refs && i < count; i++) {
        refs[i] = (struct entity_ref){
            .field = names_add(r->names, fields[i].field),
            .domain = fields[i].domain.len ? names_add(r->names, fields[i].domain) : NAMES_NONE,
            .kind = fields[i].kind,
            .is_charged = fields[i].is_charged,
        };
        if (refs[i].field == NAMES_NONE)
            return false;
    }
    *out = (struct entity_refs){refs, count};
    return refs;
}

static bool fill_defaults(struct ruleset *r)
{
    static const struct entity_field usual[] = {
        {{"src_ip", 6}, {NULL, 0}, ENTITY_ADDRESS, true},
        {{"dst_ip", 6}, {NULL, 0}, ENTITY_ADDRESS, false},
        {{"user", 4}, {NULL, 0}, ENTITY_USER, true},
        {{"target_user", 11}, {NULL, 0}, ENTITY_USER, true},
        {{"host", 4}, {NULL, 0}, ENTITY_HOST, true},
    };
    struct entity_defaults *d = &r->defaults;
    d->host = names_add(r->names, TEXT("host"));
    d->mapping_count = mapping_count(r->mappings) + 1;
    d->decoder_count = decoder_count(r->decoders);
    d->mapping = arena_zero(&r->arena, d->mapping_count * sizeof *d->mapping);
    d->decoder = arena_zero(&r->arena, ((size_t)d->decoder_count + 1) * sizeof *d->decoder);
    bool is_ok = d->host != NAMES_NONE && d->mapping && d->decoder &&
                 number_refs(r, usual, sizeof usual / sizeof *usual, &d->usual);
    for (uint32_t i = 1; is_ok && i < d->mapping_count; i++) {
        uint32_t count = 0;
        const struct entity_field *fields = mapping_entities(r->mappings, i, &count);
        is_ok = number_refs(r, fields, count, &d->mapping[i]);
    }
    for (uint32_t i = 0; is_ok && i < d->decoder_count; i++) {
        uint32_t count = 0;
        const struct entity_field *fields = decoder_entities(decoder_at(r->decoders, i), &count);
        is_ok = number_refs(r, fields, count, &d->decoder[i]);
    }
    return is_ok;
}

/* The name of a group-by field, or what an alias means in one of the rules below, tells a kind. */
static bool is_kind_told(const struct ruleset *r, uint32_t relation, uint32_t place,
                         enum entity_kind *out)
{
    if (mapping_usual_kind(r->relations[relation].rule.group[place], out))
        return true;
    for (uint32_t i = 0; i < r->rule_count; i++)
        for (uint32_t k = 0; k < r->rules[i].feed_count; k++) {
            const struct feed_spec *feed = &r->rules[i].feeds[k];
            if (feed->correlation == relation &&
                mapping_usual_kind(names_text(r->names, feed->group[place]), out))
                return true;
        }
    return false;
}

static bool split_group(struct ruleset *r, uint32_t relation)
{
    uint32_t total = r->relations[relation].rule.group_count, count = 0, others = 0;
    struct entity_ref *refs = arena_alloc(&r->arena, ((size_t)total * 2 + 1) * sizeof *refs);
    for (uint32_t k = 0; refs && k < total; k++) {
        enum entity_kind kind = ENTITY_SERVICE; /* the widest word for what has a name */
        struct entity_ref *to =
            is_kind_told(r, relation, k, &kind) ? &refs[count++] : &refs[total + others++];
        *to = (struct entity_ref){k, NAMES_NONE, kind, true};
    }
    if (!refs)
        return false;
    r->group_entities[relation] = (struct entity_refs){refs, count};
    r->group_others[relation] = (struct entity_refs){refs + total, others};
    return true;
}

static bool fill_group_entities(struct ruleset *r)
{
    size_t bytes = ((size_t)r->relation_count + 1) * sizeof *r->group_entities;
    r->group_entities = arena_zero(&r->arena, bytes);
    r->group_others = arena_zero(&r->arena, bytes);
    bool is_ok = r->group_entities && r->group_others;
    for (uint32_t i = 0; is_ok && i < r->relation_count; i++)
        is_ok = split_group(r, i);
    return is_ok;
}

/* ---- hashes and lists ---- */

/* What decides behind the correlator is part of the ruleset's hash, though windows do not depend on
 * it. */
static void hash_facts(struct hasher *h, const struct rule *rule)
{
    hash_part(h, &rule->content, sizeof rule->content);
    hash_part_text(h, rule->key);
    hash_part_text(h, rule->tactic);
    hash_part_text(h, rule->family);
    hash_part_text(h, rule->playbook);
    hash_part_u64(h, (uint64_t)rule->level << 24 | (uint64_t)rule->status << 16 |
                         (uint64_t)rule->open << 8 | (uint64_t)rule->is_shadow << 1 |
                         rule->is_reported);
    hash_part(h, &rule->confidence, sizeof rule->confidence);
    hash_part_u64(h, (uint64_t)rule->suppress_us);
    hash_part_u64(h, rule->max_entities);
    hash_part_u64(h, (uint64_t)rule->max_entities_us);
}

static bool fill_lists(struct ruleset *r, const struct draft *d)
{
    size_t total = (size_t)r->rule_count + r->relation_count;
    struct hash128 decoders = decoder_set_content(r->decoders);
    struct hash128 mappings = mapping_set_content(r->mappings);
    struct hasher h;
    hash_start(&h);
    hash_part_u64(&h, r->has_routing);
    hash_part(&h, &d->compiler.lists->content, sizeof d->compiler.lists->content);
    hash_part(&h, &decoders, sizeof decoders);
    hash_part(&h, &mappings, sizeof mappings);
    r->all = arena_alloc(&r->arena, (total + 1) * sizeof *r->all);
    r->correlations =
        arena_alloc(&r->arena, ((size_t)r->relation_count + 1) * sizeof *r->correlations);
    if (!r->all || !r->correlations)
        return false;
    for (uint32_t i = 0; i < r->rule_count; i++) {
        const struct rule *rule = &r->rules[i].rule;
        hash_facts(&h, rule);
        hash_part(&h, &d->rules[i].exceptions, sizeof d->rules[i].exceptions);
        r->all[i] = rule;
    }
    for (uint32_t i = 0; i < r->relation_count; i++) {
        const struct relation *relation = &r->relations[i];
        hash_facts(&h, &relation->rule);
        hash_part(&h, &d->relations[i].exceptions, sizeof d->relations[i].exceptions);
        r->correlations[i] = relation->correlation;
        r->correlations[i].rule = &relation->rule;
        r->correlations[i].index = i;
        r->all[r->rule_count + i] = &relation->rule;
    }
    r->hash = hash_end(&h);
    return true;
}

/* How long answering takes, roughly, when the index did not answer already. */
static unsigned answer_cost(void *context, uint32_t predicate)
{
    static const unsigned costs[] = {
        [PREDICATE_EQUAL] = 1,  [PREDICATE_IN] = 3,     [PREDICATE_CONTAINS] = 6,
        [PREDICATE_STARTS] = 2, [PREDICATE_ENDS] = 2,   [PREDICATE_GLOB] = 8,
        [PREDICATE_REGEX] = 20, [PREDICATE_NUMBER] = 2, [PREDICATE_TIME] = 9,
        [PREDICATE_CIDR] = 4,   [PREDICATE_EXISTS] = 0, [PREDICATE_NULL] = 0,
        [PREDICATE_FIELD] = 7,  [PREDICATE_UNTIL] = 0,
    };
    const struct predicate *p = predicates_at(context, predicate);
    bool is_search = p->field == NAMES_WHOLE && p->op != PREDICATE_UNTIL;
    return costs[p->op] + (is_search ? 50 : 0);
}

static void order_nodes(struct ruleset *r, const struct compiled *c)
{
    node_order(c->root, answer_cost, r->predicates);
    for (uint32_t i = 0; i < c->feed_count; i++)
        if (c->feeds[i].unless)
            node_order(c->feeds[i].unless, answer_cost, r->predicates);
}

/* What the ruleset takes of the draft, under its final numbers. */
static bool take(struct ruleset *r, struct draft *d)
{
    r->rules = calloc((size_t)d->rule_count + 1, sizeof *r->rules);
    r->relations = calloc((size_t)d->relation_count + 1, sizeof *r->relations);
    if (!r->rules || !r->relations)
        return false;
    r->rule_count = d->rule_count;
    r->relation_count = d->relation_count;
    for (uint32_t i = 0; i < r->rule_count; i++) {
        struct rule_draft *from = &d->rules[i];
        from->frozen.rule.index = i;
        from->frozen.rule.content = from->content;
        r->rules[i] = from->frozen;
    }
    for (uint32_t i = 0; i < r->relation_count; i++) {
        struct relation_draft *from = &d->relations[i];
        from->frozen.rule.index = r->rule_count + i;
        from->frozen.rule.content = from->content;
        r->relations[i] = from->frozen;
    }
    return true;
}

enum status ruleset_freeze(struct ruleset *r, struct draft *d, struct error *err)
{
    if (!take(r, d))
        return error_set(err, STATUS_NOMEM, 0, "no memory for the ruleset");
    for (uint32_t i = 0; i < r->rule_count; i++)
        order_nodes(r, &r->rules[i]);
    if (!fill_defaults(r) || !fill_group_entities(r) || !fill_lists(r, d))
        return error_set(err, STATUS_NOMEM, 0, "no memory for the ruleset");
    enum status status =
        fieldmap_build(r->names, r->mappings, &r->arena, &r->maps, &r->map_count, err);
    if (!status)
        status = partition_build(r->rules, r->rule_count, r->predicates, r->has_routing, &r->arena,
                                 &r->partitions, err);
    return status;
}
