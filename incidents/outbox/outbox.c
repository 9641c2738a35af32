/* SPDX-License-Identifier: Apache-2.0 */
#include "incidents/outbox/outbox.h"
#include "base/json_write.h"
#include "base/timestamp.h"
#include "incidents/model/incident_document.h"
#include <stdlib.h>

enum { DOCUMENT_BYTES = 4 << 20 };

void outbox_init(struct outbox *outbox)
{
    *outbox = (struct outbox){0};
    outbox->last_entry = &outbox->first_entry;
    storm_init(&outbox->storm);
}

void outbox_clear(struct outbox *outbox)
{
    size_t slot = 0;
    struct hash_link *next = hash_table_walk(&outbox->entries, &slot, NULL);
    while (next) {
        struct outbox_entry *entry = CONTAINER_OF(next, struct outbox_entry, link);
        next = hash_table_walk(&outbox->entries, &slot, next);
        outbox_entry_free(entry);
    }
    hash_table_fini(&outbox->entries);
    outbox->first_entry = NULL;
    outbox->last_entry = &outbox->first_entry;
    storm_clear(&outbox->storm);
}

void outbox_fini(struct outbox *outbox)
{
    outbox_clear(outbox);
    storm_fini(&outbox->storm);
}

/* ---- writing ---- */

void outbox_save_entry(struct changes *changes, const struct outbox_entry *entry,
                       bool with_document)
{
    struct buffer text;
    struct effect *effect = changes_effect(changes);
    if (!effect)
        return;
    buffer_init(&text, 1 << 16);
    outbox_entry_write(entry, &text);
    EFFECT(effect, TEXT("HSET"), TEXT("tocsin:outbox"), text_of(entry->id), buffer_text(&text));
    if (with_document)
        EFFECT(effect, TEXT("HSET"), TEXT("tocsin:outbox:documents"), text_of(entry->id),
               {entry->document, entry->document_len});
    buffer_fini(&text);
}

static void record(struct changes *changes, const struct outbox_entry *entry, const char *kind,
                   const char *why, int64_t now_us)
{
    struct buffer data;
    buffer_init(&data, 1 << 16);
    json_write_open(&data, NULL, '{');
    json_write_string(&data, "delivery", text_of(entry->id));
    json_write_string(&data, "destination", text_of(entry->destination));
    json_write_string(&data, "notice", text_of(incidents_notice_name(entry->kind)));
    if (why)
        json_write_string(&data, "because", text_of(why));
    json_write_close(&data, '}');
    changes_record(changes, &(struct ledger_entry){.kind = kind,
                                                   .incident = text_of(entry->incident),
                                                   .time_us = now_us,
                                                   .data = buffer_text(&data)});
    buffer_fini(&data);
}

/* ---- queueing ---- */

static struct outbox_entry *make(const struct ledger *ledger, const struct notice *notice,
                                 struct text destination, int64_t now_us)
{
    struct outbox_entry *entry = outbox_entry_new(notice->document, destination);
    if (!entry)
        return NULL;
    struct hasher h;
    hash_start(&h);
    hash_part_text(&h, notice->incident);
    hash_part_u64(&h, ledger->sequence);
    hash_part_u64(&h, (uint64_t)notice->kind);
    hash_part_text(&h, destination);
    ident_make("dlv_", now_us, hash_end(&h), entry->id);
    if (notice->incident.len == IDENT_LEN)
        memcpy(entry->incident, notice->incident.at, IDENT_LEN);
    entry->kind = notice->kind;
    entry->priority = notice->priority;
    entry->due_us = entry->queued_us = now_us;
    return entry;
}

void outbox_append(struct outbox *outbox, struct outbox_entry *entry)
{
    entry->next = NULL;
    *outbox->last_entry = entry;
    outbox->last_entry = &entry->next;
}

/* False at the ceiling or without memory. */
static bool put(struct outbox *outbox, struct outbox_entry *entry)
{
    uint64_t hash = hash_table_hash(text_of(entry->id), 0);
    return outbox->entries.count < OUTBOX_MAX &&
           hash_table_put(&outbox->entries, &entry->link, hash) == STATUS_OK;
}

static void queue(struct outbox *outbox, struct changes *changes, const struct notice *notice,
                  struct text destination, int64_t now_us)
{
    struct outbox_entry *entry = make(&changes->ledger, notice, destination, now_us);
    if (!entry) {
        COUNT(changes->counters, no_memory);
        return;
    }
    if (!put(outbox, entry)) {
        COUNT(changes->counters, deliveries_refused);
        record(changes, entry, "delivery.expired", "the outbox is full", now_us);
        outbox_entry_free(entry);
        return;
    }
    COUNT(changes->counters, deliveries);
    outbox_append(outbox, entry);
    outbox_save_entry(changes, entry, true);
    record(changes, entry, "delivery.queued", NULL, now_us);
}

static void route(struct outbox *outbox, struct changes *changes, const struct notice *notice,
                  int64_t now_us)
{
    struct text destinations[DELIVERY_DESTINATIONS];
    uint32_t count = outbox->route ? outbox->route(outbox->context, notice, destinations) : 0;
    COUNT(changes->counters, notices);
    for (uint32_t d = 0; d < count && d < DELIVERY_DESTINATIONS; d++)
        queue(outbox, changes, notice, destinations[d], now_us);
}

static void suppress(struct changes *changes, const struct incident *incident,
                     enum notice_kind kind, const char *why, int64_t now_us)
{
    struct buffer data;
    buffer_init(&data, 1 << 12);
    json_write_open(&data, NULL, '{');
    json_write_string(&data, "notice", text_of(incidents_notice_name(kind)));
    json_write_string(&data, "because", text_of(why));
    json_write_close(&data, '}');
    COUNT(changes->counters, notices);
    changes_record(changes, &(struct ledger_entry){.kind = "notice.suppressed",
                                                   .incident = text_of(incident->id),
                                                   .time_us = now_us,
                                                   .data = buffer_text(&data)});
    buffer_fini(&data);
}

void outbox_notice(struct outbox *outbox, struct changes *changes, const struct incident *incident,
                   enum notice_kind kind, int64_t now_us)
{
    if (kind == NOTICE_OPENED && incident->is_backfill) {
        storm_add_to_digest(&outbox->storm, text_of(incident->id), now_us);
        suppress(changes, incident, kind, "backfill: told in a digest", now_us);
        return;
    }
    if (kind == NOTICE_OPENED && outbox->storm.is_on && incident->priority != 1) {
        suppress(changes, incident, kind, "storm: told as one", now_us);
        return;
    }
    struct buffer document;
    buffer_init(&document, DOCUMENT_BYTES);
    incident_document_write(incident, &document);
    const struct notice notice = {kind, text_of(incident->id), incident->priority,
                                  incident->category, buffer_text(&document)};
    if (document.has_failed)
        COUNT(changes->counters, no_memory);
    else
        route(outbox, changes, &notice, now_us);
    buffer_fini(&document);
}

void outbox_tell(struct outbox *outbox, struct changes *changes,
                 const struct outbox_general *general, int64_t now_us)
{
    struct buffer document;
    buffer_init(&document, DOCUMENT_BYTES);
    json_write_open(&document, NULL, '{');
    json_write_string(&document, "kind", text_of(general->what));
    json_write_time(&document, "time", now_us);
    buffer_printf(&document, ",\"priority\":\"P%d\"", general->priority);
    if (general->data.len) {
        buffer_byte(&document, ',');
        buffer_append(&document, general->data);
    }
    json_write_close(&document, '}');
    const struct notice notice = {general->kind, TEXT_NONE, general->priority, TEXT("operations"),
                                  buffer_text(&document)};
    changes_record(changes, &(struct ledger_entry){.kind = general->what,
                                                   .time_us = now_us,
                                                   .data = buffer_text(&document)});
    route(outbox, changes, &notice, now_us);
    buffer_fini(&document);
}

/* ---- what is told as one ---- */

void outbox_opened(struct outbox *outbox, struct changes *changes, const struct incident *incident,
                   int64_t now_us)
{
    if (!storm_begins(&outbox->storm, now_us))
        return;
    struct buffer data;
    buffer_init(&data, 1 << 12);
    json_write_int(&data, "incidents", STORM_INCIDENTS + 1);
    json_write_int(&data, "minutes", STORM_MINUTES);
    json_write_string(&data, "latest", text_of(incident->id));
    outbox_tell(outbox, changes,
                &(struct outbox_general){NOTICE_STORM, "storm", 2, buffer_text(&data)}, now_us);
    buffer_fini(&data);
}

void outbox_tick(struct outbox *outbox, struct changes *changes)
{
    struct storm *storm = &outbox->storm;
    storm_tick(storm, changes->journal_us);
    if (!storm_is_digest_due(storm, changes->journal_us))
        return;
    struct buffer data;
    buffer_init(&data, DOCUMENT_BYTES);
    json_write_uint(&data, "incidents", storm->digest_count);
    json_write_open(&data, "ids", '[');
    json_write_raw(&data, NULL, buffer_text(&storm->digest));
    json_write_close(&data, ']');
    outbox_tell(outbox, changes,
                &(struct outbox_general){NOTICE_DIGEST, "digest", 4, buffer_text(&data)},
                changes->journal_us);
    buffer_fini(&data);
    storm_empty_digest(storm);
}

/* ---- from the store ---- */

static int by_name(const void *a, const void *b)
{
    return text_compare(*(const struct text *)a, *(const struct text *)b);
}

/* False without memory. */
static bool take(struct outbox *outbox, const struct doc_tree *tree, struct text document)
{
    struct text id = doc_tree_text(tree, "id");
    if (id.len != IDENT_LEN)
        return true;
    struct outbox_entry *entry = outbox_entry_read(tree, document);
    if (!entry)
        return false;
    if (hash_table_put(&outbox->entries, &entry->link, hash_table_hash(id, 0)) != STATUS_OK) {
        outbox_entry_free(entry);
        return false;
    }
    outbox_append(outbox, entry);
    return true;
}

static enum status load_entry(struct outbox *outbox, struct incident_store *store, struct text id,
                              struct error *err)
{
    struct arena arena;
    struct reply head = {0}, document = {0};
    struct doc_tree tree;
    arena_init(&arena, INCIDENT_STORE_ANSWER);
    enum status status =
        STORE_ASK(store, &arena, &head, err, TEXT("HGET"), TEXT("tocsin:outbox"), id);
    if (!status)
        status = STORE_ASK(store, &arena, &document, err, TEXT("HGET"),
                           TEXT("tocsin:outbox:documents"), id);
    if (!status && doc_tree_parse(head.text, &arena, &tree, NULL) == STATUS_OK &&
        !take(outbox, &tree, document.text))
        status = error_set(err, STATUS_NOMEM, 0, "no memory for the outbox");
    arena_fini(&arena);
    return status;
}

/* In the order of their ids, which is the order of time: Redis gives them in none. */
enum status outbox_load(struct outbox *outbox, struct incident_store *store, struct error *err)
{
    struct arena arena;
    struct reply ids = {0};
    arena_init(&arena, INCIDENT_STORE_ANSWER);
    enum status status = STORE_ASK(store, &arena, &ids, err, TEXT("HKEYS"), TEXT("tocsin:outbox"));
    struct text *names = arena_zero(&arena, (ids.count + 1) * sizeof *names);
    if (!status && !names)
        status = error_set(err, STATUS_NOMEM, 0, "no memory for the outbox");
    for (uint32_t k = 0; !status && k < ids.count; k++)
        names[k] = ids.items[k].text;
    if (!status && ids.count)
        qsort(names, ids.count, sizeof *names, by_name);
    for (uint32_t k = 0; !status && k < ids.count; k++)
        status = load_entry(outbox, store, names[k], err);
    arena_fini(&arena);
    return status;
}
