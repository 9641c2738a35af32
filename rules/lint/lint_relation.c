/* SPDX-License-Identifier: Apache-2.0 */
#include "rules/lint/lint_relation.h"
#include "rules/read/relation.h"

enum { INPUTS_TRIED = 12 }; /* of an expression: all ways in which they can be there */

struct linting {
    const struct draft *draft;
    const struct relation_draft *relation;
    struct diagnostics *diagnostics;
    const struct yaml_node *at, *own; /* below `correlation` and `tocsin` */
    bool is_unsure;                   /* nothing but its values tells what the group-by is */
};

static bool is_temporal(const struct correlation *c)
{
    return c->type == CORRELATION_TEMPORAL || c->type == CORRELATION_TEMPORAL_ORDERED;
}

/* ---- conditions ---- */

static bool is_within(const struct correlation *c, fixed128 n)
{
    static const struct {
        bool less, equal, more;
    } holds[] = {
        [BOUND_LT] = {true, false, false}, [BOUND_LTE] = {true, true, false},
        [BOUND_GT] = {false, false, true}, [BOUND_GTE] = {false, true, true},
        [BOUND_EQ] = {false, true, false}, [BOUND_NEQ] = {true, false, true},
    };
    for (uint32_t i = 0; i < c->bound_count; i++) {
        fixed128 than = c->bounds[i].than;
        enum bound_operator op = c->bounds[i].operator;
        if (!(n < than ? holds[op].less : n == than ? holds[op].equal : holds[op].more))
            return false;
    }
    return true;
}

/* The answer changes beside the bounds only: whole numbers from 1 on for counts, all for sums. */
static void lint_bounds(const struct linting *l)
{
    const struct correlation *c = &l->relation->frozen.correlation;
    bool is_count = c->type == CORRELATION_EVENT_COUNT || c->type == CORRELATION_VALUE_COUNT;
    fixed128 step = is_count ? FIXED_ONE : 1;
    fixed128 tried[8];
    uint32_t count = 0;
    uint32_t held = 0;
    if (is_count)
        tried[count++] = FIXED_ONE;
    for (uint32_t i = 0; i < c->bound_count; i++) {
        fixed128 than = c->bounds[i].than;
        fixed128 whole = is_count ? than - than % FIXED_ONE : than;
        for (int k = -1; k <= 1; k++)
            if (!is_count || whole + k * step >= FIXED_ONE)
                tried[count++] = whole + k * step;
    }
    for (uint32_t i = 0; i < count; i++)
        held += is_within(c, tried[i]);
    bool has_zero = is_count && is_within(c, 0);
    if (!held && !has_zero)
        diagnostic_lint(l->diagnostics, l->at, DIAGNOSTIC_WARNING, "never-true",
                        "no number is as this condition wants it: it never holds");
    if (held == count && has_zero && !c->is_absence)
        diagnostic_lint(l->diagnostics, l->at, DIAGNOSTIC_WARNING, "always-true",
                        "every number is as this condition wants it: it holds at each event");
}

static void lint_silence(const struct linting *l)
{
    const struct correlation *c = &l->relation->frozen.correlation;
    for (uint32_t i = 0; i < c->bound_count; i++) {
        enum bound_operator op = c->bounds[i].operator;
        bool is_upper = op == BOUND_LT || op == BOUND_LTE;
        if (is_upper && c->bound_count == 1)
            diagnostic_lint(l->diagnostics, l->at, DIAGNOSTIC_WARNING, "holds-at-first",
                            "lt and lte hold at the first event of every group; for silence use "
                            "{eq: 0} with `tocsin: {absence: true}`");
        if (op == BOUND_EQ && c->bounds[i].than == 0 && !c->is_absence)
            diagnostic_lint(l->diagnostics, l->at, DIAGNOSTIC_WARNING, "never-true",
                            "a window that holds an event is never empty: for silence add "
                            "`tocsin: {absence: true}`");
    }
}

/* ---- expressions ---- */

static bool holds_with(const struct correlation *c, uint64_t present)
{
    bool stack[CORRELATION_STEPS];
    uint32_t top = 0;
    for (uint32_t i = 0; i < c->step_count; i++) {
        const struct step *s = &c->steps[i];
        if (s->kind == STEP_INPUT) {
            stack[top++] = present >> s->input & 1;
            continue;
        }
        if (s->kind == STEP_NOT) {
            stack[top - 1] = !stack[top - 1];
            continue;
        }
        top--;
        stack[top - 1] =
            s->kind == STEP_AND ? stack[top - 1] && stack[top] : stack[top - 1] || stack[top];
    }
    return top && stack[0];
}

static void lint_steps(const struct linting *l)
{
    const struct correlation *c = &l->relation->frozen.correlation;
    uint64_t ways = UINT64_C(1) << (c->input_count < INPUTS_TRIED ? c->input_count : 0);
    uint64_t held = 0;
    uint64_t named = 0;
    for (uint32_t i = 0; i < c->step_count; i++)
        named |= c->steps[i].kind == STEP_INPUT ? UINT64_C(1) << c->steps[i].input : 0;
    for (uint64_t present = 0; present < ways; present++)
        held += holds_with(c, present);
    if (ways > 1 && !held)
        diagnostic_lint(l->diagnostics, l->at, DIAGNOSTIC_WARNING, "never-true",
                        "whatever rules match, this condition never holds");
    else if (ways > 1 && holds_with(c, 0))
        diagnostic_lint(
            l->diagnostics, l->at, DIAGNOSTIC_WARNING, "always-true",
            "this condition holds where no rule matched: any event of a rule that it does "
            "not want fires it");
    for (uint32_t i = 0; i < c->input_count; i++)
        if (!(named >> i & 1))
            diagnostic_lint(l->diagnostics, l->at, DIAGNOSTIC_WARNING, "unused-rule",
                            "the condition does not name '%.*s'",
                            TEXT_ARG(l->relation->references[i]));
}

/* ---- references and aliases ---- */

static void lint_references(const struct linting *l)
{
    const struct relation_draft *r = l->relation;
    uint32_t count = r->frozen.correlation.input_count;
    for (uint32_t i = 0; i < count; i++)
        for (uint32_t k = 0; k < i; k++)
            if (draft_is_same(l->draft, r->references[i], r->references[k]))
                diagnostic_lint(l->diagnostics, l->at, DIAGNOSTIC_WARNING, "duplicate-reference",
                                "'%.*s' stands twice among the rules", TEXT_ARG(r->references[i]));
    if (count == 1 && is_temporal(&r->frozen.correlation))
        diagnostic_lint(l->diagnostics, l->at, DIAGNOSTIC_HINT, "single-rule",
                        "%s of one rule holds at its first event: is a rule missing?",
                        r->frozen.correlation.type == CORRELATION_TEMPORAL ? "temporal"
                                                                           : "temporal_ordered");
}

static bool is_among(const struct text *items, uint32_t count, struct text t)
{
    for (uint32_t i = 0; i < count; i++)
        if (text_equal(items[i], t))
            return true;
    return false;
}

static void lint_aliases(const struct linting *l)
{
    const struct relation_draft *r = l->relation;
    for (uint32_t i = 0; r->aliases && i < r->aliases->count; i++) {
        const struct yaml_pair *alias = &r->aliases->pairs[i];
        struct text name = alias->key->value;
        if (!is_among(r->frozen.rule.group, r->frozen.rule.group_count, name) &&
            !is_among(r->values, r->frozen.correlation.value_count, name))
            diagnostic_lint(l->diagnostics, alias->key, DIAGNOSTIC_WARNING, "unused-alias",
                            "neither group-by nor the condition's field names the alias '%.*s'",
                            TEXT_ARG(name));
        for (uint32_t k = 0; k < r->frozen.correlation.input_count; k++)
            if (!relation_alias_of(l->draft, r, name, k))
                diagnostic_lint(
                    l->diagnostics, alias->key, DIAGNOSTIC_WARNING, "partial-alias",
                    "the alias says nothing of '%.*s', whose events are asked for a field "
                    "named '%.*s'",
                    TEXT_ARG(r->references[k]), TEXT_ARG(name));
    }
}

/* ---- what is ours ---- */

static void lint_own(const struct linting *l)
{
    const struct relation_draft *r = l->relation;
    if (!r->frozen.rule.group_count && !r->frozen.entities.count)
        diagnostic_lint(l->diagnostics, l->at, DIAGNOSTIC_WARNING, "missing-entity",
                        "no group-by and no `tocsin: entity`: all events share one window, and the "
                        "host of the last one is charged");
    else if (l->is_unsure && !r->frozen.entities.count && r->frozen.correlation.depth == 1)
        diagnostic_lint(l->diagnostics, l->at, DIAGNOSTIC_HINT, "missing-entity",
                        "neither `tocsin: entity` nor the names in group-by say what is charged: "
                        "values that are addresses are, others as services");
    if (r->extension.lateness_us >= 0 &&
        r->extension.lateness_us < r->frozen.correlation.lateness_us)
        diagnostic_lint(
            l->diagnostics, l->own, DIAGNOSTIC_HINT, "chain-lateness",
            "it waits %lld s, not %lld: all links of a chain wait as long as the one that "
            "waits longest",
            (long long)(r->frozen.correlation.lateness_us / 1000000),
            (long long)(r->extension.lateness_us / 1000000));
    if (yaml_get(l->own, TEXT("absence")) || yaml_get(l->own, TEXT("first_seen")) ||
        yaml_get(l->own, TEXT("fire")))
        diagnostic_lint(l->diagnostics, l->own, DIAGNOSTIC_HINT, "tocsin-meaning",
                        "fire, absence and first_seen change what this correlation means: other "
                        "engines do not know them");
}

static bool declares(const struct entity_refs *all, uint32_t count, uint32_t field)
{
    for (uint32_t i = 0; i < count; i++)
        for (uint32_t k = 0; k < all[i].count; k++)
            if (all[i].items[k].field == field)
                return true;
    return false;
}

static bool is_unsure(const struct ruleset *ruleset, uint32_t index)
{
    const struct entity_defaults *d = &ruleset->defaults;
    const struct rule *rule = &ruleset->relations[index].rule;
    if (ruleset->group_entities[index].count)
        return false;
    for (uint32_t i = 0; i < rule->group_count; i++) {
        uint32_t field = names_find(ruleset->names, rule->group[i]);
        if (field != NAMES_NONE && (declares(d->mapping, d->mapping_count, field) ||
                                    declares(d->decoder, d->decoder_count, field)))
            return false;
    }
    return rule->group_count;
}

void lint_relation_run(const struct ruleset *ruleset, const struct draft *draft,
                       const struct relation_draft *r, uint32_t index,
                       struct diagnostics *diagnostics)
{
    const struct linting l = {
        .draft = draft,
        .relation = r,
        .diagnostics = diagnostics,
        .is_unsure = is_unsure(ruleset, index),
        .at = yaml_get(r->document, TEXT("correlation")),
        .own = yaml_get(r->document, TEXT("tocsin")),
    };
    lint_own(&l);
    lint_references(&l);
    lint_aliases(&l);
    if (r->frozen.correlation.step_count)
        lint_steps(&l);
    else if (!is_temporal(&r->frozen.correlation)) {
        lint_silence(&l);
        lint_bounds(&l);
    }
}
