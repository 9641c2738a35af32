/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include "base/correlation.h"
#include "base/rule.h"
#include "rules/read/diagnostic.h"

/* The `tocsin:` key of a rule or correlation: what Sigma has no word for. */

struct entity_spec {
    struct text field;
    struct text domain; /* user: the field of its domain, or empty */
    enum entity_kind kind;
    bool is_charged;
};

struct extension {
    const struct entity_spec *entities; /* in the arena; entity_count 0: not said */
    uint32_t entity_count;
    struct text tactic, family, playbook; /* empty: not said */
    double confidence;                    /* 0: not said */
    int open;                             /* enum rule_open, or -1 */
    int fire;                             /* enum fire_policy, or -1 */
    int64_t renew_us, suppress_us;
    int64_t lateness_us; /* -1: not said */
    uint32_t max_entities;
    int64_t max_entities_us;
    uint32_t max_groups;
    int64_t learn_us, remember_us;
    bool is_absence, is_shadow;
};

/* `node` may be NULL: the defaults. INVALID: told, with the line of an unknown key. */
NODISCARD enum status extension_read(const struct yaml_node *node, struct arena *arena,
                                     struct diagnostics *diagnostics, struct extension *out);
/* "critical" and the like; false where the word is none (told with the nearest). */
bool extension_level(const struct yaml_node *node, struct diagnostics *diagnostics,
                     enum rule_level *out);
