/* SPDX-License-Identifier: Apache-2.0 */
#include "rules/read/linking.h"
#include "base/hash.h"
#include "rules/match/grow.h"
#include "rules/read/override.h"
#include "rules/read/provenance.h"
#include "rules/read/relation.h"
#include <stdlib.h>

/* ---- a table of ids and names ---- */

struct label {
    struct text text;
    bool is_relation;
    uint32_t index;
};
struct labels {
    struct label *items; /* open addressing */
    uint32_t mask;
};

static struct label *label_at(const struct labels *l, struct text t)
{
    for (uint64_t at = hash_seeded(t.at, t.len, 0);; at++) {
        struct label *one = &l->items[at & l->mask];
        if (!one->text.len || text_equal(one->text, t))
            return one;
    }
}

static const struct rule *rule_of(const struct draft *d, const struct label *l)
{
    return l->is_relation ? &d->relations[l->index].frozen.rule : &d->rules[l->index].frozen.rule;
}

static void speak_of(struct draft *d, const struct rule *rule)
{
    d->compiler.diagnostics->file = rule->file;
    d->compiler.diagnostics->rule = rule->key;
}

/* False: the label is taken; told. */
static bool add_label(struct draft *d, struct labels *l, struct text t, const char *what,
                      bool is_relation, uint32_t index)
{
    if (!t.len)
        return true;
    struct label *at = label_at(l, t);
    struct label mine = {t, is_relation, index};
    const struct rule *rule = rule_of(d, &mine);
    if (at->text.len) {
        const struct rule *other = rule_of(d, at);
        speak_of(d, rule);
        (void)diagnostic_at(d->compiler.diagnostics, rule->line, 1, "duplicate-id",
                            "the %s '%.*s' is taken by %.*s:%u", what, TEXT_ARG(t),
                            TEXT_ARG(other->file), other->line);
        return false;
    }
    *at = mine;
    return true;
}

static bool has_room(struct labels *l, size_t count)
{
    uint32_t size = 64;
    while (size < 4 * count)
        size *= 2;
    l->items = calloc(size, sizeof *l->items);
    l->mask = size - 1;
    return l->items;
}

/* Removes later rules whose id or name is taken: rules first, then correlations. */
static void remove_duplicates(struct draft *d, struct labels *l)
{
    uint32_t kept = 0;
    for (uint32_t i = 0; i < d->rule_count; i++) {
        d->rules[kept] = d->rules[i];
        struct rule r = d->rules[kept].frozen.rule;
        bool is_new = add_label(d, l, r.id, "id", false, kept) &&
                      (text_equal(r.id, r.name) || add_label(d, l, r.name, "name", false, kept));
        kept += is_new;
    }
    d->rule_count = kept;
    kept = 0;
    for (uint32_t i = 0; i < d->relation_count; i++) {
        if (kept != i)
            d->relations[kept] = d->relations[i];
        struct rule r = d->relations[kept].frozen.rule;
        bool is_new = add_label(d, l, r.id, "id", true, kept) &&
                      (text_equal(r.id, r.name) || add_label(d, l, r.name, "name", true, kept));
        kept += is_new;
    }
    d->relation_count = kept;
}

static int compare_rules(const struct rule *a, const struct rule *b)
{
    int order = text_compare(a->key, b->key);
    if (!order)
        order = text_compare(a->file, b->file);
    return order ? order : (a->line > b->line) - (a->line < b->line);
}

static int compare_compiled(const void *a, const void *b)
{
    return compare_rules(&((const struct rule_draft *)a)->frozen.rule,
                         &((const struct rule_draft *)b)->frozen.rule);
}

static int compare_relations(const void *a, const void *b)
{
    return compare_rules(&((const struct relation_draft *)a)->frozen.rule,
                         &((const struct relation_draft *)b)->frozen.rule);
}

static void relabel(struct draft *d, struct labels *l)
{
    memset(l->items, 0, ((size_t)l->mask + 1) * sizeof *l->items);
    for (uint32_t i = 0; i < d->rule_count; i++) {
        const struct rule *r = &d->rules[i].frozen.rule;
        if (r->id.len)
            *label_at(l, r->id) = (struct label){r->id, false, i};
        if (r->name.len)
            *label_at(l, r->name) = (struct label){r->name, false, i};
    }
    for (uint32_t i = 0; i < d->relation_count; i++) {
        const struct rule *r = &d->relations[i].frozen.rule;
        if (r->id.len)
            *label_at(l, r->id) = (struct label){r->id, true, i};
        if (r->name.len)
            *label_at(l, r->name) = (struct label){r->name, true, i};
    }
}

/* ---- references ---- */

static const struct label *find_label(const struct labels *l, struct text t)
{
    const struct label *at = label_at(l, t);
    return at->text.len ? at : NULL;
}

static enum status refuse(struct draft *d, struct relation_draft *r, const char *code,
                          struct text what, const char *why)
{
    speak_of(d, &r->frozen.rule);
    r->is_refused = true;
    (void)diagnostic_error(d->compiler.diagnostics, yaml_get(r->document, TEXT("correlation")),
                           code, "'%.*s' %s", TEXT_ARG(what), why);
    return STATUS_INVALID;
}

enum { MARK_NONE, MARK_OPEN, MARK_DONE };

static void settle(struct draft *d, const struct labels *l, uint32_t index, unsigned depth)
{
    struct relation_draft *r = &d->relations[index];
    r->mark = MARK_OPEN;
    r->frozen.correlation.depth = 1;
    for (uint32_t i = 0; i < r->frozen.correlation.input_count && !r->is_refused; i++) {
        const struct label *to = find_label(l, r->references[i]);
        if (!to) {
            (void)refuse(d, r, "unknown-rule", r->references[i],
                         "is the name or id of no rule that was loaded");
            continue;
        }
        if (!to->is_relation)
            continue;
        struct relation_draft *below = &d->relations[to->index];
        if (below->mark == MARK_OPEN || depth > 32) {
            (void)refuse(d, r, "cycle", r->references[i],
                         "leads back to this correlation, or through more than 32 others");
            continue;
        }
        if (below->mark == MARK_NONE)
            settle(d, l, to->index, depth + 1);
        if (below->is_refused)
            (void)refuse(d, r, "unknown-rule", r->references[i], "was refused");
        if (below->frozen.correlation.depth >= r->frozen.correlation.depth)
            r->frozen.correlation.depth = below->frozen.correlation.depth + 1;
    }
    r->mark = MARK_DONE;
}

static void drop_refused(struct draft *d)
{
    uint32_t kept = 0;
    for (uint32_t i = 0; i < d->relation_count; i++) {
        if (d->relations[i].is_refused)
            continue;
        if (kept != i)
            d->relations[kept] = d->relations[i];
        kept++;
    }
    d->relation_count = kept;
}

/* ---- feeds ---- */

/* What the alias or group-by field is called in the rule that `reference` names. */
static struct text field_for(const struct draft *d, const struct relation_draft *r,
                             struct text name, uint32_t input)
{
    const struct yaml_node *field = relation_alias_of(d, r, name, input);
    return field && field->kind == YAML_SCALAR ? field->value : name;
}

static const uint32_t *field_numbers(struct draft *d, const struct relation_draft *r,
                                     const struct text *names, uint32_t count, uint32_t input)
{
    uint32_t *numbers = arena_alloc(d->compiler.arena, ((size_t)count + 1) * sizeof *numbers);
    for (uint32_t i = 0; numbers && i < count; i++) {
        numbers[i] = names_add(d->compiler.names, field_for(d, r, names[i], input));
        if (numbers[i] == NAMES_NONE)
            return NULL;
    }
    return numbers;
}

static bool add_feed(struct draft *d, const struct relation_draft *r, uint32_t correlation,
                     uint32_t input, struct rule_draft *c)
{
    struct feed_spec spec = {
        .correlation = correlation,
        .input = input,
        .group = field_numbers(d, r, r->frozen.rule.group, r->frozen.rule.group_count, input),
        .value = field_numbers(d, r, r->values, r->frozen.correlation.value_count, input),
    };
    struct feed_spec *feeds =
        arena_alloc(d->compiler.arena, ((size_t)c->frozen.feed_count + 1) * sizeof *feeds);
    if (!spec.group || !spec.value || !feeds || override_unless(d, r, input, &spec.unless))
        return false;
    if (c->frozen.feed_count)
        memcpy(feeds, c->frozen.feeds, c->frozen.feed_count * sizeof *feeds);
    feeds[c->frozen.feed_count++] = spec;
    c->frozen.feeds = feeds;
    return true;
}

static uint8_t place_of(const struct relation_draft *below, struct text name)
{
    for (uint32_t i = 0; i < below->frozen.rule.group_count; i++)
        if (text_equal(below->frozen.rule.group[i], name))
            return (uint8_t)i;
    return UINT8_MAX;
}

static bool add_link(struct draft *d, const struct relation_draft *r, uint32_t correlation,
                     uint32_t input, struct relation_draft *below)
{
    uint32_t count = below->frozen.correlation.link_count;
    struct chain_link *links = arena_alloc(d->compiler.arena, ((size_t)count + 1) * sizeof *links);
    if (!links)
        return false;
    if (count)
        memcpy(links, below->frozen.correlation.links, count * sizeof *links);
    struct chain_link link = {.correlation = correlation, .input = input};
    memset(link.group_from, UINT8_MAX, sizeof link.group_from);
    memset(link.value_from, UINT8_MAX, sizeof link.value_from);
    for (uint32_t i = 0; i < r->frozen.rule.group_count; i++)
        link.group_from[i] = place_of(below, field_for(d, r, r->frozen.rule.group[i], input));
    for (uint32_t i = 0; i < r->frozen.correlation.value_count; i++)
        link.value_from[i] = place_of(below, field_for(d, r, r->values[i], input));
    links[count] = link;
    below->frozen.correlation.links = links;
    below->frozen.correlation.link_count = count + 1;
    return true;
}

static bool add_rule(struct draft *d, uint32_t correlation, uint32_t input, struct rule_draft *c)
{
    struct relation_draft *r = &d->relations[correlation];
    struct hasher h;
    hash_start(&h);
    hash_part(&h, &r->content, sizeof r->content);
    c->is_fed = true;
    c->is_wanted = c->is_wanted || r->has_generate;
    hash_part(&h, &c->content, sizeof c->content);
    r->content = hash_end(&h);
    return add_feed(d, r, correlation, input, c);
}

/* The further parts of a rule that `action` repeats. */
static bool add_parts(struct draft *d, uint32_t correlation, uint32_t input,
                      const struct rule_draft *first)
{
    struct text label = d->relations[correlation].references[input];
    for (uint32_t i = 0; i < d->rule_count; i++) {
        struct rule_draft *c = &d->rules[i];
        if (c != first && draft_is_named(&c->frozen.rule, &c->written, label) &&
            !add_rule(d, correlation, input, c))
            return false;
    }
    return true;
}

static bool add_input(struct draft *d, const struct labels *l, uint32_t correlation, uint32_t input)
{
    struct relation_draft *r = &d->relations[correlation];
    const struct label *to = find_label(l, r->references[input]);
    struct hasher h;
    if (!to) /* settled above: it is there */
        return false;
    hash_start(&h);
    hash_part(&h, &r->content, sizeof r->content);
    if (to->is_relation) {
        struct relation_draft *below = &d->relations[to->index];
        below->is_fed = true;
        below->is_wanted = below->is_wanted || r->has_generate;
        hash_part(&h, &below->content, sizeof below->content);
        r->content = hash_end(&h);
        return add_link(d, r, correlation, input, below);
    }
    struct rule_draft *c = &d->rules[to->index];
    return add_rule(d, correlation, input, c) && add_parts(d, correlation, input, c);
}

/* From the lowest up, so that a content hash has those below it inside. */
static bool add_inputs(struct draft *d, const struct labels *l)
{
    for (uint32_t depth = 1, left = d->relation_count; left; depth++)
        for (uint32_t i = 0; i < d->relation_count; i++) {
            if (d->relations[i].frozen.correlation.depth != depth)
                continue;
            left--;
            for (uint32_t k = 0; k < d->relations[i].frozen.correlation.input_count; k++)
                if (!add_input(d, l, i, k))
                    return false;
        }
    return true;
}

/* What decodes and maps a rule's events is part of what it means; what does not, is not: windows
 * live on where a decoder of other log sources is edited. */
static void add_provenance(struct draft *d, struct provenance *p)
{
    for (uint32_t i = 0; i < d->rule_count; i++) {
        struct rule_draft *c = &d->rules[i];
        struct hash128 from = provenance_content(p, &c->frozen.source);
        struct hasher h;
        hash_start(&h);
        hash_part(&h, &c->content, sizeof c->content);
        hash_part(&h, &from, sizeof from);
        c->content = hash_end(&h);
    }
}

/* All links of a chain wait alike: what one of them holds back would reach the next too late, and
 * what another lets go at once too early. */
static void spread_lateness(struct draft *d, const struct labels *l)
{
    for (bool has_changed = true; has_changed;) {
        has_changed = false;
        for (uint32_t i = 0; i < d->relation_count; i++)
            for (uint32_t k = 0; k < d->relations[i].frozen.correlation.input_count; k++) {
                const struct label *to = find_label(l, d->relations[i].references[k]);
                if (!to || !to->is_relation)
                    continue;
                int64_t *one = &d->relations[i].frozen.correlation.lateness_us;
                int64_t *other = &d->relations[to->index].frozen.correlation.lateness_us;
                has_changed = has_changed || *one != *other;
                *one = *other = *one > *other ? *one : *other;
            }
    }
    for (uint32_t i = 0; i < d->relation_count; i++) {
        struct relation_draft *r = &d->relations[i];
        struct hasher h;
        hash_start(&h);
        hash_part(&h, &r->content, sizeof r->content);
        hash_part_u64(&h, (uint64_t)r->frozen.correlation.lateness_us);
        r->content = hash_end(&h);
    }
}

static enum status link_all(struct draft *d, struct labels *l, struct provenance *p)
{
    remove_duplicates(d, l);
    if (d->rule_count)
        qsort(d->rules, d->rule_count, sizeof *d->rules, compare_compiled);
    if (d->relation_count)
        qsort(d->relations, d->relation_count, sizeof *d->relations, compare_relations);
    relabel(d, l);
    for (uint32_t i = 0; i < d->relation_count; i++)
        if (d->relations[i].mark == MARK_NONE)
            settle(d, l, i, 0);
    drop_refused(d);
    relabel(d, l);
    add_provenance(d, p);
    spread_lateness(d, l);
    if (!add_inputs(d, l))
        return STATUS_NOMEM;
    for (uint32_t i = 0; i < d->rule_count; i++)
        d->rules[i].frozen.rule.is_reported = !d->rules[i].is_fed || d->rules[i].is_wanted;
    /* `generate` is about the rules that a correlation reads; a correlation that feeds another is
     * still a finding of its own, as the corpus of correlation timelines has it */
    for (uint32_t i = 0; i < d->relation_count; i++)
        d->relations[i].frozen.rule.is_reported = true;
    return STATUS_OK;
}

enum status linking_run(struct draft *d, const struct decoder_set *decoders,
                        const struct mapping_set *mappings)
{
    struct provenance from = {
        .decoders = decoders, .mappings = mappings, .has_routing = d->options->has_routing};
    struct labels labels = {.items = NULL};
    if (!has_room(&labels, (size_t)d->rule_count + d->relation_count))
        return STATUS_NOMEM;
    enum status status = link_all(d, &labels, &from);
    free(labels.items);
    return status;
}
