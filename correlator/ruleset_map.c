/* SPDX-License-Identifier: Apache-2.0 */
#include "correlator/ruleset_map.h"
#include "correlator/rule_state.h"
#include "correlator/window_lru.h"
#include <stdlib.h>

static void free_rules(struct rule_state *rules, uint32_t count)
{
    for (uint32_t i = 0; rules && i < count; i++)
        rule_state_fini(&rules[i]);
    free(rules);
}

void ruleset_map_fini(struct shard *s)
{
    free_rules(s->rules, s->rule_count);
    free(s->by_rule);
}

uint32_t ruleset_map_find_content(const struct shard *s, struct hash128 content)
{
    for (uint32_t i = 0; i < s->rule_count; i++)
        if (hash_equal(s->rules[i].content, content))
            return i;
    return WINDOW_NONE;
}

uint32_t ruleset_map_find(const struct shard *s, const struct correlation *c)
{
    uint32_t index = c->index;
    if (index < s->rule_count && c == &s->correlations[index])
        return index;
    struct hash128 content = c->rule->content;
    if (index < s->rule_count && hash_equal(s->rules[index].content, content))
        return index;
    return ruleset_map_find_content(s, content);
}

static enum status make_rules(const struct correlation *correlations, uint32_t count,
                              uint32_t shards, struct rule_state **out, struct error *err)
{
    if (count > UINT16_MAX)
        return error_set(err, STATUS_LIMIT, 0, "more than %d correlations", UINT16_MAX);
    struct rule_state *rules = calloc(count + 1, sizeof *rules);
    if (!rules)
        return error_set(err, STATUS_NOMEM, 0, "no memory for %u correlations", (unsigned)count);
    for (uint32_t i = 0; i < count; i++) {
        enum status status = rule_state_init(&rules[i], &correlations[i], shards, err);
        if (status) {
            free_rules(rules, i);
            (void)error_prefix(err, "%.*s", TEXT_ARG(correlations[i].rule->key));
            return status;
        }
    }
    *out = rules;
    return STATUS_OK;
}

enum status ruleset_map_check(const struct correlation *correlations, uint32_t count,
                              struct error *err)
{
    struct rule_state *rules = NULL;
    enum status status = make_rules(correlations, count, 1, &rules, err);
    free_rules(rules, status ? 0 : count);
    return status;
}

static uint32_t *map_rules(const struct correlation *correlations, uint32_t count,
                           uint32_t *out_count)
{
    uint32_t most = 0;
    for (uint32_t i = 0; i < count; i++)
        if (correlations[i].rule->index > most)
            most = correlations[i].rule->index;
    uint32_t *map = calloc((size_t)most + 1, sizeof *map);
    for (uint32_t i = 0; map && i < count; i++)
        map[correlations[i].rule->index] = i + 1;
    *out_count = most + 1;
    return map;
}

/* Lists, counts and dates move over to the rules of equal content. */
static void inherit(struct shard *s, struct rule_state *rules, uint32_t count)
{
    for (uint32_t i = 0; i < s->rule_count; i++) {
        struct rule_state *old = &s->rules[i];
        uint32_t to = WINDOW_NONE;
        for (uint32_t j = 0; j < count && to == WINDOW_NONE; j++)
            if (hash_equal(rules[j].content, old->content) &&
                rules[j].shape.kind == old->shape.kind)
                to = j;
        if (to == WINDOW_NONE) {
            while (old->touched.oldest != WINDOW_NONE)
                window_lru_forget(s, old->touched.oldest);
            while (old->silent.oldest != WINDOW_NONE)
                window_lru_forget(s, old->silent.oldest);
            continue;
        }
        uint32_t heads[] = {old->touched.oldest, old->silent.oldest};
        for (uint32_t h = 0; h < 2; h++)
            for (uint32_t n = heads[h]; n != WINDOW_NONE; n = window_store_at(&s->store, n)->newer)
                window_store_at(&s->store, n)->rule = (uint16_t)to;
        rules[to].touched = old->touched;
        rules[to].silent = old->silent;
        rules[to].group_count = old->group_count;
        rules[to].since_us = old->since_us;
        rules[to].cost = old->cost;
    }
}

enum status ruleset_map_set(struct shard *s, const struct correlation *correlations, uint32_t count,
                            struct error *err)
{
    struct rule_state *rules = NULL;
    enum status status = make_rules(correlations, count, s->count, &rules, err);
    if (status)
        return status;
    uint32_t by_rule_count = 0;
    uint32_t *by_rule = map_rules(correlations, count, &by_rule_count);
    if (!by_rule) {
        free_rules(rules, count);
        return error_set(err, STATUS_NOMEM, 0, "no memory for %u correlations", (unsigned)count);
    }
    inherit(s, rules, count);
    ruleset_map_fini(s);
    s->rules = rules;
    s->rule_count = count;
    s->by_rule = by_rule;
    s->by_rule_count = by_rule_count;
    s->correlations = correlations;
    s->depth = count ? 1 : 0;
    s->has_fresh = false;
    s->has_absence = false;
    for (uint32_t i = 0; i < count; i++) {
        s->depth = correlations[i].depth > s->depth ? correlations[i].depth : s->depth;
        s->has_fresh = s->has_fresh || rules[i].since_us == INT64_MIN;
        s->has_absence = s->has_absence || rules[i].shape.kind == WINDOW_SUBJECT;
    }
    return STATUS_OK;
}
