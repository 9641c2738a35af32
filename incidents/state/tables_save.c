/* SPDX-License-Identifier: Apache-2.0 */
#include "incidents/state/tables_save.h"
#include "base/timestamp.h"
#include "incidents/model/incident_document.h"
#include <stdio.h>

/* "prefix" + "kind:value". */
static struct text entity_key(struct changes *changes, struct text prefix,
                              const struct candidate *candidate)
{
    return CHANGES_JOIN(changes, prefix, text_of(correlation_entity_name(candidate->kind)),
                        TEXT(":"), candidate->value);
}

/* The candidate's sorted set of this episode. */
static struct text score_key(struct changes *changes, const struct candidate *candidate)
{
    char episode[CHANGES_DIGITS];
    return CHANGES_JOIN(changes, TEXT("tocsin:score:"),
                        text_of(correlation_entity_name(candidate->kind)), TEXT(":"),
                        changes_digits(candidate->episode, episode), TEXT(":"), candidate->value);
}

void tables_save_mark(struct changes *changes, const struct candidate *candidate,
                      const struct member *member)
{
    char mark[CHANGES_DIGITS];
    struct effect *effect = changes_effect(changes);
    if (!effect || effect->is_dry)
        return;
    /* As text: Lua would round the number. */
    int len = snprintf(mark, sizeof mark, "%.17g", member->mark);
    EFFECT(effect, TEXT("ZADD"), score_key(changes, candidate), TEXT("GT"), {mark, (size_t)len},
           CHANGES_JOIN(changes, member->tactic, TEXT("|"), member->family));
}

void tables_save_unmark(struct changes *changes, const struct candidate *candidate,
                        const struct member *member)
{
    struct effect *effect = changes_effect(changes);
    if (effect)
        EFFECT(effect, TEXT("ZREM"), score_key(changes, candidate),
               CHANGES_JOIN(changes, member->tactic, TEXT("|"), member->family));
}

void tables_save_reset(struct changes *changes, const struct candidate *candidate)
{
    struct effect *effect = changes_effect(changes);
    if (effect)
        EFFECT(effect, TEXT("DEL"), score_key(changes, candidate));
}

void tables_save_forget(struct changes *changes, const struct candidate *candidate)
{
    struct effect *effect = changes_effect(changes);
    if (!effect)
        return;
    struct text name = entity_key(changes, TEXT_NONE, candidate);
    EFFECT(effect, TEXT("DEL"), entity_key(changes, TEXT("tocsin:entity:"), candidate),
           score_key(changes, candidate));
    EFFECT(effect, TEXT("ZREM"), TEXT("tocsin:entities"), name);
    EFFECT(effect, TEXT("ZREM"), TEXT("tocsin:candidates"), name);
}

static void write_candidate(const struct tables *tables, struct changes *changes,
                            struct candidate *candidate)
{
    char last[CHANGES_DIGITS];
    struct effect *effect = changes->effect;
    buffer_clear(&changes->text);
    incident_document_write_candidate(candidate, tables->half_life_us, &changes->text);
    if (changes->text.has_failed) {
        COUNT(changes->counters, no_memory);
        return;
    }
    struct text name = entity_key(changes, TEXT_NONE, candidate);
    struct text at =
        changes_digits(candidate->last_us == TIMESTAMP_NONE ? 0 : candidate->last_us, last);
    EFFECT(effect, TEXT("SET"), entity_key(changes, TEXT("tocsin:entity:"), candidate),
           buffer_text(&changes->text));
    if (candidate->is_new)
        EFFECT(effect, TEXT("ZADD"), TEXT("tocsin:entities"), at, name);
    candidate->is_new = false;
    if (candidate->incident || !candidate->member_count)
        EFFECT(effect, TEXT("ZREM"), TEXT("tocsin:candidates"), name);
    else
        EFFECT(effect, TEXT("ZADD"), TEXT("tocsin:candidates"), at, name);
}

static void write_incident(struct changes *changes, struct incident *incident)
{
    char opened[CHANGES_DIGITS], closed[CHANGES_DIGITS];
    struct effect *effect = changes->effect;
    struct text id = text_of(incident->id);
    buffer_clear(&changes->text);
    incident_document_write(incident, &changes->text);
    if (changes->text.has_failed) {
        COUNT(changes->counters, no_memory); /* its last whole document stands */
        return;
    }
    EFFECT(effect, TEXT("SET"), CHANGES_JOIN(changes, TEXT("tocsin:incident:"), id),
           buffer_text(&changes->text));
    changes_digits(incident->times[TIME_OPENED], opened);
    if (incident->is_new)
        EFFECT(effect, TEXT("ZADD"), TEXT("tocsin:index"), text_of(opened), id);
    incident->is_new = false;
    if (incident->state != STATE_CLOSED) {
        EFFECT(effect, TEXT("ZADD"), TEXT("tocsin:open"), text_of(opened), id);
        EFFECT(effect, TEXT("ZREM"), TEXT("tocsin:closed"), id);
        return;
    }
    EFFECT(effect, TEXT("ZREM"), TEXT("tocsin:open"), id);
    EFFECT(effect, TEXT("ZADD"), TEXT("tocsin:closed"),
           changes_digits(incident->times[TIME_CLOSED], closed), id);
}

void tables_save(struct tables *tables, struct changes *changes)
{
    struct effect *effect = changes_effect(changes);
    if (!effect)
        return;
    while (tables->dirty_candidates) {
        struct candidate *candidate = tables->dirty_candidates;
        tables->dirty_candidates = candidate->next_dirty;
        candidate->is_dirty = false;
        if (candidate->is_gone)
            candidate_free(candidate);
        else if (!effect->is_dry)
            write_candidate(tables, changes, candidate);
    }
    while (tables->dirty_incidents) {
        struct incident *incident = tables->dirty_incidents;
        tables->dirty_incidents = incident->next_dirty;
        incident->is_dirty = false;
        if (!effect->is_dry)
            write_incident(changes, incident);
    }
}
