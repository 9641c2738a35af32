/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include "rules/ruleset_state.h"

/* Takes what a draft holds into the ruleset and builds what matching needs: entity defaults, field
 * maps, partitions, content hashes. The draft's arrays belong to the ruleset afterwards. */
NODISCARD enum status ruleset_freeze(struct ruleset *r, struct draft *d, struct error *err);
