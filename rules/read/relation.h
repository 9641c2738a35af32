/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include "rules/read/draft.h"

/* Reads one correlation into the draft; its references are resolved later. INVALID: told. */
NODISCARD enum status relation_read(struct draft *d, const struct document *document);
/* The condition of a temporal correlation written as an expression over its rules, in postfix
 * order. INVALID: told. */
NODISCARD enum status relation_steps_read(struct draft *d, const struct yaml_node *condition,
                                          const struct text *references, struct correlation *out);
