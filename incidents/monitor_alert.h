/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include "incidents/state.h"

/*
 * Alerts of monitoring systems are states: one incident per group with its alerts as members; it
 * opens by declared severity and resolves by itself when none fires. The alert's shape is that of
 * ingest's webhooks, read by field names.
 */

/* A warning that has not fired for long enough. */
struct waiting {
    struct shelf_link link;
    struct text key; /* integration, group, key */
    int64_t due_us;
    struct text document; /* the alert as ingest wrote it */
    struct hash128 id;    /* of its record */
    char bytes[];
};

/* An alert that always fires. */
struct heartbeat {
    struct shelf_link link;
    struct text key;
    int64_t last_us;
    bool is_absent;
    char bytes[];
};

void monitor_alert_apply(struct incidents *i, const struct event *alert);
/* Warnings that fired long enough, alerts that nobody repeated, heartbeats that stopped, hourly
 * charges. */
void monitor_alert_tick(struct incidents *i);
bool monitor_alert_load_waiting(struct incidents *i, struct text key, struct text value);
bool monitor_alert_load_heartbeat(struct incidents *i, struct text key, struct text value);
void monitor_alert_clear(struct incidents *i);
