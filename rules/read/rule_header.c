/* SPDX-License-Identifier: Apache-2.0 */
#include "rules/read/rule_header.h"
#include <inttypes.h>
#include <stdio.h>

static const char *const statuses[] = {"stable", "test", "experimental", "deprecated",
                                       "unsupported"};

static struct text scalar(const struct yaml_node *root, const char *key)
{
    const struct yaml_node *n = yaml_get(root, text_of(key));
    return n && n->kind == YAML_SCALAR && !yaml_is_null(n) ? n->value : TEXT("");
}

static enum status read_status(struct draft *d, const struct yaml_node *root, bool *out_is_said,
                               enum rule_status *out)
{
    const struct yaml_node *n = yaml_get(root, TEXT("status"));
    *out = RULE_TEST;
    *out_is_said = n != NULL;
    if (!n)
        return STATUS_OK;
    struct text t = n->kind == YAML_SCALAR ? n->value : TEXT_NONE;
    for (size_t i = 0; i < sizeof statuses / sizeof *statuses; i++)
        if (text_equal_nocase(t, text_of(statuses[i]))) {
            *out = (enum rule_status)i;
            return STATUS_OK;
        }
    const char *near = diagnostic_nearest(t, statuses, 5);
    return diagnostic_error(d->compiler.diagnostics, n, "bad-status",
                            "'%.*s' is no status: stable, test, experimental, deprecated, "
                            "unsupported%s%s%s",
                            TEXT_ARG(t), near ? "; did you mean '" : "", near ? near : "",
                            near ? "'?" : "");
}

static enum status read_tags(struct draft *d, const struct yaml_node *root, struct rule *out)
{
    const struct yaml_node *n = yaml_get(root, TEXT("tags"));
    if (!n || n->kind != YAML_SEQUENCE)
        return STATUS_OK;
    struct text *tags = arena_alloc(d->compiler.arena, ((size_t)n->count + 1) * sizeof *tags);
    if (!tags)
        return STATUS_NOMEM;
    out->tags = tags;
    for (uint32_t i = 0; i < n->count; i++)
        if (n->items[i]->kind == YAML_SCALAR)
            tags[out->tag_count++] = arena_copy(d->compiler.arena, n->items[i]->value);
    return STATUS_OK;
}

/* The first attack.<tactic>; techniques (attack.t1059), groups and software are none. */
static struct text tactic_of(const struct rule *rule, struct arena *arena)
{
    for (uint32_t i = 0; i < rule->tag_count; i++) {
        struct text t = rule->tags[i];
        if (!text_starts(t, TEXT("attack.")))
            continue;
        t = text_skip(t, 7);
        bool is_id = t.len > 1 && strchr("tgsTGS", t.at[0]) && t.at[1] >= '0' && t.at[1] <= '9';
        if (is_id || !t.len)
            continue;
        struct text copy = arena_copy(arena, t);
        char *bytes = arena_bytes(arena, t.len);
        for (size_t k = 0; bytes && k < t.len; k++)
            bytes[k] = t.at[k] == '_' ? '-' : t.at[k];
        return bytes ? (struct text){bytes, t.len} : copy;
    }
    return TEXT("other");
}

static void fill_extension(struct rule *rule, const struct extension *e, bool has_status,
                           struct arena *arena)
{
    static const double confidences[] = {1, 0.9, 0.6, 0.6, 0.6};
    rule->tactic = e->tactic.len ? e->tactic : tactic_of(rule, arena);
    rule->family = e->family.len ? e->family : rule->key;
    rule->playbook = e->playbook.at ? e->playbook : TEXT("");
    rule->confidence = e->confidence > 0 ? e->confidence : confidences[rule->status];
    bool is_unproven = has_status && rule->status == RULE_EXPERIMENTAL && !rule->is_shipped;
    rule->open = e->open >= 0 ? (enum rule_open)e->open : is_unproven ? OPEN_NEVER : OPEN_SCORE;
    rule->suppress_us = e->suppress_us;
    rule->max_entities = e->max_entities;
    rule->max_entities_us = e->max_entities_us;
    rule->is_shadow = e->is_shadow;
}

/* Keys of one's own are allowed in a rule; one that is nearly a known key is a slip of the pen. */
static void lint_keys(struct draft *d, const struct yaml_node *root)
{
    static const char *const known[] = {
        "title",       "id",
        "name",        "related",
        "taxonomy",    "status",
        "description", "license",
        "author",      "references",
        "date",        "modified",
        "logsource",   "detection",
        "fields",      "falsepositives",
        "level",       "tags",
        "scope",       "correlation",
        "generate",    "tocsin",
        "action",      "filter",
        "simulation",  "regression_tests_path",
        "custom",
    };
    enum { KNOWN = sizeof known / sizeof *known };
    for (uint32_t i = 0; i < root->count && d->compiler.diagnostics->has_lints; i++) {
        struct text key = root->pairs[i].key->value;
        size_t k = 0;
        while (k < KNOWN && !text_equal(key, text_of(known[k])))
            k++;
        const char *near = k < KNOWN ? NULL : diagnostic_nearest(key, known, KNOWN);
        if (near)
            diagnostic_lint(d->compiler.diagnostics, root->pairs[i].key, DIAGNOSTIC_WARNING,
                            "unknown-key", "'%.*s' is no key of a rule; did you mean '%s'?",
                            TEXT_ARG(key), near);
    }
}

/* Parts of one rule are told apart by a number behind what they share. */
static struct text label_of(struct arena *arena, const struct yaml_node *root, const char *key,
                            uint32_t part)
{
    struct text label = scalar(root, key);
    if (!part)
        return arena_copy(arena, label);
    char number[16];
    size_t digits = (size_t)snprintf(number, sizeof number, ".%" PRIu32, part);
    char *bytes = arena_bytes(arena, label.len + digits);
    if (!bytes)
        return TEXT_NONE;
    memcpy(bytes, label.at, label.len);
    memcpy(bytes + label.len, number, digits);
    return (struct text){bytes, label.len + digits};
}

struct draft_labels rule_header_labels(const struct yaml_node *root)
{
    return (struct draft_labels){.id = scalar(root, "id"), .name = scalar(root, "name")};
}

enum status rule_header_read(struct draft *d, const struct document *document,
                             struct rule *out_rule, struct extension *out_extension)
{
    struct arena *arena = d->compiler.arena;
    const struct yaml_node *root = document->root;
    struct text title = scalar(root, "title");
    bool has_status = false;
    struct rule rule = {
        .id = label_of(arena, root, "id", document->part_id),
        .name = label_of(arena, root, "name", document->part_name),
        .title = arena_copy(arena, title),
        .file = arena_copy(arena, document->file),
        .line = root->line,
        .level = LEVEL_MEDIUM,
        .is_shipped = document->is_shipped,
        .is_reported = true,
    };
    rule.key = rule.id.len ? rule.id : rule.name.len ? rule.name : rule.title;
    d->compiler.diagnostics->rule = rule.key;
    if (!title.len)
        return diagnostic_error(d->compiler.diagnostics, root, "missing-title",
                                "a rule needs a title");
    const struct yaml_node *level = yaml_get(root, TEXT("level"));
    if (level && !extension_level(level, d->compiler.diagnostics, &rule.level))
        return STATUS_INVALID;
    enum status status = read_status(d, root, &has_status, &rule.status);
    if (!status)
        status = read_tags(d, root, &rule);
    if (!status)
        status = extension_read(yaml_get(root, TEXT("tocsin")), arena, d->compiler.diagnostics,
                                out_extension);
    if (status)
        return status;
    lint_keys(d, root);
    fill_extension(&rule, out_extension, has_status, arena);
    *out_rule = rule;
    return rule.key.at ? STATUS_OK : STATUS_NOMEM;
}

void rule_header_hash(struct hasher *h, const struct yaml_node *node)
{
    if (!node) {
        hash_part_u64(h, 0);
        return;
    }
    hash_part_u64(h, (uint64_t)node->kind * 4 + node->is_plain + 1);
    hash_part_text(h, node->value);
    hash_part_u64(h, node->count);
    for (uint32_t i = 0; i < node->count && node->kind == YAML_SEQUENCE; i++)
        rule_header_hash(h, node->items[i]);
    for (uint32_t i = 0; i < node->count && node->kind == YAML_MAPPING; i++) {
        rule_header_hash(h, node->pairs[i].key);
        rule_header_hash(h, node->pairs[i].value);
    }
}

bool rule_header_entities(struct draft *d, const struct extension *e, struct entity_refs *out)
{
    struct entity_ref *refs =
        arena_alloc(d->compiler.arena, ((size_t)e->entity_count + 1) * sizeof *refs);
    if (!refs)
        return false;
    for (uint32_t i = 0; i < e->entity_count; i++) {
        const struct entity_spec *s = &e->entities[i];
        refs[i] = (struct entity_ref){
            .field = names_add(d->compiler.names, s->field),
            .domain = s->domain.len ? names_add(d->compiler.names, s->domain) : NAMES_NONE,
            .kind = s->kind,
            .is_charged = s->is_charged,
        };
        if (refs[i].field == NAMES_NONE)
            return false;
    }
    *out = (struct entity_refs){refs, e->entity_count};
    return true;
}
