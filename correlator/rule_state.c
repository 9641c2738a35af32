/* SPDX-License-Identifier: Apache-2.0 */
#include "correlator/rule_state.h"
#include "correlator/window_condition.h"
#include <stdlib.h>

/* A window is forgotten this much later than its last event leaves it: a sender that delivers in
 * bundles is still one story. */
static const int64_t idle_grace_us = INT64_C(300) * 1000 * 1000;
/* Groups whose silence was reported are forgotten, and no longer renewed, after this. */
static const int64_t silent_remember_us = INT64_C(7) * 86400 * 1000 * 1000;

struct layout {
    enum window_kind kind;
    uint32_t most; /* ceiling of entries */
};

static struct layout layout_of(const struct correlation *c)
{
    static const struct layout layouts[] = {
        [CORRELATION_EVENT_COUNT] = {WINDOW_COUNT, RULE_STATE_EVENTS},
        [CORRELATION_VALUE_COUNT] = {WINDOW_VALUE, RULE_STATE_VALUES},
        [CORRELATION_TEMPORAL] = {WINDOW_INPUT, CORRELATION_INPUTS},
        [CORRELATION_TEMPORAL_ORDERED] = {WINDOW_ORDERED, 0},
        [CORRELATION_VALUE_SUM] = {WINDOW_SUM, RULE_STATE_NUMBERS},
        [CORRELATION_VALUE_AVG] = {WINDOW_SUM, RULE_STATE_NUMBERS},
        [CORRELATION_VALUE_PERCENTILE] = {WINDOW_RANK, RULE_STATE_RANKS},
        [CORRELATION_VALUE_MEDIAN] = {WINDOW_RANK, RULE_STATE_RANKS},
    };
    if (c->is_absence)
        return (struct layout){WINDOW_SUBJECT, 1};
    return layouts[c->type];
}

/* Counts beyond what the bounds can tell apart are not kept, but enough for evidence is. */
static enum status retained(const struct correlation *c, struct layout layout, uint32_t *out,
                            struct error *err)
{
    *out = layout.most;
    if (layout.kind != WINDOW_COUNT && layout.kind != WINDOW_VALUE)
        return STATUS_OK;
    uint64_t needed = window_condition_needed(c);
    if (needed > layout.most)
        return error_set(err, STATUS_LIMIT, c->rule->line,
                         "a threshold of more than %u in one window is not supported",
                         (unsigned)layout.most);
    *out = needed > DETECTION_EVIDENCE ? (uint32_t)needed : DETECTION_EVIDENCE;
    return STATUS_OK;
}

static int64_t idle_after(const struct correlation *c)
{
    int64_t idle = c->timespan_us + idle_grace_us;
    if (c->is_absence)
        return silent_remember_us;
    return c->first_seen_remember_us > idle ? c->first_seen_remember_us : idle;
}

enum status rule_state_init(struct rule_state *r, const struct correlation *c, uint32_t shards,
                            struct error *err)
{
    struct layout layout = layout_of(c);
    uint32_t retain = 0;
    enum status status = retained(c, layout, &retain, err);
    if (status)
        return status;
    struct succession *ways = NULL;
    uint32_t way_count = 0;
    if (layout.kind == WINDOW_ORDERED)
        status = window_condition_ways(c, &ways, &way_count, err);
    if (status)
        return status;
    if (layout.kind == WINDOW_ORDERED)
        retain = succession_retain(ways, way_count);
    uint32_t groups = c->max_groups / shards + (c->max_groups % shards != 0);
    *r = (struct rule_state){
        .correlation = c,
        .content = c->rule->content,
        .shape = window_shape_of(layout.kind, retain),
        .touched = {WINDOW_NONE, WINDOW_NONE},
        .silent = {WINDOW_NONE, WINDOW_NONE},
        .group_max = groups ? groups : 1,
        .idle_us = idle_after(c),
        .since_us = INT64_MIN,
        .ways = ways,
        .way_count = way_count,
    };
    return STATUS_OK;
}

void rule_state_fini(struct rule_state *r)
{
    free(r->ways);
    r->ways = NULL;
}
