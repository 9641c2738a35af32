/* SPDX-License-Identifier: Apache-2.0 */
#include "incidents/state/tables.h"
#include "incidents/state/tables_save.h"
#include <stdlib.h>

void tables_init(struct tables *tables, struct inventory *inventory, struct incident_store *store,
                 int64_t half_life_us)
{
    *tables = (struct tables){.inventory = inventory, .store = store, .half_life_us = half_life_us};
    string_pool_init(&tables->strings);
}

static void unplace_alerts(struct tables *tables, struct incident *incident)
{
    for (uint32_t a = 0; a < incident->alert_count; a++) {
        struct alert_place *place = incident->alerts[a].place;
        if (place)
            hash_table_remove(&tables->alert_members, &place->link);
        free(place);
        incident->alerts[a].place = NULL;
    }
}

void tables_clear(struct tables *tables)
{
    size_t slot = 0;
    while (tables->dirty_candidates) {
        struct candidate *candidate = tables->dirty_candidates;
        tables->dirty_candidates = candidate->next_dirty;
        if (candidate->is_gone)
            candidate_free(candidate);
    }
    struct hash_link *next = hash_table_walk(&tables->candidates, &slot, NULL);
    while (next) {
        struct candidate *candidate = CONTAINER_OF(next, struct candidate, link);
        next = hash_table_walk(&tables->candidates, &slot, next);
        candidate_free(candidate);
    }
    slot = 0;
    next = hash_table_walk(&tables->incidents, &slot, NULL);
    while (next) {
        struct incident *incident = CONTAINER_OF(next, struct incident, link);
        next = hash_table_walk(&tables->incidents, &slot, next);
        unplace_alerts(tables, incident);
        incident_free(incident);
    }
    hash_table_fini(&tables->candidates);
    hash_table_fini(&tables->incidents);
    hash_table_fini(&tables->alert_keys);
    hash_table_fini(&tables->alert_members);
    weakest_fini(&tables->weakest);
    tables->dirty_incidents = NULL;
    tables->sweep_slot = 0;
}

void tables_fini(struct tables *tables)
{
    tables_clear(tables);
    inventory_free(tables->inventory);
    string_pool_fini(&tables->strings);
}

struct incident *tables_incident(const struct tables *tables, struct text id)
{
    for (struct hash_link *at = hash_table_first(&tables->incidents, hash_table_hash(id, 0)); at;
         at = hash_table_next(at)) {
        struct incident *incident = CONTAINER_OF(at, struct incident, link);
        if (text_equal(text_of(incident->id), id))
            return incident;
    }
    return NULL;
}

struct incident *tables_requested(const struct tables *tables, const char *request)
{
    size_t slot = 0;
    for (struct hash_link *at = hash_table_walk(&tables->incidents, &slot, NULL); at;
         at = hash_table_walk(&tables->incidents, &slot, at)) {
        struct incident *incident = CONTAINER_OF(at, struct incident, link);
        if (strcmp(incident->request, request) == 0)
            return incident;
    }
    return NULL;
}

/* An edge never leads back, but a damaged document might. */
static struct incident *follow_edges(const struct tables *tables, struct incident *incident)
{
    enum { EDGES = 100 };
    for (int e = 0; incident && incident->merged_into[0] && e < EDGES; e++) {
        struct incident *next = tables_incident(tables, text_of(incident->merged_into));
        if (!next)
            return incident;
        incident = next;
    }
    return incident;
}

struct incident *tables_alert_incident(const struct tables *tables, struct text key)
{
    struct incident *latest = NULL;
    for (struct hash_link *at = hash_table_first(&tables->alert_keys, hash_table_hash(key, 0)); at;
         at = hash_table_next(at)) {
        struct incident *incident = CONTAINER_OF(at, struct incident, key_link);
        if (text_equal(text_of(incident->key), key) &&
            (!latest || incident->times[TIME_OPENED] > latest->times[TIME_OPENED]))
            latest = incident;
    }
    return follow_edges(tables, latest);
}

enum status tables_place_alert(struct tables *tables, struct incident *incident,
                               struct incident_alert *alert)
{
    struct alert_place *place = calloc(1, sizeof *place);
    if (!place)
        return STATUS_NOMEM;
    place->incident = incident;
    if (hash_table_put(&tables->alert_members, &place->link,
                       hash_table_hash(text_of(alert->key), 0)) != STATUS_OK) {
        free(place);
        return STATUS_NOMEM;
    }
    alert->place = place;
    return STATUS_OK;
}

static bool make_room_for_alerts(struct incident *to, uint32_t more)
{
    uint32_t want = to->alert_count + more;
    if (want > INCIDENT_ALERTS)
        return false;
    if (want <= to->alert_max)
        return true;
    struct incident_alert *alerts = realloc(to->alerts, want * sizeof *alerts);
    if (!alerts)
        return false;
    to->alerts = alerts;
    to->alert_max = want;
    return true;
}

static struct incident_alert *find_alert(struct incident *incident, const char *key)
{
    for (uint32_t a = 0; a < incident->alert_count; a++)
        if (strcmp(incident->alerts[a].key, key) == 0)
            return &incident->alerts[a];
    return NULL;
}

/* The same alert in both: what fires counts. */
static void join_alert(struct tables *tables, struct incident_alert *to,
                       struct incident_alert *from)
{
    if (from->is_firing && !to->is_firing) {
        to->is_firing = true;
        to->severity = from->severity;
        to->starts_us = from->starts_us;
        to->ends_us = from->ends_us;
        to->expires_us = from->expires_us;
    }
    if (from->place)
        hash_table_remove(&tables->alert_members, &from->place->link);
    free(from->place);
    free(from->key);
    free(from->name);
    free(from->host);
    free(from->summary);
}

bool tables_move_alerts(struct tables *tables, struct incident *from, struct incident *to,
                        bool is_back)
{
    uint32_t kept = 0;
    if (!make_room_for_alerts(to, from->alert_count))
        return false;
    for (uint32_t a = 0; a < from->alert_count; a++) {
        struct incident_alert *at = &from->alerts[a];
        struct incident_alert *same = find_alert(to, at->key);
        if (is_back && strcmp(at->of, to->id) != 0) {
            from->alerts[kept++] = *at;
        } else if (same) {
            join_alert(tables, same, at);
        } else {
            memcpy(at->of, is_back ? "" : from->id, is_back ? 1 : sizeof at->of);
            if (at->place)
                at->place->incident = to;
            to->alerts[to->alert_count++] = *at;
        }
    }
    from->alert_count = kept;
    return true;
}

struct incident *tables_next_with_alert(const struct tables *tables, struct text key,
                                        const char *after)
{
    struct incident *next = NULL;
    for (struct hash_link *at = hash_table_first(&tables->alert_members, hash_table_hash(key, 0));
         at; at = hash_table_next(at)) {
        struct incident *incident = CONTAINER_OF(at, struct alert_place, link)->incident;
        if (strcmp(incident->id, after) > 0 && (!next || strcmp(incident->id, next->id) < 0))
            next = incident;
    }
    return next;
}

void tables_drop(struct tables *tables, struct incident *incident)
{
    hash_table_remove(&tables->incidents, &incident->link);
    if (incident->has_key_link)
        hash_table_remove(&tables->alert_keys, &incident->key_link);
    unplace_alerts(tables, incident);
    incident_free(incident);
}

enum status tables_adopt(struct tables *tables, struct incident *incident)
{
    struct text id = text_of(incident->id);
    if (tables_incident(tables, id)) {
        incident_free(incident);
        return STATUS_OK;
    }
    if (hash_table_put(&tables->incidents, &incident->link, hash_table_hash(id, 0)) != STATUS_OK) {
        incident_free(incident);
        return STATUS_NOMEM;
    }
    if (incident->key)
        incident->has_key_link =
            hash_table_put(&tables->alert_keys, &incident->key_link,
                           hash_table_hash(text_of(incident->key), 0)) == STATUS_OK;
    enum status status = STATUS_OK;
    for (uint32_t a = 0; a < incident->alert_count && !status; a++)
        status = tables_place_alert(tables, incident, &incident->alerts[a]);
    if (status)
        tables_drop(tables, incident);
    return status;
}

struct candidate *tables_candidate(const struct tables *tables, enum entity_kind kind,
                                   struct text value)
{
    for (struct hash_link *at = hash_table_first(&tables->candidates, candidate_hash(kind, value));
         at; at = hash_table_next(at)) {
        struct candidate *candidate = CONTAINER_OF(at, struct candidate, link);
        if (candidate->kind == kind && text_equal(candidate->value, value))
            return candidate;
    }
    return NULL;
}

void tables_drop_candidate(struct tables *tables, struct candidate *candidate)
{
    hash_table_remove(&tables->candidates, &candidate->link);
    weakest_remove(&tables->weakest, candidate);
    candidate->is_gone = true;
    if (!candidate->is_dirty)
        candidate_free(candidate);
}

static bool make_room(struct tables *tables, struct changes *changes, double mark)
{
    if (tables->candidates.count < TABLES_CANDIDATES)
        return true;
    struct candidate *weakest = weakest_first(&tables->weakest);
    if (!weakest || weakest->strength >= mark)
        return false;
    COUNT(changes->counters, entities_given_up);
    tables_save_forget(changes, weakest);
    tables_drop_candidate(tables, weakest);
    return true;
}

struct candidate *tables_add_candidate(struct tables *tables, struct changes *changes,
                                       enum entity_kind kind, struct text value, double mark)
{
    if (!make_room(tables, changes, mark)) {
        COUNT(changes->counters, entities_refused);
        return NULL;
    }
    struct candidate *candidate = candidate_new(kind, value);
    if (!candidate || hash_table_put(&tables->candidates, &candidate->link,
                                     candidate_hash(kind, value)) != STATUS_OK) {
        COUNT(changes->counters, no_memory);
        candidate_free(candidate);
        return NULL;
    }
    candidate->criticality = inventory_find(tables->inventory, kind, value)->criticality;
    return candidate;
}

void tables_touch_candidate(struct tables *tables, struct candidate *candidate)
{
    if (candidate->incident)
        weakest_remove(&tables->weakest, candidate);
    else
        weakest_put(&tables->weakest, candidate, tables->half_life_us);
    if (candidate->is_dirty)
        return;
    candidate->is_dirty = true;
    candidate->next_dirty = tables->dirty_candidates;
    tables->dirty_candidates = candidate;
}

void tables_touch_incident(struct tables *tables, struct incident *incident)
{
    if (incident->is_dirty)
        return;
    incident->is_dirty = true;
    incident->next_dirty = tables->dirty_incidents;
    tables->dirty_incidents = incident;
}

bool tables_is_dirty(const struct tables *tables)
{
    return tables->dirty_candidates || tables->dirty_incidents;
}
