/* SPDX-License-Identifier: Apache-2.0 */
#include "base/json_write.h"
#include "rules/match/matcher_state.h"

/* Why a rule did or did not match: everything is asked, nothing is cut short. */

static void write_value(struct matcher *m, uint32_t field, struct buffer *out)
{
    json_write_open(out, "values", '[');
    unsigned count = 0;
    for (struct fieldview_value *v = fieldview_first(m->view, field); v && count < 8;
         v = fieldview_next(m->view, v), count++) {
        struct text t = fieldview_plain(m->view, v);
        if (t.at)
            json_write_string(out, NULL, text_head(t, 512));
        else
            json_write_null(out, NULL);
    }
    json_write_close(out, ']');
}

static void write_operand(const struct ruleset *r, const struct predicate *p, struct buffer *out)
{
    if (p->op == PREDICATE_IN) {
        json_write_open(out, "of", '[');
        for (uint32_t i = 0; i < p->item_count && i < 16; i++)
            json_write_string(out, NULL, p->items[i]);
        json_write_close(out, ']');
        if (p->item_count > 16)
            json_write_uint(out, "of_count", p->item_count);
    } else if (p->op == PREDICATE_NUMBER || p->op == PREDICATE_TIME)
        json_write_double(out, "operand", p->number.real);
    else if (p->op == PREDICATE_FIELD)
        json_write_string(out, "operand", names_text(r->names, p->other));
    else if (p->op == PREDICATE_GLOB) {
        json_write_open(out, "operand", '[');
        for (uint32_t i = 0; i < p->pattern.count; i++) {
            static const char *const wild[] = {"", "*", "?", "-"};
            const struct part *part = &p->pattern.parts[i];
            json_write_string(out, NULL,
                              part->kind == PART_TEXT ? part->text : text_of(wild[part->kind]));
        }
        json_write_close(out, ']');
    } else if (p->text.len)
        json_write_string(out, "operand", p->text);
}

static void write_predicate(struct matcher *m, uint32_t number, struct buffer *out)
{
    const struct predicate *p = predicates_at(m->ruleset->predicates, number);
    json_write_open(out, NULL, '{');
    json_write_string(out, "field",
                      p->op == PREDICATE_UNTIL  ? TEXT("(journal time)")
                      : p->field == NAMES_WHOLE ? TEXT("(any)")
                                                : names_text(m->ruleset->names, p->field));
    json_write_string(out, "operator", text_of(predicate_name(p)));
    write_operand(m->ruleset, p, out);
    json_write_bool(out, "matched", predicate_answer(p, &m->evaluation.answers));
    if (p->field != NAMES_WHOLE)
        write_value(m, p->field, out);
    json_write_close(out, '}');
}

enum { PREDICATES_SHOWN = 64 };

static void write_node(struct matcher *m, const struct node *n, uint32_t *shown, struct buffer *out)
{
    for (uint32_t i = 0; i < n->leaf_count && *shown < PREDICATES_SHOWN; i++, ++*shown)
        write_predicate(m, n->leaves[i], out);
    for (uint32_t i = 0; i < n->item_count; i++)
        write_node(m, n->items[i], shown, out);
}

static bool term_holds(struct matcher *m, const struct term *t)
{
    return t->node ? evaluation_holds_plainly(&m->evaluation, t->node)
                   : predicate_answer(predicates_at(m->ruleset->predicates, t->predicate),
                                      &m->evaluation.answers);
}

static void write_selection(struct matcher *m, const struct named_term *s, struct buffer *out)
{
    uint32_t shown = 0;
    json_write_open(out, NULL, '{');
    json_write_string(out, "name", s->name);
    json_write_bool(out, "matched", term_holds(m, &s->term));
    json_write_open(out, "predicates", '[');
    if (s->term.node)
        write_node(m, s->term.node, &shown, out);
    else
        write_predicate(m, s->term.predicate, out);
    json_write_close(out, ']');
    json_write_close(out, '}');
}

static void write_source(const char *name, const struct logsource *s, struct buffer *out)
{
    json_write_open(out, name, '{');
    if (s->category.len)
        json_write_string(out, "category", s->category);
    if (s->product.len)
        json_write_string(out, "product", s->product);
    if (s->service.len)
        json_write_string(out, "service", s->service);
    json_write_close(out, '}');
}

static bool is_reached(const struct compiled *c, const struct partition *const *reached,
                       uint32_t count)
{
    for (uint32_t i = 0; i < count; i++)
        for (uint32_t k = 0; k < reached[i]->rule_count; k++)
            if (reached[i]->rules[k] == c->rule.index)
                return true;
    return false;
}

static bool is_withheld(struct matcher *m, const struct feed_spec *spec)
{
    return spec->unless && evaluation_holds_plainly(&m->evaluation, spec->unless);
}

/* Correlations that are not told of this event, by an exception of theirs. */
static void write_withheld(struct matcher *m, const struct compiled *c, struct buffer *out)
{
    bool is_any = false;
    for (uint32_t i = 0; i < c->feed_count && !is_any; i++)
        is_any = is_withheld(m, &c->feeds[i]);
    if (!is_any)
        return;
    json_write_open(out, "withheld_from", '[');
    for (uint32_t i = 0; i < c->feed_count; i++)
        if (is_withheld(m, &c->feeds[i]))
            json_write_string(out, NULL, m->ruleset->relations[c->feeds[i].correlation].rule.title);
    json_write_close(out, ']');
}

static void write_rule(struct matcher *m, const struct compiled *c, bool is_reachable,
                       struct buffer *out)
{
    bool holds = evaluation_holds_plainly(&m->evaluation, c->root);
    json_write_open(out, NULL, '{');
    if (c->rule.id.len)
        json_write_string(out, "id", c->rule.id);
    json_write_string(out, "title", c->rule.title);
    write_source("logsource", &c->source, out);
    json_write_bool(out, "routed", is_reachable);
    json_write_bool(out, "condition", holds);
    json_write_bool(out, "matched", holds && is_reachable);
    json_write_open(out, "selections", '[');
    for (uint32_t i = 0; i < c->selection_count; i++)
        write_selection(m, &c->selections[i], out);
    json_write_close(out, ']');
    if (holds && is_reachable)
        write_withheld(m, c, out);
    json_write_close(out, '}');
}

void matcher_explain(struct matcher *m, const struct event *e, const struct rule *rule,
                     struct buffer *out)
{
    const struct partition *reached[MATCHER_REACHED];
    fieldview_open(m->view, e);
    evaluation_begin(&m->evaluation);
    uint32_t count = shortlist_route(m, e, reached);
    json_write_open(out, NULL, '{');
    json_write_open(out, "logsources", '[');
    for (uint32_t i = 0; i < e->logsource_count; i++)
        write_source(NULL, &e->logsources[i], out);
    json_write_close(out, ']');
    if (e->mapping)
        json_write_string(out, "mapping", mapping_name(m->ruleset->mappings, e->mapping));
    json_write_bool(out, "routing", m->ruleset->has_routing);
    json_write_open(out, "rules", '[');
    for (uint32_t i = 0; i < m->ruleset->rule_count; i++) {
        const struct compiled *c = &m->ruleset->rules[i];
        bool is_reachable = is_reached(c, reached, count);
        if (rule ? rule == &c->rule : is_reachable)
            write_rule(m, c, is_reachable, out);
    }
    json_write_close(out, ']');
    json_write_close(out, '}');
}
