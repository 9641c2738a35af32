/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include <stdatomic.h>
#include <stdint.h>

/* Counters of a shard and of the sequencer: written by their one thread, read by any. */
#define SHARD_COUNTERS(COUNTER)                                                                    \
    COUNTER(feeds, "Events and detections that reached a window's correlation.")                   \
    COUNTER(late, "Events older than their window: not inserted.")                                 \
    COUNTER(without_value, "Events without the value, or the number, that the rule counts.")       \
    COUNTER(detections, "Detections of correlations, those that only feed others included.")       \
    COUNTER(renewals, "Renewals of detections whose condition stayed true.")                       \
    COUNTER(windows_opened, "Windows opened.")                                                     \
    COUNTER(windows_expired, "Windows idle for longer than their correlation needs: forgotten.")   \
    COUNTER(windows_evicted, "Windows least recently touched, evicted at a ceiling.")              \
    COUNTER(windows_cut, "Insertions that made a window shorter than it should be, at a ceiling.") \
    COUNTER(refused, "Feeds and detections that found no memory.")                                 \
    COUNTER(foreign, "Feeds of a correlation that the current rules do not have.")

#define SEQUENCER_COUNTERS(COUNTER)                                                                \
    COUNTER(held, "Events held back for the lateness of their correlation.")                       \
    COUNTER(released, "Held events let go.")                                                       \
    COUNTER(released_early, "Held events let go before their time, at the ceiling.")               \
    COUNTER(refused, "Events to be held that found no memory.")

#define COUNTER_FIELD(name, help) _Atomic uint64_t name;
struct shard_counters {
    SHARD_COUNTERS(COUNTER_FIELD)
    _Atomic uint64_t windows, bytes; /* gauges */
};
struct sequencer_counters {
    SEQUENCER_COUNTERS(COUNTER_FIELD)
    _Atomic uint64_t holding; /* gauge */
};

/* One writer: no locked instruction is needed. Relaxed: the reader wants numbers, no order. */
static inline void counters_add(_Atomic uint64_t *counter, uint64_t n)
{
    atomic_store_explicit(counter, atomic_load_explicit(counter, memory_order_relaxed) + n,
                          memory_order_relaxed);
}
