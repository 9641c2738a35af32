/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include "incidents/state/tables.h"

/* What no longer has to be in memory goes, at journal time. */

/* Faded candidates, some at a time. A detection that comes for one of them finds the same either
 * way: it would have started afresh. */
void tables_sweep_candidates(struct tables *tables, struct changes *changes);
/* Incidents that were closed days ago; they stay in the store. */
void tables_sweep_incidents(struct tables *tables, int64_t now_us);
