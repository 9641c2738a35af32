/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include "incidents/alert/alert_incident.h"

/* Warnings that have not fired for long enough to open an incident. */
struct alert_waiting {
    struct hash_table alerts; /* by the alert's key; each is "integration/group/key" */
};

/* True while the alert must still wait; `document` is kept for later. */
bool alert_waiting_must(struct alert_waiting *waiting, const struct alert_incidents *incidents,
                        const struct alert *alert, struct text document);
/* It was resolved before its time came, in whatever group it was. */
void alert_waiting_forget(struct alert_waiting *waiting, struct changes *changes,
                          const struct alert *alert);
/* Those whose time came fire. */
void alert_waiting_tick(struct alert_waiting *waiting, const struct alert_incidents *incidents);
NODISCARD enum status alert_waiting_load(struct alert_waiting *waiting,
                                         struct incident_store *store, struct error *err);
void alert_waiting_clear(struct alert_waiting *waiting);
