/* SPDX-License-Identifier: Apache-2.0 */
#include "incidents/decide/lifecycle.h"
#include "base/json_write.h"
#include "base/timestamp.h"
#include "incidents/model/json_fixed.h"
#include "incidents/state/tables_save.h"
#include <stdio.h>

enum { EXCEPTION_DAYS = 7 /* after a false positive */ };

void lifecycle_record(const struct lifecycle *lifecycle, struct incident *incident,
                      const char *kind, struct text by, struct text more, int64_t now_us)
{
    struct buffer data;
    buffer_init(&data, 1 << 20);
    json_write_open(&data, NULL, '{');
    json_write_string(&data, "state", text_of(incident_state_name(incident->state)));
    buffer_printf(&data, ",\"priority\":\"P%d\"", incident->priority);
    json_write_string(&data, "severity", text_of(incident_severity_name(incident->severity)));
    if (more.len) {
        buffer_byte(&data, ',');
        buffer_append(&data, more);
    }
    json_write_close(&data, '}');
    incident->version++;
    changes_record(lifecycle->changes, &(struct ledger_entry){.kind = kind,
                                                              .incident = text_of(incident->id),
                                                              .by = by,
                                                              .time_us = now_us,
                                                              .data = buffer_text(&data)});
    buffer_fini(&data);
    tables_touch_incident(lifecycle->tables, incident);
}

void lifecycle_date(struct incident *incident, int64_t first_us)
{
    if (first_us < incident->times[TIME_OCCURRED] ||
        incident->times[TIME_OCCURRED] == TIMESTAMP_NONE)
        incident->times[TIME_OCCURRED] = first_us;
}

void lifecycle_notice(const struct lifecycle *lifecycle, struct incident *incident,
                      enum notice_kind kind, int64_t now_us)
{
    outbox_notice(lifecycle->outbox, lifecycle->changes, incident, kind, now_us);
    tables_touch_incident(lifecycle->tables, incident);
}

/* What opened it, for reports: a rule with its title, or the alert's sender and name. */
static void write_cause(const struct incident *incident, struct buffer *out)
{
    if (incident->part_count) {
        json_write_string(out, "rule", incident->parts[0].member.rule);
        json_write_string(out, "rule_title", incident->parts[0].member.title);
    } else if (incident->alert_count && incident->key) {
        const char *name = incident->alerts[0].name;
        struct text key = text_of(incident->key);
        json_write_string(out, "integration", text_head(key, text_find_byte(key, '/')));
        json_write_string(out, "alert_name", text_of(name && *name ? name : incident->title));
    }
}

void lifecycle_open(const struct lifecycle *lifecycle, struct incident *incident, struct text by,
                    int64_t now_us)
{
    struct buffer more;
    buffer_init(&more, 1 << 20);
    incident->times[TIME_OPENED] = now_us;
    json_write_string(&more, "origin", text_of(incident_origin_name(incident->origin)));
    json_write_string(&more, "category", incident->category);
    json_write_string(&more, "profile", text_of(incident_profile_name(incident->profile)));
    json_fixed_write(&more, "score", incident->score, 2);
    if (incident->times[TIME_OCCURRED] != TIMESTAMP_NONE)
        json_write_time(&more, "occurred", incident->times[TIME_OCCURRED]);
    if (incident->times[TIME_FIRST_EVENT] != TIMESTAMP_NONE)
        json_write_time(&more, "first_event", incident->times[TIME_FIRST_EVENT]);
    if (incident->times[TIME_ALERT] != TIMESTAMP_NONE)
        json_write_time(&more, "alert", incident->times[TIME_ALERT]);
    write_cause(incident, &more);
    if (incident->title)
        json_write_string(&more, "title", text_of(incident->title));
    if (incident->recurs_of[0])
        json_write_string(&more, "recurs_of", text_of(incident->recurs_of));
    if (incident->is_backfill)
        json_write_bool(&more, "backfill", true);
    COUNT(lifecycle->changes->counters, opened);
    lifecycle_record(lifecycle, incident, "incident.opened", by, buffer_text(&more), now_us);
    outbox_opened(lifecycle->outbox, lifecycle->changes, incident, now_us);
    lifecycle_notice(lifecycle, incident, NOTICE_OPENED, now_us);
    buffer_fini(&more);
}

void lifecycle_reopen(const struct lifecycle *lifecycle, struct incident *incident, struct text by,
                      const char *why, int64_t now_us)
{
    struct buffer more;
    buffer_init(&more, 1 << 16);
    json_write_string(&more, "from", text_of(incident_state_name(incident->state)));
    json_write_string(&more, "because", text_of(why));
    if (incident->state == STATE_CLOSED)
        verdicts_count(lifecycle->verdicts, lifecycle->changes, incident, -1);
    const struct restraints_withdrawal withdrawal = {by, text_of(why), now_us};
    uint32_t withdrawn = restraints_withdraw_of(lifecycle->restraints, lifecycle->changes,
                                                incident->id, &withdrawal);
    if (withdrawn)
        json_write_uint(&more, "exceptions_withdrawn", withdrawn);
    incident->state = STATE_OPEN;
    incident->disposition = DISPOSITION_NONE;
    incident->times[TIME_REOPENED] = now_us;
    incident->times[TIME_RESOLVED] = incident->times[TIME_RECOVERED] = TIMESTAMP_NONE;
    incident->times[TIME_REVIEWED] = incident->times[TIME_CLOSED] = TIMESTAMP_NONE;
    COUNT(lifecycle->changes->counters, reopened);
    lifecycle_record(lifecycle, incident, "incident.reopened", by, buffer_text(&more), now_us);
    lifecycle_notice(lifecycle, incident, NOTICE_REOPENED, now_us);
    buffer_fini(&more);
}

/* ---- moving on ---- */

static const enum incident_time state_times[] = {
    [STATE_OPEN] = TIME_OPENED,         [STATE_ACKNOWLEDGED] = TIME_ACKNOWLEDGED,
    [STATE_CONTAINED] = TIME_CONTAINED, [STATE_ERADICATED] = TIME_ERADICATED,
    [STATE_RECOVERED] = TIME_RECOVERED, [STATE_RESOLVED] = TIME_RESOLVED,
    [STATE_REVIEWED] = TIME_REVIEWED,   [STATE_CLOSED] = TIME_CLOSED,
};

void lifecycle_release(const struct lifecycle *lifecycle, struct candidate *candidate,
                       int64_t now_us, bool was_confirmed)
{
    tables_save_reset(lifecycle->changes, candidate);
    memcpy(candidate->last_incident, candidate->incident->id, sizeof candidate->last_incident);
    candidate->last_closed_us = now_us;
    candidate->was_confirmed = was_confirmed;
    candidate->incident = NULL;
    candidate->episode++;
    candidate->episode_us = now_us;
    candidate_reset(candidate);
    tables_touch_candidate(lifecycle->tables, candidate);
}

static void release_all(const struct lifecycle *lifecycle, struct incident *incident,
                        int64_t now_us)
{
    bool was_wrong = incident->disposition == DISPOSITION_FALSE_POSITIVE ||
                     incident->disposition == DISPOSITION_BENIGN;
    for (uint32_t e = 0; e < incident->entity_count; e++) {
        const struct incident_entity *at = &incident->entities[e];
        struct candidate *candidate =
            tables_candidate(lifecycle->tables, at->kind, (struct text){at->value, at->len});
        if (!candidate || candidate->incident != incident)
            continue;
        for (uint32_t m = 0; was_wrong && m < candidate->member_count; m++)
            restraints_add_exception(
                lifecycle->restraints, lifecycle->changes,
                &(struct restraints_excepted){
                    candidate->kind, candidate->value, candidate->members[m].family,
                    now_us + EXCEPTION_DAYS * DAY_US, TEXT("disposition"), incident->id});
        lifecycle_release(lifecycle, candidate, now_us, !was_wrong);
    }
}

static void tell_move(const struct lifecycle *lifecycle, struct incident *incident,
                      enum incident_state to, int64_t now_us)
{
    switch (to) {
    case STATE_ACKNOWLEDGED:
        lifecycle_notice(lifecycle, incident, NOTICE_ACKNOWLEDGED, now_us);
        return;
    case STATE_RECOVERED:
    case STATE_RESOLVED:
        lifecycle_notice(lifecycle, incident, NOTICE_RESOLVED, now_us);
        return;
    case STATE_CLOSED:
        lifecycle_notice(lifecycle, incident, NOTICE_CLOSED, now_us);
        return;
    case STATE_OPEN:
    case STATE_CONTAINED:
    case STATE_ERADICATED:
    case STATE_REVIEWED:
        return;
    }
}

void lifecycle_end_pause(struct incident *incident, int64_t now_us)
{
    if (incident->paused_us == TIMESTAMP_NONE)
        return;
    json_write_open(&incident->pauses, NULL, '{');
    json_write_time(&incident->pauses, "from", incident->paused_us);
    json_write_time(&incident->pauses, "to", now_us);
    if (incident->pause_reason)
        json_write_string(&incident->pauses, "reason", text_of(incident->pause_reason));
    json_write_close(&incident->pauses, '}');
    incident->paused_us = TIMESTAMP_NONE;
    (void)incident_set_text(&incident->pause_reason, TEXT_NONE);
}

void lifecycle_move(const struct lifecycle *lifecycle, struct incident *incident,
                    enum incident_state to, struct text by, struct text more, int64_t now_us)
{
    char kind[32];
    incident->state = to;
    if (incident->times[state_times[to]] == TIMESTAMP_NONE || to >= STATE_RECOVERED)
        incident->times[state_times[to]] = now_us;
    if (to == STATE_RECOVERED)
        incident->times[TIME_RESOLVED] = now_us; /* the same moment in the words of operations */
    if (to >= STATE_RECOVERED)
        lifecycle_end_pause(incident, now_us);
    (void)snprintf(kind, sizeof kind, "incident.%s", incident_state_name(to));
    lifecycle_record(lifecycle, incident, kind, by, more, now_us);
    if (to == STATE_CLOSED) {
        verdicts_count(lifecycle->verdicts, lifecycle->changes, incident, 1);
        release_all(lifecycle, incident, now_us);
    }
    tell_move(lifecycle, incident, to, now_us);
}
