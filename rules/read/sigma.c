/* SPDX-License-Identifier: Apache-2.0 */
#include "rules/read/sigma.h"
#include "rules/match/fold.h"
#include "rules/match/grow.h"
#include "rules/read/rule_header.h"

static struct diagnostics *findings_of(struct draft *d)
{
    return d->compiler.diagnostics;
}

static struct text lower_copy(struct arena *arena, struct text t)
{
    char *bytes = arena_bytes(arena, fold_room(t.len));
    return bytes ? (struct text){bytes, fold_text(t, bytes)} : TEXT("");
}

/* A key of somebody's own says "only there": no event can say so to us, so it is refused. */
static enum status check_source_keys(struct draft *d, const struct yaml_node *node)
{
    static const char *const known[] = {"category", "product", "service", "definition"};
    for (uint32_t i = 0; i < node->count; i++) {
        struct text key = node->pairs[i].key->value;
        size_t k = 0;
        while (k < 4 && !text_equal(key, text_of(known[k])))
            k++;
        if (k < 4)
            continue;
        const char *near = diagnostic_nearest(key, known, 4);
        return diagnostic_error(findings_of(d), node->pairs[i].key, "unknown-key",
                                "'%.*s' of a logsource is not known here: events have category, "
                                "product and service%s%s%s",
                                TEXT_ARG(key), near ? "; did you mean '" : "", near ? near : "",
                                near ? "'?" : "");
    }
    return STATUS_OK;
}

enum status sigma_read_source(struct draft *d, const struct yaml_node *root, struct logsource *out)
{
    const struct yaml_node *node = yaml_get(root, TEXT("logsource"));
    struct logsource s = {TEXT(""), TEXT(""), TEXT("")};
    struct {
        const char *key;
        struct text *to;
    } keys[] = {{"category", &s.category}, {"product", &s.product}, {"service", &s.service}};
    if (!node || node->kind != YAML_MAPPING)
        return diagnostic_error(findings_of(d), node ? node : root, "missing-logsource",
                                "a rule needs a logsource with category, product or service");
    enum status status = check_source_keys(d, node);
    if (status)
        return status;
    for (size_t i = 0; i < sizeof keys / sizeof *keys; i++) {
        const struct yaml_node *value = yaml_get(node, text_of(keys[i].key));
        if (!value || yaml_is_null(value))
            continue;
        if (value->kind != YAML_SCALAR)
            return diagnostic_error(findings_of(d), value, "bad-logsource",
                                    "%s of a logsource is one name", keys[i].key);
        *keys[i].to = lower_copy(d->compiler.arena, value->value);
    }
    *out = s;
    return STATUS_OK;
}

/* ---- detections ---- */

static bool is_selection_key(struct text key, bool is_filter)
{
    if (text_equal(key, TEXT("condition")))
        return false;
    return !is_filter || !text_equal(key, TEXT("rules"));
}

static void lint_unused(struct draft *d, const struct named_term *selections, uint32_t count)
{
    for (uint32_t i = 0; i < count; i++)
        if (!selections[i].is_used)
            diagnostic_lint(findings_of(d), selections[i].key, DIAGNOSTIC_WARNING,
                            "unused-selection", "selection '%.*s' is never used by the condition",
                            TEXT_ARG(selections[i].name));
}

static enum status read_selections(struct draft *d, const struct yaml_node *detection,
                                   bool is_filter, struct named_term *out, uint32_t *out_count)
{
    for (uint32_t i = 0; i < detection->count; i++) {
        const struct yaml_pair *pair = &detection->pairs[i];
        if (!is_selection_key(pair->key->value, is_filter))
            continue;
        if (text_equal(pair->key->value, TEXT("timeframe")) && pair->value->kind == YAML_SCALAR)
            return diagnostic_error(findings_of(d), pair->key, "aggregation",
                                    "timeframe is no longer part of Sigma: write a correlation");
        struct named_term *one = &out[(*out_count)++];
        *one = (struct named_term){
            .name = arena_copy(d->compiler.arena, pair->key->value),
            .key = pair->key,
        };
        enum status status = selection_read(&d->compiler, pair->value, &one->term);
        if (status)
            return status;
    }
    return STATUS_OK;
}

enum status sigma_read_detection(struct draft *d, const struct yaml_node *detection, bool is_filter,
                                 struct named_term **out_selections, uint32_t *out_count,
                                 struct term *out)
{
    if (detection->kind != YAML_MAPPING)
        return diagnostic_error(findings_of(d), detection, "bad-detection",
                                "detection is a mapping of selections and a condition");
    const struct yaml_node *condition = yaml_get(detection, TEXT("condition"));
    if (!condition)
        return diagnostic_error(findings_of(d), detection, "missing-condition",
                                "a detection needs a condition");
    struct named_term *selections =
        arena_alloc(d->compiler.arena, ((size_t)detection->count + 1) * sizeof *selections);
    uint32_t count = 0;
    if (!selections)
        return STATUS_NOMEM;
    enum status status = read_selections(d, detection, is_filter, selections, &count);
    if (!status)
        status = condition_read(&d->compiler, selections, count, condition, out);
    if (!status)
        lint_unused(d, selections, count);
    *out_selections = selections;
    *out_count = count;
    return status;
}

/* What lists hold is no part of it: they change by the day, and windows live on. */
static struct hash128 content_of(const struct rule *rule, const struct yaml_node *root)
{
    struct hasher h;
    hash_start(&h);
    hash_part_text(&h, rule->key);
    rule_header_hash(&h, yaml_get(root, TEXT("logsource")));
    rule_header_hash(&h, yaml_get(root, TEXT("detection")));
    rule_header_hash(&h, yaml_get(root, TEXT("tocsin")));
    return hash_end(&h);
}

enum status sigma_read(struct draft *d, const struct document *document)
{
    const struct yaml_node *root = document->root;
    struct rule_draft c = {.document = root, .written = rule_header_labels(root)};
    struct named_term *selections = NULL;
    struct term term = {.node = NULL};
    arena_reset(d->compiler.scratch);
    enum status status = rule_header_read(d, document, &c.frozen.rule, &c.extension);
    if (!status && c.extension.is_absence)
        status =
            diagnostic_error(d->compiler.diagnostics, yaml_get(root, TEXT("tocsin")), "bad-absence",
                             "absence belongs to a correlation: event_count and {eq: 0} only");
    if (!status)
        status = sigma_read_source(d, root, &c.frozen.source);
    if (!status)
        status = sigma_read_detection(d, yaml_get(root, TEXT("detection")), false, &selections,
                                      &c.frozen.selection_count, &term);
    if (status)
        return status;
    c.frozen.rule.kind = RULE_DETECTION;
    c.frozen.selections = selections;
    c.content = content_of(&c.frozen.rule, root);
    c.frozen.root = node_of(d->compiler.arena, term);
    if (!c.frozen.root || !rule_header_entities(d, &c.extension, &c.frozen.entities) ||
        !GROW(d->rules, d->rule_count, d->rule_max))
        return STATUS_NOMEM;
    d->rules[d->rule_count++] = c;
    return STATUS_OK;
}
