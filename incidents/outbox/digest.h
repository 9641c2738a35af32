/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include "incidents/outbox/outbox.h"
#include "incidents/state/tables.h"

/* Ends a storm that is over; and tells what was held together where that is due: each destination
 * of those it would have been told of, by name. They count as told from then on. */
void digest_tick(struct outbox *outbox, struct changes *changes, struct tables *tables);
/* The ids of incidents that a digest's document names: gives the next one in `rest`, or false. */
bool digest_next(struct text *rest, struct text *out_id);
