/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include "rules/match/ruleset_state.h"
#include "rules/read/draft.h"

/*
 * Names of fields that no decoder and no mapping of the log source gives: what asks for them sees
 * nothing, in silence. Where events bring names of their own (JSON, key=value) any name may come:
 * there only what is nearly a known name is told.
 */
void lint_field_rule(const struct ruleset *ruleset, const struct rule_draft *rule,
                     struct diagnostics *diagnostics);
/* Of group-by and values, in the log sources of the rules that a correlation reads. */
void lint_field_relation(const struct ruleset *ruleset, const struct draft *draft,
                         const struct relation_draft *relation, struct diagnostics *diagnostics);
