/* SPDX-License-Identifier: Apache-2.0 */
#include "rules/lint/lint.h"
#include "rules/lint/lint_condition.h"
#include "rules/lint/lint_field.h"
#include "rules/lint/lint_relation.h"
#include "rules/read/rule_header.h"
#include <stdlib.h>

struct linting {
    const struct ruleset *ruleset;
    const struct draft *draft;
    struct diagnostics *diagnostics;
};

static void enter(struct linting *l, const struct rule *rule)
{
    l->diagnostics->file = rule->file;
    l->diagnostics->rule = rule->key;
}

/* ---- log sources ---- */

static bool is_within(struct text rules, struct text given)
{
    return !rules.len || text_equal_nocase(rules, given);
}

static bool is_given(const struct logsource *rules, const struct logsource *given, uint32_t count)
{
    for (uint32_t i = 0; i < count; i++)
        if (is_within(rules->category, given[i].category) &&
            is_within(rules->product, given[i].product) &&
            is_within(rules->service, given[i].service))
            return true;
    return false;
}

struct routes {
    bool is_routable, has_entity; /* some mapping or decoder gives the log source; with entities */
};

static struct routes routes_of(const struct ruleset *r, const struct logsource *s)
{
    struct routes found = {false, false};
    uint32_t count = 0;
    uint32_t entities = 0;
    for (uint32_t i = 1; i <= mapping_count(r->mappings); i++) {
        const struct logsource *given = mapping_logsources(r->mappings, i, &count);
        if (!is_given(s, given, count))
            continue;
        found.is_routable = true;
        (void)mapping_entities(r->mappings, i, &entities);
        found.has_entity |= entities > 0;
    }
    for (uint32_t i = 0; i < decoder_count(r->decoders); i++) {
        const struct logsource *given = decoder_logsources(decoder_at(r->decoders, i), &count);
        if (!is_given(s, given, count))
            continue;
        found.is_routable = true;
        (void)decoder_entities(decoder_at(r->decoders, i), &entities);
        found.has_entity |= entities > 0;
    }
    return found;
}

static void lint_source(struct linting *l, const struct rule_draft *c)
{
    const struct yaml_node *at = yaml_get(c->document, TEXT("logsource"));
    struct routes routes = routes_of(l->ruleset, &c->frozen.source);
    bool is_empty = !c->frozen.source.category.len && !c->frozen.source.product.len &&
                    !c->frozen.source.service.len;
    if (is_empty)
        diagnostic_lint(l->diagnostics, at, DIAGNOSTIC_WARNING, "broad-logsource",
                        "no category, product or service: every event is this rule's");
    else if (!routes.is_routable)
        diagnostic_lint(l->diagnostics, at, DIAGNOSTIC_HINT, "unrouted-logsource",
                        "no mapping or decoder gives this log source (category '%.*s', product "
                        "'%.*s', service '%.*s'): the rule sees no event until one does",
                        TEXT_ARG(c->frozen.source.category), TEXT_ARG(c->frozen.source.product),
                        TEXT_ARG(c->frozen.source.service));
    if (!c->frozen.entities.count && !routes.has_entity && !is_empty)
        diagnostic_lint(
            l->diagnostics, at, DIAGNOSTIC_HINT, "missing-entity",
            "neither `tocsin: entity` nor a mapping or decoder of this log source says "
            "whom a detection is about: fields of usual names are charged, else the host");
}

static void lint_cost(struct linting *l, const struct rule_draft *c)
{
    static const struct logsource everything = {{"", 0}, {"", 0}, {"", 0}};
    const struct yaml_node *at = yaml_get(c->document, TEXT("detection"));
    const struct partition *p = partition_find(
        &l->ruleset->partitions, l->ruleset->has_routing ? &c->frozen.source : &everything);
    uint32_t field = p ? partition_present_field(p, c->frozen.rule.index) : NAMES_NONE;
    if (p && partition_is_always(p, c->frozen.rule.index))
        diagnostic_lint(
            l->diagnostics, at, DIAGNOSTIC_WARNING, "every-event",
            "nothing in the condition has to be there (no value, literal or field), so the "
            "rule is evaluated on every event of its log source");
    else if (field != NAMES_NONE)
        diagnostic_lint(l->diagnostics, at, DIAGNOSTIC_HINT, "every-event-with-field",
                        "no value or literal of four characters has to be there, so the rule is "
                        "evaluated on every event of its log source that has '%.*s'",
                        TEXT_ARG(names_text(l->ruleset->names, field)));
}

/* ---- duplicates ---- */

struct body {
    struct hash128 hash;
    const struct rule_draft *rule;
};

static int compare_bodies(const void *a, const void *b)
{
    const struct body *x = a;
    const struct body *y = b;
    int order = hash_compare(x->hash, y->hash);
    return order ? order : text_compare(x->rule->frozen.rule.key, y->rule->frozen.rule.key);
}

/* Of what is asked, not of how it is written: equal questions are one predicate, and the order in
 * a list says nothing. Sums are of no order. */
static struct hash128 hash_node(const struct node *n)
{
    struct hasher h;
    uint64_t low = 0;
    uint64_t high = 0;
    for (uint32_t i = 0; i < n->leaf_count; i++) {
        hash_start(&h);
        hash_part_u64(&h, n->leaves[i]);
        struct hash128 one = hash_end(&h);
        low += one.lo;
        high += one.hi;
    }
    for (uint32_t i = 0; i < n->item_count; i++) {
        struct hash128 one = hash_node(n->items[i]);
        low += one.lo;
        high += one.hi;
    }
    hash_start(&h);
    hash_part_u64(&h, (uint64_t)n->kind << 32 | n->need);
    hash_part_u64(&h, low);
    hash_part_u64(&h, high);
    return hash_end(&h);
}

static struct hash128 hash_body(const struct rule_draft *c)
{
    struct hash128 root = hash_node(c->frozen.root);
    struct hasher h;
    hash_start(&h);
    hash_part_text(&h, c->frozen.source.category);
    hash_part_text(&h, c->frozen.source.product);
    hash_part_text(&h, c->frozen.source.service);
    hash_part(&h, &root, sizeof root);
    return hash_end(&h);
}

static enum status lint_duplicates(struct linting *l)
{
    uint32_t count = l->ruleset->rule_count;
    struct body *bodies = calloc((size_t)count + 1, sizeof *bodies);
    if (!bodies)
        return STATUS_NOMEM;
    for (uint32_t i = 0; i < count; i++)
        bodies[i] = (struct body){hash_body(&l->draft->rules[i]), &l->draft->rules[i]};
    qsort(bodies, count, sizeof *bodies, compare_bodies);
    for (uint32_t i = 1; i < count; i++) {
        if (!hash_equal(bodies[i].hash, bodies[i - 1].hash))
            continue;
        const struct rule *other = &bodies[i - 1].rule->frozen.rule;
        enter(l, &bodies[i].rule->frozen.rule);
        diagnostic_lint(l->diagnostics, yaml_get(bodies[i].rule->document, TEXT("detection")),
                        DIAGNOSTIC_WARNING, "duplicate-rule",
                        "asks the same of the same log source as '%.*s' (%.*s:%u)",
                        TEXT_ARG(other->title), TEXT_ARG(other->file), other->line);
    }
    free(bodies);
    return STATUS_OK;
}

enum status lint_run(const struct ruleset *r, const struct draft *d,
                     struct diagnostics *diagnostics)
{
    struct linting l = {r, d, diagnostics};
    struct logic logic;
    enum status status = logic_init(&logic, r->predicates) ? STATUS_OK : STATUS_NOMEM;
    for (uint32_t i = 0; i < r->rule_count && !status; i++) {
        const struct rule_draft *c = &d->rules[i];
        enter(&l, &c->frozen.rule);
        lint_condition_run(r, c, &logic, diagnostics);
        lint_source(&l, c);
        lint_field_rule(r, c, diagnostics);
        lint_cost(&l, c);
    }
    logic_fini(&logic);
    for (uint32_t i = 0; i < r->relation_count && !status; i++) {
        enter(&l, &r->relations[i].rule);
        lint_relation_run(r, d, &d->relations[i], i, diagnostics);
        lint_field_relation(r, d, &d->relations[i], diagnostics);
    }
    return status ? status : lint_duplicates(&l);
}
