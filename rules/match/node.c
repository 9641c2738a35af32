/* SPDX-License-Identifier: Apache-2.0 */
#include "rules/match/node.h"

static bool is_same_kind(const struct term *t, enum node_kind kind)
{
    return t->node && t->node->kind == kind && kind != NODE_NOT && kind != NODE_AT_LEAST;
}

static void count_up(enum node_kind kind, const struct term *terms, uint32_t count,
                     uint32_t *out_leaves, uint32_t *out_items)
{
    for (uint32_t i = 0; i < count; i++) {
        if (is_same_kind(&terms[i], kind)) {
            *out_leaves += terms[i].node->leaf_count;
            *out_items += terms[i].node->item_count;
        } else if (terms[i].node)
            ++*out_items;
        else
            ++*out_leaves;
    }
}

static const struct node *build(struct arena *arena, enum node_kind kind, uint32_t need,
                                const struct term *terms, uint32_t count)
{
    uint32_t leaf_count = 0;
    uint32_t item_count = 0;
    count_up(kind, terms, count, &leaf_count, &item_count);
    struct node *n = arena_alloc(arena, sizeof *n);
    uint32_t *leaves = arena_alloc(arena, ((size_t)leaf_count + 1) * sizeof *leaves);
    const struct node **items = arena_alloc(arena, ((size_t)item_count + 1) * sizeof *items);
    if (!n || !leaves || !items)
        return NULL;
    uint32_t leaf = 0;
    uint32_t item = 0;
    for (uint32_t i = 0; i < count; i++) {
        const struct node *inner = terms[i].node;
        if (is_same_kind(&terms[i], kind)) {
            for (uint32_t k = 0; k < inner->leaf_count; k++)
                leaves[leaf++] = inner->leaves[k];
            for (uint32_t k = 0; k < inner->item_count; k++)
                items[item++] = inner->items[k];
        } else if (inner)
            items[item++] = inner;
        else
            leaves[leaf++] = terms[i].predicate;
    }
    *n = (struct node){kind, need, leaf_count, item_count, leaves, items};
    return n;
}

bool node_join(struct arena *arena, enum node_kind kind, const struct term *terms, uint32_t count,
               struct term *out)
{
    if (count == 1) {
        *out = terms[0];
        return true;
    }
    struct term joined = {.node = build(arena, kind, 0, terms, count)};
    *out = joined;
    return joined.node != NULL;
}

bool node_negate(struct arena *arena, struct term term, struct term *out)
{
    struct term negated = {.node = build(arena, NODE_NOT, 0, &term, 1)};
    *out = negated;
    return negated.node != NULL;
}

bool node_at_least(struct arena *arena, uint32_t need, const struct term *terms, uint32_t count,
                   struct term *out)
{
    struct term some = {.node = build(arena, NODE_AT_LEAST, need, terms, count)};
    *out = some;
    return some.node != NULL;
}

const struct node *node_of(struct arena *arena, struct term term)
{
    return term.node ? term.node : build(arena, NODE_AND, 0, &term, 1);
}

void node_order(const struct node *node, node_cost_fn cost, void *context)
{
    /* Insertion keeps equal ones in the order written, and lists of one operator are in order. */
    for (uint32_t i = 1; i < node->leaf_count; i++) {
        uint32_t leaf = node->leaves[i];
        unsigned mine = cost(context, leaf);
        uint32_t k = i;
        for (; k && cost(context, node->leaves[k - 1]) > mine; k--)
            node->leaves[k] = node->leaves[k - 1];
        node->leaves[k] = leaf;
    }
    for (uint32_t i = 0; i < node->item_count; i++)
        node_order(node->items[i], cost, context);
}
