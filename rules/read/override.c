/* SPDX-License-Identifier: Apache-2.0 */
#include "rules/read/override.h"
#include "base/option.h"
#include "base/timestamp.h"
#include "rules/read/relation.h"
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
static enum status build_exception(struct draft *d, const struct yaml_node *match,
                                   const struct relation_exception *e, struct term *out)
{
    struct compiler *c = &d->compiler;
    struct predicate until = {
        .field = NAMES_WHOLE,
        .op = PREDICATE_UNTIL,
        .text = e->end,
        .number = {.is_whole = true, .whole = e->end_us, .real = (double)e->end_us},
    };
    struct term terms[2];
    arena_reset(c->scratch);
    enum status status = predicates_add(c->predicates, &until, &terms[0].predicate, NULL);
    terms[0].node = NULL;
    if (!status)
        status = selection_read(c, match, &terms[1]);
    if (!status && !node_join(c->arena, NODE_AND, terms, 2, out))
        status = STATUS_NOMEM;
    return status;
}

/* Reads one, and builds it as it stands: what is wrong with it is told. */
static enum status read_exception(struct draft *d, const struct yaml_node *node, int64_t now_us,
                                  struct exception *e, struct relation_exception *out,
                                  struct term *out_holds)
{
    struct error why = {.code = STATUS_OK};
    enum status status = option_read(exception_rows, sizeof exception_rows / sizeof *exception_rows,
                                     node, d->compiler.arena, e, &why);
    if (status)
        return refuse(d, &why);
    if (!e->match)
        return diagnostic_error(d->compiler.diagnostics, node, "override",
                                "an exception needs `match`");
    *out = (struct relation_exception){.match = e->match, .end = e->end};
    if (!parse_end(e->end, &out->end_us))
        return diagnostic_error(d->compiler.diagnostics, yaml_get(node, TEXT("end")), "override",
                                "'%.*s' is no date: want 2027-01-31", TEXT_ARG(e->end));
    if (out->end_us < now_us)
        diagnostic_lint(d->compiler.diagnostics, node, DIAGNOSTIC_WARNING, "override-ended",
                        "this exception ended on %.*s and no longer holds", TEXT_ARG(e->end));
    return build_exception(d, e->match, out, out_holds);
}

static enum status add_exception(struct draft *d, const struct yaml_node *node,
                                 struct rule_draft *rule, int64_t now_us)
{
    struct exception e = {.match = NULL};
    struct relation_exception read;
    struct term holds, terms[2] = {{.node = rule->frozen.root}};
    struct term both;
    enum status status = read_exception(d, node, now_us, &e, &read, &holds);
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

/* ---- of correlations ---- */

static bool reads_correlations(const struct draft *d, const struct relation_draft *r)
{
    for (uint32_t i = 0; i < r->frozen.correlation.input_count; i++)
        for (uint32_t k = 0; k < d->relation_count; k++)
            if (draft_is_named(&d->relations[k].frozen.rule, &d->relations[k].written,
                               r->references[i]))
                return true;
    return false;
}

static enum status except_relation(struct draft *d, const struct yaml_node *node,
                                   struct relation_draft *r, int64_t now_us)
{
    bool is_list = node->kind == YAML_SEQUENCE;
    uint32_t count = is_list ? node->count : 1;
    struct hasher h;
    if (reads_correlations(d, r))
        return diagnostic_error(d->compiler.diagnostics, node, "override",
                                "this correlation counts correlations: write `not` for those, "
                                "which see the events");
    r->unless = arena_alloc(d->compiler.arena, ((size_t)count + 1) * sizeof *r->unless);
    if (!r->unless)
        return STATUS_NOMEM;
    for (uint32_t i = 0; i < count; i++) {
        struct exception e = {.match = NULL};
        struct term holds; /* with the alias's names: only to tell what is wrong */
        enum status status =
            read_exception(d, is_list ? node->items[i] : node, now_us, &e, &r->unless[i], &holds);
        if (status)
            return status;
        r->unless_count++;
    }
    hash_start(&h);
    rule_header_hash(&h, node);
    r->exceptions = hash_end(&h);
    return STATUS_OK;
}

/* "alias|contains" in the words of the rule of that input; what is no alias stays. */
static const struct yaml_node *rename_key(struct draft *d, const struct relation_draft *r,
                                          uint32_t input, const struct yaml_node *key)
{
    size_t len = text_find_byte(key->value, '|');
    const struct yaml_node *field = relation_alias_of(d, r, text_head(key->value, len), input);
    if (!field)
        return key;
    struct text rest = text_skip(key->value, len);
    struct yaml_node *node = arena_alloc(d->compiler.arena, sizeof *node);
    char *bytes = arena_bytes(d->compiler.arena, field->value.len + rest.len);
    if (!node || !bytes)
        return NULL;
    memcpy(bytes, field->value.at, field->value.len);
    if (rest.len)
        memcpy(bytes + field->value.len, rest.at, rest.len);
    *node = *key;
    node->value = (struct text){bytes, field->value.len + rest.len};
    return node;
}

static const struct yaml_node *rename_match(struct draft *d, const struct relation_draft *r,
                                            uint32_t input, const struct yaml_node *match)
{
    if (match->kind == YAML_SCALAR)
        return match;
    struct arena *arena = d->compiler.arena;
    struct yaml_node *node = arena_alloc(arena, sizeof *node);
    struct yaml_pair *pairs = arena_alloc(arena, ((size_t)match->count + 1) * sizeof *pairs);
    const struct yaml_node **items =
        arena_alloc(arena, ((size_t)match->count + 1) * sizeof(struct yaml_node *));
    bool is_whole = node && pairs && items;
    for (uint32_t i = 0; is_whole && i < match->count; i++) {
        if (match->kind == YAML_SEQUENCE) {
            items[i] = rename_match(d, r, input, match->items[i]);
            is_whole = items[i] != NULL;
        } else {
            pairs[i] = (struct yaml_pair){rename_key(d, r, input, match->pairs[i].key),
                                          match->pairs[i].value};
            is_whole = pairs[i].key != NULL;
        }
    }
    if (!is_whole)
        return NULL;
    *node = *match;
    if (match->kind == YAML_SEQUENCE)
        node->items = items;
    else
        node->pairs = pairs;
    return node;
}

enum status override_unless(struct draft *d, const struct relation_draft *r, uint32_t input,
                            const struct node **out)
{
    struct term *terms =
        arena_alloc(d->compiler.arena, ((size_t)r->unless_count + 1) * sizeof *terms);
    struct term any;
    *out = NULL;
    if (!r->unless_count)
        return STATUS_OK;
    bool has_lints = d->compiler.diagnostics->has_lints;
    d->compiler.diagnostics->has_lints = false; /* told when it was read */
    enum status status = terms ? STATUS_OK : STATUS_NOMEM;
    for (uint32_t i = 0; i < r->unless_count && !status; i++) {
        const struct yaml_node *match = rename_match(d, r, input, r->unless[i].match);
        status = match ? build_exception(d, match, &r->unless[i], &terms[i]) : STATUS_NOMEM;
    }
    d->compiler.diagnostics->has_lints = has_lints;
    if (!status && !node_join(d->compiler.arena, NODE_OR, terms, r->unless_count, &any))
        status = STATUS_NOMEM;
    if (!status)
        *out = node_of(d->compiler.arena, any);
    return status || *out ? status : STATUS_NOMEM;
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
                                      const struct wish *w, int64_t now_us, bool *is_known)
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
        if (is_meant && !status && w->exceptions)
            status = except_relation(d, w->exceptions, r, now_us);
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
        status = apply_to_relations(d, pair, &w, now_us, &is_known);
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
