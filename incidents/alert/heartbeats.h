/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include "incidents/alert/alert_incident.h"

/* Alerts that always fire: their absence is an incident. */
struct heartbeats {
    struct hash_table alerts; /* by "integration/group" */
};

void heartbeats_beat(struct heartbeats *heartbeats, const struct alert_incidents *incidents,
                     const struct alert *alert);
/* Those that stopped open an incident of their own. */
void heartbeats_tick(struct heartbeats *heartbeats, const struct alert_incidents *incidents);
NODISCARD enum status heartbeats_load(struct heartbeats *heartbeats, struct incident_store *store,
                                      struct error *err);
void heartbeats_clear(struct heartbeats *heartbeats);
