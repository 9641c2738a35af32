/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include "base/error.h"
#include "base/metric.h"
#include "base/own.h"
#include "incidents/incidents.h"
#include "sinks/kind.h"
#include <stdbool.h>
#include <stdint.h>

/*
 * One destination: its queue, its thread, its pace, and what happened so far. Deliveries go out
 * one at a time: urgent ones first, and those of one incident in the order in which they came, so
 * that nobody reads "resolved" before "opened".
 */
struct destination;

/* Takes the outcome. The destination's thread. */
typedef void (*destination_settle_fn)(void *context, struct outcome *o);

struct destination_options {
    const struct sink_kind *kind;
    void *sink;                       /* opened by the kind; closed with the destination on OK */
    const struct sink_common *common; /* lives as long as the destination */
    struct text name;                 /* the same */
    destination_settle_fn settle;
    void *context;
};
NODISCARD enum status destination_new(const struct destination_options *options,
                                      struct destination **out, struct error *err);
NODISCARD enum status destination_start(struct destination *d, struct error *err);
/* No more deliveries; what is due is still tried until `deadline_ms` (monotonic). Returns at
 * once, so that all destinations can end side by side. */
void destination_stop(struct destination *d, uint64_t deadline_ms);
/* Waits for the thread's end, at the latest a moment after the deadline. */
void destination_join(struct destination *d, uint64_t deadline_ms);
void destination_free(struct destination *d);
AUTO_DEFINE(destination);

/* Takes the delivery on OK. FULL, CLOSED. Any thread. */
NODISCARD enum status destination_send(struct destination *d, struct delivery *delivery);
/* How many more it takes now; fewer only by what is sent. Any thread. */
uint32_t destination_room(const struct destination *d);
void destination_metrics(const struct destination *d, metric_fn tell, void *context);
