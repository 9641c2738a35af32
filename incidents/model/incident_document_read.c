/* SPDX-License-Identifier: Apache-2.0 */
#include "base/timestamp.h"
#include "incidents/model/incident_document.h"
#include <stdlib.h>

static void copy_id(struct text t, char out[IDENT_LEN + 1])
{
    size_t len = t.len < IDENT_LEN ? t.len : IDENT_LEN;
    if (len)
        memcpy(out, t.at, len);
    out[len] = 0;
}

static enum rule_level read_level(struct text name)
{
    for (int l = LEVEL_INFORMATIONAL; l <= LEVEL_CRITICAL; l++)
        if (text_equal(text_of(rule_level_name((enum rule_level)l)), name))
            return (enum rule_level)l;
    return LEVEL_INFORMATIONAL;
}

static bool read_kind(struct text name, enum entity_kind *out)
{
    for (int k = ENTITY_ADDRESS; k <= ENTITY_SERVICE; k++) {
        if (!text_equal(text_of(correlation_entity_name((enum entity_kind)k)), name))
            continue;
        *out = (enum entity_kind)k;
        return true;
    }
    return false;
}

static uint32_t read_positions(const struct doc_tree *list, uint64_t *out)
{
    uint32_t count = 0;
    for (uint32_t i = 0; i < list->count && count < MEMBER_POSITIONS; i++)
        out[count++] = (uint64_t)list->items[i].whole;
    return count;
}

static void read_part(const struct doc_tree *t, struct string_pool *words,
                      struct incident_part *out)
{
    *out = (struct incident_part){.weight = doc_tree_real(t, "weight", 0),
                                  .share = doc_tree_real(t, "share", 0),
                                  .member = {
                                      .rule = string_pool_keep(words, doc_tree_text(t, "rule")),
                                      .title = string_pool_keep(words, doc_tree_text(t, "title")),
                                      .family = string_pool_keep(words, doc_tree_text(t, "family")),
                                      .tactic = string_pool_keep(words, doc_tree_text(t, "tactic")),
                                      .level = read_level(doc_tree_text(t, "level")),
                                      .chance = doc_tree_real(t, "p", 0),
                                      .mark = doc_tree_real(t, "mark", -1e300),
                                      .first_us = doc_tree_time(t, "first"),
                                      .last_us = doc_tree_time(t, "last"),
                                      .count = (uint64_t)doc_tree_whole(t, "count", 0),
                                  }};
    struct member *m = &out->member;
    m->first_count = read_positions(doc_tree_get(t, "first_evidence"), m->first);
    m->last_count = read_positions(doc_tree_get(t, "last_evidence"), m->last);
}

void incident_document_read_member(const struct doc_tree *t, struct string_pool *words,
                                   struct member *out)
{
    struct incident_part part;
    read_part(t, words, &part);
    *out = part.member;
}

static bool read_members(const struct doc_tree *list, struct string_pool *words,
                         struct candidate *candidate)
{
    for (uint32_t i = 0; i < list->count; i++) {
        struct incident_part part;
        bool is_new;
        read_part(&list->items[i], words, &part);
        struct member *m =
            candidate_member(candidate, part.member.tactic, part.member.family, &is_new);
        if (!m)
            return false;
        *m = part.member;
    }
    return true;
}

enum status incident_document_read_candidate(const struct doc_tree *t, struct string_pool *words,
                                             struct candidate **out, char *out_incident)
{
    const struct doc_tree *entities = doc_tree_get(t, "entities");
    const struct doc_tree *times = doc_tree_get(t, "times");
    enum entity_kind kind;
    if (entities->count != 1 || !read_kind(doc_tree_text(entities->items, "kind"), &kind))
        return STATUS_INVALID;
    AUTO(candidate) c = candidate_new(kind, doc_tree_text(entities->items, "value"));
    if (!c || !read_members(doc_tree_get(t, "contributions"), words, c))
        return STATUS_NOMEM;
    copy_id(doc_tree_text(t, "id"), c->id);
    copy_id(doc_tree_text(t, "last_incident"), c->last_incident);
    copy_id(doc_tree_text(t, "incident"), out_incident);
    c->is_new = false;
    c->episode = (uint32_t)doc_tree_whole(t, "episode", 1);
    c->criticality = doc_tree_real(t, "criticality", 1);
    c->detections = (uint64_t)doc_tree_whole(t, "detections", 0);
    c->is_backfill = doc_tree_bool(t, "backfill");
    c->first_us = doc_tree_time(times, "occurred");
    c->received_us = doc_tree_time(times, "first_event");
    c->alert_us = doc_tree_time(times, "alert");
    c->last_us = doc_tree_time(times, "last");
    c->episode_us = doc_tree_time(times, "episode");
    c->last_closed_us = doc_tree_time(t, "last_closed");
    c->was_confirmed = doc_tree_bool(t, "last_confirmed");
    *out = MOVE(c);
    return STATUS_OK;
}

/* ---- incident ---- */

static bool read_parts(const struct doc_tree *list, struct string_pool *words,
                       struct incident *incident)
{
    if (!list->count)
        return true;
    incident->parts = calloc(list->count, sizeof *incident->parts);
    if (!incident->parts)
        return false;
    for (uint32_t p = 0; p < list->count; p++)
        read_part(&list->items[p], words, &incident->parts[p]);
    incident->part_count = list->count;
    return true;
}

static bool read_entities(const struct doc_tree *list, struct incident *incident)
{
    for (uint32_t e = 0; e < list->count; e++) {
        const struct doc_tree *at = &list->items[e];
        enum entity_kind kind;
        if (!read_kind(doc_tree_text(at, "kind"), &kind))
            continue;
        struct text value = doc_tree_text(at, "value");
        if (!incident_add_entity(incident, kind, value, (uint32_t)doc_tree_whole(at, "episode", 1)))
            return false;
        incident->entities[incident->entity_count - 1].score = doc_tree_real(at, "score", 0);
    }
    return true;
}

static bool read_alerts(const struct doc_tree *list, struct incident *incident)
{
    if (!list->count)
        return true;
    incident->alerts = calloc(list->count, sizeof *incident->alerts);
    if (!incident->alerts)
        return false;
    incident->alert_max = list->count;
    for (uint32_t a = 0; a < list->count; a++) {
        const struct doc_tree *at = &list->items[a];
        struct incident_alert *alert = &incident->alerts[incident->alert_count++];
        if (!incident_set_text(&alert->key, doc_tree_text(at, "key")) ||
            !incident_set_text(&alert->name, doc_tree_text(at, "name")) ||
            !incident_set_text(&alert->host, doc_tree_text(at, "host")) ||
            !incident_set_text(&alert->summary, doc_tree_text(at, "summary")))
            return false;
        (void)incident_parse_severity(doc_tree_text(at, "severity"), &alert->severity);
        copy_id(doc_tree_text(at, "of"), alert->of);
        alert->is_firing = doc_tree_bool(at, "firing");
        alert->starts_us = doc_tree_time(at, "starts");
        alert->ends_us = doc_tree_time(at, "ends");
        alert->expires_us = doc_tree_time(at, "expires");
        alert->charged_us = doc_tree_time(at, "charged");
    }
    return true;
}

static void read_times(const struct doc_tree *t, struct incident *incident)
{
    for (int at = 0; at < TIME_COUNT; at++)
        incident->times[at] = doc_tree_time(t, incident_time_name((enum incident_time)at));
    incident->last_us = doc_tree_time(t, "last");
    incident->last_journal_us = doc_tree_time(t, "last_journal");
    incident->paused_us = doc_tree_time(t, "paused");
}

static bool read_people(const struct doc_tree *t, struct incident *incident)
{
    const struct doc_tree *override = doc_tree_get(t, "override");
    incident->has_override =
        incident_parse_severity(doc_tree_text(override, "severity"), &incident->override_severity);
    incident->override_until_us = doc_tree_time(override, "until");
    doc_tree_write_items(doc_tree_get(t, "evidence"), &incident->evidence);
    doc_tree_write_items(doc_tree_get(t, "notes"), &incident->notes);
    doc_tree_write_items(doc_tree_get(t, "pauses"), &incident->pauses);
    doc_tree_write_items(doc_tree_get(t, "merged"), &incident->merged);
    return incident_set_text(&incident->title, doc_tree_text(t, "title")) &&
           incident_set_text(&incident->key, doc_tree_text(t, "key")) &&
           incident_set_text(&incident->assignee, doc_tree_text(t, "assignee")) &&
           incident_set_text(&incident->next_action, doc_tree_text(t, "next_action")) &&
           incident_set_text(&incident->pause_reason, doc_tree_text(t, "pause_reason")) &&
           incident_set_text(&incident->override_by, doc_tree_text(override, "by")) &&
           incident_set_text(&incident->override_reason, doc_tree_text(override, "reason"));
}

static void read_grades(const struct doc_tree *t, struct incident *incident)
{
    const struct doc_tree *graded = doc_tree_get(t, "graded");
    struct text priority = doc_tree_text(t, "priority");
    (void)incident_parse_severity(doc_tree_text(graded, "severity"), &incident->severity);
    (void)incident_parse_severity(doc_tree_text(graded, "floor"), &incident->floor);
    incident->severity_score = doc_tree_real(graded, "score", 0);
    incident->priority = priority.len == 2 ? priority.at[1] - '0' : 5;
    incident->score = doc_tree_real(t, "score", 0);
    incident->diversity = doc_tree_real(t, "diversity", 1);
    incident->criticality = doc_tree_real(t, "criticality", 1);
    incident->urgency = incident->criticality >= 1.5 ? URGENCY_HIGH
                        : incident->criticality >= 1 ? URGENCY_MEDIUM
                                                     : URGENCY_LOW;
}

enum status incident_document_read(const struct doc_tree *t, struct string_pool *words,
                                   struct incident **out)
{
    struct text id = doc_tree_text(t, "id");
    if (id.len != IDENT_LEN)
        return STATUS_INVALID;
    AUTO(incident) i = incident_new(id.at);
    if (!i)
        return STATUS_NOMEM;
    if (!incident_parse_state(doc_tree_text(t, "state"), &i->state) ||
        !incident_parse_origin(doc_tree_text(t, "origin"), &i->origin))
        return STATUS_INVALID;
    (void)incident_parse_disposition(doc_tree_text(t, "disposition"), &i->disposition);
    i->is_new = false;
    i->version = (uint32_t)doc_tree_whole(t, "version", 0);
    i->episode = (uint32_t)doc_tree_whole(t, "episode", 1);
    i->profile = text_equal(doc_tree_text(t, "profile"), TEXT("security")) ? PROFILE_SECURITY
                                                                           : PROFILE_OPERATIONS;
    i->category = string_pool_keep(words, doc_tree_text(t, "category"));
    i->detections = (uint64_t)doc_tree_whole(t, "detections", 0);
    i->recurrences = (uint64_t)doc_tree_whole(t, "recurrences", 0);
    i->is_backfill = doc_tree_bool(t, "backfill");
    i->entities_left_out = (uint32_t)doc_tree_whole(t, "entities_left_out", 0);
    copy_id(doc_tree_text(t, "recurs_of"), i->recurs_of);
    copy_id(doc_tree_text(t, "continued_in"), i->continued_in);
    copy_id(doc_tree_text(t, "merged_into"), i->merged_into);
    struct text request = doc_tree_text(t, "request");
    if (request.len == INCIDENT_REQUEST)
        memcpy(i->request, request.at, request.len);
    read_times(doc_tree_get(t, "times"), i);
    telling_read(&i->telling, t);
    i->telling.resolved_us = i->times[TIME_RESOLVED];
    read_grades(t, i);
    if (!read_parts(doc_tree_get(t, "contributions"), words, i) ||
        !read_entities(doc_tree_get(t, "entities"), i) ||
        !read_alerts(doc_tree_get(t, "members"), i) || !read_people(t, i))
        return STATUS_NOMEM;
    *out = MOVE(i);
    return STATUS_OK;
}
