/* SPDX-License-Identifier: Apache-2.0 */
#include "rules/read/override.h"
#include "base/option.h"
#include "base/timestamp.h"
#include "rules/read/rule_header.h"

struct wish {
    bool is_enabled;
    struct text level;
    double confidence;
    int open, fire;
    int64_t suppress;
    const struct yaml_node *exceptions;
};
struct exception {
    const struct yaml_node *match;
    struct text owner, reason, end;
};

static const char *const opens[] = {"score", "always", "never", NULL};
static const char *const fires[] = {"edge", "level", "consume", NULL};

static const struct option rows[] = {
    {.name = "enabled",
     .type = OPTION_BOOL,
     .offset = offsetof(struct wish, is_enabled),
     .fallback = "true",
     .help = "false: the rule is left out."},
    {.name = "level",
     .type = OPTION_TEXT,
     .offset = offsetof(struct wish, level),
     .fallback = "",
     .help = "Another level."},
    {.name = "confidence",
     .type = OPTION_DOUBLE,
     .offset = offsetof(struct wish, confidence),
     .fallback = "1",
     .least = 0.01,
     .most = 1,
     .help = "Another confidence."},
    {.name = "open",
     .type = OPTION_CHOICE,
     .offset = offsetof(struct wish, open),
     .fallback = "score",
     .choices = opens,
     .help = "When an incident opens."},
    {.name = "fire",
     .type = OPTION_CHOICE,
     .offset = offsetof(struct wish, fire),
     .fallback = "edge",
     .choices = fires,
     .help = "When a correlation fires again."},
    {.name = "suppress",
     .type = OPTION_DURATION,
     .offset = offsetof(struct wish, suppress),
     .fallback = "0s",
     .help = "Uncharged after firing."},
    {.name = "not",
     .type = OPTION_NODE,
     .offset = offsetof(struct wish, exceptions),
     .fallback = "",
     .help = "Exceptions: match, owner, reason, end."},
};

static const struct option exception_rows[] = {
    {.name = "match",
     .type = OPTION_NODE,
     .offset = offsetof(struct exception, match),
     .fallback = "",
     .help = "A selection as in a rule."},
    {.name = "owner",
     .type = OPTION_TEXT,
     .offset = offsetof(struct exception, owner),
     .fallback = NULL,
     .help = "Who answers for it."},
    {.name = "reason",
     .type = OPTION_TEXT,
     .offset = offsetof(struct exception, reason),
     .fallback = NULL,
     .help = "Why."},
    {.name = "end",
     .type = OPTION_TEXT,
     .offset = offsetof(struct exception, end),
     .fallback = NULL,
     .help = "When it stops to hold."},
};

static enum status refuse(struct draft *d, const struct error *why)
{
    return diagnostic_at(d->compiler.diagnostics, why->line, why->column, "override", "%s",
                         why->text);
}

static bool is_said(const struct yaml_node *node, const char *key)
{
    return yaml_get(node, text_of(key)) != NULL;
}

/* "2027-01-31" is its end; a whole time is itself. */
static bool parse_end(struct text t, int64_t *out)
{
    char whole[40];
    if (t.len == 10) {
        memcpy(whole, t.at, 10);
        memcpy(whole + 10, "T23:59:59Z", 10);
        t = (struct text){whole, 20};
    }
    return timestamp_parse(t, 0, out, NULL);
}

/* Holds while `match` does and journal time is not behind the end: so it ends by itself, and a
 * journal read again later is decided as it was. */
static enum status build_exception(struct draft *d, const struct exception *e, int64_t end_us,
                                   struct term *out)
{
    struct compiler *c = &d->compiler;
    struct predicate until = {
        .field = NAMES_WHOLE,
        .op = PREDICATE_UNTIL,
        .text = e->end,
        .number = {.is_whole = true, .whole = end_us, .real = (double)end_us},
    };
    struct term terms[2];
    arena_reset(c->scratch);
    enum status status = predicates_add(c->predicates, &until, &terms[0].predicate, NULL);
    terms[0].node = NULL;
    if (!status)
        status = selection_read(c, e->match, &terms[1]);
    if (!status && !node_join(c->arena, NODE_AND, terms, 2, out))
        status = STATUS_NOMEM;
    return status;
}

static enum status add_exception(struct draft *d, const struct yaml_node *node,
                                 struct rule_draft *rule, int64_t now_us)
{
    struct exception e = {.match = NULL};
    struct error why = {.code = STATUS_OK};
    int64_t end_us = 0;
    struct term holds, terms[2] = {{.node = rule->frozen.root}};
    struct term both;
    enum status status = option_read(exception_rows, sizeof exception_rows / sizeof *exception_rows,
                                     node, d->compiler.arena, &e, &why);
    if (status)
        return refuse(d, &why);
    if (!e.match)
        return diagnostic_error(d->compiler.diagnostics, node, "override",
                                "an exception needs `match`");
    if (!parse_end(e.end, &end_us))
        return diagnostic_error(d->compiler.diagnostics, yaml_get(node, TEXT("end")), "override",
                                "'%.*s' is no date: want 2027-01-31", TEXT_ARG(e.end));
    if (end_us < now_us)
        diagnostic_lint(d->compiler.diagnostics, node, DIAGNOSTIC_WARNING, "override-ended",
                        "this exception ended on %.*s and no longer holds", TEXT_ARG(e.end));
    status = build_exception(d, &e, end_us, &holds);
    if (status)
        return status;
    if (!node_negate(d->compiler.arena, holds, &terms[1]) ||
        !node_join(d->compiler.arena, NODE_AND, terms, 2, &both))
        return STATUS_NOMEM;
    rule->frozen.root = node_of(d->compiler.arena, both);
    return rule->frozen.root && draft_show(d, rule, "exception", e.reason, holds) ? STATUS_OK
                                                                                  : STATUS_NOMEM;
}

static enum status add_exceptions(struct draft *d, const struct yaml_node *node,
                                  struct rule_draft *rule, int64_t now_us)
{
    bool is_list = node->kind == YAML_SEQUENCE;
    struct hasher h;
    hash_start(&h);
    hash_part(&h, &rule->exceptions, sizeof rule->exceptions);
    rule_header_hash(&h, node);
    rule->exceptions = hash_end(&h);
    for (uint32_t i = 0; i < (is_list ? node->count : 1); i++) {
        enum status status = add_exception(d, is_list ? node->items[i] : node, rule, now_us);
        if (status)
            return status;
    }
    return STATUS_OK;
}

static enum status set_common(struct draft *d, const struct yaml_node *node, const struct wish *w,
                              struct rule *rule)
{
    const struct yaml_node *level = yaml_get(node, TEXT("level"));
    if (level && !extension_level(level, d->compiler.diagnostics, &rule->level))
        return STATUS_INVALID;
    if (is_said(node, "confidence"))
        rule->confidence = w->confidence;
    if (is_said(node, "open"))
        rule->open = (enum rule_open)w->open;
    if (is_said(node, "suppress"))
        rule->suppress_us = w->suppress;
    return STATUS_OK;
}

static enum status apply_to_rules(struct draft *d, const struct yaml_pair *pair,
                                  const struct wish *w, int64_t now_us, bool *is_known)
{
    uint32_t kept = 0;
    enum status status = STATUS_OK;
    for (uint32_t i = 0; i < d->rule_count; i++) {
        struct rule_draft *c = &d->rules[i];
        bool is_meant = draft_is_named(&c->frozen.rule, &c->written, pair->key->value);
        *is_known = *is_known || is_meant;
        if (is_meant && !w->is_enabled)
            continue;
        if (is_meant && !status)
            status = set_common(d, pair->value, w, &c->frozen.rule);
        if (is_meant && !status && w->exceptions)
            status = add_exceptions(d, w->exceptions, c, now_us);
        if (kept != i)
            d->rules[kept] = d->rules[i];
        kept++;
    }
    d->rule_count = kept;
    return status;
}

static enum status apply_to_relations(struct draft *d, const struct yaml_pair *pair,
                                      const struct wish *w, bool *is_known)
{
    uint32_t kept = 0;
    enum status status = STATUS_OK;
    for (uint32_t i = 0; i < d->relation_count; i++) {
        struct relation_draft *r = &d->relations[i];
        bool is_meant = draft_is_named(&r->frozen.rule, &r->written, pair->key->value);
        *is_known = *is_known || is_meant;
        if (is_meant && !w->is_enabled)
            continue;
        if (is_meant && !status)
            status = set_common(d, pair->value, w, &r->frozen.rule);
        if (is_meant && is_said(pair->value, "fire")) {
            struct hasher h;
            r->frozen.correlation.fire = (enum fire_policy)w->fire;
            r->frozen.correlation.renew_us = w->fire == FIRE_EDGE ? r->extension.renew_us : 0;
            hash_start(&h);
            hash_part(&h, &r->content, sizeof r->content);
            hash_part_u64(&h, (uint64_t)w->fire);
            r->content = hash_end(&h);
        }
        if (is_meant && w->exceptions)
            status = diagnostic_error(d->compiler.diagnostics, w->exceptions, "override",
                                      "`not` belongs to a rule: a correlation sees no fields");
        if (kept != i)
            d->relations[kept] = d->relations[i];
        kept++;
    }
    d->relation_count = kept;
    return status;
}

static enum status apply_one(struct draft *d, const struct yaml_pair *pair, int64_t now_us)
{
    struct wish w = {.is_enabled = true};
    struct error why = {.code = STATUS_OK};
    bool is_known = false;
    d->compiler.diagnostics->rule = pair->key->value;
    enum status status =
        option_read(rows, sizeof rows / sizeof *rows, pair->value, d->compiler.arena, &w, &why);
    if (status)
        return status == STATUS_NOMEM ? status : refuse(d, &why);
    status = apply_to_rules(d, pair, &w, now_us, &is_known);
    if (!status)
        status = apply_to_relations(d, pair, &w, &is_known);
    if (!is_known)
        diagnostic_lint(d->compiler.diagnostics, pair->key, DIAGNOSTIC_WARNING, "unknown-rule",
                        "'%.*s' is the id or name of no rule that was loaded",
                        TEXT_ARG(pair->key->value));
    return status;
}

enum status override_apply(struct draft *d, const char *path, struct arena *nodes, int64_t now_us)
{
    struct yaml_file yaml = {.count = 0};
    struct error why = {.code = STATUS_OK};
    d->compiler.diagnostics->file = text_of(path);
    d->compiler.diagnostics->rule = TEXT_NONE;
    enum status status = yaml_load(path, nodes, &yaml, &why);
    if (status == STATUS_NOMEM)
        return status;
    if (status) {
        (void)refuse(d, &why);
        return status == STATUS_IO ? STATUS_IO : STATUS_OK;
    }
    for (uint32_t i = 0; i < yaml.count; i++) {
        const struct yaml_node *root = yaml.documents[i];
        if (root->kind != YAML_MAPPING) {
            (void)diagnostic_error(d->compiler.diagnostics, root, "override",
                                   "overrides are a mapping of rule ids to what they change");
            continue;
        }
        for (uint32_t k = 0; k < root->count; k++)
            if (apply_one(d, &root->pairs[k], now_us) == STATUS_NOMEM)
                return STATUS_NOMEM;
    }
    return STATUS_OK;
}
