/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include "incidents/alert/alert_waiting.h"
#include "incidents/alert/heartbeats.h"

/* Alerts of monitoring systems: what comes in, and what time makes of them. */
struct alerts {
    struct alert_incidents incidents;
    struct alert_waiting waiting;
    struct heartbeats heartbeats;
    int64_t checked_us;
};

void alerts_apply(struct alerts *alerts, const struct event *event);
void alerts_tick(struct alerts *alerts, int64_t now_us);
NODISCARD enum status alerts_load(struct alerts *alerts, struct incident_store *store,
                                  struct error *err);
void alerts_clear(struct alerts *alerts);
