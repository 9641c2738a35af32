/* SPDX-License-Identifier: Apache-2.0 */
#include "rules/read/draft.h"

bool draft_show(struct draft *d, struct rule_draft *c, const char *what, struct text why,
                struct term term)
{
    struct arena *arena = d->compiler.arena;
    size_t len = strlen(what);
    struct named_term *all =
        arena_alloc(arena, ((size_t)c->frozen.selection_count + 1) * sizeof *all);
    char *name = arena_bytes(arena, len + 2 + why.len);
    if (!all || !name)
        return false;
    memcpy(name, what, len);
    memcpy(name + len, ": ", 2);
    if (why.len)
        memcpy(name + len + 2, why.at, why.len);
    if (c->frozen.selection_count)
        memcpy(all, c->frozen.selections, c->frozen.selection_count * sizeof *all);
    all[c->frozen.selection_count] =
        (struct named_term){.name = {name, len + 2 + why.len}, .term = term, .is_used = true};
    c->frozen.selections = all;
    c->frozen.selection_count++;
    return true;
}
