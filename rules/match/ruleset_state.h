/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include "rules/decode/decoder.h"
#include "rules/decode/mapping.h"
#include "rules/match/entities.h"
#include "rules/match/fieldmap.h"
#include "rules/match/partition.h"
#include "rules/match/predicate.h"
#include "rules/rules.h"
#include <stdatomic.h>

/* A compiled ruleset: immutable but for its reference count. */
struct ruleset {
    _Atomic uint32_t references; /* the last one (acquire) sees all that others did (release) */
    struct arena arena;          /* texts, trees, predicates */
    struct names *names;
    struct predicates *predicates;
    struct decoder_set *decoders;
    struct mapping_set *mappings;
    struct compiled *rules; /* sorted by key; index is rule.index */
    uint32_t rule_count;
    struct relation *relations; /* sorted by key; rule.index is rule_count + its place */
    uint32_t relation_count;
    struct correlation *correlations; /* of the relations, in the same order */
    const struct rule **all;          /* both, for ruleset_rules */
    struct partitions partitions;
    struct fieldmap *maps; /* by event->mapping */
    uint32_t map_count;
    struct entity_defaults defaults;
    /* By correlation, `field` being the place in its group-by: those whose name says their kind,
     * and those that only the value can tell. */
    struct entity_refs *group_entities, *group_others;
    struct ruleset_summary summary;
    struct hash128 hash;
    bool has_routing;
};
