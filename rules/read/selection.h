/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include "rules/match/names.h"
#include "rules/match/node.h"
#include "rules/match/predicate.h"
#include "rules/read/diagnostic.h"
#include "rules/read/valuelist.h"
#include <stdbool.h>

/* What compiling a rule's detections needs: the ruleset's growing tables. */
struct compiler {
    struct arena *arena;   /* the ruleset's */
    struct arena *scratch; /* emptied between rules */
    struct names *names;
    struct predicates *predicates;
    const struct valuelists *lists;
    struct diagnostics *diagnostics;
};

/* One selection (the value under an identifier of `detection`) as a term. INVALID: told. */
NODISCARD enum status selection_read(struct compiler *c, const struct yaml_node *node,
                                     struct term *out);
