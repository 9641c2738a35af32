/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include "incidents/alert/alert.h"
#include "incidents/decide/charge.h"
#include "incidents/decide/lifecycle.h"

/*
 * Alerts are states: one incident per group with its alerts as members; it opens by declared
 * severity and resolves by itself when none fires.
 */
struct alert_incidents {
    const struct charger *charger;
    const struct lifecycle *lifecycle;
};

void alert_incident_fire(const struct alert_incidents *incidents, const struct alert *alert);
/* The incident that the alert belongs to and that is not over; NULL: none. */
struct incident *alert_incident_open(const struct alert_incidents *incidents,
                                     const struct alert *alert);
/* True for the late end of an episode before the one that fires now. */
bool alert_incident_is_past(const struct alert_incidents *incidents, const struct alert *alert);
void alert_incident_resolve(const struct alert_incidents *incidents, const struct alert *alert);
void alert_incident_acknowledge(const struct alert_incidents *incidents, const struct alert *alert);
/* Alerts that nobody repeated end; hosts of those that fire are charged, hourly. */
void alert_incident_tick(const struct alert_incidents *incidents);
