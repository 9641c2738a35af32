/* SPDX-License-Identifier: Apache-2.0 */
#include "rules/lint.h"
#include "rules/heading.h"
#include "rules/required.h"
#include <stdlib.h>

struct linting {
    const struct ruleset *ruleset;
    struct findings *findings;
};

static void enter(struct linting *l, const struct rule *rule)
{
    l->findings->file = rule->file;
    l->findings->rule = rule->key;
}

static const struct predicate *predicate_of(const struct linting *l, uint32_t number)
{
    return predicates_at(l->ruleset->predicates, number);
}

/* ---- conditions ---- */

/* Is `leaf` negated among the node's items? */
static bool has_opposite(const struct node *n, uint32_t leaf)
{
    for (uint32_t i = 0; i < n->item_count; i++) {
        const struct node *item = n->items[i];
        if (item->kind == NODE_NOT && item->leaf_count && item->leaves[0] == leaf)
            return true;
    }
    return false;
}

static bool excludes(const struct predicate *a, const struct predicate *b)
{
    if (a->field != b->field || a->field == NAMES_WHOLE)
        return false;
    if (a->op == PREDICATE_EQUAL && b->op == PREDICATE_EQUAL)
        return a->is_cased == b->is_cased && !text_equal(a->text, b->text);
    if (a->op == PREDICATE_NULL)
        return b->op != PREDICATE_NULL && b->op != PREDICATE_EXISTS;
    if (a->op != PREDICATE_NUMBER || b->op != PREDICATE_NUMBER)
        return false;
    int order = number_compare(&a->number, &b->number);
    bool a_is_upper = a->compare == COMPARE_LT || a->compare == COMPARE_LTE;
    bool b_is_lower = b->compare == COMPARE_GT || b->compare == COMPARE_GTE;
    if (a->compare == COMPARE_EQ && b->compare == COMPARE_EQ)
        return order != 0;
    bool is_closed = a->compare == COMPARE_LTE && b->compare == COMPARE_GTE;
    return a_is_upper && b_is_lower && (order < 0 || (order == 0 && !is_closed));
}

static void lint_leaf(struct linting *l, const struct compiled *c, const struct predicate *p)
{
    const struct yaml_node *at = yaml_get(c->document, TEXT("detection"));
    if (p->op == PREDICATE_REGEX && required_is_wildcard(p->text))
        finding_lint(l->findings, at, FINDING_HINT, "plain-regex",
                     "the regular expression '%.*s' says no more than contains, startswith, "
                     "endswith or a wildcard, which cost less",
                     TEXT_ARG(p->text));
}

static void lint_node(struct linting *l, const struct compiled *c, const struct node *n)
{
    const struct yaml_node *at = yaml_get(c->document, TEXT("detection"));
    for (uint32_t i = 0; i < n->leaf_count; i++) {
        lint_leaf(l, c, predicate_of(l, n->leaves[i]));
        if (n->kind == NODE_OR && has_opposite(n, n->leaves[i]))
            finding_lint(l->findings, at, FINDING_WARNING, "always-true",
                         "a part of the condition and its opposite are joined by 'or': it always "
                         "holds");
        if (n->kind == NODE_AND && has_opposite(n, n->leaves[i]))
            finding_lint(l->findings, at, FINDING_WARNING, "never-true",
                         "a part of the condition and its opposite are joined by 'and': it never "
                         "holds");
        for (uint32_t k = 0; n->kind == NODE_AND && n->leaf_count <= 64 && k < n->leaf_count; k++) {
            const struct predicate *a = predicate_of(l, n->leaves[i]);
            if (k == i || !excludes(a, predicate_of(l, n->leaves[k])) ||
                (a->op == PREDICATE_EQUAL && k < i))
                continue;
            finding_lint(l->findings, at, FINDING_WARNING, "never-matches",
                         "field '%.*s' is asked for two values at once: unless it is a list, this "
                         "never matches",
                         TEXT_ARG(names_text(l->ruleset->names, a->field)));
        }
    }
    for (uint32_t i = 0; i < n->item_count; i++)
        lint_node(l, c, n->items[i]);
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

static bool is_routable(const struct ruleset *r, const struct logsource *s)
{
    uint32_t count = 0;
    for (uint32_t i = 1; i <= mapping_count(r->mappings); i++) {
        const struct logsource *given = mapping_logsources(r->mappings, i, &count);
        if (is_given(s, given, count))
            return true;
    }
    for (uint32_t i = 0; i < decoder_count(r->decoders); i++) {
        const struct logsource *given = decoder_logsources(decoder_at(r->decoders, i), &count);
        if (is_given(s, given, count))
            return true;
    }
    return false;
}

static void lint_source(struct linting *l, const struct compiled *c)
{
    const struct yaml_node *at = yaml_get(c->document, TEXT("logsource"));
    bool is_empty = !c->source.category.len && !c->source.product.len && !c->source.service.len;
    if (is_empty)
        finding_lint(l->findings, at, FINDING_WARNING, "broad-logsource",
                     "no category, product or service: every event is this rule's");
    else if (!is_routable(l->ruleset, &c->source))
        finding_lint(l->findings, at, FINDING_HINT, "unrouted-logsource",
                     "no mapping or decoder gives this log source (category '%.*s', product "
                     "'%.*s', service '%.*s'): the rule sees no event until one does",
                     TEXT_ARG(c->source.category), TEXT_ARG(c->source.product),
                     TEXT_ARG(c->source.service));
}

static void lint_cost(struct linting *l, const struct compiled *c)
{
    static const struct logsource everything = {{"", 0}, {"", 0}, {"", 0}};
    const struct partition *p =
        partition_find(&l->ruleset->partitions, l->ruleset->has_routing ? &c->source : &everything);
    if (p && partition_is_always(p, c->rule.index))
        finding_lint(
            l->findings, yaml_get(c->document, TEXT("detection")), FINDING_WARNING, "every-event",
            "nothing in the condition has to be there (no value, literal or field), so the "
            "rule is evaluated on every event of its log source");
}

/* ---- correlations ---- */

static void lint_relation(struct linting *l, const struct relation *r)
{
    const struct yaml_node *at = yaml_get(r->document, TEXT("correlation"));
    const struct yaml_node *own = yaml_get(r->document, TEXT("tocsin"));
    enter(l, &r->rule);
    if (!r->rule.group_count && !r->entities.count)
        finding_lint(l->findings, at, FINDING_WARNING, "missing-entity",
                     "no group-by and no `tocsin: entity`: all events share one window, and the "
                     "host of the last one is charged");
    bool is_temporal = r->correlation.type == CORRELATION_TEMPORAL ||
                       r->correlation.type == CORRELATION_TEMPORAL_ORDERED;
    for (uint32_t i = 0; i < r->correlation.bound_count && !is_temporal; i++) {
        enum bound_operator op = r->correlation.bounds[i].operator;
        bool is_upper = op == BOUND_LT || op == BOUND_LTE;
        if (is_upper && r->correlation.bound_count == 1)
            finding_lint(l->findings, at, FINDING_WARNING, "holds-at-first",
                         "lt and lte hold at the first event of every group; for silence use "
                         "{eq: 0} with `tocsin: {absence: true}`");
        if (op == BOUND_EQ && r->correlation.bounds[i].than == 0 && !r->correlation.is_absence)
            finding_lint(l->findings, at, FINDING_WARNING, "never-true",
                         "a window that holds an event is never empty: for silence add "
                         "`tocsin: {absence: true}`");
    }
    if (r->extension.lateness_us >= 0 && r->extension.lateness_us < r->correlation.lateness_us)
        finding_lint(l->findings, own, FINDING_HINT, "chain-lateness",
                     "it waits %lld s, not %lld: all links of a chain wait as long as the one that "
                     "waits longest",
                     (long long)(r->correlation.lateness_us / 1000000),
                     (long long)(r->extension.lateness_us / 1000000));
    bool is_changed = yaml_get(own, TEXT("absence")) || yaml_get(own, TEXT("first_seen")) ||
                      yaml_get(own, TEXT("fire"));
    if (is_changed)
        finding_lint(l->findings, own, FINDING_HINT, "tocsin-meaning",
                     "fire, absence and first_seen change what this correlation means: other "
                     "engines do not know them");
}

/* ---- duplicates ---- */

struct body {
    struct hash128 hash;
    const struct compiled *rule;
};

static int compare_bodies(const void *a, const void *b)
{
    const struct body *x = a;
    const struct body *y = b;
    int order = hash_compare(x->hash, y->hash);
    return order ? order : text_compare(x->rule->rule.key, y->rule->rule.key);
}

static enum status lint_duplicates(struct linting *l)
{
    uint32_t count = l->ruleset->rule_count;
    struct body *bodies = calloc((size_t)count + 1, sizeof *bodies);
    if (!bodies)
        return STATUS_NOMEM;
    for (uint32_t i = 0; i < count; i++) {
        struct hasher h;
        hash_start(&h);
        heading_hash(&h, yaml_get(l->ruleset->rules[i].document, TEXT("logsource")));
        heading_hash(&h, yaml_get(l->ruleset->rules[i].document, TEXT("detection")));
        bodies[i] = (struct body){hash_end(&h), &l->ruleset->rules[i]};
    }
    qsort(bodies, count, sizeof *bodies, compare_bodies);
    for (uint32_t i = 1; i < count; i++) {
        if (!hash_equal(bodies[i].hash, bodies[i - 1].hash))
            continue;
        const struct rule *other = &bodies[i - 1].rule->rule;
        enter(l, &bodies[i].rule->rule);
        finding_lint(l->findings, yaml_get(bodies[i].rule->document, TEXT("detection")),
                     FINDING_WARNING, "duplicate-rule",
                     "the same log source and detection as '%.*s' (%.*s:%u)",
                     TEXT_ARG(other->title), TEXT_ARG(other->file), other->line);
    }
    free(bodies);
    return STATUS_OK;
}

enum status lint_run(const struct ruleset *r, struct findings *findings)
{
    struct linting l = {r, findings};
    for (uint32_t i = 0; i < r->rule_count; i++) {
        const struct compiled *c = &r->rules[i];
        enter(&l, &c->rule);
        lint_node(&l, c, c->root);
        lint_source(&l, c);
        lint_cost(&l, c);
    }
    for (uint32_t i = 0; i < r->relation_count; i++)
        lint_relation(&l, &r->relations[i]);
    return lint_duplicates(&l);
}
