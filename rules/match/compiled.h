/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include "base/correlation.h"
#include "base/event.h"
#include "base/rule.h"
#include "rules/match/node.h"

/* Rules and correlations as matching needs them: frozen, in the ruleset's arena. */

/* A field that stands for an entity, by number. */
struct entity_ref {
    uint32_t field, domain; /* domain: NAMES_NONE where there is none */
    enum entity_kind kind;
    bool is_charged;
};
struct entity_refs {
    const struct entity_ref *items;
    uint32_t count; /* 0: not said */
};

/* How an event of one rule goes into one correlation. */
struct feed_spec {
    uint32_t correlation, input;
    const uint32_t *group; /* numbers of the fields, in order of the group-by */
    const uint32_t *value;
    const struct node *unless; /* of overrides.yml: where it holds, this correlation is told
                                  nothing; or NULL */
};

/* A selection, or what a filter or an exception joined to the rule. */
struct named_term {
    struct text name;
    struct term term;
    const struct yaml_node *key; /* during the load */
    bool is_used;                /* by some condition */
};

/* A detection rule. */
struct compiled {
    struct rule rule;
    struct logsource source; /* lower case */
    const struct node *root;
    const struct named_term *selections; /* for explain */
    uint32_t selection_count;
    struct entity_refs entities;
    const struct feed_spec *feeds;
    uint32_t feed_count;
};

/* A correlation. */
struct relation {
    struct rule rule;
    struct correlation correlation;
    struct entity_refs entities;
};
