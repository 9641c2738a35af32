/* SPDX-License-Identifier: Apache-2.0 */
/* The parts together: who is given whom, and loading, saving and clearing all of them. */
#include "incidents/incidents_parts.h"
#include "base/json_write.h"
#include "base/timestamp.h"
#include "incidents/decide/lapse.h"
#include "incidents/model/doc_tree.h"
#include "incidents/state/tables_load.h"
#include "incidents/state/tables_save.h"

enum { META_BYTES = 8 << 20, DEFAULT_THRESHOLD = 65, DEFAULT_PENDING = 100000 };

/* ---- life ---- */

static void wire(struct incidents *incidents, const struct incidents_options *options)
{
    double threshold = options->threshold > 0 ? options->threshold : DEFAULT_THRESHOLD;
    incidents->charger = (struct charger){.changes = &incidents->changes,
                                          .tables = &incidents->tables,
                                          .restraints = &incidents->restraints,
                                          .verdicts = &incidents->verdicts,
                                          .outbox = &incidents->outbox,
                                          .threshold = threshold};
    incidents->lifecycle = (struct lifecycle){.changes = &incidents->changes,
                                              .tables = &incidents->tables,
                                              .restraints = &incidents->restraints,
                                              .verdicts = &incidents->verdicts,
                                              .outbox = &incidents->outbox};
    incidents->detector = (struct detector){.charger = &incidents->charger,
                                            .lifecycle = &incidents->lifecycle,
                                            .fetch = options->fetch,
                                            .context = options->context};
    incidents->alerts.incidents =
        (struct alert_incidents){&incidents->charger, &incidents->lifecycle};
}

void incidents_parts_init(struct incidents *incidents, const struct incidents_options *options,
                          struct inventory *inventory)
{
    int64_t half_life_us = options->half_life_us > 0 ? options->half_life_us : DAY_US;
    incidents->max_pending = options->max_pending ? options->max_pending : DEFAULT_PENDING;
    changes_init(&incidents->changes, incidents->store->is_memory, &incidents->counters);
    tables_init(&incidents->tables, inventory, incidents->store, half_life_us);
    restraints_init(&incidents->restraints, &incidents->tables.strings);
    verdicts_init(&incidents->verdicts, &incidents->tables.strings);
    due_init(&incidents->due);
    outbox_init(&incidents->outbox, &incidents->due);
    incidents->outbox.route = options->route;
    incidents->outbox.room = options->room;
    incidents->outbox.wants = options->wants;
    incidents->outbox.context = options->context;
    wire(incidents, options);
}

void incidents_parts_clear(struct incidents *incidents)
{
    alerts_clear(&incidents->alerts);
    chunks_clear(&incidents->chunks);
    outbox_clear(&incidents->outbox);
    due_fini(&incidents->due);
    verdicts_clear(&incidents->verdicts);
    restraints_clear(&incidents->restraints);
    applied_clear(&incidents->applied);
    tables_clear(&incidents->tables);
    changes_clear(&incidents->changes);
}

void incidents_parts_fini(struct incidents *incidents)
{
    incidents_parts_clear(incidents);
    outbox_fini(&incidents->outbox);
    tables_fini(&incidents->tables);
    changes_fini(&incidents->changes);
}

/* ---- tocsin:meta: what is small, of several parts ---- */

static bool is_meta_dirty(const struct incidents *incidents)
{
    return incidents->applied.is_dirty || incidents->outbox.storm.is_dirty;
}

static void save_meta(struct incidents *incidents)
{
    struct changes *changes = &incidents->changes;
    struct buffer *text = &changes->text;
    struct effect *effect = is_meta_dirty(incidents) ? changes_effect(changes) : NULL;
    incidents->applied.is_dirty = incidents->outbox.storm.is_dirty = false;
    if (!effect || effect->is_dry)
        return;
    buffer_clear(text);
    json_write_open(text, NULL, '{');
    json_write_int(text, "journal", changes->journal_us);
    json_write_uint(text, "generation", incidents->applied.generation);
    storm_write(&incidents->outbox.storm, text);
    json_write_close(text, '}');
    EFFECT(effect, TEXT("SET"), TEXT("tocsin:meta"), buffer_text(text));
}

static enum status load_meta(struct incidents *incidents, struct error *err)
{
    struct arena arena;
    struct reply reply = {0};
    struct doc_tree tree = {0};
    arena_init(&arena, META_BYTES);
    enum status status =
        STORE_ASK(incidents->store, &arena, &reply, err, TEXT("GET"), TEXT("tocsin:meta"));
    bool is_there = status == STATUS_OK && reply.kind == REPLY_TEXT;
    if (is_there)
        status = doc_tree_parse(reply.text, &arena, &tree, err);
    if (is_there && !status) {
        incidents->changes.journal_us = doc_tree_whole(&tree, "journal", TIMESTAMP_NONE);
        incidents->applied.generation = (uint32_t)doc_tree_whole(&tree, "generation", 0) & 1;
        storm_read(&incidents->outbox.storm, &tree);
    }
    arena_fini(&arena);
    return status;
}

/* ---- all of them ---- */

enum status incidents_parts_load(struct incidents *incidents, struct error *err)
{
    struct incident_store *store = incidents->store;
    if (store->is_memory)
        return STATUS_OK;
    enum status status = load_meta(incidents, err);
    if (!status)
        status = changes_load(&incidents->changes, store, err);
    if (!status)
        status = tables_load(&incidents->tables, incidents->changes.journal_us, err);
    if (!status)
        status = lapse_load(&incidents->due, &incidents->tables, err);
    if (!status)
        status = restraints_load(&incidents->restraints, store, err);
    if (!status)
        status = verdicts_load(&incidents->verdicts, store, err);
    if (!status)
        status = applied_load(&incidents->applied, store, err);
    if (!status)
        status = outbox_load(&incidents->outbox, store, err);
    if (!status)
        status = alerts_load(&incidents->alerts, store, err);
    return status ? status : chunks_load(&incidents->chunks, store, err);
}

bool incidents_parts_are_dirty(const struct incidents *incidents)
{
    return tables_is_dirty(&incidents->tables) || restraints_is_dirty(&incidents->restraints) ||
           is_meta_dirty(incidents) || !changes_is_empty(&incidents->changes);
}

static void save(struct incidents *incidents)
{
    tables_save(&incidents->tables, &incidents->changes);
    restraints_save(&incidents->restraints, &incidents->changes);
    save_meta(incidents);
    changes_save(&incidents->changes);
}

void incidents_parts_flush(struct incidents *incidents)
{
    struct changes *changes = &incidents->changes;
    changes->is_urgent = false;
    if (!incidents_parts_are_dirty(incidents))
        return;
    arena_reset(&changes->scratch);
    save(incidents);
    struct effect *effect = MOVE(changes->effect);
    if (!effect)
        return;
    if (effect->ids.has_failed || effect->words.has_failed) {
        /* Half an effect must not go out: Redis' state stands, and what follows it is decided
         * again, as after a crash of our own. */
        COUNT(&incidents->counters, no_memory);
        incidents->store->has_lost = true;
        effect_free(effect);
        return;
    }
    effect->number = incidents->store->submitted + 1;
    effect->ledger = incidents->changes.ledger;
    incidents->store->calls->submit(incidents->store, effect);
    COUNT(&incidents->counters, effects);
    incidents_parts_tell_sizes(incidents);
}

static void tell(_Atomic uint64_t *size, uint64_t value)
{
    atomic_store_explicit(size, value, memory_order_relaxed);
}

void incidents_parts_tell_sizes(struct incidents *incidents)
{
    (void)pthread_mutex_lock(&incidents->head_lock);
    incidents->head = incidents->store->ledger;
    (void)pthread_mutex_unlock(&incidents->head_lock);
    tell(&incidents->candidate_count, incidents->tables.candidates.count);
    tell(&incidents->incident_count, incidents->tables.incidents.count);
    tell(&incidents->entry_count, incidents->outbox.entries.count);
    tell(&incidents->pending_count, incidents->store->pending);
    atomic_store_explicit(&incidents->is_memory_full, incidents->store->is_full,
                          memory_order_relaxed);
}
