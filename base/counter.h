/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include "base/metric.h"
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>

/*
 * Numbers that one thread writes and any thread reads. A module lists them once, with the name and
 * the sentence that people see, and takes the fields and what is told from that list:
 *
 *     #define POOL_COUNTERS(COUNTER) \
 *         COUNTER(lent, METRIC_COUNTER, "pool_lent_total", "Loans.") \
 *         COUNTER(free, METRIC_GAUGE, "pool_free", "What can be lent now.")
 *     struct pool_counters {
 *         POOL_COUNTERS(COUNTER_FIELD)
 *     };
 *     ... counter_add(&c->lent, 1);
 *     ... const struct counter_line lines[] = {POOL_COUNTERS(COUNTER_LINE)};
 *         counter_tell(lines, sizeof lines / sizeof *lines, NULL, tell, context);
 *
 * Where the lines are filled, `counters` points at the struct.
 */
typedef _Atomic uint64_t counter;

#define COUNTER_FIELD(field, kind, name, help) counter field;
#define COUNTER_LINE(field, kind, name, help)  {&counters->field, kind, name, help},

struct counter_line {
    const counter *value;
    enum metric_kind kind;
    const char *name, *help;
};

/* Relaxed: each number stands for itself, and its reader wants no order. */
static inline uint64_t counter_get(const counter *c)
{
    return atomic_load_explicit(c, memory_order_relaxed);
}
static inline void counter_set(counter *c, uint64_t to)
{
    atomic_store_explicit(c, to, memory_order_relaxed);
}
/* One writer: no locked instruction is needed. */
static inline void counter_add(counter *c, uint64_t more)
{
    counter_set(c, counter_get(c) + more);
}

/* `labels` may be NULL. */
void counter_tell(const struct counter_line *lines, size_t count, const char *labels,
                  metric_fn tell, void *context);
