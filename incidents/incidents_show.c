/* SPDX-License-Identifier: Apache-2.0 */
/* The incidents for those outside: everything as JSON lines, and its numbers. */
#include "incidents/incidents_parts.h"
#include "incidents/model/incident_document.h"
#include <stdlib.h>

struct line {
    char id[IDENT_LEN + 1];
    const struct incident *incident;
    const struct candidate *candidate;
};

/* Two entities of one detection may share an id: then by what they are, never by where they lie. */
static int by_id(const void *a, const void *b)
{
    const struct line *x = a;
    const struct line *y = b;
    const int order = strcmp(x->id, y->id);
    if (order || !x->candidate || !y->candidate)
        return order;
    if (x->candidate->kind != y->candidate->kind)
        return x->candidate->kind < y->candidate->kind ? -1 : 1;
    return text_compare(x->candidate->value, y->candidate->value);
}

static size_t list_lines(const struct incidents *incidents, struct line *lines)
{
    size_t count = 0, slot = 0;
    for (struct hash_link *at = hash_table_walk(&incidents->tables.incidents, &slot, NULL); at;
         at = hash_table_walk(&incidents->tables.incidents, &slot, at)) {
        const struct incident *n = CONTAINER_OF(at, struct incident, link);
        lines[count] = (struct line){.incident = n};
        memcpy(lines[count++].id, n->id, sizeof n->id);
    }
    slot = 0;
    for (struct hash_link *at = hash_table_walk(&incidents->tables.candidates, &slot, NULL); at;
         at = hash_table_walk(&incidents->tables.candidates, &slot, at)) {
        const struct candidate *c = CONTAINER_OF(at, struct candidate, link);
        if (c->incident || !c->member_count)
            continue;
        lines[count] = (struct line){.candidate = c};
        memcpy(lines[count++].id, c->id, sizeof c->id);
    }
    return count;
}

void incidents_write_all(const struct incidents *incidents, struct buffer *out)
{
    struct line *lines = calloc(
        incidents->tables.incidents.count + incidents->tables.candidates.count + 1, sizeof *lines);
    if (!lines) {
        out->has_failed = true;
        return;
    }
    size_t count = list_lines(incidents, lines);
    qsort(lines, count, sizeof *lines, by_id);
    for (size_t l = 0; l < count; l++) {
        if (lines[l].incident)
            incident_document_write(lines[l].incident, out);
        else
            incident_document_write_candidate(lines[l].candidate, incidents->tables.half_life_us,
                                              out);
        buffer_byte(out, '\n');
    }
    free(lines);
}

void incidents_metrics(const struct incidents *incidents, metric_fn tell, void *context)
{
    uint64_t for_ms = 0;
    enum incidents_health health = incidents_health(incidents, &for_ms);
    const struct metric counters[] = {
#define COUNTER(name, help)                                                                        \
    {"record_" #name "_total", help, NULL, METRIC_COUNTER,                                         \
     (double)atomic_load_explicit(&incidents->counters.name, memory_order_relaxed)},
        COUNTERS(COUNTER)
#undef COUNTER
    };
    const struct metric gauges[] = {
        {"record_entities", "Entities with a score or a history", NULL, METRIC_GAUGE,
         (double)atomic_load_explicit(&incidents->candidate_count, memory_order_relaxed)},
        {"record_incidents", "Incidents in memory: open, or closed in the last days", NULL,
         METRIC_GAUGE,
         (double)atomic_load_explicit(&incidents->incident_count, memory_order_relaxed)},
        {"record_outbox", "Deliveries that have not ended", NULL, METRIC_GAUGE,
         (double)atomic_load_explicit(&incidents->entry_count, memory_order_relaxed)},
        {"record_pending", "Effects that Redis has not acknowledged", NULL, METRIC_GAUGE,
         (double)atomic_load_explicit(&incidents->pending_count, memory_order_relaxed)},
        {"record_memory_full", "Whether Redis is at its memory limit: detections wait (1)", NULL,
         METRIC_GAUGE,
         atomic_load_explicit(&incidents->is_memory_full, memory_order_relaxed) ? 1 : 0},
        {"record_ready", "Whether what is decided becomes durable at once (1)", NULL, METRIC_GAUGE,
         health == INCIDENTS_WELL ? 1 : 0},
        {"record_trouble_seconds", "For how long it does not; 0 while it does", NULL, METRIC_GAUGE,
         health == INCIDENTS_WELL ? 0 : (double)for_ms / 1000},
    };
    for (size_t c = 0; c < sizeof counters / sizeof counters[0]; c++)
        tell(context, &counters[c]);
    for (size_t g = 0; g < sizeof gauges / sizeof gauges[0]; g++)
        tell(context, &gauges[g]);
}
