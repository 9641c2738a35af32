/* SPDX-License-Identifier: Apache-2.0 */
#include "rules/read/draft.h"

bool draft_is_named(const struct rule *rule, const struct draft_labels *written, struct text label)
{
    return text_equal(rule->id, label) || text_equal(rule->name, label) ||
           text_equal(written->id, label) || text_equal(written->name, label);
}

static bool says(const struct yaml_node *root, const char *key, struct text label)
{
    const struct yaml_node *node = yaml_get(root, text_of(key));
    return node && node->kind == YAML_SCALAR && text_equal(node->value, label);
}

bool draft_is_same(const struct draft *d, struct text one, struct text other)
{
    bool is_same = text_equal(one, other);
    for (uint32_t i = 0; i < d->documents->count && !is_same; i++) {
        const struct yaml_node *root = d->documents->items[i].root;
        is_same = (says(root, "id", one) && says(root, "name", other)) ||
                  (says(root, "name", one) && says(root, "id", other));
    }
    return is_same;
}

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
