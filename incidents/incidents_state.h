/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include "incidents/state.h"

/*
 * Checkpoints of app: chunks under new names, then one commit that names those that count. What it
 * does not name is removed behind, some at a time, so that nothing else waits.
 */

/* Removes a few values that no commit names. */
void incidents_state_sweep(struct incidents *i);
/* The names that Redis holds. */
NODISCARD enum status incidents_state_load(struct incidents *i, struct error *err);
void incidents_state_clear(struct incidents *i);
