/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include "rules/read/draft.h"

/* Reads one correlation into the draft; its references are resolved later. INVALID: told. */
NODISCARD enum status relation_read(struct draft *d, const struct document *document);
/* What an alias calls a field in the rule of that input, which it may name by id or by name. NULL:
 * it does not say. */
const struct yaml_node *relation_alias_of(const struct draft *d, const struct relation_draft *r,
                                          struct text alias, uint32_t input);
/* The condition of a temporal correlation written as an expression over its rules, in postfix
 * order. INVALID: told. */
NODISCARD enum status relation_steps_read(struct draft *d, const struct yaml_node *condition,
                                          const struct text *references, struct correlation *out);
