/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include "base/arena.h"
#include "base/text.h"
#include <stdbool.h>
#include <stdint.h>

/* A rule's condition as a tree over predicates. Immutable once built, in the ruleset's arena. */

enum node_kind {
    NODE_AND,
    NODE_OR,
    NODE_NOT,      /* of its one leaf or item */
    NODE_AT_LEAST, /* `need` of its leaves and items */
};
struct node {
    enum node_kind kind;
    uint32_t need;
    uint32_t leaf_count, item_count;
    uint32_t *leaves; /* predicates */
    const struct node *const *items;
};

/* A part of a tree while it is built: one predicate or a node. */
struct term {
    const struct node *node; /* NULL: the predicate */
    uint32_t predicate;
};

/*
 * Joins terms; ANDs in an AND and ORs in an OR become one, and a lone term stays itself. An AND of
 * nothing is true, an OR of nothing false. False without memory.
 */
bool node_join(struct arena *arena, enum node_kind kind, const struct term *terms, uint32_t count,
               struct term *out);
bool node_negate(struct arena *arena, struct term term, struct term *out);
bool node_at_least(struct arena *arena, uint32_t need, const struct term *terms, uint32_t count,
                   struct term *out);
/* Sorts the leaves of every node below by `cost` of the predicate, cheapest first: AND and OR stop
 * at the first that decides. */
typedef unsigned (*node_cost_fn)(void *context, uint32_t predicate);
void node_order(const struct node *node, node_cost_fn cost, void *context);
/* The term as a node of its own. NULL without memory. */
const struct node *node_of(struct arena *arena, struct term term);
