/* SPDX-License-Identifier: Apache-2.0 */
#include "rules/lint/logic.h"
#include "rules/lint/entail.h"
#include <stdlib.h>

enum { STEPS = 2000 };
enum answer { UNKNOWN, YES, NO };

bool logic_init(struct logic *l, const struct predicates *predicates)
{
    *l = (struct logic){.predicates = predicates};
    l->answers = calloc((size_t)predicates_count(predicates) + 1, sizeof *l->answers);
    l->asked = calloc(LOGIC_LEAVES, sizeof *l->asked);
    return l->answers && l->asked;
}

void logic_fini(struct logic *l)
{
    free(l->answers);
    free(l->asked);
}

static uint32_t count_leaves(const struct node *n)
{
    uint32_t count = n->leaf_count;
    for (uint32_t i = 0; i < n->item_count && count <= LOGIC_LEAVES; i++)
        count += count_leaves(n->items[i]);
    return count;
}

/* ---- three answers ---- */

static enum answer of_node(const struct logic *l, const struct node *n, uint32_t *first_unknown);

static enum answer of_part(const struct logic *l, const struct node *n, uint32_t i,
                           uint32_t *first_unknown)
{
    if (i >= n->leaf_count)
        return of_node(l, n->items[i - n->leaf_count], first_unknown);
    enum answer a = (enum answer)l->answers[n->leaves[i]];
    if (a == UNKNOWN && *first_unknown == UINT32_MAX)
        *first_unknown = n->leaves[i];
    return a;
}

static enum answer of_node(const struct logic *l, const struct node *n, uint32_t *first_unknown)
{
    uint32_t parts = n->leaf_count + n->item_count;
    uint32_t yes = 0;
    uint32_t no = 0;
    uint32_t need = n->kind == NODE_AND ? parts : n->kind == NODE_AT_LEAST ? n->need : 1;
    for (uint32_t i = 0; i < parts; i++) {
        enum answer a = of_part(l, n, i, first_unknown);
        yes += a == YES;
        no += a == NO;
        if (n->kind != NODE_NOT && (yes >= need || parts - no < need))
            break;
    }
    if (n->kind == NODE_NOT)
        return yes ? NO : no ? YES : UNKNOWN;
    return yes >= need ? YES : parts - no < need ? NO : UNKNOWN;
}

/* ---- pairs ---- */

/* Both on one field: can the first have that answer beside the other's? */
static bool can_both(const struct logic *l, const struct predicate *p, bool is_p,
                     const struct predicate *q, bool is_q)
{
    if (is_p && is_q) /* another value of a list may be the other's; null is no value */
        return !l->is_single ||
               (entail_find(p, q) != ENTAIL_FALSE && entail_find(q, p) != ENTAIL_FALSE);
    if (is_p)
        return entail_find(p, q) != ENTAIL_TRUE;
    if (is_q)
        return entail_find(q, p) != ENTAIL_TRUE;
    bool is_absence = (p->op == PREDICATE_EXISTS && q->op == PREDICATE_NULL) ||
                      (q->op == PREDICATE_EXISTS && p->op == PREDICATE_NULL);
    return !is_absence; /* what is not there is null */
}

static bool can_answer(struct logic *l, uint32_t predicate, bool is_yes)
{
    const struct predicate *p = predicates_at(l->predicates, predicate);
    if (is_yes && entail_is_impossible(p)) {
        l->conflict = p->field;
        return false;
    }
    for (uint32_t i = 0; i < l->asked_count && p->field != NAMES_WHOLE; i++) {
        const struct predicate *q = predicates_at(l->predicates, l->asked[i]);
        if (p->field != q->field || can_both(l, p, is_yes, q, l->answers[l->asked[i]] == YES))
            continue;
        l->conflict = p->field;
        return false;
    }
    return true;
}

/* ---- the search ---- */

static bool search(struct logic *l, const struct node *n, enum answer want)
{
    uint32_t next = UINT32_MAX;
    enum answer now = of_node(l, n, &next);
    if (now != UNKNOWN)
        return now == want;
    if (++l->steps > STEPS || l->asked_count == LOGIC_LEAVES)
        return true;
    for (int turn = 0; turn < 2; turn++) {
        enum answer answer = (turn == 0) == (want == YES) ? YES : NO;
        if (!can_answer(l, next, answer == YES))
            continue;
        l->answers[next] = (uint8_t)answer;
        l->asked[l->asked_count++] = next;
        bool is_found = search(l, n, want);
        l->asked_count--;
        l->answers[next] = UNKNOWN;
        if (is_found)
            return true;
    }
    return false;
}

bool logic_can_be(struct logic *l, struct term term, bool answer, bool is_single)
{
    uint32_t *leaf = &term.predicate;
    const struct node lone = {.kind = NODE_AND, .leaf_count = 1, .leaves = leaf};
    const struct node *n = term.node ? term.node : &lone;
    l->steps = 0;
    l->is_single = is_single;
    l->conflict = NAMES_NONE;
    return count_leaves(n) > LOGIC_LEAVES || search(l, n, answer ? YES : NO);
}
