/* SPDX-License-Identifier: Apache-2.0 */
#include "correlator/chain.h"
#include <stdlib.h>

bool chain_reserve_work(struct shard *s)
{
    if (s->work_count < s->work_max)
        return true;
    uint32_t max = s->work_max ? s->work_max * 2 : 1024;
    struct work *grown = realloc(s->work, max * sizeof *grown);
    if (!grown)
        return false;
    s->work = grown;
    s->work_max = max;
    return true;
}

/* The detection's group values in the child's order; NULL where one is missing, or no room. */
static const struct text *pick(const struct detection *d, const uint8_t *from, uint32_t count,
                               struct arena *arena)
{
    struct text *values = arena_alloc(arena, (count + 1) * sizeof *values);
    for (uint32_t i = 0; values && i < count; i++) {
        if (from[i] >= d->subject->group_count)
            return NULL;
        values[i] = d->subject->group[from[i]];
    }
    return values;
}

static void set_value(struct feed *f, const struct detection *d, const struct chain_link *link,
                      const struct correlation *child, struct arena *arena)
{
    f->has_value = true;
    if (!child->value_count)
        return;
    const struct text *values = pick(d, link->value_from, child->value_count, arena);
    f->has_value = values != NULL;
    if (!values)
        return;
    if (child->type == CORRELATION_VALUE_COUNT)
        f->distinct = correlation_distinct(values, child->value_count);
    else
        f->has_value = fixed_parse(values[0], &f->number);
}

static struct feed *feed_of(const struct detection *d, const struct chain_link *link,
                            const struct correlation *child, struct arena *arena)
{
    const struct text *group = pick(d, link->group_from, child->group_count, arena);
    struct feed *f = arena_zero(arena, sizeof *f);
    struct subject *subject = arena_alloc(arena, sizeof *subject);
    if (!group || !f || !subject)
        return NULL;
    *subject = *d->subject;
    subject->group = group;
    subject->group_count = child->group_count;
    f->correlation = child;
    f->input = link->input;
    f->key = correlation_key(child, group, child->group_count);
    f->event_us = d->event_us;
    f->position = d->position;
    f->released = d->released;
    f->turn = d->turn;
    f->record = d->record;
    f->subject = subject;
    set_value(f, d, link, child, arena);
    return f;
}

static void feed_links(struct shard *s, const struct detection *d, const struct correlation *c,
                       uint32_t depth, struct arena *arena)
{
    for (uint32_t i = 0; i < c->link_count; i++) {
        const struct chain_link *link = &c->links[i];
        const struct correlation *child = &s->correlations[link->correlation];
        if (child->depth != depth)
            continue;
        struct feed *f = feed_of(d, link, child, arena);
        if (!f || correlation_bucket(f->key) % s->count != s->index)
            continue;
        if (!chain_reserve_work(s)) {
            counter_add(&s->counters.refused, 1);
            continue;
        }
        s->work[s->work_count++] = (struct work){f, child->index, d};
    }
}

void chain_feed(struct shard *s, const struct shard_reply *lower, uint32_t depth,
                struct arena *arena)
{
    for (uint32_t i = 0; i < lower->count; i++) {
        const struct detection *d = lower->detections[i];
        if (d->is_renewal || d->rule->index >= s->by_rule_count || !s->by_rule[d->rule->index])
            continue;
        feed_links(s, d, &s->correlations[s->by_rule[d->rule->index] - 1], depth, arena);
    }
}
