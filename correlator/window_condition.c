/* SPDX-License-Identifier: Apache-2.0 */
#include "correlator/window_condition.h"
#include <stdlib.h>
#include <string.h>

enum { MOST_WAYS = 64 };

/* ---- bounds ---- */

static bool holds(enum bound_operator operator, int order)
{
    switch (operator) {
    case BOUND_LT:
        return order < 0;
    case BOUND_LTE:
        return order <= 0;
    case BOUND_GT:
        return order > 0;
    case BOUND_GTE:
        return order >= 0;
    case BOUND_EQ:
        return order == 0;
    case BOUND_NEQ:
        return order != 0;
    }
    return false;
}

static bool bounds_hold(const struct correlation *c, fixed128 value)
{
    for (uint32_t i = 0; i < c->bound_count; i++) {
        fixed128 than = c->bounds[i].than;
        int order = (value > than) - (value < than);
        if (!holds(c->bounds[i].operator, order))
            return false;
    }
    return true;
}

/* value_sum; with `count`, value_avg: sum / count against than is sum against than * count. */
static bool sum_holds(const struct correlation *c, const struct int192 *sum, uint32_t count)
{
    for (uint32_t i = 0; i < c->bound_count; i++) {
        struct int192 than = int192_times(c->bounds[i].than, count);
        if (!holds(c->bounds[i].operator, int192_compare(*sum, than)))
            return false;
    }
    return true;
}

uint64_t window_condition_needed(const struct correlation *c)
{
    uint64_t needed = 1;
    for (uint32_t i = 0; i < c->bound_count; i++) {
        fixed128 than = c->bounds[i].than / FIXED_ONE;
        if (than < 0)
            continue;
        uint64_t one = than < (fixed128)UINT32_MAX ? (uint64_t)than + 1 : UINT32_MAX;
        needed = one > needed ? one : needed;
    }
    return needed;
}

/* ---- ranks ---- */

/* Nearest rank: the smallest value that at least `percentile` of 100 values do not exceed. */
static fixed128 percentile_of(const fixed128 *sorted, uint32_t count, double percentile)
{
    const uint64_t scale = 100 * UINT64_C(1000000);
    uint64_t share = (uint64_t)(percentile * 1e6 + 0.5);
    uint64_t rank = (share * count + scale - 1) / scale;
    rank = rank > count ? count : rank;
    return sorted[rank ? rank - 1 : 0];
}

/* Between two middle values their mean, which may lie between two fixed128: so all is doubled. */
static fixed128 median_doubled(const fixed128 *sorted, uint32_t count)
{
    return sorted[(count - 1) / 2] + sorted[count / 2];
}

static bool median_holds(const struct correlation *c, const fixed128 *sorted, uint32_t count)
{
    fixed128 doubled = median_doubled(sorted, count);
    for (uint32_t i = 0; i < c->bound_count; i++) {
        fixed128 than = c->bounds[i].than * 2;
        int order = (doubled > than) - (doubled < than);
        if (!holds(c->bounds[i].operator, order))
            return false;
    }
    return true;
}

/* ---- inputs ---- */

static uint64_t present_inputs(const struct rule_state *r, const struct window *w)
{
    uint64_t present = 0;
    for (uint32_t i = 0; i < w->count; i++)
        present |= UINT64_C(1) << window_tag_input(window_at(w, &r->shape, i)->tag);
    return present;
}

static bool steps_hold(const struct correlation *c, uint64_t present)
{
    bool stack[CORRELATION_STEPS + 1];
    uint32_t top = 0;
    for (uint32_t i = 0; i < c->step_count; i++) {
        const struct step *step = &c->steps[i];
        switch (step->kind) {
        case STEP_INPUT:
            stack[top++] = present >> step->input & 1;
            break;
        case STEP_NOT:
            stack[top - 1] = !stack[top - 1];
            break;
        case STEP_AND:
            top--;
            stack[top - 1] = stack[top - 1] && stack[top];
            break;
        case STEP_OR:
            top--;
            stack[top - 1] = stack[top - 1] || stack[top];
            break;
        }
    }
    return top == 1 && stack[0];
}

static bool inputs_hold(const struct rule_state *r, const struct window *w)
{
    const struct correlation *c = r->correlation;
    if (c->step_count)
        return steps_hold(c, present_inputs(r, w));
    if (c->bound_count)
        return bounds_hold(c, (fixed128)w->count * FIXED_ONE);
    return w->count == c->input_count;
}

static bool order_holds(const struct rule_state *r, const struct window *w)
{
    for (uint32_t i = 0; i < r->way_count; i++)
        if (succession_holds(w, &r->shape, r->ways[i]))
            return true;
    if (r->way_count || !r->correlation->bound_count)
        return false;
    return bounds_hold(r->correlation, (fixed128)succession_longest(w, &r->shape) * FIXED_ONE);
}

bool window_condition_holds(const struct rule_state *r, const struct window *w)
{
    const struct correlation *c = r->correlation;
    if (!w->count)
        return false;
    switch (c->type) {
    case CORRELATION_EVENT_COUNT:
    case CORRELATION_VALUE_COUNT:
        return bounds_hold(c, (fixed128)w->count * FIXED_ONE);
    case CORRELATION_TEMPORAL:
        return inputs_hold(r, w);
    case CORRELATION_TEMPORAL_ORDERED:
        return order_holds(r, w);
    case CORRELATION_VALUE_SUM:
        return sum_holds(c, window_sum(w), 1);
    case CORRELATION_VALUE_AVG:
        return sum_holds(c, window_sum(w), w->count);
    case CORRELATION_VALUE_PERCENTILE:
        return bounds_hold(c, percentile_of(window_sorted(w, &r->shape), w->count, c->percentile));
    case CORRELATION_VALUE_MEDIAN:
        return median_holds(c, window_sorted(w, &r->shape), w->count);
    }
    return false;
}

fixed128 window_condition_value(const struct rule_state *r, const struct window *w)
{
    const struct correlation *c = r->correlation;
    if (!w->count)
        return 0;
    switch (c->type) {
    case CORRELATION_EVENT_COUNT:
    case CORRELATION_VALUE_COUNT:
    case CORRELATION_TEMPORAL:
        break;
    case CORRELATION_TEMPORAL_ORDERED:
        return (fixed128)succession_longest(w, &r->shape) * FIXED_ONE;
    case CORRELATION_VALUE_SUM:
        return int192_divide(*window_sum(w), 1);
    case CORRELATION_VALUE_AVG:
        return int192_divide(*window_sum(w), w->count);
    case CORRELATION_VALUE_PERCENTILE:
        return percentile_of(window_sorted(w, &r->shape), w->count, c->percentile);
    case CORRELATION_VALUE_MEDIAN:
        return median_doubled(window_sorted(w, &r->shape), w->count) / 2;
    }
    return (fixed128)w->count * FIXED_ONE;
}

/* ---- ways ---- */

/* A condition as alternatives; for each step on the stack those that make it true and false. */
struct ways {
    struct succession at[MOST_WAYS];
    uint32_t count;
};

static bool add_way(struct ways *to, struct succession way)
{
    if (way.needed & way.forbidden)
        return true; /* can never be */
    for (uint32_t i = 0; i < to->count; i++)
        if (to->at[i].needed == way.needed && to->at[i].forbidden == way.forbidden)
            return true;
    if (to->count == MOST_WAYS)
        return false;
    to->at[to->count++] = way;
    return true;
}

static bool either(struct ways *a, const struct ways *b)
{
    for (uint32_t i = 0; i < b->count; i++)
        if (!add_way(a, b->at[i]))
            return false;
    return true;
}

static bool both(struct ways *a, const struct ways *b)
{
    struct ways product = {.count = 0};
    for (uint32_t i = 0; i < a->count; i++)
        for (uint32_t j = 0; j < b->count; j++)
            if (!add_way(&product, (struct succession){a->at[i].needed | b->at[j].needed,
                                                       a->at[i].forbidden | b->at[j].forbidden}))
                return false;
    *a = product;
    return true;
}

struct operand {
    struct ways yes, no;
};

static bool apply(struct operand *stack, uint32_t *top, const struct step *step)
{
    uint64_t bit = UINT64_C(1) << (step->input % CORRELATION_INPUTS);
    switch (step->kind) {
    case STEP_INPUT:
        stack[*top] = (struct operand){.yes = {.at = {{bit, 0}}, .count = 1},
                                       .no = {.at = {{0, bit}}, .count = 1}};
        ++*top;
        return true;
    case STEP_NOT: {
        struct ways yes = stack[*top - 1].yes;
        stack[*top - 1].yes = stack[*top - 1].no;
        stack[*top - 1].no = yes;
        return true;
    }
    case STEP_AND:
        --*top;
        return both(&stack[*top - 1].yes, &stack[*top].yes) &&
               either(&stack[*top - 1].no, &stack[*top].no);
    case STEP_OR:
        --*top;
        return either(&stack[*top - 1].yes, &stack[*top].yes) &&
               both(&stack[*top - 1].no, &stack[*top].no);
    }
    return false;
}

static enum status ways_of_steps(const struct correlation *c, struct ways *out, struct error *err)
{
    struct operand *stack = calloc(c->step_count + 1, sizeof *stack);
    if (!stack)
        return error_set(err, STATUS_NOMEM, 0, "no memory for a condition");
    uint32_t top = 0;
    bool is_small = true;
    for (uint32_t i = 0; i < c->step_count && is_small; i++)
        is_small = apply(stack, &top, &c->steps[i]);
    if (is_small)
        *out = stack[0].yes;
    free(stack);
    if (is_small)
        return STATUS_OK;
    return error_set(err, STATUS_LIMIT, c->rule->line,
                     "an ordered condition with more than %d alternatives", MOST_WAYS);
}

enum status window_condition_ways(const struct correlation *c, struct succession **out,
                                  uint32_t *out_count, struct error *err)
{
    struct ways ways = {.count = 0};
    if (c->step_count) {
        enum status status = ways_of_steps(c, &ways, err);
        if (status)
            return status;
    } else if (!c->bound_count) {
        ways.at[0].needed =
            c->input_count == CORRELATION_INPUTS ? UINT64_MAX : (UINT64_C(1) << c->input_count) - 1;
        ways.at[0].forbidden = 0;
        ways.count = 1;
    }
    struct succession *list = calloc(ways.count + 1, sizeof *list);
    if (!list)
        return error_set(err, STATUS_NOMEM, 0, "no memory for a condition");
    memcpy(list, ways.at, ways.count * sizeof *list);
    *out = list;
    *out_count = ways.count;
    return STATUS_OK;
}
