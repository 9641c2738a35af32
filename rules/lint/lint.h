/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include "rules/match/ruleset_state.h"
#include "rules/read/draft.h"

/* What `check` says of rules that load: unwise, not wrong. `d` is the draft that the
 * ruleset was frozen from. */
NODISCARD enum status lint_run(const struct ruleset *r, const struct draft *d,
                               struct diagnostics *diagnostics);
