/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include "base/buffer.h"
#include "base/error.h"
#include "base/metric.h"
#include "base/own.h"
#include "base/yaml.h"
#include "incidents/incidents.h"
#include <stdbool.h>
#include <stdint.h>

/*
 * Deliveries out: one queue, one thread of work, one token bucket and one breaker per destination,
 * so that a slow one delays no other. At least once; every attempt becomes an outcome.
 */
struct sinks;
struct sinks_options {
    const struct yaml_node *sinks;  /* the list of the configuration; NULL: incidents.jsonl alone */
    const struct yaml_node *routes; /* the list of the configuration, or NULL: everything to all */
    const char *data_dir;           /* relative paths of file sinks start here */
    /* Takes the outcome; called from the sinks' threads. */
    void (*settle)(void *context, struct outcome *o);
    void *context;
};
NODISCARD enum status sinks_open(const struct sinks_options *options, struct sinks **out,
                                 struct error *err);
/* What sinks_open would refuse, with the line; nothing is opened or made. */
NODISCARD enum status sinks_check(const struct yaml_node *sinks, const struct yaml_node *routes,
                                  struct error *err);
NODISCARD enum status sinks_start(struct sinks *s, struct error *err);
/* Finishes what is in flight up to `timeout_ms`, then stops; what is left stays in the outbox. */
void sinks_stop(struct sinks *s, uint64_t timeout_ms);
void sinks_close(struct sinks *s);
static inline void sinks_free(struct sinks *s)
{
    sinks_close(s);
}
AUTO_DEFINE(sinks);

/* The destinations of a notice by the routing tree: names that live as long as `s`. Any thread. */
uint32_t sinks_route(const struct sinks *s, const struct notice *n, struct text *out_destinations);
/* Takes the delivery on OK. FULL: the destination's queue; NOTFOUND: no such destination (any
 * more): not taken. Any thread. */
NODISCARD enum status sinks_send(struct sinks *s, struct delivery *d);
/* Whether a route leads notices of that kind there. Any thread. */
bool sinks_want(const struct sinks *s, struct text destination, enum notice_kind kind);
/* How many more that destination takes now. One that is not there takes any: sinks_send says so. */
uint32_t sinks_room(const struct sinks *s, struct text destination);
void sinks_metrics(const struct sinks *s, metric_fn tell, void *context);
/* The options of every kind, as a YAML list with help, for --print-config. */
void sinks_print_options(struct buffer *out);
