/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include "incidents/outbox/outbox.h"
#include "incidents/state/tables.h"

/* Entries on their way out: given to the sinks once that is on record, and settled. */

/* Says on record which are about to be sent, as many as their destinations take; nothing goes out
 * before effect `number`, the next one, is durable. True where there are any. */
bool outbox_delivery_mark(struct outbox *outbox, struct changes *changes, uint64_t number);
/* The next one whose mark is durable, as a block for its sink; NULL: none, or no memory. */
struct delivery *outbox_delivery_take(struct outbox *outbox, uint64_t acknowledged);
/* Records an attempt and what came of it; nothing for one that no sink took (DELIVERY_QUEUED).
 * NOTFOUND: it ended before. */
NODISCARD enum status outbox_delivery_settle(struct outbox *outbox, struct changes *changes,
                                             struct tables *tables, const struct outcome *outcome);
