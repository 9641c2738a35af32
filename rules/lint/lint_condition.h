/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include "rules/lint/logic.h"
#include "rules/match/ruleset_state.h"
#include "rules/read/draft.h"

/* Selections and conditions that always or never hold, values that can never matter, regular
 * expressions that are none. */
void lint_condition_run(const struct ruleset *r, const struct rule_draft *c, struct logic *logic,
                        struct diagnostics *diagnostics);
