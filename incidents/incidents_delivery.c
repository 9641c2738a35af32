/* SPDX-License-Identifier: Apache-2.0 */
/* The outbox, as app's loop empties it. */
#include "incidents/incidents_parts.h"
#include "incidents/outbox/outbox_delivery.h"

struct delivery *incidents_next_delivery(struct incidents *incidents, int64_t now_us)
{
    uint64_t number = incidents->store->submitted + 1;
    if (outbox_delivery_mark(&incidents->outbox, &incidents->changes, number, now_us))
        incidents_parts_flush(incidents);
    return outbox_delivery_take(&incidents->outbox, incidents->store->acknowledged);
}

/* Never refused for want of room: the outbox bounds them, and an outcome that is lost is a message
 * sent twice. */
enum status incidents_settle(struct incidents *incidents, const struct outcome *outcome)
{
    arena_reset(&incidents->changes.scratch);
    enum status status = outbox_delivery_settle(&incidents->outbox, &incidents->changes,
                                                &incidents->tables, outcome);
    if (!status)
        incidents_parts_flush(incidents);
    return status;
}
