/* SPDX-License-Identifier: Apache-2.0 */
#include "incidents/state/tables_sweep.h"
#include "incidents/state/tables_save.h"

enum { SWEEP = 2000 /* candidates looked at per tick */ };

static bool is_forgettable(const struct candidate *candidate, int64_t now_us, int64_t half_life_us)
{
    if (candidate->incident || candidate->is_dirty)
        return false;
    if (candidate->last_incident[0] && now_us - candidate->last_closed_us < 30 * DAY_US)
        return false;
    return !candidate->member_count || candidate_read(candidate, now_us, half_life_us).score < 1;
}

void tables_sweep_candidates(struct tables *tables, struct changes *changes)
{
    uint32_t looked = 0;
    if (tables->sweep_slot >= tables->candidates.size)
        tables->sweep_slot = 0;
    struct hash_link *next = hash_table_walk(&tables->candidates, &tables->sweep_slot, NULL);
    while (next && looked++ < SWEEP) {
        struct candidate *candidate = CONTAINER_OF(next, struct candidate, link);
        next = hash_table_walk(&tables->candidates, &tables->sweep_slot, next);
        if (!is_forgettable(candidate, changes->journal_us, tables->half_life_us))
            continue;
        tables_save_forget(changes, candidate);
        tables_drop_candidate(tables, candidate);
    }
}

/* Keys of a merged incident lead to the other as long as that is there. */
static bool is_needed(const struct tables *tables, const struct incident *incident)
{
    return incident->merged_into[0] && tables_incident(tables, text_of(incident->merged_into));
}

void tables_sweep_incidents(struct tables *tables, int64_t now_us)
{
    size_t slot = 0;
    struct hash_link *next = hash_table_walk(&tables->incidents, &slot, NULL);
    while (next) {
        struct incident *incident = CONTAINER_OF(next, struct incident, link);
        next = hash_table_walk(&tables->incidents, &slot, next);
        if (!tables->store->is_memory && incident->state == STATE_CLOSED && !incident->is_dirty &&
            now_us - incident->times[TIME_CLOSED] > 8 * DAY_US && !is_needed(tables, incident))
            tables_drop(tables, incident);
    }
}
