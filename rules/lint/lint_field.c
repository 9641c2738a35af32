/* SPDX-License-Identifier: Apache-2.0 */
#include "rules/lint/lint_field.h"
#include <ctype.h>
#include <stdlib.h>

enum { KNOWN_MOST = 4096, ASKED_MOST = 256 };

/* What a log source's events can have. */
struct known {
    struct text items[KNOWN_MOST];
    uint32_t count;
    bool is_open;   /* events bring names of their own */
    bool is_routed; /* some decoder or mapping gives the log source */
};

static void add(void *context, struct text name)
{
    struct known *k = context;
    if (name.len && k->count < KNOWN_MOST)
        k->items[k->count++] = name;
    k->is_open |= k->count == KNOWN_MOST;
}

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

static void collect(const struct ruleset *r, const struct logsource *s, struct known *out)
{
    uint32_t count = 0;
    out->count = 0;
    out->is_open = out->is_routed = false;
    for (uint32_t i = 1; i <= mapping_count(r->mappings); i++) {
        const struct logsource *given = mapping_logsources(r->mappings, i, &count);
        if (!is_given(s, given, count))
            continue;
        out->is_open = out->is_routed = true;
        mapping_tell_names(r->mappings, i, add, out);
    }
    for (uint32_t i = 0; i < decoder_count(r->decoders); i++) {
        const struct decoder *d = decoder_at(r->decoders, i);
        const struct logsource *given = decoder_logsources(d, &count);
        bool is_giver = is_given(s, given, count);
        if (!is_giver && !decoder_reads(d, s))
            continue;
        out->is_routed |= is_giver;
        out->is_open |= !decoder_tell_names(d, add, out);
    }
}

/* Of the record itself: every event has them, or may. */
static bool is_envelope(struct text name)
{
    static const char *const names[] = {"host",     "program", "pid",  "msgid", "facility",
                                        "severity", "message", "peer", "raw"};
    if (text_starts(name, TEXT("syslog.")) || text_find_byte(name, '.') < name.len)
        return true; /* structured data and members of members: id.name */
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (text_equal(name, text_of(names[i])))
            return true;
    return false;
}

static bool is_known(const struct known *k, struct text name)
{
    for (uint32_t i = 0; i < k->count; i++)
        if (text_equal(k->items[i], name))
            return true;
    return is_envelope(name);
}

/* The nearest known name as a string of its own, or empty. */
static const char *nearest(const struct known *k, struct text name, char out[64])
{
    const char *best = NULL;
    out[0] = 0;
    for (uint32_t i = 0; i < k->count; i++) {
        char candidate[64];
        if (k->items[i].len >= sizeof candidate)
            continue;
        memcpy(candidate, k->items[i].at, k->items[i].len);
        candidate[k->items[i].len] = 0;
        const char *const both[] = {candidate, out};
        best = diagnostic_nearest(name, both, out[0] ? 2 : 1);
        if (best == candidate)
            memcpy(out, candidate, sizeof candidate);
    }
    return out;
}

/* One letter more, less or other, two changed over, or another case: a slip, not another name. */
static bool is_slip(struct text a, struct text b)
{
    if (text_equal_nocase(a, b))
        return true;
    if (a.len < 4 || a.len > b.len + 1 || b.len > a.len + 1)
        return false;
    size_t front = 0;
    size_t back = 0;
    while (front < a.len && front < b.len && a.at[front] == b.at[front])
        front++;
    while (back < a.len - front && back < b.len - front &&
           a.at[a.len - 1 - back] == b.at[b.len - 1 - back])
        back++;
    size_t left_a = a.len - front - back;
    size_t left_b = b.len - front - back;
    const char *odd = left_a ? a.at + front : b.at + front; /* "path" and "_path" are two names */
    bool is_letter = (left_a || left_b) && isalpha((unsigned char)*odd);
    bool is_turned = left_a == 2 && left_b == 2 && a.at[front] == b.at[front + 1] &&
                     a.at[front + 1] == b.at[front];
    bool is_plural = (left_a == 1) != (left_b == 1) &&
                     (left_a ? a.at[front] == 's' && !back : b.at[front] == 's' && !back);
    return (left_a <= 1 && left_b <= 1 && is_letter && !is_plural) || is_turned;
}

/* A word that edits lead to from a long one: "source_ip" to "src_ip". */
static bool is_near(struct text a, const char *b)
{
    return a.len >= 6 && diagnostic_nearest(a, &b, 1);
}

/* `is_key`: without it a correlation never sees an event. */
static void tell(const struct known *k, struct text name, const struct yaml_node *at, bool is_key,
                 struct diagnostics *diagnostics)
{
    char near[64];
    if (is_known(k, name))
        return;
    (void)nearest(k, name, near);
    bool is_like = near[0] && (is_slip(name, text_of(near)) || (is_key && is_near(name, near)));
    if (k->is_open && !is_like)
        return;
    bool is_case =
        k->is_open && text_equal_nocase(name, text_of(near)); /* another product's, say */
    diagnostic_lint(diagnostics, at, is_case ? DIAGNOSTIC_HINT : DIAGNOSTIC_WARNING,
                    "unknown-field", "no decoder or mapping of this log source gives '%.*s'%s%s%s",
                    TEXT_ARG(name), near[0] ? "; did you mean '" : ": it is never there", near,
                    near[0] ? "'?" : "");
}

/* The key (without modifiers), or the item of a list, that says `name`. */
static const struct yaml_node *find_name(const struct yaml_node *node, struct text name)
{
    if (!node)
        return NULL;
    if (node->kind == YAML_SCALAR)
        return text_equal(node->value, name) ? node : NULL;
    const struct yaml_node *found = NULL;
    for (uint32_t i = 0; i < node->count && !found; i++) {
        if (node->kind == YAML_SEQUENCE) {
            found = find_name(node->items[i], name);
            continue;
        }
        struct text key = node->pairs[i].key->value;
        if (text_equal(text_trim(text_head(key, text_find_byte(key, '|'))), name))
            return node->pairs[i].key;
        found = find_name(node->pairs[i].value, name);
    }
    return found;
}

struct asked {
    uint32_t items[ASKED_MOST];
    uint32_t count;
};

static void note(struct asked *a, uint32_t field)
{
    for (uint32_t i = 0; i < a->count; i++)
        if (a->items[i] == field)
            return;
    if (field != NAMES_WHOLE && field != NAMES_NONE && a->count < ASKED_MOST)
        a->items[a->count++] = field;
}

static void collect_asked(const struct ruleset *r, const struct node *n, struct asked *out)
{
    for (uint32_t i = 0; i < n->leaf_count; i++) {
        const struct predicate *p = predicates_at(r->predicates, n->leaves[i]);
        if (p->op == PREDICATE_UNTIL)
            continue;
        note(out, p->field);
        if (p->op == PREDICATE_FIELD)
            note(out, p->other);
    }
    for (uint32_t i = 0; i < n->item_count; i++)
        collect_asked(r, n->items[i], out);
}

static bool is_any(const struct logsource *s)
{
    return !s->category.len && !s->product.len && !s->service.len;
}

void lint_field_rule(const struct ruleset *ruleset, const struct rule_draft *rule,
                     struct diagnostics *diagnostics)
{
    struct known *k = is_any(&rule->frozen.source) ? NULL : malloc(sizeof *k);
    struct asked asked = {.count = 0};
    if (!k)
        return;
    collect(ruleset, &rule->frozen.source, k);
    if (k->is_routed)
        collect_asked(ruleset, rule->frozen.root, &asked);
    const struct yaml_node *detection = yaml_get(rule->document, TEXT("detection"));
    for (uint32_t i = 0; i < asked.count; i++) {
        struct text name = names_text(ruleset->names, asked.items[i]);
        const struct yaml_node *at = find_name(detection, name);
        if (at) /* else a filter's or an exception's, told with its own file */
            tell(k, name, at, false, diagnostics);
    }
    free(k);
}

static const struct rule_draft *find_rule(const struct draft *d, struct text reference)
{
    for (uint32_t i = 0; i < d->rule_count; i++) {
        const struct rule *r = &d->rules[i].frozen.rule;
        if (text_equal(r->name, reference) || text_equal_nocase(r->id, reference))
            return &d->rules[i];
    }
    return NULL;
}

/* What the alias says of that rule, else the name itself. */
static struct text name_in(const struct relation_draft *r, const struct rule_draft *rule,
                           struct text name)
{
    const struct yaml_node *alias = r->aliases ? yaml_get(r->aliases, name) : NULL;
    const struct yaml_node *said = yaml_get(alias, rule->frozen.rule.name);
    said = said ? said : yaml_get(alias, rule->frozen.rule.id);
    return said && said->kind == YAML_SCALAR ? said->value : alias ? TEXT_NONE : name;
}

static void look(const struct relation_draft *r, const struct rule_draft *rule,
                 const struct known *k, const struct text *names, uint32_t count,
                 struct diagnostics *diagnostics)
{
    const struct yaml_node *at = yaml_get(r->document, TEXT("correlation"));
    for (uint32_t i = 0; i < count; i++) {
        struct text name = name_in(r, rule, names[i]);
        const struct yaml_node *place = find_name(at, name);
        if (name.len)
            tell(k, name, place ? place : at, true, diagnostics);
    }
}

void lint_field_relation(const struct ruleset *ruleset, const struct draft *draft,
                         const struct relation_draft *r, struct diagnostics *diagnostics)
{
    struct known *k = malloc(sizeof *k);
    for (uint32_t i = 0; k && i < r->frozen.correlation.input_count; i++) {
        const struct rule_draft *rule = find_rule(draft, r->references[i]);
        if (!rule || is_any(&rule->frozen.source))
            continue;
        collect(ruleset, &rule->frozen.source, k);
        if (!k->is_routed)
            continue;
        look(r, rule, k, r->frozen.rule.group, r->frozen.rule.group_count, diagnostics);
        look(r, rule, k, r->values, r->frozen.correlation.value_count, diagnostics);
    }
    free(k);
}
