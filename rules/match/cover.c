/* SPDX-License-Identifier: Apache-2.0 */
#include "rules/match/cover.h"
#include "rules/match/fold.h"
#include "rules/match/required.h"

enum { COST_PRESENT = 400, COST_NUMBER = 40 };

/* Values that every second event has: an index over them finds too much. */
static double popularity(struct text t)
{
    static const char *const popular[] = {
        "true",
        "false",
        "\\cmd.exe",
        "\\powershell.exe",
        "\\svchost.exe",
        "\\pwsh.exe",
        "\\explorer.exe",
        "\\rundll32.exe",
        "\\reg.exe",
        "\\services.exe",
        "success",
        "windows",
        "system",
        "microsoft",
        "\\windows\\",
        "c:\\windows\\",
        "\\system32\\",
        ":\\windows\\",
        ".exe",
        ".dll",
        "http",
        "https",
        "root",
        "cmd.exe",
        "powershell.exe",
        "-",
        "0",
        "1",
        "microsoft corporation",
        ":\\program files",
        "\\appdata\\",
        "c:\\users\\",
        "\\users\\",
        "powershell",
        "\\currentversion\\",
        "\\software\\",
        "hklm\\",
        "hku\\",
        "process",
    };
    for (size_t i = 0; i < sizeof popular / sizeof *popular; i++)
        if (text_equal(t, text_of(popular[i])))
            return 100;
    return 0;
}

static double literal_cost(struct text t)
{
    double length = t.len < 16 ? (double)t.len : 16;
    return 2 + 120 / (length * length / 4) + popularity(t);
}

static struct text fold_into(struct arena *arena, struct text t)
{
    char *bytes = arena_bytes(arena, fold_room(t.len));
    return bytes ? (struct text){bytes, fold_text(t, bytes)} : TEXT_NONE;
}

static bool keep(struct cover *out, const struct atom *atoms, uint32_t count, double cost)
{
    *out = (struct cover){atoms, count, cost, true};
    return true;
}

static bool present(struct cover_search *s, const struct predicate *p, uint32_t number,
                    struct cover *out)
{
    struct atom *a = arena_zero(s->arena, sizeof *a);
    if (!a)
        return false;
    bool is_exact = p->op == PREDICATE_EXISTS;
    *a = (struct atom){
        .kind = ATOM_PRESENT, .field = p->field, .predicate = is_exact ? number : COVER_MAYBE};
    if (p->field == NAMES_WHOLE) { /* every event has itself */
        *out = (struct cover){.is_possible = false};
        return true;
    }
    return keep(out, a, 1, COST_PRESENT);
}

static bool equal(struct cover_search *s, const struct predicate *p, uint32_t number,
                  struct cover *out)
{
    const struct text *items = p->op == PREDICATE_IN ? p->items : &p->text;
    uint32_t count = p->op == PREDICATE_IN ? p->item_count : 1;
    struct atom *atoms = arena_zero(s->arena, count * sizeof *atoms);
    double cost = 0;
    for (uint32_t i = 0; atoms && i < count; i++) {
        atoms[i] = (struct atom){
            .kind = ATOM_EQUAL,
            .field = p->field,
            .predicate = p->is_cased ? COVER_MAYBE : number,
            .text = p->is_cased ? fold_into(s->keep, items[i]) : items[i],
        };
        if (!atoms[i].text.at)
            return false;
        cost += literal_cost(items[i]) / 3; /* the whole value says more than a part */
    }
    return atoms && keep(out, atoms, count, cost);
}

static bool literal(struct cover_search *s, const struct predicate *p, uint32_t predicate,
                    enum literal_place place, struct text t, struct cover *out)
{
    struct atom *a = arena_zero(s->arena, sizeof *a);
    if (!a)
        return false;
    *a = (struct atom){
        .kind = ATOM_LITERAL, .place = place, .field = p->field, .predicate = predicate, .text = t};
    /* Paths begin alike, and end alike a little. */
    double factor = place == LITERAL_AT_START ? 4 : place == LITERAL_AT_END ? 1.5 : 1;
    return keep(out, a, 1, factor * literal_cost(t));
}

static bool substring(struct cover_search *s, const struct predicate *p, uint32_t number,
                      struct cover *out)
{
    struct text t = p->is_cased ? fold_into(s->keep, p->text) : p->text;
    enum literal_place place = p->op == PREDICATE_STARTS ? LITERAL_AT_START
                               : p->op == PREDICATE_ENDS ? LITERAL_AT_END
                                                         : LITERAL_ANYWHERE;
    if (!t.at)
        return false;
    if (t.len < LITERAL_LEAST)
        return present(s, p, number, out);
    /* Of the whole event parts are passed over that stand inside others: no edges there. */
    bool is_inexact = p->is_cased || (p->field == NAMES_WHOLE && place != LITERAL_ANYWHERE);
    if (p->field == NAMES_WHOLE)
        place = LITERAL_ANYWHERE;
    return literal(s, p, is_inexact ? COVER_MAYBE : number, place, t, out);
}

static bool wildcard(struct cover_search *s, const struct predicate *p, uint32_t number,
                     struct cover *out)
{
    struct text best = TEXT_NONE;
    for (uint32_t i = 0; i < p->pattern.count; i++)
        if (p->pattern.parts[i].kind == PART_TEXT && p->pattern.parts[i].text.len > best.len)
            best = p->pattern.parts[i].text;
    if (best.len && p->is_cased)
        best = fold_into(s->keep, best);
    if (best.len < LITERAL_LEAST)
        return present(s, p, number, out);
    return literal(s, p, COVER_MAYBE, LITERAL_ANYWHERE, best, out);
}

static bool regex(struct cover_search *s, const struct predicate *p, uint32_t number,
                  struct cover *out)
{
    struct text found[REQUIRED_LITERALS];
    uint32_t count = required_literals(p->text, s->keep, found);
    struct atom *atoms = arena_zero(s->arena, ((size_t)count + 1) * sizeof *atoms);
    double cost = 10;
    if (!atoms)
        return false;
    for (uint32_t i = 0; i < count; i++) {
        if (found[i].len < LITERAL_LEAST)
            return present(s, p, number, out);
        atoms[i] = (struct atom){
            .kind = ATOM_LITERAL, .field = p->field, .predicate = COVER_MAYBE, .text = found[i]};
        cost += literal_cost(found[i]);
    }
    return count ? keep(out, atoms, count, cost) : present(s, p, number, out);
}

static bool number(struct cover_search *s, const struct predicate *p, uint32_t predicate,
                   struct cover *out)
{
    struct atom *a = arena_zero(s->arena, sizeof *a);
    if (!a)
        return false;
    if (p->compare != COMPARE_EQ)
        return present(s, p, predicate, out);
    *a = (struct atom){.kind = ATOM_NUMBER,
                       .field = p->field,
                       .predicate = predicate,
                       .number = number_key(&p->number)};
    return keep(out, a, 1, COST_NUMBER);
}

static bool of_operator(struct cover_search *s, uint32_t leaf, struct cover *out)
{
    const struct predicate *p = predicates_at(s->predicates, leaf);
    switch (p->op) {
    case PREDICATE_EQUAL:
    case PREDICATE_IN:
        return equal(s, p, leaf, out);
    case PREDICATE_CONTAINS:
    case PREDICATE_STARTS:
    case PREDICATE_ENDS:
        return substring(s, p, leaf, out);
    case PREDICATE_GLOB:
        return wildcard(s, p, leaf, out);
    case PREDICATE_REGEX:
        return regex(s, p, leaf, out);
    case PREDICATE_NUMBER:
        return number(s, p, leaf, out);
    case PREDICATE_TIME:
    case PREDICATE_CIDR:
    case PREDICATE_EXISTS:
    case PREDICATE_FIELD:
        return present(s, p, leaf, out);
    case PREDICATE_NULL:
    case PREDICATE_UNTIL:
        break;
    }
    *out = (struct cover){.is_possible = false};
    return true;
}

static bool of_leaf(struct cover_search *s, uint32_t leaf, struct cover *out)
{
    uint32_t uses = s->uses[leaf] < 400 ? s->uses[leaf] : 400;
    bool is_ok = of_operator(s, leaf, out);
    out->cost += 0.5 * uses;
    return is_ok;
}

static bool of_node(struct cover_search *s, const struct node *node, struct cover *out);

static bool of_part(struct cover_search *s, const struct node *node, uint32_t index,
                    struct cover *out)
{
    if (index < node->leaf_count)
        return of_leaf(s, node->leaves[index], out);
    return of_node(s, node->items[index - node->leaf_count], out);
}

/* One part of an AND is enough: the cheapest. */
static bool of_and(struct cover_search *s, const struct node *node, struct cover *out)
{
    struct cover best = {.is_possible = false};
    for (uint32_t i = 0; i < node->leaf_count + node->item_count; i++) {
        struct cover one;
        if (!of_part(s, node, i, &one))
            return false;
        if (one.is_possible && (!best.is_possible || one.cost < best.cost))
            best = one;
    }
    *out = best;
    return true;
}

/* Of an OR every part must be covered. */
static bool of_or(struct cover_search *s, const struct node *node, struct cover *out)
{
    uint32_t parts = node->leaf_count + node->item_count;
    struct cover *covers = arena_alloc(s->arena, ((size_t)parts + 1) * sizeof *covers);
    uint32_t total = 0;
    double cost = 0;
    if (!covers)
        return false;
    for (uint32_t i = 0; i < parts; i++) {
        if (!of_part(s, node, i, &covers[i]))
            return false;
        if (!covers[i].is_possible) {
            *out = covers[i];
            return true;
        }
        total += covers[i].count;
        cost += covers[i].cost;
    }
    struct atom *atoms = arena_alloc(s->arena, ((size_t)total + 1) * sizeof *atoms);
    if (!atoms)
        return false;
    total = 0;
    for (uint32_t i = 0; i < parts; i++)
        for (uint32_t k = 0; k < covers[i].count; k++)
            atoms[total++] = covers[i].atoms[k];
    return keep(out, atoms, total, cost);
}

static bool of_node(struct cover_search *s, const struct node *node, struct cover *out)
{
    switch (node->kind) {
    case NODE_AND:
        return of_and(s, node, out);
    case NODE_OR:
    case NODE_AT_LEAST:
        return of_or(s, node, out);
    case NODE_NOT:
        break;
    }
    *out = (struct cover){.is_possible = false};
    return true;
}

bool cover_find(struct cover_search *s, const struct node *node, struct cover *out)
{
    return of_node(s, node, out);
}

void cover_count(const struct node *node, uint32_t *uses)
{
    for (uint32_t i = 0; i < node->leaf_count; i++)
        uses[node->leaves[i]]++;
    for (uint32_t i = 0; i < node->item_count; i++)
        cover_count(node->items[i], uses);
}
