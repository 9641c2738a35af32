/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include "tests/support/feeds.h"

/*
 * The firing rules once more, as plainly as they can be said: every window keeps all its events,
 * every evaluation looks at all of them. What the shards do is measured by this. Lateness 0, no
 * chains, no absence.
 */

enum { NAIVE_EVENTS = 4096, NAIVE_GROUPS = 32 };

struct naive_event {
    int64_t event_us;
    uint64_t position;
    uint32_t input;
    char value[FEEDS_TEXT];
    fixed128 number;
};
struct naive_window {
    char group[FEEDS_TEXT];
    struct naive_event events[NAIVE_EVENTS];
    uint32_t count;
    int64_t newest_us, touched_us, fired_us;
    bool is_open, was_true;
};
struct naive {
    const struct feeds_rules *rules;
    struct naive_window *windows; /* FEEDS_RULES x NAIVE_GROUPS */
    struct buffer out;
    uint64_t late;
};

static inline void naive_open(struct naive *n, const struct feeds_rules *rules)
{
    *n = (struct naive){.rules = rules};
    n->windows = calloc((size_t)FEEDS_RULES * NAIVE_GROUPS, sizeof *n->windows);
    buffer_init(&n->out, 1 << 30);
    assert(n->windows);
}

static inline void naive_close(struct naive *n)
{
    free(n->windows);
    buffer_fini(&n->out);
}

static inline struct naive_window *naive_window(struct naive *n, const struct feeds_one *one)
{
    struct naive_window *w = &n->windows[(size_t)one->correlation * NAIVE_GROUPS];
    while (w->group[0] && strcmp(w->group, one->group) != 0)
        w++;
    if (!w->group[0]) {
        memcpy(w->group, one->group, FEEDS_TEXT);
        w->newest_us = INT64_MIN;
    }
    return w;
}

static inline bool naive_compare(const struct bound *b, fixed128 a)
{
    switch (b->operator) {
    case BOUND_LT:
        return a < b->than;
    case BOUND_LTE:
        return a <= b->than;
    case BOUND_GT:
        return a > b->than;
    case BOUND_GTE:
        return a >= b->than;
    case BOUND_EQ:
        return a == b->than;
    case BOUND_NEQ:
        return a != b->than;
    }
    return false;
}

/* numerator / denominator against every bound. */
static inline bool naive_bounds(const struct correlation *c, fixed128 numerator,
                                fixed128 denominator)
{
    for (uint32_t i = 0; i < c->bound_count; i++) {
        struct bound b = {c->bounds[i].operator, c->bounds[i].than * denominator };
        if (!naive_compare(&b, numerator))
            return false;
    }
    return true;
}

static inline int naive_by_number(const void *a, const void *b)
{
    fixed128 x = *(const fixed128 *)a;
    fixed128 y = *(const fixed128 *)b;
    return x < y ? -1 : x > y;
}

static inline uint32_t naive_distinct(const struct naive_window *w)
{
    uint32_t count = 0;
    for (uint32_t i = 0; i < w->count; i++) {
        bool is_first = true;
        for (uint32_t j = 0; j < i; j++)
            is_first = is_first && strcmp(w->events[i].value, w->events[j].value) != 0;
        count += is_first;
    }
    return count;
}

static inline uint32_t naive_events(const struct naive_window *w)
{
    uint32_t count = 0;
    for (uint32_t i = 0; i < w->count; i++) {
        bool is_first = true;
        for (uint32_t j = 0; j < i; j++)
            is_first = is_first && w->events[i].position != w->events[j].position;
        count += is_first;
    }
    return count;
}

static inline bool naive_has(const struct naive_window *w, uint32_t input)
{
    for (uint32_t i = 0; i < w->count; i++)
        if (w->events[i].input == input)
            return true;
    return false;
}

/* Earliest event of that input at or after `from`; INT64_MAX: none. */
static inline int64_t naive_after(const struct naive_window *w, uint32_t input, int64_t from)
{
    int64_t best = INT64_MAX;
    for (uint32_t i = 0; i < w->count; i++)
        if (w->events[i].input == input && w->events[i].event_us >= from &&
            w->events[i].event_us < best)
            best = w->events[i].event_us;
    return best;
}

/* The inputs of `mask` one after the other. */
static inline bool naive_chain(const struct naive_window *w, uint64_t mask)
{
    int64_t at = INT64_MIN;
    for (uint32_t i = 0; i < CORRELATION_INPUTS; i++)
        if (mask >> i & 1)
            at = at == INT64_MAX ? at : naive_after(w, i, at);
    return at != INT64_MAX;
}

static inline bool naive_steps(const struct correlation *c, uint64_t present)
{
    bool stack[64];
    uint32_t top = 0;
    for (uint32_t i = 0; i < c->step_count; i++) {
        enum step_kind kind = c->steps[i].kind;
        if (kind == STEP_INPUT) {
            stack[top++] = present >> c->steps[i].input & 1;
        } else if (kind == STEP_NOT) {
            stack[top - 1] = !stack[top - 1];
        } else {
            top--;
            stack[top - 1] =
                kind == STEP_AND ? stack[top - 1] && stack[top] : stack[top - 1] || stack[top];
        }
    }
    return stack[0];
}

static inline uint64_t naive_present(const struct correlation *c, const struct naive_window *w)
{
    uint64_t present = 0;
    for (uint32_t i = 0; i < c->input_count; i++)
        present |= (uint64_t)naive_has(w, i) << i;
    return present;
}

static inline uint32_t naive_bits(uint64_t mask)
{
    return (uint32_t)__builtin_popcountll(mask);
}

/* Ordered: some set of inputs stands in order, and the condition is true where exactly those are
 * said to be there and the others only where they are truly absent. */
static inline bool naive_ordered(const struct correlation *c, const struct naive_window *w)
{
    uint64_t present = naive_present(c, w);
    uint64_t all = (UINT64_C(1) << c->input_count) - 1;
    uint32_t longest = 0;
    for (uint64_t chosen = 0; chosen <= all; chosen++) {
        if ((chosen & ~present) || !naive_chain(w, chosen))
            continue;
        longest = naive_bits(chosen) > longest ? naive_bits(chosen) : longest;
        if (!c->step_count)
            continue;
        /* an input under an odd number of nots reads `present`, else `chosen`: tried by letting
         * each stay in either role; the conditions of the tests name each input once */
        uint64_t negated = 0;
        for (uint32_t i = 0; i + 1 < c->step_count; i++)
            if (c->steps[i].kind == STEP_INPUT && c->steps[i + 1].kind == STEP_NOT)
                negated |= UINT64_C(1) << c->steps[i].input;
        if (naive_steps(c, (chosen & ~negated) | (present & negated)))
            return true;
    }
    if (c->step_count)
        return false;
    return c->bound_count ? naive_bounds(c, (fixed128)longest * FIXED_ONE, 1)
                          : longest == c->input_count;
}

static inline bool naive_numbers(const struct correlation *c, const struct naive_window *w)
{
    fixed128 numbers[NAIVE_EVENTS];
    fixed128 sum = 0;
    for (uint32_t i = 0; i < w->count; i++) {
        numbers[i] = w->events[i].number;
        sum += numbers[i];
    }
    if (c->type == CORRELATION_VALUE_SUM)
        return naive_bounds(c, sum, 1);
    if (c->type == CORRELATION_VALUE_AVG)
        return naive_bounds(c, sum, w->count);
    qsort(numbers, w->count, sizeof *numbers, naive_by_number);
    if (c->type == CORRELATION_VALUE_MEDIAN)
        return naive_bounds(c, numbers[(w->count - 1) / 2] + numbers[w->count / 2], 2);
    uint32_t rank = 1;
    while ((double)rank * 100 < c->percentile * w->count)
        rank++;
    return naive_bounds(c, numbers[rank - 1], 1);
}

static inline bool naive_holds(const struct correlation *c, const struct naive_window *w)
{
    switch (c->type) {
    case CORRELATION_EVENT_COUNT:
        return naive_bounds(c, (fixed128)naive_events(w) * FIXED_ONE, 1);
    case CORRELATION_VALUE_COUNT:
        return naive_bounds(c, (fixed128)naive_distinct(w) * FIXED_ONE, 1);
    case CORRELATION_TEMPORAL:
        if (c->step_count)
            return naive_steps(c, naive_present(c, w));
        if (c->bound_count)
            return naive_bounds(c, (fixed128)naive_bits(naive_present(c, w)) * FIXED_ONE, 1);
        return naive_bits(naive_present(c, w)) == c->input_count;
    case CORRELATION_TEMPORAL_ORDERED:
        return naive_ordered(c, w);
    case CORRELATION_VALUE_SUM:
    case CORRELATION_VALUE_AVG:
    case CORRELATION_VALUE_PERCENTILE:
    case CORRELATION_VALUE_MEDIAN:
        return naive_numbers(c, w);
    }
    return false;
}

static inline void naive_prune(struct naive_window *w, int64_t cutoff_us)
{
    uint32_t kept = 0;
    for (uint32_t i = 0; i < w->count; i++)
        if (w->events[i].event_us >= cutoff_us)
            w->events[kept++] = w->events[i];
    w->count = kept;
}

static inline void naive_fire(struct naive *n, const struct feeds_one *one, int64_t event_us,
                              bool is_renewal)
{
    buffer_printf(&n->out, "%s %s @%lld%s\n", n->rules->names[one->correlation], one->group,
                  (long long)event_us, is_renewal ? " again" : "");
}

static inline void naive_decide(struct naive *n, struct naive_window *w,
                                const struct feeds_one *one, int64_t event_us)
{
    const struct correlation *c = &n->rules->correlations[one->correlation];
    bool was_true = w->was_true;
    w->was_true = naive_holds(c, w);
    if (!w->was_true)
        return;
    bool is_renewal = c->fire == FIRE_EDGE && was_true;
    if (is_renewal &&
        (c->renew_us <= 0 || event_us / 1000000 - w->fired_us / 1000000 < c->renew_us / 1000000))
        return;
    naive_fire(n, one, event_us, is_renewal);
    w->fired_us = event_us;
    if (c->fire == FIRE_CONSUME)
        w->count = 0;
}

/* One event: all that it feeds, then one evaluation per window. */
static inline void naive_push(struct naive *n, const struct feeds_event *e, uint64_t position)
{
    enum { IDLE_GRACE_S = 300 };
    bool is_due[FEEDS_PER_EVENT] = {false};
    for (uint32_t i = 0; i < e->count; i++) {
        const struct feeds_one *one = &e->feeds[i];
        const struct correlation *c = &n->rules->correlations[one->correlation];
        struct naive_window *w = naive_window(n, one);
        struct naive_event event = {e->event_us, position, one->input, {0}, 0};
        memcpy(event.value, one->value, FEEDS_TEXT);
        bool has_value = c->type == CORRELATION_VALUE_COUNT ? one->value[0] != 0
                         : c->type < CORRELATION_VALUE_SUM
                             ? true
                             : fixed_parse(text_of(one->value), &event.number);
        if (!has_value)
            continue;
        int64_t idle_us = c->timespan_us + (int64_t)IDLE_GRACE_S * 1000000;
        if (w->is_open && e->journal_us - w->touched_us > idle_us) {
            w->count = 0;
            w->is_open = w->was_true = false;
            w->newest_us = INT64_MIN;
        }
        if (w->is_open && e->event_us < w->newest_us - c->timespan_us) {
            n->late++;
            continue;
        }
        w->is_open = true;
        w->touched_us = e->journal_us;
        if (e->event_us > w->newest_us) {
            w->newest_us = e->event_us;
            naive_prune(w, w->newest_us - c->timespan_us);
            if (!w->count)
                w->was_true = false;
        }
        bool counts_twice = c->type == CORRELATION_TEMPORAL ||
                            c->type == CORRELATION_TEMPORAL_ORDERED ||
                            c->type == CORRELATION_VALUE_COUNT;
        bool is_there = false;
        for (uint32_t j = 0; j < w->count && !counts_twice; j++)
            is_there = is_there || w->events[j].position == position;
        assert(w->count < NAIVE_EVENTS);
        if (!is_there)
            w->events[w->count++] = event;
        is_due[i] = true;
        for (uint32_t j = 0; j < i; j++)
            if (e->feeds[j].correlation == one->correlation &&
                strcmp(e->feeds[j].group, one->group) == 0)
                is_due[j] = false;
    }
    for (uint32_t i = 0; i < e->count; i++)
        if (is_due[i])
            naive_decide(n, naive_window(n, &e->feeds[i]), &e->feeds[i], e->event_us);
}
