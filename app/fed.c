/* SPDX-License-Identifier: Apache-2.0 */
#include "app/fed.h"
#include "base/json_write.h"

void fed_init(struct fed *f)
{
    f->count = 0;
    f->is_cut = false;
    arena_init(&f->arena, 64 << 20);
}

void fed_fini(struct fed *f)
{
    arena_fini(&f->arena);
}

/* What was held knows its correlation by content alone, for rules may change meanwhile. */
static const struct correlation *correlation_of(const struct ruleset *r, const struct feed *f)
{
    uint32_t count = 0;
    const struct correlation *all = ruleset_correlations(r, &count);
    for (uint32_t i = 0; i < count; i++)
        if (hash_equal(all[i].rule->content, f->correlation->rule->content))
            return &all[i];
    return NULL;
}

static struct text group_of(struct arena *arena, const struct correlation *c, const struct feed *f)
{
    struct buffer json;
    buffer_init(&json, 1 << 20);
    json_write_open(&json, NULL, '{');
    for (uint32_t i = 0; f->subject && i < f->subject->group_count; i++)
        json_write_named_string(&json, c->rule->group[i], f->subject->group[i]);
    json_write_close(&json, '}');
    struct text kept = arena_copy(arena, buffer_text(&json));
    buffer_fini(&json);
    return kept.at ? kept : TEXT("{}");
}

static void note(struct fed *fed, const struct ruleset *ruleset, const struct feed *feeds,
                 uint32_t count, const struct rule *only)
{
    for (uint32_t i = 0; i < count; i++) {
        const struct feed *f = &feeds[i];
        uint32_t k = 0;
        while (k < fed->count && !hash_equal(fed->windows[k].key, f->key))
            k++;
        const struct correlation *c = k < fed->count ? NULL : correlation_of(ruleset, f);
        if (!c || (only && c->rule != only))
            continue;
        fed->is_cut |= k == FED_MAX;
        if (k < FED_MAX)
            fed->windows[fed->count++] =
                (struct fed_window){f->key, c, group_of(&fed->arena, c, f)};
    }
}

void fed_note(struct fed *f, const struct batch *b, const struct rule *only)
{
    note(f, b->ruleset, b->feeds, b->feed_count, only);
    note(f, b->ruleset, b->released, b->released_count, only); /* what lateness held back */
}

void fed_write(const struct fed_window *w, const struct pipeline *p, struct buffer *out)
{
    struct buffer window;
    buffer_init(&window, 16 << 20);
    shard_explain(pipeline_shard(p, 0), w->correlation, w->key, &window);
    buffer_clear(out);
    if (window.len) {
        buffer_printf(out, "{\"group\":%.*s,", TEXT_ARG(w->group));
        buffer_append(out, text_skip(buffer_text(&window), 1));
    }
    buffer_fini(&window);
}
