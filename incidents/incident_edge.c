/* SPDX-License-Identifier: Apache-2.0 */
#include "incidents/incident_edge.h"
#include "base/json_write.h"
#include "base/timestamp.h"
#include "incidents/incident_detect.h"
#include "incidents/incidents_key.h"

static void hand_over(struct incidents *i, struct incident *from, struct incident *to)
{
    for (uint32_t e = 0; e < from->entity_count; e++) {
        const struct incident_entity *at = &from->entities[e];
        struct text value = {at->value, at->len};
        struct candidate *c = incidents_key_candidate(i, at->kind, value);
        if (!c || c->incident != from)
            continue;
        c->incident = to;
        (void)incident_add_entity(to, c->kind, c->value, c->episode);
        incidents_touch_candidate(i, c);
    }
}

static void record_edge(struct incidents *i, struct incident *n, const char *kind,
                        const char *other, const struct incident_edge *e)
{
    struct buffer more;
    buffer_init(&more, 1 << 16);
    json_write_string(&more, "other", text_of(other));
    if (e->reason.len)
        json_write_string(&more, "reason", e->reason);
    incident_detect_record(i, n, kind, e->by, buffer_text(&more), e->now_us);
    buffer_fini(&more);
}

void incident_edge_merge(struct incidents *i, struct incident *from, struct incident *into,
                         const struct incident_edge *e)
{
    hand_over(i, from, into);
    memcpy(from->merged_into, into->id, sizeof from->merged_into);
    json_write_string(&into->merged, NULL, text_of(from->id));
    for (int t = TIME_OCCURRED; t <= TIME_ALERT; t++)
        if (from->times[t] != TIMESTAMP_NONE &&
            (into->times[t] == TIMESTAMP_NONE || from->times[t] < into->times[t]))
            into->times[t] = from->times[t];
    into->detections += from->detections;
    (void)incident_detect_reweigh(i, into);
    from->disposition = DISPOSITION_DUPLICATE;
    from->state = STATE_CLOSED;
    from->times[TIME_CLOSED] = e->now_us;
    record_edge(i, from, "incident.merged", into->id, e);
    record_edge(i, into, "incident.absorbed", from->id, e);
}

static void drop_edge(struct incident *into, struct incidents *i, struct text id)
{
    struct text rest = buffer_text(&into->merged), piece;
    struct buffer kept;
    buffer_init(&kept, 64 * 1024);
    while (text_split(&rest, ',', &piece)) {
        piece = text_skip(text_head(piece, piece.len ? piece.len - 1 : 0), 1);
        if (piece.len && !text_equal(piece, id))
            json_write_string(&kept, NULL, piece);
    }
    buffer_clear(&into->merged);
    buffer_append(&into->merged, buffer_text(&kept));
    buffer_fini(&kept);
    incidents_touch_incident(i, into);
}

static void take_apart(struct incidents *i, struct incident *from, const struct incident *into)
{
    for (uint32_t n = 0; n < from->entity_count; n++) {
        const struct incident_entity *at = &from->entities[n];
        struct candidate *c =
            incidents_key_candidate(i, at->kind, (struct text){at->value, at->len});
        if (!c || c->incident != into)
            continue;
        c->incident = from;
        incidents_touch_candidate(i, c);
    }
}

void incident_edge_split(struct incidents *i, struct incident *from, struct incident *into,
                         const struct incident_edge *e)
{
    from->merged_into[0] = 0;
    take_apart(i, from, into);
    into->detections -= from->detections < into->detections ? from->detections : into->detections;
    drop_edge(into, i, text_of(from->id));
    (void)incident_detect_reweigh(i, into);
    record_edge(i, into, "incident.released", from->id, e);
    incident_detect_reopen(i, from, e->by, "split from another", e->now_us);
}
