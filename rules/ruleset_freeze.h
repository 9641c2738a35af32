/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include "rules/match/ruleset_state.h"
#include "rules/read/draft.h"

/* Takes what a draft holds into the ruleset and builds what matching needs: entity defaults, field
 * maps, partitions, content hashes. The draft stays, with its rules' final numbers, for the lints.
 */
NODISCARD enum status ruleset_freeze(struct ruleset *r, struct draft *d, struct error *err);
