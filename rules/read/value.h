/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include "rules/read/modifier.h"
#include "rules/read/selection.h"

/* One value of a field (or one keyword) with its modifiers as a term: usually one predicate, an OR
 * of several where it stands for more (encodings, placeholders). INVALID: told. */
NODISCARD enum status value_read(struct compiler *c, const struct modifiers *m,
                                 const struct yaml_node *value, struct term *out);
/* True where the value is a plain string that is compared whole: `out` is its operand, folded
 * unless cased. Lists of those become one predicate. */
bool value_is_exact(struct compiler *c, const struct modifiers *m, const struct yaml_node *value,
                    struct text *out);
/* A predicate as a term; its texts are copied. */
NODISCARD enum status value_add(struct compiler *c, const struct yaml_node *at,
                                const struct predicate *p, struct term *out);
