/* SPDX-License-Identifier: Apache-2.0 */
#include "rules/lint/lint_condition.h"
#include "rules/lint/lint_regex.h"
#include "rules/match/required.h"
#include <ctype.h>

enum { VALUES_MOST = 64 }; /* of a condition whose values are looked at one by one */

struct checking {
    const struct ruleset *ruleset;
    const struct rule_draft *rule;
    struct logic *logic;
    struct diagnostics *diagnostics;
    const struct yaml_node *detection;
};

static struct text field_name(const struct checking *c, uint32_t field)
{
    if (field == NAMES_NONE)
        return TEXT("");
    return field == NAMES_WHOLE ? TEXT("(any)") : names_text(c->ruleset->names, field);
}

/* The scalar below `node` that says `t`, for its line; else the node itself. */
static const struct yaml_node *find_scalar(const struct yaml_node *node, struct text t)
{
    if (!node || node->kind == YAML_SCALAR)
        return node && text_equal(node->value, t) ? node : NULL;
    const struct yaml_node *found = NULL;
    for (uint32_t i = 0; i < node->count && !found; i++)
        found = find_scalar(node->kind == YAML_MAPPING ? node->pairs[i].value : node->items[i], t);
    return found;
}

/* ---- always and never ---- */

/* `what` with a space behind it; told: true. */
static bool check_term(const struct checking *c, struct term term, const struct yaml_node *at,
                       const char *what, struct text name)
{
    struct logic *l = c->logic;
    if (!logic_can_be(l, term, true, false)) {
        struct text field = field_name(c, l->conflict);
        diagnostic_lint(c->diagnostics, at, DIAGNOSTIC_WARNING, "never-true",
                        "%s%.*s never holds%s%.*s%s", what, TEXT_ARG(name),
                        field.len ? ": see what it asks of '"
                                  : ": a part and its opposite must hold",
                        TEXT_ARG(field), field.len ? "'" : "");
        return true;
    }
    if (!logic_can_be(l, term, true, true)) {
        diagnostic_lint(
            c->diagnostics, at, DIAGNOSTIC_WARNING, "never-matches",
            "%s%.*s asks field '%.*s' for values that exclude each other: unless it is a "
            "list, this never matches",
            what, TEXT_ARG(name), TEXT_ARG(field_name(c, l->conflict)));
        return true;
    }
    if (!logic_can_be(l, term, false, false)) {
        diagnostic_lint(c->diagnostics, at, DIAGNOSTIC_WARNING, "always-true",
                        "%s%.*s always holds: it says nothing about an event", what,
                        TEXT_ARG(name));
        return true;
    }
    return false;
}

static bool check_selections(const struct checking *c)
{
    bool is_told = false;
    for (uint32_t i = 0; i < c->rule->frozen.selection_count; i++) {
        const struct named_term *s = &c->rule->frozen.selections[i];
        if (s->key) /* else of a filter or exception, which is told with its own file */
            is_told |= check_term(c, s->term, s->key, "selection ", s->name);
    }
    return is_told;
}

/* ---- values ---- */

struct leaves {
    uint32_t items[VALUES_MOST];
    uint32_t count;
    bool is_cut;
};

/* Those whose yes can only help. */
static void collect(const struct node *n, struct leaves *out)
{
    if (n->kind == NODE_NOT)
        return;
    for (uint32_t i = 0; i < n->leaf_count; i++) {
        if (out->count == VALUES_MOST) {
            out->is_cut = true;
            return;
        }
        out->items[out->count++] = n->leaves[i];
    }
    for (uint32_t i = 0; i < n->item_count; i++)
        collect(n->items[i], out);
}

static void check_values(const struct checking *c)
{
    struct leaves leaves = {.count = 0};
    collect(c->rule->frozen.root, &leaves);
    for (uint32_t i = 0; i < leaves.count && !leaves.is_cut; i++) {
        const struct predicate *p = predicates_at(c->ruleset->predicates, leaves.items[i]);
        uint32_t parts[] = {leaves.items[i]};
        const struct node *items[] = {c->rule->frozen.root};
        const struct node both = {NODE_AND, 0, 1, 1, parts, items};
        struct term term = {.node = &both};
        if (p->op == PREDICATE_UNTIL || logic_can_be(c->logic, term, true, true))
            continue;
        const struct yaml_node *at = find_scalar(c->detection, p->text);
        bool has_text = p->text.len && p->op != PREDICATE_IN;
        diagnostic_lint(
            c->diagnostics, at ? at : c->detection, DIAGNOSTIC_WARNING, "dead-value",
            "'%s%s%.*s' of field '%.*s' can never make this rule match: the rest of the "
            "condition, or the field itself, excludes it",
            predicate_name(p), has_text ? " " : "", has_text ? (int)p->text.len : 0,
            p->text.at ? p->text.at : "", TEXT_ARG(field_name(c, p->field)));
    }
}

/* "a$b", "a^b": an anchor in the middle, without a way around it. Sure only of plain ones. */
static bool is_dead_regex(const struct predicate *p)
{
    struct text t = p->text;
    if (p->regex_flags & REGEX_MULTILINE || text_find_byte(t, '|') < t.len ||
        text_find_byte(t, '(') < t.len || text_find_byte(t, '[') < t.len)
        return false;
    bool has_letter = false; /* one that must be there stands right before */
    for (size_t i = 0; i < t.len; i++) {
        char next = i + 1 < t.len ? t.at[i + 1] : 0;
        char after = i + 2 < t.len ? t.at[i + 2] : 0;
        bool is_optional = after && memchr("*?{", after, 3);
        if (t.at[i] == '\\') {
            i++;
            has_letter = false;
            continue;
        }
        if (t.at[i] == '^' && has_letter)
            return true;
        if (t.at[i] == '$' && isalnum((unsigned char)next) && !is_optional)
            return true;
        has_letter = isalnum((unsigned char)t.at[i]) && (!next || !memchr("*?{", next, 3));
    }
    return false;
}

static void check_regexes(const struct checking *c, const struct node *n)
{
    for (uint32_t i = 0; i < n->leaf_count; i++) {
        const struct predicate *p = predicates_at(c->ruleset->predicates, n->leaves[i]);
        if (p->op != PREDICATE_REGEX)
            continue;
        const struct yaml_node *at = find_scalar(c->detection, p->text);
        if (is_dead_regex(p))
            diagnostic_lint(
                c->diagnostics, at ? at : c->detection, DIAGNOSTIC_WARNING, "dead-value",
                "the regular expression '%.*s' can never match: an anchor stands in its "
                "middle",
                TEXT_ARG(p->text));
        struct text part = lint_regex_find(p->text, p->regex_flags);
        if (part.len)
            diagnostic_lint(
                c->diagnostics, at ? at : c->detection, DIAGNOSTIC_WARNING, "exploding-regex",
                "'%.*s' can be read in too many ways: thirty characters that almost match bring "
                "it to its limit, and the rule does not match then. Let what repeats repeat once, "
                "or make it possessive: (?>...), a++",
                TEXT_ARG(part));
        if (!required_is_wildcard(p->text))
            continue;
        diagnostic_lint(c->diagnostics, at ? at : c->detection, DIAGNOSTIC_HINT, "plain-regex",
                        "the regular expression '%.*s' says no more than contains, startswith, "
                        "endswith or a wildcard (with `cased` where case matters), which cost less",
                        TEXT_ARG(p->text));
    }
    for (uint32_t i = 0; i < n->item_count; i++)
        check_regexes(c, n->items[i]);
}

void lint_condition_run(const struct ruleset *r, const struct rule_draft *rule, struct logic *logic,
                        struct diagnostics *diagnostics)
{
    const struct yaml_node *detection = yaml_get(rule->document, TEXT("detection"));
    const struct yaml_node *condition = yaml_get(detection, TEXT("condition"));
    const struct checking c = {r, rule, logic, diagnostics, detection};
    struct term whole = {.node = rule->frozen.root};
    check_regexes(&c, rule->frozen.root);
    if (!check_selections(&c) && !check_term(&c, whole, condition, "the condition", TEXT("")))
        check_values(&c);
}
