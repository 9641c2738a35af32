/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include "base/metric.h"
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

/* What the journal's thread tells; any thread reads. Relaxed: each number stands for itself. */
typedef _Atomic uint64_t journal_count;

struct journal_counters {
    journal_count records, bytes, blocks, syncs, failed_syncs, refused, repeated, removed;
    journal_count stock_bytes, stock_files, free_bytes, next_position;
    _Atomic uint32_t epoch;
    _Atomic bool is_full;
};

static inline uint64_t journal_counters_get(const journal_count *value)
{
    return atomic_load_explicit(value, memory_order_relaxed);
}
static inline void journal_counters_set(journal_count *value, uint64_t to)
{
    atomic_store_explicit(value, to, memory_order_relaxed);
}
/* Only one thread writes: no read-modify-write is needed. */
static inline void journal_counters_add(journal_count *value, uint64_t more)
{
    journal_counters_set(value, journal_counters_get(value) + more);
}

void journal_counters_tell(const struct journal_counters *c, metric_fn tell, void *context);
