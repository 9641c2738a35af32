/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include "rules/read/diagnostic.h"
#include "rules/ruleset_state.h"

/* What is unwise in the ruleset's correlation number `index`. Its document is still there. */
void lint_relation_run(const struct ruleset *ruleset, uint32_t index,
                       struct diagnostics *diagnostics);
