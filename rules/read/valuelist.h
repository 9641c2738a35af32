/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include "base/arena.h"
#include "base/error.h"
#include "base/hash.h"
#include "base/text.h"
#include <stdbool.h>
#include <stdint.h>

/* The files lists/<name>.txt behind the placeholders of `expand`: one value a line; empty lines and
 * lines that begin with # are left out. Views live in the arena they were read into. */

struct valuelist {
    struct text name; /* the file's name without .txt */
    const struct text *values;
    uint32_t count;
};
struct valuelists {
    const struct valuelist *items; /* sorted by name */
    uint32_t count;
    struct hash128 content;
};
/* `folder` may be NULL: no lists. IO where it cannot be read. */
NODISCARD enum status valuelist_load(const char *folder, struct arena *arena,
                                     struct valuelists *out, struct error *err);
/* Names compare without case. NULL: there is none. */
const struct valuelist *valuelist_find(const struct valuelists *lists, struct text name);
