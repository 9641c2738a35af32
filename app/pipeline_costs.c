/* SPDX-License-Identifier: Apache-2.0 */
#include "app/pipeline_costs.h"
#include "app/stages.h"
#include "base/timestamp.h"
#include <stdlib.h>

/* Rulesets hold their rules in order of their keys, then their correlations in that order. */
struct side {
    const struct rule *const *rules;
    uint32_t count, relations; /* of these, where the correlations begin */
};

static struct side side_of(const struct ruleset *ruleset)
{
    struct side s = {.count = 0};
    s.rules = ruleset_rules(ruleset, &s.count);
    while (s.relations < s.count && s.rules[s.relations]->kind == RULE_DETECTION)
        s.relations++;
    return s;
}

/* Where a rule of another ruleset stands; UINT32_MAX: it has none of that key. */
static uint32_t place_of(const struct side *s, const struct rule *rule)
{
    bool is_relation = rule->kind != RULE_DETECTION;
    uint32_t low = is_relation ? s->relations : 0;
    uint32_t high = is_relation ? s->count : s->relations;
    while (low < high) {
        uint32_t middle = low + (high - low) / 2;
        int order = text_compare(s->rules[middle]->key, rule->key);
        if (!order)
            return middle;
        if (order < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return UINT32_MAX;
}

/* ---- costs ---- */

static void add_worker(struct worker *w, const struct side *to, struct rule_cost *out)
{
    uint32_t known = 0;
    (void)pthread_mutex_lock(&w->snapshot);
    const struct rule_cost *costs = w->matcher ? matcher_costs(w->matcher, &known) : NULL;
    const struct side from = known ? side_of(w->ruleset) : (struct side){.count = 0};
    for (uint32_t i = 0; i < from.count && i < known; i++) {
        uint32_t at = place_of(to, from.rules[i]);
        if (at == UINT32_MAX)
            continue;
        out[at].evaluated += costs[i].evaluated;
        out[at].matched += costs[i].matched;
        out[at].limits += costs[i].limits;
        out[at].ns += costs[i].ns;
    }
    (void)pthread_mutex_unlock(&w->snapshot);
}

static void add_shard(struct shard_thread *s, const struct side *to, struct rule_cost *out)
{
    uint32_t known = 0;
    (void)pthread_mutex_lock(&s->snapshot);
    const struct correlation *all = ruleset_correlations(s->ruleset, &known);
    struct shard_cost *costs = calloc((size_t)known + 1, sizeof *costs);
    if (costs)
        shard_add_costs(s->shard, costs, known);
    for (uint32_t i = 0; costs && i < known; i++) {
        uint32_t at = place_of(to, all[i].rule);
        if (at == UINT32_MAX)
            continue;
        out[at].evaluated += costs[i].evaluated;
        out[at].matched += costs[i].matched;
        out[at].limits += costs[i].limits;
        out[at].ns += costs[i].ns;
    }
    (void)pthread_mutex_unlock(&s->snapshot);
    free(costs);
}

void pipeline_costs(const struct pipeline *p, const struct ruleset *ruleset, struct rule_cost *out)
{
    const struct side to = side_of(ruleset);
    for (uint32_t i = 0; i < to.count; i++)
        out[i] = (struct rule_cost){0};
    for (uint32_t i = 0; i < p->options.workers; i++)
        add_worker(&p->workers[i], &to, out);
    for (uint32_t i = 0; i < p->options.shards; i++)
        add_shard(&p->shards[i], &to, out);
}

/* ---- what fired ---- */

/* The places of the rules of this ruleset; what is unchanged goes on counting. */
static bool follow(struct pipeline_firings *f, struct ruleset *ruleset)
{
    if (f->ruleset == ruleset)
        return true;
    const struct side to = side_of(ruleset);
    struct pipeline_firing *items = calloc((size_t)to.count + 1, sizeof *items);
    if (!items)
        return false;
    for (uint32_t i = 0; i < to.count; i++)
        items[i].last_us = TIMESTAMP_NONE;
    const struct side from = f->ruleset ? side_of(f->ruleset) : (struct side){.count = 0};
    for (uint32_t i = 0; i < from.count; i++) {
        uint32_t at = place_of(&to, from.rules[i]);
        if (at != UINT32_MAX && hash_equal(to.rules[at]->content, from.rules[i]->content))
            items[at] = f->items[i];
    }
    free(f->items);
    ruleset_unref(f->ruleset);
    f->items = items;
    f->ruleset = ruleset_ref(ruleset);
    return true;
}

void pipeline_costs_fired(struct pipeline_firings *f, struct ruleset *ruleset,
                          struct detection *const *detections, uint32_t count)
{
    (void)pthread_mutex_lock(&f->lock);
    bool is_known = follow(f, ruleset);
    const struct side to = is_known && count ? side_of(ruleset) : (struct side){.count = 0};
    for (uint32_t i = 0; is_known && i < count; i++) {
        const struct detection *d = detections[i];
        uint32_t at = d->rule->index < to.count && to.rules[d->rule->index] == d->rule
                          ? d->rule->index
                          : place_of(&to, d->rule);
        if (at == UINT32_MAX)
            continue;
        f->items[at].fired++;
        if (f->items[at].last_us == TIMESTAMP_NONE || f->items[at].last_us < d->event_us)
            f->items[at].last_us = d->event_us;
    }
    (void)pthread_mutex_unlock(&f->lock);
}

void pipeline_costs_firings(struct pipeline *p, const struct ruleset *ruleset,
                            struct pipeline_firing *out)
{
    struct pipeline_firings *f = &p->firings;
    const struct side to = side_of(ruleset);
    for (uint32_t i = 0; i < to.count; i++)
        out[i] = (struct pipeline_firing){.last_us = TIMESTAMP_NONE};
    (void)pthread_mutex_lock(&f->lock);
    const struct side from = f->ruleset ? side_of(f->ruleset) : (struct side){.count = 0};
    for (uint32_t i = 0; i < from.count; i++) {
        uint32_t at = place_of(&to, from.rules[i]);
        if (at != UINT32_MAX)
            out[at] = f->items[i];
    }
    (void)pthread_mutex_unlock(&f->lock);
}
