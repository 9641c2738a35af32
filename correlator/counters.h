/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include "base/counter.h"

/* Counters of a shard and of the sequencer: written by their one thread, read by any. */
#define SHARD_COUNTERS(COUNTER)                                                                    \
    COUNTER(feeds, METRIC_COUNTER, "correlator_feeds_total",                                       \
            "Events and detections that reached a window's correlation.")                          \
    COUNTER(late, METRIC_COUNTER, "correlator_late_total",                                         \
            "Events older than their window: not inserted.")                                       \
    COUNTER(without_value, METRIC_COUNTER, "correlator_without_value_total",                       \
            "Events without the value, or the number, that the rule counts.")                      \
    COUNTER(detections, METRIC_COUNTER, "correlator_detections_total",                             \
            "Detections of correlations, those that only feed others included.")                   \
    COUNTER(renewals, METRIC_COUNTER, "correlator_renewals_total",                                 \
            "Renewals of detections whose condition stayed true.")                                 \
    COUNTER(windows_opened, METRIC_COUNTER, "correlator_windows_opened_total", "Windows opened.")  \
    COUNTER(windows_expired, METRIC_COUNTER, "correlator_windows_expired_total",                   \
            "Windows idle for longer than their correlation needs: forgotten.")                    \
    COUNTER(windows_evicted, METRIC_COUNTER, "correlator_windows_evicted_total",                   \
            "Windows least recently touched, evicted at a ceiling.")                               \
    COUNTER(windows_cut, METRIC_COUNTER, "correlator_windows_cut_total",                           \
            "Insertions that made a window shorter than it should be, at a ceiling.")              \
    COUNTER(refused, METRIC_COUNTER, "correlator_refused_total",                                   \
            "Feeds and detections that found no memory.")                                          \
    COUNTER(foreign, METRIC_COUNTER, "correlator_foreign_total",                                   \
            "Feeds of a correlation that the current rules do not have.")                          \
    COUNTER(windows, METRIC_GAUGE, "correlator_windows", "Windows held now.")                      \
    COUNTER(bytes, METRIC_GAUGE, "correlator_bytes", "Bytes of all windows and their tables.")

#define SEQUENCER_COUNTERS(COUNTER)                                                                \
    COUNTER(held, METRIC_COUNTER, "sequencer_held_total",                                          \
            "Events held back for the lateness of their correlation.")                             \
    COUNTER(released, METRIC_COUNTER, "sequencer_released_total", "Held events let go.")           \
    COUNTER(released_early, METRIC_COUNTER, "sequencer_released_early_total",                      \
            "Held events let go before their time, at the ceiling.")                               \
    COUNTER(refused, METRIC_COUNTER, "sequencer_refused_total",                                    \
            "Events to be held that found no memory.")                                             \
    COUNTER(holding, METRIC_GAUGE, "sequencer_holding", "Events held back now.")

struct shard_counters {
    SHARD_COUNTERS(COUNTER_FIELD)
};
struct sequencer_counters {
    SEQUENCER_COUNTERS(COUNTER_FIELD)
};
