/* SPDX-License-Identifier: Apache-2.0 */
#include "incidents/decide/reweigh.h"
#include "incidents/model/incident_document.h"

bool reweigh(const struct tables *tables, struct incident *incident, const struct changes *changes)
{
    const struct candidate *lead = NULL;
    struct score_reading best = {.score = -1};
    for (uint32_t e = 0; e < incident->entity_count; e++) {
        struct incident_entity *at = &incident->entities[e];
        const struct candidate *candidate =
            tables_candidate(tables, at->kind, (struct text){at->value, at->len});
        if (!candidate || candidate->incident != incident || !candidate->member_count)
            continue;
        struct score_reading reading =
            candidate_read(candidate, candidate->last_us, tables->half_life_us);
        at->score = reading.score;
        if (reading.score > best.score) {
            best = reading;
            lead = candidate;
        }
    }
    if (lead) {
        incident->score = best.score;
        incident->severity_score = best.severity;
        incident->diversity = best.diversity;
        incident->criticality = lead->criticality;
        if (!incident_document_take_parts(incident, lead, lead->last_us, tables->half_life_us))
            COUNT(changes->counters, no_memory);
    }
    return incident_weigh(incident, changes->journal_us);
}
