/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include "incidents/state/tables.h"

/* Everything live from the store, into empty tables; `now_us` is the journal time it goes on from.
 */
NODISCARD enum status tables_load(struct tables *tables, int64_t now_us, struct error *err);
/* An incident by its id, from the store where it is not in memory any more; NULL: there is none,
 * or Redis is away (*out_is_away). */
struct incident *tables_load_incident(struct tables *tables, struct text id, bool *out_is_away);
