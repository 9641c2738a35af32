/* SPDX-License-Identifier: Apache-2.0 */
#include "incidents/decide/lapse.h"
#include "base/json_write.h"
#include "base/timestamp.h"
#include <stdlib.h>

static void end_override(const struct lifecycle *lifecycle, struct incident *incident,
                         int64_t now_us)
{
    struct buffer more;
    if (!incident->has_override || incident->override_until_us == TIMESTAMP_NONE ||
        incident->override_until_us > now_us)
        return; /* it was set anew */
    buffer_init(&more, 1 << 12);
    incident->has_override = false;
    bool has_risen = incident_weigh(incident, now_us);
    json_write_string(&more, "because", TEXT("the severity that a person set ended"));
    json_write_time(&more, "until", incident->override_until_us);
    lifecycle_record(lifecycle, incident, "incident.severity", TEXT_NONE, buffer_text(&more),
                     now_us);
    if (has_risen && !incident_is_settled(incident))
        lifecycle_notice(lifecycle, incident, NOTICE_RAISED, now_us);
    buffer_fini(&more);
}

void lapse(const struct lifecycle *lifecycle, struct due *due, int64_t now_us)
{
    struct due_incident *timer = CONTAINER_OF(due, struct due_incident, due);
    struct incident *incident = tables_incident(lifecycle->tables, text_of(timer->id));
    if (incident && due->kind == DUE_OVERRIDE)
        end_override(lifecycle, incident, now_us);
    if (incident && due->kind == DUE_FLAPPING) {
        outbox_end_flapping(lifecycle->outbox, lifecycle->changes, incident, now_us);
        tables_touch_incident(lifecycle->tables, incident);
    }
    free(timer);
}

enum status lapse_load(struct due_index *index, const struct tables *tables, struct error *err)
{
    size_t slot = 0;
    enum status status = STATUS_OK;
    for (struct hash_link *at = hash_table_walk(&tables->incidents, &slot, NULL); at && !status;
         at = hash_table_walk(&tables->incidents, &slot, at)) {
        const struct incident *incident = CONTAINER_OF(at, struct incident, link);
        if (incident->has_override && incident->override_until_us != TIMESTAMP_NONE)
            status =
                due_put_incident(index, DUE_OVERRIDE, incident->id, incident->override_until_us);
        if (!status && incident->telling.until_us != TIMESTAMP_NONE)
            status =
                due_put_incident(index, DUE_FLAPPING, incident->id, incident->telling.until_us);
    }
    return status ? error_set(err, status, 0, "no memory for what falls due") : STATUS_OK;
}
