/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include <stdatomic.h>
#include <stdint.h>

#define COUNTERS(COUNTER)                                                                          \
    COUNTER(detections, "Detections that reached the record")                                      \
    COUNTER(redelivered, "Detections that had been applied before")                                \
    COUNTER(shadowed, "Detections of shadow rules: recorded, not charged")                         \
    COUNTER(uncharged, "Detections that charged no entity")                                        \
    COUNTER(suppressed, "Charges left out within their rule's suppress time")                      \
    COUNTER(suppressions_left_out, "Charges that nothing suppresses: too many are remembered")     \
    COUNTER(excepted, "Charges left out by an exception after a false positive")                   \
    COUNTER(noise_held, "Charges held because their rule charges too many entities")               \
    COUNTER(noise_released, "Held charges that another rule on the same entity made count")        \
    COUNTER(held_given_up, "Held charges given up for later ones: too many are held")              \
    COUNTER(noise_unwatched, "Charges without a noise breaker: too many rules have one")           \
    COUNTER(late, "Detections of an episode that was closed before")                               \
    COUNTER(members_left_out, "Charges left out because an entity has too many families")          \
    COUNTER(members_given_up, "Families of an entity given up for stronger ones: it has too many") \
    COUNTER(entities_given_up, "Entities given up for stronger ones: too many are known")          \
    COUNTER(entities_refused, "Charges left out because too many entities are known")              \
    COUNTER(opened, "Incidents opened")                                                            \
    COUNTER(reopened, "Incidents reopened")                                                        \
    COUNTER(recurred, "Detections appended to open incidents")                                     \
    COUNTER(alerts, "Alerts of monitoring systems")                                                \
    COUNTER(notices, "Notices put into the outbox or suppressed")                                  \
    COUNTER(deliveries, "Deliveries queued")                                                       \
    COUNTER(deliveries_settled, "Deliveries that ended, well or not")                              \
    COUNTER(deliveries_refused, "Deliveries expired at once because the outbox was full")          \
    COUNTER(effects, "Effects submitted")                                                          \
    COUNTER(rollbacks, "Times Redis lost effects it had acknowledged")                             \
    COUNTER(no_memory, "Steps left out without memory")

/* Written by the decider thread, read by incidents_metrics from any other. */
struct counters {
#define COUNTER(name, help) _Atomic uint64_t name;
    COUNTERS(COUNTER)
#undef COUNTER
};
/* Relaxed: numbers for people. */
#define COUNT(counters, name)                                                                      \
    ((void)atomic_fetch_add_explicit(&(counters)->name, 1, memory_order_relaxed))
