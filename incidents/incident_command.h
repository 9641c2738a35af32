/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include "incidents/state.h"

/* A person's word: one command as JSON, its answer as JSON, the HTTP status. */
int incident_command_run(struct incidents *i, struct text command, int64_t now_us,
                         struct buffer *reply);
/* Moves an incident on: state, time, ledger "incident.<state>", notice. Its entities are released
 * when it closes. Shared with alerts, which resolve by themselves. */
void incident_command_move(struct incidents *i, struct incident *n, enum incident_state to,
                           struct text by, struct text more, int64_t now_us);
