/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include "base/correlation.h"
#include "base/rule.h"
#include "rules/read/condition.h"
#include "rules/read/extension.h"
#include "rules/read/rulefile.h"

/* What one load builds, document by document, before it is frozen into a ruleset. */

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
};

/* A detection rule. */
struct compiled {
    struct rule rule;
    struct logsource source; /* lower case */
    const struct node *root;
    const struct named_term *selections; /* for explain; keys are not valid behind the load */
    uint32_t selection_count;
    struct entity_refs entities;
    const struct feed_spec *feeds;
    uint32_t feed_count;
    struct extension extension;
    struct hash128 content;           /* of what it says, with its filters; once linked also of
                                         the decoders and mappings that its events come through */
    struct hash128 exceptions;        /* of overrides.yml: live, like the value lists */
    const struct yaml_node *document; /* during the load */
    bool is_wanted;                   /* some correlation with `generate` reports it */
    bool is_fed;                      /* some correlation reads it */
};

/* A correlation. */
struct relation {
    struct rule rule;
    struct correlation correlation;
    struct entity_refs entities;
    struct extension extension;
    struct hash128 content;
    const struct yaml_node *document; /* during the load */
    const struct text *references;    /* names or ids, correlation.input_count of them */
    const struct text *values;        /* value fields, correlation.value_count of them */
    const struct yaml_node *aliases;
    bool has_generate;
    bool is_wanted, is_fed;
    bool is_refused; /* by a reference that is missing */
    uint8_t mark;    /* while depths are found */
};

/* Growing tables of a load. */
struct draft {
    struct compiler compiler;
    struct compiled *rules;
    uint32_t rule_count, rule_max;
    struct relation *relations;
    uint32_t relation_count, relation_max;
    const struct ruleset_options *options;
};

/* Lets explain show `term`, which a filter or an exception joined to the rule, as a selection of
 * the name "WHAT: WHY". False without memory. */
bool compiled_show(struct draft *d, struct compiled *c, const char *what, struct text why,
                   struct term term);
