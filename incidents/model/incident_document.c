/* SPDX-License-Identifier: Apache-2.0 */
#include "incidents/model/incident_document.h"
#include "base/json_write.h"
#include "base/timestamp.h"
#include "incidents/model/json_fixed.h"
#include <stdlib.h>

static void write_time(struct buffer *out, const char *name, int64_t us)
{
    if (us != TIMESTAMP_NONE)
        json_write_time(out, name, us);
}

static void write_text(struct buffer *out, const char *name, const char *value)
{
    if (value && *value)
        json_write_string(out, name, text_of(value));
}

static void write_items(struct buffer *out, const char *name, const struct buffer *items)
{
    if (!items->len)
        return;
    json_write_open(out, name, '[');
    json_write_raw(out, NULL, buffer_text(items));
    json_write_close(out, ']');
}

static void write_positions(struct buffer *out, const char *name, const uint64_t *at,
                            uint32_t count)
{
    uint64_t sorted[MEMBER_POSITIONS];
    uint32_t kept = 0;
    for (uint32_t i = 0; i < count && i < MEMBER_POSITIONS; i++) { /* ascending, each once */
        uint32_t k = kept;
        while (k > 0 && sorted[k - 1] > at[i])
            k--;
        if (k > 0 && sorted[k - 1] == at[i])
            continue;
        memmove(sorted + k + 1, sorted + k, (kept - k) * sizeof *sorted);
        sorted[k] = at[i];
        kept++;
    }
    json_write_open(out, name, '[');
    for (uint32_t i = 0; i < kept; i++)
        json_write_uint(out, NULL, sorted[i]);
    json_write_close(out, ']');
}

/* `mark` is what the score is made of: log2(-ln(1-p)) + t / half-life. */
static void write_part(const struct incident_part *p, struct buffer *out)
{
    const struct member *m = &p->member;
    json_write_open(out, NULL, '{');
    json_write_string(out, "rule", m->rule);
    json_write_string(out, "title", m->title);
    json_write_string(out, "family", m->family);
    json_write_string(out, "tactic", m->tactic);
    json_write_string(out, "level", text_of(rule_level_name(m->level)));
    json_fixed_write(out, "p", m->chance, 6);
    json_fixed_write(out, "weight", p->weight, 6);
    json_fixed_write(out, "share", p->share, 6);
    json_fixed_exact(out, "mark", m->mark);
    json_write_uint(out, "count", m->count);
    write_time(out, "first", m->first_us);
    write_time(out, "last", m->last_us);
    write_positions(out, "first_evidence", m->first, m->first_count);
    write_positions(out, "last_evidence", m->last, m->last_count);
    json_write_close(out, '}');
}

void incident_document_write_member(const struct member *member, struct buffer *out)
{
    write_part(&(struct incident_part){.member = *member}, out);
}

static void write_parts(const struct incident_part *parts, uint32_t count, struct buffer *out)
{
    json_write_open(out, "contributions", '[');
    for (uint32_t i = 0; i < count; i++)
        write_part(&parts[i], out);
    json_write_close(out, ']');
}

static int by_weight(const void *a, const void *b)
{
    const struct incident_part *x = a, *y = b;
    if (x->weight != y->weight)
        return x->weight > y->weight ? -1 : 1;
    int tactic = text_compare(x->member.tactic, y->member.tactic);
    return tactic ? tactic : text_compare(x->member.family, y->member.family);
}

static void fill_parts(const struct candidate *candidate, int64_t t_us, int64_t half_life_us,
                       double lambda, struct incident_part *parts)
{
    for (uint32_t i = 0; i < candidate->member_count; i++) {
        double weight = score_weight(candidate->members[i].mark, t_us, half_life_us);
        parts[i] =
            (struct incident_part){candidate->members[i], weight, lambda > 0 ? weight / lambda : 0};
    }
    if (candidate->member_count)
        qsort(parts, candidate->member_count, sizeof *parts, by_weight);
}

bool incident_document_take_parts(struct incident *incident, const struct candidate *candidate,
                                  int64_t t_us, int64_t half_life_us)
{
    struct incident_part *parts = realloc(
        incident->parts, (candidate->member_count ? candidate->member_count : 1) * sizeof *parts);
    if (!parts)
        return false;
    struct score_reading reading = candidate_read(candidate, t_us, half_life_us);
    fill_parts(candidate, t_us, half_life_us, reading.lambda, parts);
    incident->parts = parts;
    incident->part_count = candidate->member_count;
    return true;
}

/* ---- candidate ---- */

static void write_identity(const struct candidate *candidate, struct score_reading r,
                           struct buffer *out)
{
    json_write_open(out, NULL, '{');
    json_write_string(out, "id", text_of(candidate->id));
    json_write_string(out, "kind", TEXT("candidate"));
    json_write_uint(out, "episode", candidate->episode);
    json_write_string(out, "state", candidate->incident ? TEXT("confirmed") : TEXT("candidate"));
    if (candidate->incident)
        json_write_string(out, "incident", text_of(candidate->incident->id));
    json_fixed_write(out, "score", r.score, 2);
    json_write_string(out, "severity",
                      text_of(incident_severity_name(incident_grade(r.severity, SEVERITY_INFO))));
    json_fixed_write(out, "diversity", r.diversity, 6);
    json_fixed_write(out, "criticality", candidate->criticality, 3);
}

static void write_candidate_rest(const struct candidate *candidate, struct buffer *out)
{
    json_write_open(out, "entities", '[');
    json_write_open(out, NULL, '{');
    json_write_string(out, "kind", text_of(correlation_entity_name(candidate->kind)));
    json_write_string(out, "value", candidate->value);
    json_write_close(out, '}');
    json_write_close(out, ']');
    json_write_open(out, "times", '{');
    write_time(out, "occurred", candidate->first_us);
    write_time(out, "first_event", candidate->received_us);
    write_time(out, "alert", candidate->alert_us);
    write_time(out, "last", candidate->last_us);
    write_time(out, "episode", candidate->episode_us);
    json_write_close(out, '}');
    json_write_uint(out, "detections", candidate->detections);
    if (candidate->is_backfill)
        json_write_bool(out, "backfill", true);
    if (candidate->last_incident[0]) {
        json_write_string(out, "last_incident", text_of(candidate->last_incident));
        write_time(out, "last_closed", candidate->last_closed_us);
        json_write_bool(out, "last_confirmed", candidate->was_confirmed);
    }
    json_write_close(out, '}');
}

void incident_document_write_candidate(const struct candidate *candidate, int64_t half_life_us,
                                       struct buffer *out)
{
    struct incident_part parts[CANDIDATE_MEMBERS];
    int64_t t_us = candidate->last_us == TIMESTAMP_NONE ? 0 : candidate->last_us;
    struct score_reading reading = candidate_read(candidate, t_us, half_life_us);
    fill_parts(candidate, t_us, half_life_us, reading.lambda, parts);
    write_identity(candidate, reading, out);
    write_parts(parts, candidate->member_count, out);
    write_candidate_rest(candidate, out);
}

/* ---- incident ---- */

static void write_entities(const struct incident *incident, struct buffer *out)
{
    json_write_open(out, "entities", '[');
    for (uint32_t e = 0; e < incident->entity_count; e++) {
        const struct incident_entity *at = &incident->entities[e];
        json_write_open(out, NULL, '{');
        json_write_string(out, "kind", text_of(correlation_entity_name(at->kind)));
        json_write_string(out, "value", (struct text){at->value, at->len});
        json_write_uint(out, "episode", at->episode);
        json_fixed_write(out, "score", at->score, 2);
        json_write_close(out, '}');
    }
    json_write_close(out, ']');
    if (incident->entities_left_out)
        json_write_uint(out, "entities_left_out", incident->entities_left_out);
}

static void write_times(const struct incident *incident, struct buffer *out)
{
    json_write_open(out, "times", '{');
    for (int t = 0; t < TIME_COUNT; t++)
        write_time(out, incident_time_name((enum incident_time)t), incident->times[t]);
    write_time(out, "last", incident->last_us);
    write_time(out, "last_journal", incident->last_journal_us);
    write_time(out, "paused", incident->paused_us);
    json_write_close(out, '}');
}

static void write_alerts(const struct incident *incident, struct buffer *out)
{
    json_write_open(out, "members", '[');
    for (uint32_t a = 0; a < incident->alert_count; a++) {
        const struct incident_alert *at = &incident->alerts[a];
        json_write_open(out, NULL, '{');
        json_write_string(out, "key", text_of(at->key));
        write_text(out, "name", at->name);
        write_text(out, "host", at->host);
        write_text(out, "summary", at->summary);
        write_text(out, "of", at->of);
        json_write_string(out, "severity", text_of(incident_severity_name(at->severity)));
        json_write_bool(out, "firing", at->is_firing);
        write_time(out, "starts", at->starts_us);
        write_time(out, "ends", at->ends_us);
        write_time(out, "expires", at->expires_us);
        write_time(out, "charged", at->charged_us);
        json_write_close(out, '}');
    }
    json_write_close(out, ']');
}

static void write_override(const struct incident *incident, struct buffer *out)
{
    if (!incident->has_override)
        return;
    json_write_open(out, "override", '{');
    json_write_string(out, "severity",
                      text_of(incident_severity_name(incident->override_severity)));
    write_text(out, "by", incident->override_by);
    write_text(out, "reason", incident->override_reason);
    write_time(out, "until", incident->override_until_us);
    json_write_close(out, '}');
}

static void write_head(const struct incident *incident, struct buffer *out)
{
    enum incident_severity severity =
        incident->has_override ? incident->override_severity : incident->severity;
    json_write_open(out, NULL, '{');
    json_write_string(out, "id", text_of(incident->id));
    json_write_uint(out, "version", incident->version);
    json_write_uint(out, "episode", incident->episode);
    json_write_string(out, "kind", TEXT("incident"));
    json_write_string(out, "origin", text_of(incident_origin_name(incident->origin)));
    write_text(out, "title", incident->title);
    json_write_string(out, "profile", text_of(incident_profile_name(incident->profile)));
    json_write_string(out, "category", incident->category);
    json_write_string(out, "state", text_of(incident_state_name(incident->state)));
    json_write_string(out, "severity", text_of(incident_severity_name(severity)));
    json_write_string(out, "urgency", text_of(incident_urgency_name(incident->urgency)));
    json_write_open(out, "graded", '{');
    json_write_string(out, "severity", text_of(incident_severity_name(incident->severity)));
    json_write_string(out, "floor", text_of(incident_severity_name(incident->floor)));
    json_fixed_exact(out, "score", incident->severity_score);
    json_write_close(out, '}');
    buffer_printf(out, ",\"priority\":\"P%d\"", incident->priority);
    json_fixed_write(out, "score", incident->score, 2);
    json_fixed_write(out, "diversity", incident->diversity, 6);
    json_fixed_write(out, "criticality", incident->criticality, 3);
}

static void write_people(const struct incident *incident, struct buffer *out)
{
    write_text(out, "key", incident->key);
    write_text(out, "recurs_of", incident->recurs_of);
    write_text(out, "continued_in", incident->continued_in);
    write_text(out, "merged_into", incident->merged_into);
    write_text(out, "request", incident->request);
    write_text(out, "disposition", incident_disposition_name(incident->disposition));
    write_text(out, "assignee", incident->assignee);
    write_text(out, "next_action", incident->next_action);
    write_text(out, "pause_reason", incident->pause_reason);
    write_override(incident, out);
    if (incident->is_backfill)
        json_write_bool(out, "backfill", true);
    write_items(out, "evidence", &incident->evidence);
    write_items(out, "notes", &incident->notes);
    write_items(out, "pauses", &incident->pauses);
    write_items(out, "merged", &incident->merged);
    telling_write(&incident->telling, out);
}

void incident_document_write(const struct incident *incident, struct buffer *out)
{
    write_head(incident, out);
    write_parts(incident->parts, incident->part_count, out);
    write_entities(incident, out);
    write_times(incident, out);
    json_write_uint(out, "detections", incident->detections);
    json_write_uint(out, "recurrences", incident->recurrences);
    write_alerts(incident, out);
    write_people(incident, out);
    json_write_close(out, '}');
}
