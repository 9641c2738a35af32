/* SPDX-License-Identifier: Apache-2.0 */
/* Checkpoints of app, as the door to the chunks. */
#include "incidents/incidents_parts.h"

/* After a roll-back no checkpoint may say that all is well. */
static bool is_behind(const struct incidents *incidents)
{
    return incidents->is_behind || incidents->store->has_lost;
}

enum status incidents_put_state(struct incidents *incidents, struct text key, struct text value)
{
    return is_behind(incidents) ? STATUS_CONFLICT
                                : chunks_put(&incidents->chunks, incidents->store, key, value);
}

enum status incidents_get_state(struct incidents *incidents, struct text key, struct buffer *out)
{
    return chunks_get(incidents->store, key, out);
}

static enum status commit_in_memory(struct incidents *incidents, struct text commit)
{
    const struct text words[] = {TEXT("SET"), TEXT("tocsin:commit"), commit};
    enum status status = incidents->store->calls->tell(incidents->store, words, 3);
    if (!status)
        chunks_committed(&incidents->chunks, commit);
    return status;
}

enum status incidents_commit_state(struct incidents *incidents, struct text commit)
{
    if (is_behind(incidents))
        return STATUS_CONFLICT;
    enum status status = chunks_are_there(&incidents->chunks, incidents->store);
    if (status)
        return status;
    if (incidents->store->is_memory)
        return commit_in_memory(incidents, commit);
    struct effect *effect = changes_effect(&incidents->changes);
    if (!effect)
        return STATUS_NOMEM;
    /* An effect, not a mere value: it is sent again after a broken connection, behind the effects
     * it stands for. */
    EFFECT(effect, TEXT("SET"), TEXT("tocsin:commit"), commit);
    incidents_parts_flush(incidents);
    chunks_committed(&incidents->chunks, commit);
    return STATUS_OK;
}
