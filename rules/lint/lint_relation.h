/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include "rules/match/ruleset_state.h"
#include "rules/read/draft.h"

/* What is unwise in the correlation `r`, which is number `index` of the ruleset. */
void lint_relation_run(const struct ruleset *ruleset, const struct draft *draft,
                       const struct relation_draft *r, uint32_t index,
                       struct diagnostics *diagnostics);
