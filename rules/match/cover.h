/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include "rules/match/literal.h"
#include "rules/match/node.h"
#include "rules/match/predicate.h"

/*
 * A rule's cover: atoms of which at least one is true of every event that the rule matches. An
 * index over the covers of all rules finds the few that are worth evaluating.
 */

enum atom_kind {
    ATOM_EQUAL,   /* the folded value is this text */
    ATOM_NUMBER,  /* the value is this number */
    ATOM_LITERAL, /* the folded value holds this text */
    ATOM_PRESENT, /* the field is there */
};
struct atom {
    enum atom_kind kind;
    enum literal_place place;
    uint32_t field;
    uint32_t predicate; /* that is true where the atom is; COVER_MAYBE: has to be looked at */
    struct text text;   /* folded */
    uint64_t number;    /* number_key */
};
#define COVER_MAYBE UINT32_MAX

struct cover {
    const struct atom *atoms;
    uint32_t count;
    double cost;      /* how often it will be true, roughly */
    bool is_possible; /* false: the rule may match without any atom, so it is always evaluated */
};

/* What the search knows. `uses` says by predicate how many rules ask it: what many rules ask is
 * common in events too. */
struct cover_search {
    const struct predicates *predicates;
    const uint32_t *uses;
    struct arena *arena; /* for atoms */
    struct arena *keep;  /* for their texts */
};
/* The cheapest cover. False without memory. */
bool cover_find(struct cover_search *s, const struct node *node, struct cover *out);
/* Adds one to the uses of every predicate below the node. */
void cover_count(const struct node *node, uint32_t *uses);
