/* SPDX-License-Identifier: Apache-2.0 */
#include "incidents/alert/alerts.h"

#define CHECK_US (INT64_C(5) * 1000000) /* between two walks over all alerts */

static void resolve(struct alerts *alerts, const struct alert *alert)
{
    if (alert_incident_is_past(&alerts->incidents, alert))
        return;
    alert_waiting_forget(&alerts->waiting, alerts->incidents.lifecycle->changes, alert);
    alert_incident_resolve(&alerts->incidents, alert);
}

void alerts_apply(struct alerts *alerts, const struct event *event)
{
    const struct alert_incidents *incidents = &alerts->incidents;
    struct changes *changes = incidents->lifecycle->changes;
    struct alert alert;
    if (!alert_read(changes, event, &alert)) {
        COUNT(changes->counters, uncharged);
        return;
    }
    if (alert.is_heartbeat)
        heartbeats_beat(&alerts->heartbeats, incidents, &alert);
    else if (text_equal(alert.status, TEXT("resolved")))
        resolve(alerts, &alert);
    else if (text_equal(alert.status, TEXT("acknowledged")))
        alert_incident_acknowledge(incidents, &alert);
    else if (alert.severity > SEVERITY_INFO &&
             !alert_waiting_must(&alerts->waiting, incidents, &alert, event->record->raw))
        alert_incident_fire(incidents, &alert);
}

void alerts_tick(struct alerts *alerts, int64_t now_us)
{
    alert_waiting_tick(&alerts->waiting, &alerts->incidents);
    if (now_us - alerts->checked_us < CHECK_US)
        return;
    alerts->checked_us = now_us;
    heartbeats_tick(&alerts->heartbeats, &alerts->incidents);
    alert_incident_tick(&alerts->incidents);
}

enum status alerts_load(struct alerts *alerts, struct incident_store *store, struct error *err)
{
    enum status status = alert_waiting_load(&alerts->waiting, store, err);
    return status ? status : heartbeats_load(&alerts->heartbeats, store, err);
}

void alerts_clear(struct alerts *alerts)
{
    alert_waiting_clear(&alerts->waiting);
    heartbeats_clear(&alerts->heartbeats);
    alerts->checked_us = 0;
}
