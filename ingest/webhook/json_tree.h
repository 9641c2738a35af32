/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include "base/buffer.h"
#include "base/error.h"
#include "base/text.h"
#include <stdbool.h>

/* A JSON document as a tree, for webhook bodies: they are small and come seldom. Nodes and texts
 * are borrowed and live as long as the tree. Every reader takes NULL for an absent node. */
struct json_tree;
struct json_node;

enum { JSON_TREE_BYTES = 32 << 20 };
/* A number that no machine type holds is the string of its digits. SYNTAX with line and column;
 * LIMIT beyond depth 56 or JSON_TREE_BYTES of tree, before a tree is built; NOMEM. Any value at the
 * top. */
NODISCARD enum status json_tree_parse(struct text source, struct json_tree **out,
                                      struct error *err);
void json_tree_free(struct json_tree *t);
AUTO_DEFINE(json_tree);
const struct json_node *json_tree_root(const struct json_tree *t);

/* An object's member, or NULL. */
const struct json_node *json_tree_get(const struct json_node *object, const char *name);
bool json_tree_is_object(const struct json_node *n);
bool json_tree_is_array(const struct json_node *n);
bool json_tree_is_null(const struct json_node *n);
/* Items of an array or members of an object. */
size_t json_tree_count(const struct json_node *n);
const struct json_node *json_tree_item(const struct json_node *array, size_t i);
/* A string's bytes; empty for everything else. */
struct text json_tree_text(const struct json_node *n);
static inline struct text json_tree_member(const struct json_node *object, const char *name)
{
    return json_tree_text(json_tree_get(object, name));
}
bool json_tree_int(const struct json_node *n, int64_t *out);
/* Calls `each` for every member of an object, in its order. */
void json_tree_each(const struct json_node *object,
                    void (*each)(void *context, struct text name, const struct json_node *value),
                    void *context);
/* Compact JSON of the node behind what `out` holds; no comma of its own. */
void json_tree_write(const struct json_node *n, struct buffer *out);
