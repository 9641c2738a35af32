/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include "incidents/state.h"

/*
 * Alerts of monitoring systems are states: one incident per group with its alerts as members; it
 * opens by declared severity and resolves by itself when none fires. The alert's shape is that of
 * ingest's webhooks, read by field names.
 */

/* One alert as read; views into the event and the scratch arena. */
struct monitor_alert {
    struct text integration, key, group, status, title, host, name, description, source;
    struct text incident_key; /* integration, group */
    struct text member_key;
    enum incident_severity severity;
    bool has_severity, is_heartbeat, is_firing;
    int64_t starts_us, ends_us, expires_us, now_us;
    struct hash128 id;
};

void monitor_alert_apply(struct incidents *i, const struct event *alert);
/* Warnings that fired long enough, alerts that nobody repeated, heartbeats that stopped, hourly
 * charges. */
void monitor_alert_tick(struct incidents *i);
void monitor_alert_clear(struct incidents *i);

/* Shared with warnings that wait and heartbeats. */

/* False where the record is no alert: it has no key. */
bool monitor_alert_read(struct incidents *i, const struct event *e, struct monitor_alert *a);
/* "a/b" in the scratch arena. */
struct text monitor_alert_join(struct incidents *i, struct text a, struct text b);
void monitor_alert_fire(struct incidents *i, const struct monitor_alert *a);
void monitor_alert_resolve(struct incidents *i, const struct monitor_alert *a);
