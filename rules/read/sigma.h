/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include "rules/read/draft.h"

/* Reads one detection rule into the draft. INVALID: told, and nothing added. */
NODISCARD enum status sigma_read(struct draft *d, const struct document *document);
/* The log source of a rule or filter, lower case, in the ruleset's arena. INVALID: told. */
NODISCARD enum status sigma_read_source(struct draft *d, const struct yaml_node *root,
                                        struct logsource *out);
/* The named selections below `detection` (or `filter`: `but` are its other keys) and its condition.
 * Gives the selections in the arena. */
NODISCARD enum status sigma_read_detection(struct draft *d, const struct yaml_node *detection,
                                           bool is_filter, struct named_term **out_selections,
                                           uint32_t *out_count, struct term *out);
