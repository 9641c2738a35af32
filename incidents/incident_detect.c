/* SPDX-License-Identifier: Apache-2.0 */
#include "incidents/incident_detect.h"
#include "base/json_write.h"
#include "base/timestamp.h"
#include "incidents/incident_charge.h"
#include "incidents/incident_document.h"
#include "incidents/incidents_key.h"
#include "incidents/json_fixed.h"
#include "incidents/outbox.h"
#include "incidents/persist.h"
#include "incidents/rule_verdict.h"
#include <stdlib.h>

enum { TITLE_BYTES = 300 };

void incident_detect_record(struct incidents *i, struct incident *n, const char *kind,
                            struct text by, struct text more, int64_t now_us)
{
    struct buffer data;
    buffer_init(&data, 1 << 20);
    json_write_open(&data, NULL, '{');
    json_write_string(&data, "state", text_of(incident_state_name(n->state)));
    buffer_printf(&data, ",\"priority\":\"P%d\"", n->priority);
    json_write_string(&data, "severity", text_of(incident_severity_name(n->severity)));
    if (more.len) {
        buffer_byte(&data, ',');
        buffer_append(&data, more);
    }
    json_write_close(&data, '}');
    n->version++;
    persist_ledger(i, &(struct ledger_entry){.kind = kind,
                                             .incident = text_of(n->id),
                                             .by = by,
                                             .time_us = now_us,
                                             .data = buffer_text(&data)});
    buffer_fini(&data);
    incidents_touch_incident(i, n);
}

/* ---- weight ---- */

bool incident_detect_reweigh(struct incidents *i, struct incident *n)
{
    const struct candidate *lead = NULL;
    struct score_reading best = {.score = -1};
    for (uint32_t e = 0; e < n->entity_count; e++) {
        struct incident_entity *at = &n->entities[e];
        struct candidate *c =
            incidents_key_candidate(i, at->kind, (struct text){at->value, at->len});
        if (!c || c->incident != n || !c->member_count)
            continue;
        struct score_reading r = candidate_read(c, c->last_us, i->half_life_us);
        at->score = r.score;
        if (r.score > best.score) {
            best = r;
            lead = c;
        }
    }
    if (lead) {
        n->score = best.score;
        n->severity_score = best.severity;
        n->diversity = best.diversity;
        n->criticality = lead->criticality;
        if (!incident_document_take_parts(n, lead, lead->last_us, i->half_life_us))
            COUNT(i, no_memory);
    }
    return incident_weigh(n, i->journal_us);
}

/* ---- evidence ---- */

static void add_line(struct incidents *i, struct incident *n, const struct member *m,
                     uint64_t position, const struct detection *d)
{
    struct text raw = TEXT_NONE;
    if (d->record && d->position == position)
        raw = d->record->raw;
    else if (!i->options.fetch ||
             !i->options.fetch(i->options.context, position, &i->scratch, &raw))
        return;
    size_t before = n->evidence.len;
    json_write_open(&n->evidence, NULL, '{');
    json_write_uint(&n->evidence, "position", position);
    json_write_string(&n->evidence, "rule", m->rule);
    json_write_string(&n->evidence, "line", raw);
    json_write_close(&n->evidence, '}');
    if (!n->evidence.has_failed)
        return;
    n->evidence.len = before; /* a whole line or none */
    n->evidence.has_failed = false;
}

static bool has_position(const uint64_t *at, uint32_t count, uint64_t position)
{
    for (uint32_t p = 0; p < count; p++)
        if (at[p] == position)
            return true;
    return false;
}

static void add_evidence(struct incidents *i, struct incident *n, const struct member *m,
                         const struct detection *d)
{
    for (uint32_t p = 0; p < m->first_count; p++)
        add_line(i, n, m, m->first[p], d);
    for (uint32_t p = 0; p < m->last_count; p++)
        if (!has_position(m->first, m->first_count, m->last[p]))
            add_line(i, n, m, m->last[p], d);
}

/* ---- joining and opening ---- */

void incident_detect_date(struct incident *n, int64_t first_us)
{
    if (first_us < n->times[TIME_OCCURRED] || n->times[TIME_OCCURRED] == TIMESTAMP_NONE)
        n->times[TIME_OCCURRED] = first_us;
}

static void join(struct incidents *i, struct incident *n, struct candidate *c)
{
    c->incident = n;
    (void)incident_add_entity(n, c->kind, c->value, c->episode);
    incident_detect_date(n, c->first_us);
    if (c->received_us < n->times[TIME_FIRST_EVENT] || n->times[TIME_FIRST_EVENT] == TIMESTAMP_NONE)
        n->times[TIME_FIRST_EVENT] = c->received_us;
    if (c->alert_us < n->times[TIME_ALERT] || n->times[TIME_ALERT] == TIMESTAMP_NONE)
        n->times[TIME_ALERT] = c->alert_us;
    incidents_touch_candidate(i, c);
    i->is_urgent = true;
}

static struct text category_of(const struct rule *rule)
{
    return text_equal(rule->tactic, TEXT("availability")) ? TEXT("availability") : TEXT("security");
}

static bool set_title(struct incident *n, struct text what, const struct candidate *c)
{
    struct buffer title;
    buffer_init(&title, 1 << 20);
    buffer_printf(&title, "%.*s: %s %.*s", TEXT_ARG(text_head(what, TITLE_BYTES)),
                  correlation_entity_name(c->kind), TEXT_ARG(text_head(c->value, TITLE_BYTES)));
    bool is_ok = !title.has_failed && incident_set_text(&n->title, buffer_text(&title));
    buffer_fini(&title);
    return is_ok;
}

void incident_detect_open(struct incidents *i, struct incident *n, int64_t now_us)
{
    struct buffer more;
    buffer_init(&more, 1 << 20);
    n->times[TIME_OPENED] = now_us;
    json_write_string(&more, "origin", text_of(incident_origin_name(n->origin)));
    json_write_string(&more, "category", n->category);
    json_write_string(&more, "profile", text_of(incident_profile_name(n->profile)));
    json_fixed_write(&more, "score", n->score, 2);
    if (n->times[TIME_OCCURRED] != TIMESTAMP_NONE)
        json_write_time(&more, "occurred", n->times[TIME_OCCURRED]);
    if (n->times[TIME_FIRST_EVENT] != TIMESTAMP_NONE)
        json_write_time(&more, "first_event", n->times[TIME_FIRST_EVENT]);
    if (n->times[TIME_ALERT] != TIMESTAMP_NONE)
        json_write_time(&more, "alert", n->times[TIME_ALERT]);
    if (n->part_count)
        json_write_string(&more, "rule", n->parts[0].member.rule);
    if (n->title)
        json_write_string(&more, "title", text_of(n->title));
    if (n->recurs_of[0])
        json_write_string(&more, "recurs_of", text_of(n->recurs_of));
    if (n->is_backfill)
        json_write_bool(&more, "backfill", true);
    COUNT(i, opened);
    incident_detect_record(i, n, "incident.opened", TEXT_NONE, buffer_text(&more), now_us);
    outbox_opened(i, n, now_us);
    outbox_notice(i, n, NOTICE_OPENED, now_us);
    buffer_fini(&more);
}

static struct incident *make_incident(struct incidents *i, const struct detection *d,
                                      const struct candidate *lead)
{
    char id[IDENT_LEN + 1];
    ident_make("inc_", d->journal_us, d->id, id);
    struct incident *n = incident_new(id);
    if (!n)
        return NULL;
    n->category = string_pool_keep(&i->words, category_of(d->rule));
    n->profile = text_equal(n->category, TEXT("security")) ? PROFILE_SECURITY : PROFILE_OPERATIONS;
    n->origin = d->rule->open == OPEN_ALWAYS ? ORIGIN_RULE : ORIGIN_SCORE;
    n->floor =
        d->rule->open == OPEN_ALWAYS ? (enum incident_severity)d->rule->level : SEVERITY_INFO;
    n->episode = lead->episode;
    n->is_backfill = lead->is_backfill;
    memcpy(n->recurs_of, lead->last_incident, sizeof n->recurs_of);
    if (!set_title(n, d->rule->title, lead)) {
        incident_free(n);
        return NULL;
    }
    return incidents_key_adopt(i, n) == STATUS_OK ? n : NULL;
}

void incident_detect_reopen(struct incidents *i, struct incident *n, struct text by,
                            const char *why, int64_t now_us)
{
    struct buffer more;
    buffer_init(&more, 1 << 16);
    json_write_string(&more, "from", text_of(incident_state_name(n->state)));
    json_write_string(&more, "because", text_of(why));
    if (n->state == STATE_CLOSED)
        rule_verdict_count(i, n, -1);
    n->state = STATE_OPEN;
    n->disposition = DISPOSITION_NONE;
    n->times[TIME_REOPENED] = now_us;
    n->times[TIME_RESOLVED] = n->times[TIME_RECOVERED] = TIMESTAMP_NONE;
    n->times[TIME_REVIEWED] = n->times[TIME_CLOSED] = TIMESTAMP_NONE;
    COUNT(i, reopened);
    incident_detect_record(i, n, "incident.reopened", by, buffer_text(&more), now_us);
    outbox_notice(i, n, NOTICE_REOPENED, now_us);
    buffer_fini(&more);
}

void incident_detect_release(struct incidents *i, struct candidate *c, int64_t now_us,
                             bool was_confirmed)
{
    struct effect *e = incidents_effect(i);
    if (e)
        EFFECT(e, TEXT("DEL"), persist_score_key(i, c));
    memcpy(c->last_incident, c->incident->id, sizeof c->last_incident);
    c->last_closed_us = now_us;
    c->was_confirmed = was_confirmed;
    c->incident = NULL;
    c->episode++;
    c->episode_us = now_us;
    candidate_reset(c);
    incidents_touch_candidate(i, c);
}

/* ---- one detection ---- */

/* An entity's incident closed as a true positive is taken up again within a day. */
static struct incident *earlier(struct incidents *i, const struct charged *c, int64_t t_us)
{
    bool is_away;
    if (!c->candidate->was_confirmed || t_us - c->candidate->last_closed_us >= DAY_US)
        return NULL;
    struct text id = text_of(c->candidate->last_incident);
    struct incident *n = incidents_key_find(i, id);
    return n ? n : persist_fetch(i, id, &is_away);
}

/* The one that opens: the highest score; of equals the narrowest kind. */
static struct charged *lead_of(struct charging *g)
{
    static const int width[] = {0, 3, 1, 2}; /* address, host, user, service */
    struct charged *lead = NULL;
    for (uint32_t c = 0; c < g->count; c++) {
        struct charged *at = &g->all[c];
        if (!at->crosses)
            continue;
        if (!lead || at->score > lead->score + 1e-9 ||
            (at->score > lead->score - 1e-9 &&
             width[at->candidate->kind] < width[lead->candidate->kind]))
            lead = at;
    }
    return lead;
}

static void confirm(struct incidents *i, const struct detection *d, struct charging *g,
                    struct charged *lead)
{
    struct incident *n = earlier(i, lead, g->t_us);
    bool is_new = !n;
    if (!n)
        n = make_incident(i, d, lead->candidate);
    if (!n) {
        COUNT(i, no_memory);
        return;
    }
    for (uint32_t c = 0; c < g->count; c++)
        if (g->all[c].crosses)
            join(i, n, g->all[c].candidate);
    (void)incident_detect_reweigh(i, n);
    n->detections += lead->candidate->detections;
    n->last_us = lead->candidate->last_us;
    n->last_journal_us = d->journal_us;
    for (uint32_t m = 0; m < lead->candidate->member_count; m++)
        add_evidence(i, n, &lead->candidate->members[m], d);
    if (is_new)
        incident_detect_open(i, n, d->journal_us);
    else
        incident_detect_reopen(i, n, TEXT_NONE, "the same entity crossed the threshold again",
                               d->journal_us);
}

static void tell_change(struct incidents *i, struct incident *n, bool has_risen, bool was_quiet,
                        int64_t now_us)
{
    if (has_risen) {
        incident_detect_record(i, n, "incident.raised", TEXT_NONE, TEXT_NONE, now_us);
        outbox_notice(i, n, NOTICE_RAISED, now_us);
    } else if (was_quiet) {
        incident_detect_record(i, n, "incident.recurred", TEXT_NONE, TEXT_NONE, now_us);
        outbox_notice(i, n, NOTICE_RECURRED, now_us);
    }
}

static void record_member(struct incidents *i, struct incident *n, const struct charged *at,
                          const struct detection *d)
{
    struct buffer more;
    buffer_init(&more, 1 << 20);
    json_write_string(&more, "rule", d->rule->key);
    json_write_string(&more, "family", d->rule->family);
    json_write_string(&more, "entity", at->candidate->value);
    json_fixed_write(&more, "score", at->score, 2);
    json_write_time(&more, "occurred", n->times[TIME_OCCURRED]);
    incident_detect_record(i, n, "incident.grew", TEXT_NONE, buffer_text(&more), d->journal_us);
    buffer_fini(&more);
}

/* The detection belongs to an incident that is there already. */
static void append(struct incidents *i, const struct detection *d, const struct charging *g,
                   struct incident *n)
{
    const struct charged *grown = NULL;
    bool is_first_entity = false;
    for (uint32_t c = 0; c < g->count; c++) {
        struct candidate *at = g->all[c].candidate;
        if (at->incident != n)
            continue;
        incident_detect_date(n, at->first_us);
        if (g->all[c].is_new_member && !grown)
            grown = &g->all[c];
        is_first_entity |=
            at->kind == n->entities[0].kind &&
            text_equal(at->value, (struct text){n->entities[0].value, n->entities[0].len});
    }
    bool was_quiet = n->last_us != TIMESTAMP_NONE && g->t_us - n->last_us >= DAY_US;
    n->detections++;
    n->recurrences++;
    COUNT(i, recurred);
    if (g->t_us > n->last_us || n->last_us == TIMESTAMP_NONE)
        n->last_us = g->t_us;
    n->last_journal_us = d->journal_us;
    bool has_risen = incident_detect_reweigh(i, n);
    incidents_touch_incident(i, n);
    if (grown && grown->member)
        add_evidence(i, n, grown->member, d);
    if (grown)
        record_member(i, n, grown, d);
    if (incident_is_settled(n) && (is_first_entity || d->rule->level >= LEVEL_HIGH))
        incident_detect_reopen(i, n, TEXT_NONE, "a detection after it was settled", d->journal_us);
    else
        tell_change(i, n, has_risen, was_quiet, d->journal_us);
}

static bool is_among(struct incident *const *all, uint32_t count, const struct incident *n)
{
    for (uint32_t k = 0; k < count; k++)
        if (all[k] == n)
            return true;
    return false;
}

void incident_detect_apply(struct incidents *i, const struct detection *d)
{
    struct charging g;
    struct incident *open[INCIDENT_CHARGED];
    uint32_t count = 0;
    incident_charge_all(i, d, &g);
    if (!g.count || d->is_renewal)
        return;
    for (uint32_t c = 0; c < g.count; c++) {
        struct incident *n = g.all[c].candidate->incident;
        if (n && !is_among(open, count, n))
            open[count++] = n;
    }
    if (!count) {
        struct charged *lead = lead_of(&g);
        if (lead)
            confirm(i, d, &g, lead);
        return;
    }
    for (uint32_t c = 0; c < g.count; c++)
        if (g.all[c].crosses)
            join(i, open[0], g.all[c].candidate);
    for (uint32_t k = 0; k < count; k++)
        append(i, d, &g, open[k]);
}
