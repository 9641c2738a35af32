/* SPDX-License-Identifier: Apache-2.0 */
#include "rules/read/sigma_filter.h"
#include "rules/read/rule_header.h"
#include "rules/read/sigma.h"

struct sigma_filter {
    const struct yaml_node *root, *body, *rules;
    struct logsource source;
    struct term term, shown; /* as joined, and as written */
    struct text title;
    struct hash128 content;
    enum rules_filter_mode mode;
    bool is_any;
};

static enum status read_mode(struct draft *d, struct sigma_filter *f)
{
    const struct yaml_node *own = yaml_get(f->root, TEXT("tocsin"));
    const struct yaml_node *mode = yaml_get(own, TEXT("mode"));
    f->mode = d->options->filter_mode;
    for (uint32_t i = 0; own && own->kind == YAML_MAPPING && i < own->count; i++)
        if (!text_equal(own->pairs[i].key->value, TEXT("mode")))
            return diagnostic_error(d->compiler.diagnostics, own->pairs[i].key, "tocsin-key",
                                    "tocsin: unknown key '%.*s': a filter has only mode",
                                    TEXT_ARG(own->pairs[i].key->value));
    if (!mode)
        return STATUS_OK;
    if (text_equal(mode->value, TEXT("and")))
        f->mode = FILTER_AND;
    else if (text_equal(mode->value, TEXT("suppress")))
        f->mode = FILTER_SUPPRESS;
    else
        return diagnostic_error(d->compiler.diagnostics, mode, "tocsin-key",
                                "mode is suppress or and");
    return STATUS_OK;
}

static void lint_mode(struct draft *d, const struct sigma_filter *f)
{
    const struct yaml_node *condition = yaml_get(f->body, TEXT("condition"));
    if (!condition || condition->kind != YAML_SCALAR)
        return;
    bool is_negated = text_starts(text_trim(condition->value), TEXT("not "));
    if (is_negated && f->mode == FILTER_SUPPRESS)
        diagnostic_lint(
            d->compiler.diagnostics, condition, DIAGNOSTIC_WARNING, "filter-mode",
            "this filter suppresses what its condition matches, and the condition begins "
            "with 'not': it looks written for `tocsin: {mode: and}`");
    if (!is_negated && f->mode == FILTER_AND)
        diagnostic_lint(
            d->compiler.diagnostics, condition, DIAGNOSTIC_WARNING, "filter-mode",
            "with mode 'and' a rule only matches where this condition holds too: it looks "
            "written for `tocsin: {mode: suppress}`");
}

static enum status read_filter(struct draft *d, const struct document *document,
                               struct sigma_filter *f)
{
    struct named_term *selections = NULL;
    uint32_t count = 0;
    f->root = document->root;
    f->body = yaml_get(f->root, TEXT("filter"));
    f->rules = yaml_get(f->body, TEXT("rules"));
    if (f->body->kind != YAML_MAPPING)
        return diagnostic_error(d->compiler.diagnostics, f->body, "bad-filter",
                                "filter is a mapping of rules, selections and a condition");
    if (!f->rules || (f->rules->kind != YAML_SEQUENCE && f->rules->kind != YAML_SCALAR))
        return diagnostic_error(d->compiler.diagnostics, f->body, "bad-filter",
                                "a filter names the rules that it filters, or 'any'");
    f->is_any = f->rules->kind == YAML_SCALAR && text_equal(f->rules->value, TEXT("any"));
    enum status status = sigma_read_source(d, f->root, &f->source);
    if (!status)
        status = read_mode(d, f);
    if (!status)
        status = sigma_read_detection(d, f->body, true, &selections, &count, &f->term);
    if (status)
        return status;
    lint_mode(d, f);
    f->shown = f->term;
    if (f->mode == FILTER_SUPPRESS && !node_negate(d->compiler.arena, f->term, &f->term))
        return STATUS_NOMEM;
    struct hasher h;
    hash_start(&h);
    rule_header_hash(&h, f->body);
    hash_part_u64(&h, (uint64_t)f->mode);
    f->content = hash_end(&h);
    return STATUS_OK;
}

static bool is_within(struct text mine, struct text rules)
{
    return !mine.len || text_equal(mine, rules);
}

static bool has_same_source(const struct sigma_filter *f, const struct rule_draft *c)
{
    return is_within(f->source.category, c->frozen.source.category) &&
           is_within(f->source.product, c->frozen.source.product) &&
           is_within(f->source.service, c->frozen.source.service);
}

static bool join(struct draft *d, const struct sigma_filter *f, struct rule_draft *c)
{
    struct term terms[2] = {{.node = c->frozen.root}, f->term};
    struct term both;
    struct hasher h;
    if (!node_join(d->compiler.arena, NODE_AND, terms, 2, &both))
        return false;
    hash_start(&h);
    hash_part(&h, &c->content, sizeof c->content);
    hash_part(&h, &f->content, sizeof f->content);
    c->content = hash_end(&h);
    c->frozen.root = node_of(d->compiler.arena, both);
    return c->frozen.root && draft_show(d, c, "filter", f->title, f->shown);
}

static enum status apply_to(struct draft *d, const struct sigma_filter *f,
                            const struct yaml_node *name)
{
    bool is_known = false;
    for (uint32_t i = 0; i < d->rule_count; i++) {
        struct rule_draft *c = &d->rules[i];
        if (name && !draft_is_named(&c->frozen.rule, &c->written, name->value))
            continue;
        is_known = true;
        if (!has_same_source(f, c)) {
            if (name)
                diagnostic_lint(d->compiler.diagnostics, name, DIAGNOSTIC_WARNING,
                                "filter-logsource",
                                "the log source of '%.*s' is another: the filter does not apply",
                                TEXT_ARG(c->frozen.rule.title));
            continue;
        }
        if (!join(d, f, c))
            return STATUS_NOMEM;
    }
    if (name && !is_known)
        diagnostic_lint(d->compiler.diagnostics, name, DIAGNOSTIC_WARNING, "unknown-rule",
                        "'%.*s' is the name or id of no rule that was loaded",
                        TEXT_ARG(name->value));
    return STATUS_OK;
}

enum status sigma_filter_apply(struct draft *d, const struct document *document)
{
    struct sigma_filter f = {.mode = FILTER_SUPPRESS};
    const struct yaml_node *title = yaml_get(document->root, TEXT("title"));
    arena_reset(d->compiler.scratch);
    f.title = title && title->kind == YAML_SCALAR ? title->value : TEXT("");
    d->compiler.diagnostics->rule = f.title;
    enum status status = read_filter(d, document, &f);
    if (status)
        return status;
    if (f.is_any)
        return apply_to(d, &f, NULL);
    if (f.rules->kind == YAML_SCALAR)
        return apply_to(d, &f, f.rules);
    for (uint32_t i = 0; i < f.rules->count && !status; i++)
        status = apply_to(d, &f, f.rules->items[i]);
    return status;
}
