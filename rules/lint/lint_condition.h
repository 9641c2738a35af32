/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include "rules/lint/logic.h"
#include "rules/read/diagnostic.h"
#include "rules/ruleset_state.h"

/* Selections and conditions that always or never hold, values that can never matter, regular
 * expressions that are none. The rule's document is still there. */
void lint_condition_run(const struct ruleset *r, const struct compiled *c, struct logic *logic,
                        struct diagnostics *diagnostics);
