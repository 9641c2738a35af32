/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include "rules/finding.h"
#include "rules/ruleset_state.h"

/* What is unwise in a correlation. Its document is still there. */
void lint_relation_run(const struct relation *r, struct findings *findings);
