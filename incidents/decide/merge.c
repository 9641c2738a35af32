/* SPDX-License-Identifier: Apache-2.0 */
#include "incidents/decide/merge.h"
#include "base/json_write.h"
#include "base/timestamp.h"
#include "incidents/decide/reweigh.h"

/* What finds no room begins anew: bound to an incident that does not name it, it would be hidden.
 */
static void hand_over(const struct lifecycle *lifecycle, struct incident *from, struct incident *to,
                      int64_t now_us)
{
    struct tables *tables = lifecycle->tables;
    for (uint32_t e = 0; e < from->entity_count; e++) {
        const struct incident_entity *at = &from->entities[e];
        struct text value = {at->value, at->len};
        struct candidate *candidate = tables_candidate(tables, at->kind, value);
        if (!candidate || candidate->incident != from)
            continue;
        if (!incident_add_entity(to, candidate->kind, candidate->value, candidate->episode)) {
            lifecycle_release(lifecycle, candidate, now_us, false);
            continue;
        }
        candidate->incident = to;
        tables_touch_candidate(tables, candidate);
    }
}

static void record_edge(const struct lifecycle *lifecycle, struct incident *incident,
                        const char *kind, const char *other, const struct merge *merge)
{
    struct buffer more;
    buffer_init(&more, 1 << 16);
    json_write_string(&more, "other", text_of(other));
    if (merge->reason.len)
        json_write_string(&more, "reason", merge->reason);
    lifecycle_record(lifecycle, incident, kind, merge->by, buffer_text(&more), merge->now_us);
    buffer_fini(&more);
}

bool merge_apply(const struct lifecycle *lifecycle, struct incident *from, struct incident *into,
                 const struct merge *merge)
{
    if (!tables_move_alerts(lifecycle->tables, from, into, false))
        return false;
    if (into->origin == ORIGIN_ALERT && from->origin == ORIGIN_ALERT && from->floor > into->floor)
        into->severity = into->floor = from->floor;
    hand_over(lifecycle, from, into, merge->now_us);
    memcpy(from->merged_into, into->id, sizeof from->merged_into);
    json_write_string(&into->merged, NULL, text_of(from->id));
    for (int t = TIME_OCCURRED; t <= TIME_ALERT; t++)
        if (from->times[t] != TIMESTAMP_NONE &&
            (into->times[t] == TIMESTAMP_NONE || from->times[t] < into->times[t]))
            into->times[t] = from->times[t];
    into->detections += from->detections;
    bool has_risen = reweigh(lifecycle->tables, into, lifecycle->changes);
    from->disposition = DISPOSITION_DUPLICATE;
    from->state = STATE_CLOSED;
    from->times[TIME_CLOSED] = merge->now_us;
    record_edge(lifecycle, from, "incident.merged", into->id, merge);
    record_edge(lifecycle, into, "incident.absorbed", from->id, merge);
    if (has_risen)
        lifecycle_notice(lifecycle, into, NOTICE_RAISED, merge->now_us);
    return true;
}

static void drop_edge(struct incident *into, struct text id)
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
}

static void take_apart(struct tables *tables, struct incident *from, const struct incident *into)
{
    for (uint32_t e = 0; e < from->entity_count; e++) {
        const struct incident_entity *at = &from->entities[e];
        struct candidate *candidate =
            tables_candidate(tables, at->kind, (struct text){at->value, at->len});
        bool is_free = candidate && !candidate->incident &&
                       text_equal(text_of(candidate->last_incident), text_of(from->id));
        if (!candidate || (candidate->incident != into && !is_free))
            continue;
        candidate->incident = from;
        tables_touch_candidate(tables, candidate);
    }
}

void merge_undo(const struct lifecycle *lifecycle, struct incident *from, struct incident *into,
                const struct merge *merge)
{
    from->merged_into[0] = 0;
    take_apart(lifecycle->tables, from, into);
    if (!tables_move_alerts(lifecycle->tables, into, from, true))
        COUNT(lifecycle->changes->counters, no_memory);
    into->detections -= from->detections < into->detections ? from->detections : into->detections;
    drop_edge(into, text_of(from->id));
    (void)reweigh(lifecycle->tables, into, lifecycle->changes);
    record_edge(lifecycle, into, "incident.released", from->id, merge);
    lifecycle_reopen(lifecycle, from, merge->by, "split from another", merge->now_us);
}
