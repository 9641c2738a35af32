/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include "rules/decode/mapping_parts.h"

/* Reading the `when` of mappings and of their log sources. */

/* A document on its way into a mapping. */
struct mapping_reading {
    struct mapping_set *set;
    struct mapping *mapping; /* its fields are read already */
};

/* Tells that memory ran out. Always false. */
bool mapping_condition_no_memory(struct decoder_document *d, const struct yaml_node *node);
/* The slot of an event's name, a new one where nobody asked for it yet. */
bool mapping_condition_watch_name(struct decoder_document *d, const struct yaml_node *node,
                                  struct mapping_set *s, struct text name, uint16_t *out);
/* Fills c->slots for c->field as this mapping names it. */
bool mapping_condition_watch(struct decoder_document *d, const struct yaml_node *node,
                             const struct mapping_reading *r, struct mapping_condition *c);
/* One clause, or a list of which one must hold. */
bool mapping_condition_read(struct decoder_document *d, const struct mapping_reading *r,
                            const struct yaml_node *node, struct mapping_when *out);
