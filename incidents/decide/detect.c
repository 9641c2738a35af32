/* SPDX-License-Identifier: Apache-2.0 */
#include "incidents/decide/detect.h"
#include "base/json_write.h"
#include "base/timestamp.h"
#include "incidents/decide/reweigh.h"
#include "incidents/model/json_fixed.h"
#include "incidents/state/tables_load.h"

enum { TITLE_BYTES = 300 };

static struct tables *tables_of(const struct detector *detector)
{
    return detector->lifecycle->tables;
}

/* ---- evidence ---- */

static void add_line(const struct detector *detector, struct incident *incident,
                     const struct member *m, uint64_t position, const struct detection *detection)
{
    struct text raw = TEXT_NONE;
    if (detection->record && detection->position == position)
        raw = detection->record->raw;
    else if (!detector->fetch || !detector->fetch(detector->context, position,
                                                  &detector->lifecycle->changes->scratch, &raw))
        return;
    size_t before = incident->evidence.len;
    json_write_open(&incident->evidence, NULL, '{');
    json_write_uint(&incident->evidence, "position", position);
    json_write_string(&incident->evidence, "rule", m->rule);
    json_write_string(&incident->evidence, "line", raw);
    json_write_close(&incident->evidence, '}');
    if (!incident->evidence.has_failed)
        return;
    incident->evidence.len = before; /* a whole line or none */
    incident->evidence.has_failed = false;
}

static bool has_position(const uint64_t *at, uint32_t count, uint64_t position)
{
    for (uint32_t p = 0; p < count; p++)
        if (at[p] == position)
            return true;
    return false;
}

static void add_evidence(const struct detector *detector, struct incident *incident,
                         const struct member *m, const struct detection *detection)
{
    for (uint32_t p = 0; p < m->first_count; p++)
        add_line(detector, incident, m, m->first[p], detection);
    for (uint32_t p = 0; p < m->last_count; p++)
        if (!has_position(m->first, m->first_count, m->last[p]))
            add_line(detector, incident, m, m->last[p], detection);
}

/* ---- joining and opening ---- */

static void join(const struct detector *detector, struct incident *incident,
                 struct candidate *candidate)
{
    candidate->incident = incident;
    (void)incident_add_entity(incident, candidate->kind, candidate->value, candidate->episode);
    lifecycle_date(incident, candidate->first_us);
    if (candidate->received_us < incident->times[TIME_FIRST_EVENT] ||
        incident->times[TIME_FIRST_EVENT] == TIMESTAMP_NONE)
        incident->times[TIME_FIRST_EVENT] = candidate->received_us;
    if (candidate->alert_us < incident->times[TIME_ALERT] ||
        incident->times[TIME_ALERT] == TIMESTAMP_NONE)
        incident->times[TIME_ALERT] = candidate->alert_us;
    tables_touch_candidate(tables_of(detector), candidate);
    detector->lifecycle->changes->is_urgent = true;
}

static struct text category_of(const struct rule *rule)
{
    return text_equal(rule->tactic, TEXT("availability")) ? TEXT("availability") : TEXT("security");
}

static bool set_title(struct incident *incident, struct text what, const struct candidate *c)
{
    struct buffer title;
    buffer_init(&title, 1 << 20);
    buffer_printf(&title, "%.*s: %s %.*s", TEXT_ARG(text_head(what, TITLE_BYTES)),
                  correlation_entity_name(c->kind), TEXT_ARG(text_head(c->value, TITLE_BYTES)));
    bool is_ok = !title.has_failed && incident_set_text(&incident->title, buffer_text(&title));
    buffer_fini(&title);
    return is_ok;
}

static struct incident *make_incident(const struct detector *detector,
                                      const struct detection *detection,
                                      const struct candidate *lead)
{
    char id[IDENT_LEN + 1];
    ident_make("inc_", detection->journal_us, detection->id, id);
    struct incident *incident = incident_new(id);
    if (!incident)
        return NULL;
    incident->category =
        string_pool_keep(&tables_of(detector)->strings, category_of(detection->rule));
    incident->profile =
        text_equal(incident->category, TEXT("security")) ? PROFILE_SECURITY : PROFILE_OPERATIONS;
    incident->origin = detection->rule->open == OPEN_ALWAYS ? ORIGIN_RULE : ORIGIN_SCORE;
    incident->floor = detection->rule->open == OPEN_ALWAYS
                          ? (enum incident_severity)detection->rule->level
                          : SEVERITY_INFO;
    incident->episode = lead->episode;
    incident->is_backfill = lead->is_backfill;
    memcpy(incident->recurs_of, lead->last_incident, sizeof incident->recurs_of);
    if (!set_title(incident, detection->rule->title, lead)) {
        incident_free(incident);
        return NULL;
    }
    return tables_adopt(tables_of(detector), incident) == STATUS_OK ? incident : NULL;
}

/* ---- one detection ---- */

/* An entity's incident closed as a true positive is taken up again within a day. */
static struct incident *earlier(const struct detector *detector, const struct charged *c,
                                int64_t t_us)
{
    bool is_away;
    if (!c->candidate->was_confirmed || t_us - c->candidate->last_closed_us >= DAY_US)
        return NULL;
    return tables_load_incident(tables_of(detector), text_of(c->candidate->last_incident),
                                &is_away);
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

/* NULL without memory. */
static struct incident *confirm(const struct detector *detector, const struct detection *detection,
                                struct charging *g, struct charged *lead)
{
    struct incident *incident = earlier(detector, lead, g->t_us);
    bool is_new = !incident;
    if (!incident)
        incident = make_incident(detector, detection, lead->candidate);
    if (!incident) {
        COUNT(detector->lifecycle->changes->counters, no_memory);
        return NULL;
    }
    for (uint32_t c = 0; c < g->count; c++)
        if (g->all[c].crosses)
            join(detector, incident, g->all[c].candidate);
    (void)reweigh(tables_of(detector), incident, detector->lifecycle->changes);
    incident->detections += lead->candidate->detections;
    incident->last_us = lead->candidate->last_us;
    incident->last_journal_us = detection->journal_us;
    for (uint32_t m = 0; m < lead->candidate->member_count; m++)
        add_evidence(detector, incident, &lead->candidate->members[m], detection);
    if (is_new)
        lifecycle_open(detector->lifecycle, incident, TEXT_NONE, detection->journal_us);
    else
        lifecycle_reopen(detector->lifecycle, incident, TEXT_NONE,
                         "the same entity crossed the threshold again", detection->journal_us);
    return incident;
}

static void tell_change(const struct detector *detector, struct incident *incident, bool has_risen,
                        bool was_quiet, int64_t now_us)
{
    if (has_risen) {
        lifecycle_record(detector->lifecycle, incident, "incident.raised", TEXT_NONE, TEXT_NONE,
                         now_us);
        lifecycle_notice(detector->lifecycle, incident, NOTICE_RAISED, now_us);
    } else if (was_quiet) {
        lifecycle_record(detector->lifecycle, incident, "incident.recurred", TEXT_NONE, TEXT_NONE,
                         now_us);
        lifecycle_notice(detector->lifecycle, incident, NOTICE_RECURRED, now_us);
    }
}

static void record_member(const struct detector *detector, struct incident *incident,
                          const struct charged *at, const struct detection *detection)
{
    struct buffer more;
    buffer_init(&more, 1 << 20);
    json_write_string(&more, "rule", detection->rule->key);
    json_write_string(&more, "family", detection->rule->family);
    json_write_string(&more, "entity", at->candidate->value);
    json_fixed_write(&more, "score", at->score, 2);
    json_write_time(&more, "occurred", incident->times[TIME_OCCURRED]);
    lifecycle_record(detector->lifecycle, incident, "incident.grew", TEXT_NONE, buffer_text(&more),
                     detection->journal_us);
    buffer_fini(&more);
}

/* It says what the incident is from now on: none of its other rules has such a level. */
static bool outranks(const struct incident *incident, const struct rule *rule)
{
    bool is_part = false;
    for (uint32_t p = 0; p < incident->part_count; p++) {
        const struct member *m = &incident->parts[p].member;
        if (text_equal(m->rule, rule->key))
            is_part = true;
        else if (m->level >= rule->level)
            return false;
    }
    return is_part;
}

static const struct candidate *first_in(const struct charging *g, const struct incident *incident)
{
    for (uint32_t c = 0; c < g->count; c++)
        if (g->all[c].candidate->incident == incident)
            return g->all[c].candidate;
    return g->all[0].candidate;
}

/* The detection belongs to an incident that is there already. */
static void append(const struct detector *detector, const struct detection *detection,
                   const struct charging *g, struct incident *incident)
{
    const struct charged *grown = NULL;
    bool is_first_entity = false;
    for (uint32_t c = 0; c < g->count; c++) {
        struct candidate *at = g->all[c].candidate;
        if (at->incident != incident)
            continue;
        lifecycle_date(incident, at->first_us);
        if (g->all[c].is_new_member && !grown)
            grown = &g->all[c];
        is_first_entity |= at->kind == incident->entities[0].kind &&
                           text_equal(at->value, (struct text){incident->entities[0].value,
                                                               incident->entities[0].len});
    }
    /* What was no news when it opened is, once it goes on now. */
    bool is_news = incident->is_backfill && !g->is_old;
    incident->is_backfill &= g->is_old;
    bool was_quiet = incident->last_us != TIMESTAMP_NONE && g->t_us - incident->last_us >= DAY_US;
    incident->detections++;
    incident->recurrences++;
    COUNT(detector->lifecycle->changes->counters, recurred);
    if (g->t_us > incident->last_us || incident->last_us == TIMESTAMP_NONE)
        incident->last_us = g->t_us;
    incident->last_journal_us = detection->journal_us;
    bool has_risen = reweigh(tables_of(detector), incident, detector->lifecycle->changes);
    if (outranks(incident, detection->rule))
        (void)set_title(incident, detection->rule->title, first_in(g, incident));
    tables_touch_incident(tables_of(detector), incident);
    if (grown && grown->member)
        add_evidence(detector, incident, grown->member, detection);
    if (grown)
        record_member(detector, incident, grown, detection);
    if (incident_is_settled(incident) && (is_first_entity || detection->rule->level >= LEVEL_HIGH))
        lifecycle_reopen(detector->lifecycle, incident, TEXT_NONE,
                         "a detection after it was settled", detection->journal_us);
    else
        tell_change(detector, incident, has_risen, was_quiet || is_news, detection->journal_us);
}

static bool is_among(struct incident *const *all, uint32_t count, const struct incident *incident)
{
    for (uint32_t k = 0; k < count; k++)
        if (all[k] == incident)
            return true;
    return false;
}

/* Where one more entity belongs: it, or what it goes on in where it has no room. NULL: nowhere. */
static struct incident *with_room(const struct detector *detector, struct incident *incident)
{
    if (incident->entity_count < INCIDENT_ENTITIES)
        return incident;
    struct incident *next = tables_incident(tables_of(detector), text_of(incident->continued_in));
    bool has_room = next && next->entity_count < INCIDENT_ENTITIES && next->state != STATE_CLOSED;
    return has_room ? next : NULL;
}

/* What crosses joins the incident it shares the detection with; where that is full, another one
 * opens, so that nobody is hidden behind a crowd. */
static uint32_t join_all(const struct detector *detector, const struct detection *detection,
                         struct charging *g, struct incident *open[CHARGE_ENTITIES], uint32_t count)
{
    for (uint32_t c = 0; c < g->count; c++) {
        struct incident *to = g->all[c].crosses ? with_room(detector, open[0]) : NULL;
        if (!to)
            continue;
        join(detector, to, g->all[c].candidate);
        g->all[c].crosses = false;
        if (!is_among(open, count, to))
            open[count++] = to;
    }
    struct charged *lead = lead_of(g);
    const struct incident *next = lead ? confirm(detector, detection, g, lead) : NULL;
    if (next && next != open[0]) {
        memcpy(open[0]->continued_in, next->id, sizeof open[0]->continued_in);
        tables_touch_incident(tables_of(detector), open[0]);
    }
    return count;
}

void detect_apply(const struct detector *detector, const struct detection *detection)
{
    struct charging g;
    struct incident *open[CHARGE_ENTITIES];
    uint32_t count = 0;
    charge_detection(detector->charger, detection, &g);
    if (!g.count || detection->is_renewal)
        return;
    for (uint32_t c = 0; c < g.count; c++) {
        struct incident *incident = g.all[c].candidate->incident;
        if (incident && !is_among(open, count, incident))
            open[count++] = incident;
    }
    if (!count) {
        struct charged *lead = lead_of(&g);
        if (lead)
            (void)confirm(detector, detection, &g, lead);
        return;
    }
    count = join_all(detector, detection, &g, open, count);
    for (uint32_t k = 0; k < count; k++)
        append(detector, detection, &g, open[k]);
}
