/* SPDX-License-Identifier: Apache-2.0 */
/* The outbox, as app's loop empties it. */
#include "incidents/decide/lapse.h"
#include "incidents/incidents_parts.h"
#include "incidents/outbox/outbox_delivery.h"

enum { WOKEN_AT_ONCE = 4096 /* so that a start with many waiting holds nothing up */ };

static void wake(struct incidents *incidents, int64_t now_us)
{
    for (int w = 0; w < WOKEN_AT_ONCE; w++) {
        struct due *due = due_take(&incidents->due, now_us);
        if (!due)
            return;
        switch (due->kind) {
        case DUE_DELIVERY:
        case DUE_DESTINATION:
            outbox_wake(due);
            break;
        case DUE_OVERRIDE:
        case DUE_FLAPPING:
            lapse(&incidents->lifecycle, due, now_us);
            break;
        }
    }
}

struct delivery *incidents_next_delivery(struct incidents *incidents, int64_t now_us)
{
    wake(incidents, now_us);
    uint64_t number = incidents->store->submitted + 1;
    if (outbox_delivery_mark(&incidents->outbox, &incidents->changes, number))
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
