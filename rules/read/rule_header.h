/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include "rules/read/draft.h"

/* What rules and correlations have in common: title, id, name, level, status, tags, `tocsin:`. */
NODISCARD enum status rule_header_read(struct draft *d, const struct document *document,
                                       struct rule *out_rule, struct extension *out_extension);
/* Id and name as they stand there; empty where they do not. Views into the document. */
struct draft_labels rule_header_labels(const struct yaml_node *root);
/* Of a document's part, whatever its layout: keys, values, order of lists. */
void rule_header_hash(struct hasher *h, const struct yaml_node *node);
/* Numbers for the fields of `tocsin: entity`. False without memory. */
bool rule_header_entities(struct draft *d, const struct extension *e, struct entity_refs *out);
