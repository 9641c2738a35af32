/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include "rules/ruleset_state.h"

/* What `check` says of rules that load: unwise, not wrong. Runs over a frozen ruleset whose
 * documents are still there. */
NODISCARD enum status lint_run(const struct ruleset *r, struct diagnostics *diagnostics);
