/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include "rules/match/compiled.h"
#include "rules/read/condition.h"
#include "rules/read/extension.h"
#include "rules/read/rulefile.h"

/* What one load builds, document by document, before it is frozen into a ruleset. */

/* A rule's id and name as written: several rules have them where `action` repeats one. */
struct draft_labels {
    struct text id, name;
};

struct rule_draft {
    struct compiled frozen; /* what the ruleset takes */
    struct draft_labels written;
    struct extension extension;
    struct hash128 content; /* of what it says, with its filters; once linked also of the decoders
                               and mappings that its events come through */
    struct hash128 exceptions; /* of overrides.yml: live, like the value lists */
    const struct yaml_node *document;
    bool is_wanted; /* some correlation with `generate` reports it */
    bool is_fed;    /* some correlation reads it */
};

/* Of overrides.yml: what a correlation is not told, in the words of its group-by or of its rules.
 */
struct relation_exception {
    const struct yaml_node *match;
    struct text end;
    int64_t end_us;
};

struct relation_draft {
    struct relation frozen; /* what the ruleset takes */
    struct draft_labels written;
    struct extension extension;
    struct hash128 content;
    const struct yaml_node *document;
    const struct text *references; /* names or ids, correlation.input_count of them */
    const struct text *values;     /* value fields, correlation.value_count of them */
    const struct yaml_node *aliases;
    struct relation_exception *unless;
    uint32_t unless_count;
    struct hash128 exceptions; /* of these: live, as a rule's */
    bool has_generate;
    bool is_wanted, is_fed;
    bool is_refused; /* by a reference that is missing */
    uint8_t mark;    /* while depths are found */
};

/* Growing tables of a load. */
struct draft {
    struct compiler compiler;
    struct rule_draft *rules;
    uint32_t rule_count, rule_max;
    struct relation_draft *relations;
    uint32_t relation_count, relation_max;
    const struct ruleset_options *options;
    const struct documents *documents;
};

/* `label` is the rule's id or name, or what its parts share. */
bool draft_is_named(const struct rule *rule, const struct draft_labels *written, struct text label);
/* Both name one document: one of them may be its id and the other its name. */
bool draft_is_same(const struct draft *d, struct text one, struct text other);

/* Lets explain show `term`, which a filter or an exception joined to the rule, as a selection of
 * the name "WHAT: WHY". False without memory. */
bool draft_show(struct draft *d, struct rule_draft *c, const char *what, struct text why,
                struct term term);
