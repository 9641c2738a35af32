/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include "base/arena.h"
#include "base/buffer.h"
#include "base/error.h"
#include "base/text.h"
#include <stdbool.h>
#include <stdint.h>

/* JSON read into a plain tree: stored documents, commands, alerts. Cold paths only. The one
 * adapter of jansson. */
enum tree_kind { TREE_NOTHING, TREE_BOOL, TREE_WHOLE, TREE_REAL, TREE_TEXT, TREE_LIST, TREE_MAP };

struct doc_tree {
    enum tree_kind kind;
    struct text name; /* as a member of a map */
    struct text text;
    int64_t whole;
    double real; /* of TREE_WHOLE too */
    bool is_true;
    const struct doc_tree *items;
    uint32_t count;
};

/* Everything lives in `arena`. SYNTAX with line and column; duplicate keys are refused. */
NODISCARD enum status doc_tree_parse(struct text source, struct arena *arena, struct doc_tree *out,
                                     struct error *err);
/* A map's member; an empty TREE_NOTHING where there is none. */
const struct doc_tree *doc_tree_get(const struct doc_tree *map, const char *name);
/* Members by type, with what stands for a missing one or another type. */
struct text doc_tree_text(const struct doc_tree *map, const char *name);
int64_t doc_tree_whole(const struct doc_tree *map, const char *name, int64_t fallback);
double doc_tree_real(const struct doc_tree *map, const char *name, double fallback);
bool doc_tree_bool(const struct doc_tree *map, const char *name);
/* RFC 3339, or TIMESTAMP_NONE. */
int64_t doc_tree_time(const struct doc_tree *map, const char *name);
/* The value as compact JSON again. */
void doc_tree_write(const struct doc_tree *t, const char *name, struct buffer *out);
/* The items of a list as JSON with commas between, without the brackets. */
void doc_tree_write_items(const struct doc_tree *list, struct buffer *out);
