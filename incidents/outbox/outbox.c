/* SPDX-License-Identifier: Apache-2.0 */
#include "incidents/outbox/outbox.h"
#include "base/json_write.h"
#include "base/timestamp.h"
#include "incidents/model/incident_document.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Reopening that soon is flapping, and so is what goes on without such a pause; told once an hour.
 */
#define FLAPPING_US      (INT64_C(600) * 1000000)
#define FLAPPING_MOST_US (INT64_C(3600) * 1000000)

enum { DOCUMENT_BYTES = 4 << 20 };

void outbox_init(struct outbox *outbox, struct due_index *due)
{
    *outbox = (struct outbox){.due = due};
    storm_init(&outbox->storm);
}

void outbox_clear(struct outbox *outbox)
{
    size_t slot = 0;
    struct hash_link *next = hash_table_walk(&outbox->entries, &slot, NULL);
    while (next) {
        struct outbox_entry *entry = CONTAINER_OF(next, struct outbox_entry, link);
        next = hash_table_walk(&outbox->entries, &slot, next);
        due_remove(outbox->due, &entry->due);
        outbox_entry_free(entry);
    }
    hash_table_fini(&outbox->entries);
    hash_table_fini(&outbox->subjects);
    for (uint32_t q = 0; q < outbox->queue_count; q++) {
        due_remove(outbox->due, &outbox->queues[q]->due);
        outbox_queue_free(outbox->queues[q]);
    }
    free(outbox->queues);
    outbox->queues = NULL;
    outbox->queue_count = outbox->queue_size = outbox->turn = 0;
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
    json_write_string(&data, "destination", text_of(entry->queue->name));
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

/* ---- waiting ---- */

/* The destination's; made where it is the first. NULL without memory. */
static struct outbox_queue *queue_of(struct outbox *outbox, struct text name)
{
    for (uint32_t q = 0; q < outbox->queue_count; q++)
        if (text_equal(text_of(outbox->queues[q]->name), name))
            return outbox->queues[q];
    if (outbox->queue_count == outbox->queue_size) {
        uint32_t size = outbox->queue_size ? outbox->queue_size * 2 : DELIVERY_DESTINATIONS;
        struct outbox_queue **queues =
            realloc(outbox->queues, size * sizeof(struct outbox_queue *));
        if (!queues)
            return NULL;
        outbox->queues = queues;
        outbox->queue_size = size;
    }
    struct outbox_queue *queue = outbox_queue_new(name);
    if (queue)
        outbox->queues[outbox->queue_count++] = queue;
    return queue;
}

static uint64_t subject_hash(const struct outbox_entry *entry)
{
    return hash_table_hash(text_of(entry->incident), (uintptr_t)entry->queue);
}

static struct outbox_entry *of_subject(struct hash_link *at)
{
    return at ? CONTAINER_OF(at, struct outbox_entry, subject) : NULL;
}

static bool is_same_subject(const struct outbox_entry *a, const struct outbox_entry *b)
{
    return a->queue == b->queue && text_equal(text_of(a->incident), text_of(b->incident));
}

void outbox_forget_subject(struct outbox *outbox, struct outbox_entry *entry)
{
    if (entry->has_subject)
        hash_table_remove(&outbox->subjects, &entry->subject);
    entry->has_subject = false;
}

/* The earliest of those before it that would let it overtake them; NULL: none. */
static struct outbox_entry *find_slower(struct outbox *outbox, const struct outbox_entry *entry)
{
    struct outbox_entry *best = NULL;
    struct hash_link *at = hash_table_first(&outbox->subjects, subject_hash(entry));
    for (; at; at = hash_table_next(at)) {
        struct outbox_entry *each = of_subject(at);
        if (is_same_subject(each, entry) && each->lane > entry->lane &&
            (!best || each->order < best->order))
            best = each;
    }
    return best;
}

/* What waits of its incident for the same destination goes first: as urgent as it, and no earlier
 * than they. */
static void keep_order(struct outbox *outbox, struct outbox_entry *entry)
{
    for (struct outbox_entry *slower = find_slower(outbox, entry); slower;
         slower = find_slower(outbox, entry)) {
        bool is_ready = slower->place == PLACE_READY;
        if (is_ready)
            outbox_queue_remove(slower->queue, slower);
        slower->lane = entry->lane;
        if (is_ready)
            outbox_queue_add(slower->queue, slower);
    }
    struct hash_link *at = hash_table_first(&outbox->subjects, subject_hash(entry));
    for (; at; at = hash_table_next(at)) {
        const struct outbox_entry *each = of_subject(at);
        if (is_same_subject(each, entry) && each->place == PLACE_LATER &&
            each->due_us > entry->due_us)
            entry->due_us = each->due_us;
    }
}

/* It is found when it is due; at once where there is no memory to wait. */
static void wait_until_due(struct outbox *outbox, struct outbox_entry *entry)
{
    entry->due.kind = DUE_DELIVERY;
    entry->place = PLACE_LATER;
    entry->lane =
        entry->priority < 1 || entry->priority > OUTBOX_LANES ? OUTBOX_LANES : entry->priority;
    if (entry->incident[0]) {
        keep_order(outbox, entry);
        entry->has_subject =
            hash_table_put(&outbox->subjects, &entry->subject, subject_hash(entry)) == STATUS_OK;
    }
    if (due_put(outbox->due, &entry->due, entry->due_us))
        outbox_queue_add(entry->queue, entry);
}

void outbox_wake(struct due *due)
{
    if (due->kind == DUE_DESTINATION) {
        CONTAINER_OF(due, struct outbox_queue, due)->is_full = false;
        return;
    }
    struct outbox_entry *entry = CONTAINER_OF(due, struct outbox_entry, due);
    outbox_queue_add(entry->queue, entry);
}

/* ---- queueing ---- */

static struct outbox_entry *make(const struct ledger *ledger, const struct notice *notice,
                                 struct outbox_queue *queue, int64_t now_us)
{
    struct outbox_entry *entry = queue ? outbox_entry_new(notice->document) : NULL;
    if (!entry)
        return NULL;
    struct hasher h;
    hash_start(&h);
    hash_part_text(&h, notice->incident);
    hash_part_u64(&h, ledger->sequence);
    hash_part_u64(&h, (uint64_t)notice->kind);
    hash_part_text(&h, text_of(queue->name));
    ident_make("dlv_", now_us, hash_end(&h), entry->id);
    if (notice->incident.len == IDENT_LEN)
        memcpy(entry->incident, notice->incident.at, IDENT_LEN);
    entry->queue = queue;
    entry->order = ledger->sequence;
    entry->kind = notice->kind;
    entry->priority = notice->priority;
    entry->due_us = entry->queued_us = now_us;
    return entry;
}

/* False without memory: it is the caller's still. */
static bool put(struct outbox *outbox, struct outbox_entry *entry)
{
    uint64_t hash = hash_table_hash(text_of(entry->id), 0);
    if (hash_table_put(&outbox->entries, &entry->link, hash) != STATUS_OK)
        return false;
    entry->queue->count++;
    entry->queue->bytes += entry->document_len;
    wait_until_due(outbox, entry);
    return true;
}

void outbox_remove(struct outbox *outbox, struct outbox_entry *entry)
{
    due_remove(outbox->due, &entry->due);
    outbox_queue_remove(entry->queue, entry);
    outbox_forget_subject(outbox, entry);
    entry->queue->count--;
    entry->queue->bytes -= entry->document_len;
    hash_table_remove(&outbox->entries, &entry->link);
    outbox_entry_free(entry);
}

/* Its entry, or NULL: refused, and that is on record, or no memory. */
static struct outbox_entry *queue(struct outbox *outbox, struct changes *changes,
                                  const struct notice *notice, struct text destination,
                                  int64_t now_us)
{
    struct outbox_queue *of = queue_of(outbox, destination);
    struct outbox_entry *entry = make(&changes->ledger, notice, of, now_us);
    if (entry && outbox_queue_is_full(of, entry->document_len)) {
        COUNT(changes->counters, deliveries_refused);
        record(changes, entry, "delivery.expired", "too many wait for this destination", now_us);
        outbox_entry_free(entry);
        return NULL;
    }
    if (!entry || !put(outbox, entry)) {
        COUNT(changes->counters, no_memory);
        if (entry)
            outbox_entry_free(entry);
        return NULL;
    }
    COUNT(changes->counters, deliveries);
    outbox_save_entry(changes, entry, true);
    record(changes, entry, "delivery.queued", NULL, now_us);
    return entry;
}

/* ---- who is told ---- */

static uint32_t find_route(const struct outbox *outbox, const struct notice *notice,
                           struct text *out)
{
    uint32_t count = outbox->route ? outbox->route(outbox->context, notice, out) : 0;
    return count < DELIVERY_DESTINATIONS ? count : DELIVERY_DESTINATIONS;
}

static bool wants(const struct outbox *outbox, struct text destination, enum notice_kind kind)
{
    return !outbox->wants || outbox->wants(outbox->context, destination, kind);
}

static void add(struct text *out, uint32_t *count, struct text destination)
{
    for (uint32_t d = 0; d < *count; d++)
        if (text_equal(out[d], destination))
            return;
    if (*count < DELIVERY_DESTINATIONS)
        out[(*count)++] = destination;
}

/* Something about an incident that those know who were told of it; else it is news. */
static bool is_follow_up(const struct incident *incident, enum notice_kind kind)
{
    bool is_one = kind == NOTICE_ACKNOWLEDGED || kind == NOTICE_RESOLVED || kind == NOTICE_CLOSED ||
                  kind == NOTICE_DIGEST;
    /* told before it was kept who was: as it was then */
    bool is_unknown = !incident->telling.count && incident->times[TIME_NOTIFIED] != TIMESTAMP_NONE;
    return is_one && !is_unknown;
}

/*
 * News goes where the routes lead now. What follows it goes to exactly those who were told,
 * whatever has become of the priority since; and to who never asked for openings but for this.
 */
static uint32_t choose(const struct outbox *outbox, const struct incident *incident,
                       const struct notice *notice, struct text *out)
{
    const struct telling *telling = &incident->telling;
    struct text routed[DELIVERY_DESTINATIONS];
    uint32_t count = 0, found = find_route(outbox, notice, routed);
    bool is_follow = is_follow_up(incident, notice->kind);
    for (uint32_t d = 0; d < found; d++)
        if (!is_follow || !wants(outbox, routed[d], NOTICE_OPENED))
            add(out, &count, routed[d]);
    if (!is_follow && notice->kind != NOTICE_REOPENED)
        return count;
    for (uint32_t t = 0; t < telling->count; t++) {
        struct text destination = text_of(telling->told[t].destination);
        if (notice->kind == NOTICE_DIGEST || wants(outbox, destination, notice->kind))
            add(out, &count, destination);
    }
    return count;
}

static void tell(struct outbox *outbox, struct changes *changes, struct incident *incident,
                 enum notice_kind kind, int64_t now_us)
{
    struct text destinations[DELIVERY_DESTINATIONS];
    struct buffer document;
    buffer_init(&document, DOCUMENT_BYTES);
    incident_document_write(incident, &document);
    const struct notice notice = {kind, text_of(incident->id), incident->priority,
                                  incident->category, buffer_text(&document)};
    if (document.has_failed) {
        COUNT(changes->counters, no_memory);
        buffer_fini(&document);
        return;
    }
    COUNT(changes->counters, notices);
    uint32_t count = choose(outbox, incident, &notice, destinations);
    for (uint32_t d = 0; d < count; d++) {
        const struct outbox_entry *entry = queue(outbox, changes, &notice, destinations[d], now_us);
        if (entry && !is_follow_up(incident, kind))
            telling_queue(&incident->telling, text_of(entry->queue->name), text_of(entry->id));
    }
    buffer_fini(&document);
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

/* ---- what opens and resolves again and again ---- */

static int64_t later_of_flaps(const struct telling *telling, int64_t now_us)
{
    int64_t most_us = telling->flapping_us + FLAPPING_MOST_US;
    return now_us + FLAPPING_US < most_us ? now_us + FLAPPING_US : most_us;
}

/* The first reopening soon after its end is told; from there on what moves to and fro is held until
 * it was quiet for as long, an hour at most. */
static bool is_held_as_flapping(struct outbox *outbox, struct incident *incident,
                                enum notice_kind kind, int64_t now_us)
{
    struct telling *telling = &incident->telling;
    bool was_flapping = telling->until_us != TIMESTAMP_NONE;
    bool is_soon =
        telling->resolved_us != TIMESTAMP_NONE && now_us - telling->resolved_us <= FLAPPING_US;
    if (kind == NOTICE_RESOLVED)
        telling->resolved_us = now_us;
    else if (kind != NOTICE_REOPENED || (!was_flapping && !is_soon))
        return false;
    if (kind == NOTICE_REOPENED)
        telling->flaps++;
    if (was_flapping) {
        telling->held++;
        telling->until_us = later_of_flaps(telling, now_us);
        return true;
    }
    if (kind == NOTICE_RESOLVED)
        return false;
    telling->flapping_us = now_us;
    telling->until_us = later_of_flaps(telling, now_us);
    if (due_put_incident(outbox->due, DUE_FLAPPING, incident->id, telling->until_us))
        telling_calm(telling); /* without memory all is told */
    return false;
}

void outbox_end_flapping(struct outbox *outbox, struct changes *changes, struct incident *incident,
                         int64_t now_us)
{
    struct telling *telling = &incident->telling;
    if (telling->until_us == TIMESTAMP_NONE)
        return; /* a person has decided meanwhile */
    if (telling->until_us > now_us &&
        due_put_incident(outbox->due, DUE_FLAPPING, incident->id, telling->until_us) == STATUS_OK)
        return;
    if (telling->held)
        tell(outbox, changes, incident,
             incident_is_settled(incident) ? NOTICE_RESOLVED : NOTICE_DIGEST, now_us);
    telling_calm(telling);
}

/* ---- notices ---- */

static void hold(struct outbox *outbox, struct changes *changes, const struct incident *incident,
                 const char *why, int64_t now_us)
{
    struct effect *effect = changes_effect(changes);
    suppress(changes, incident, NOTICE_OPENED, why, now_us);
    storm_add_to_digest(&outbox->storm, incident->id, now_us);
    if (effect)
        EFFECT(effect, TEXT("RPUSH"), TEXT("tocsin:digest"), text_of(incident->id));
}

void outbox_notice(struct outbox *outbox, struct changes *changes, struct incident *incident,
                   enum notice_kind kind, int64_t now_us)
{
    if (kind == NOTICE_OPENED && incident->is_backfill)
        hold(outbox, changes, incident, "backfill: told in a digest", now_us);
    else if (kind == NOTICE_OPENED && outbox->storm.is_on && incident->priority != 1)
        hold(outbox, changes, incident, "storm: told as one", now_us);
    else if (is_held_as_flapping(outbox, incident, kind, now_us))
        suppress(changes, incident, kind, "flapping: told as one", now_us);
    else
        tell(outbox, changes, incident, kind, now_us);
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
    struct text destinations[DELIVERY_DESTINATIONS];
    COUNT(changes->counters, notices);
    uint32_t count = find_route(outbox, &notice, destinations);
    for (uint32_t d = 0; d < count; d++)
        (void)queue(outbox, changes, &notice, destinations[d], now_us);
    buffer_fini(&document);
}

/* ---- what is told as one ---- */

void outbox_opened(struct outbox *outbox, struct changes *changes, const struct incident *incident,
                   int64_t now_us)
{
    if (!storm_begins(&outbox->storm, now_us))
        return;
    struct buffer data;
    char title[120];
    buffer_init(&data, 1 << 12);
    (void)snprintf(
        title, sizeof title,
        "%d incidents opened within %d minutes; P1 are told at once, the others together",
        STORM_INCIDENTS + 1, STORM_MINUTES);
    json_write_string(&data, "title", text_of(title));
    json_write_int(&data, "incidents", STORM_INCIDENTS + 1);
    json_write_int(&data, "minutes", STORM_MINUTES);
    json_write_string(&data, "latest", text_of(incident->id));
    outbox_tell(outbox, changes,
                &(struct outbox_general){NOTICE_STORM, "storm", 2, buffer_text(&data)}, now_us);
    buffer_fini(&data);
}

struct outbox_entry *outbox_queue_notice(struct outbox *outbox, struct changes *changes,
                                         const struct notice *notice, struct text destination)
{
    return queue(outbox, changes, notice, destination, changes->journal_us);
}

/* ---- from the store ---- */

enum { LOAD_AT_ONCE = 256 };

static int by_age(const void *a, const void *b)
{
    const struct outbox_entry *x = *(struct outbox_entry *const *)a;
    const struct outbox_entry *y = *(struct outbox_entry *const *)b;
    if (x->queued_us != y->queued_us)
        return x->queued_us < y->queued_us ? -1 : 1;
    if (x->order != y->order)
        return x->order < y->order ? -1 : 1;
    return strcmp(x->id, y->id);
}

/* What was read, until all of it is: Redis gives it in no order. */
struct loading {
    struct outbox *outbox;
    struct incident_store *store;
    struct outbox_entry **entries;
    size_t count;
};

/* False without memory. */
static bool take(struct loading *loading, const struct doc_tree *tree, struct text document)
{
    if (doc_tree_text(tree, "id").len != IDENT_LEN)
        return true;
    struct outbox_queue *of = queue_of(loading->outbox, doc_tree_text(tree, "destination"));
    struct outbox_entry *entry = of ? outbox_entry_read(tree, document) : NULL;
    if (!entry)
        return false;
    entry->queue = of;
    loading->entries[loading->count++] = entry;
    return true;
}

static enum status ask_for(struct loading *loading, const char *key, const struct text *ids,
                           uint32_t count, struct arena *arena, struct reply *out,
                           struct error *err)
{
    struct text words[LOAD_AT_ONCE + 2] = {TEXT("HMGET"), text_of(key)};
    for (uint32_t i = 0; i < count; i++)
        words[i + 2] = ids[i];
    enum status status = incident_store_ask(loading->store, arena, words, count + 2, out, err);
    if (!status && out->count != count)
        status = error_set(err, STATUS_INVALID, 0, "Redis does not answer for the outbox");
    return status;
}

static enum status load_some(struct loading *loading, const struct text *ids, uint32_t count,
                             struct error *err)
{
    struct arena arena;
    struct reply heads = {0}, documents = {0};
    struct doc_tree tree;
    arena_init(&arena, INCIDENT_STORE_ANSWER);
    enum status status = ask_for(loading, "tocsin:outbox", ids, count, &arena, &heads, err);
    if (!status)
        status = ask_for(loading, "tocsin:outbox:documents", ids, count, &arena, &documents, err);
    for (uint32_t i = 0; !status && i < count; i++) {
        if (doc_tree_parse(heads.items[i].text, &arena, &tree, NULL) == STATUS_OK &&
            !take(loading, &tree, documents.items[i].text))
            status = error_set(err, STATUS_NOMEM, 0, "no memory for the outbox");
    }
    arena_fini(&arena);
    return status;
}

static enum status load_all(struct loading *loading, const struct reply *ids, struct error *err)
{
    struct text names[LOAD_AT_ONCE];
    enum status status = STATUS_OK;
    for (uint32_t from = 0; !status && from < ids->count; from += LOAD_AT_ONCE) {
        uint32_t count = 0;
        for (; count < LOAD_AT_ONCE && from + count < ids->count; count++)
            names[count] = ids->items[from + count].text;
        status = load_some(loading, names, count, err);
    }
    return status;
}

static enum status put_loaded(struct loading *loading, struct error *err)
{
    size_t done = 0;
    if (loading->count)
        qsort(loading->entries, loading->count, sizeof(struct outbox_entry *), by_age);
    while (done < loading->count && put(loading->outbox, loading->entries[done]))
        done++;
    bool is_all = done == loading->count;
    for (; done < loading->count; done++)
        outbox_entry_free(loading->entries[done]);
    return is_all ? STATUS_OK : error_set(err, STATUS_NOMEM, 0, "no memory for the outbox");
}

static enum status load_digest(struct outbox *outbox, struct incident_store *store,
                               struct arena *arena, struct error *err)
{
    struct reply ids = {0};
    enum status status = STORE_ASK(store, arena, &ids, err, TEXT("LRANGE"), TEXT("tocsin:digest"),
                                   TEXT("0"), TEXT("-1"));
    int64_t since_us = outbox->storm.digest_us == TIMESTAMP_NONE ? 0 : outbox->storm.digest_us;
    for (uint32_t i = 0; !status && i < ids.count; i++)
        if (ids.items[i].text.len == IDENT_LEN)
            storm_add_to_digest(&outbox->storm, ids.items[i].text.at, since_us);
    outbox->storm.is_dirty = false;
    return status;
}

enum status outbox_load(struct outbox *outbox, struct incident_store *store, struct error *err)
{
    struct arena arena;
    struct reply ids = {0};
    arena_init(&arena, INCIDENT_STORE_ANSWER);
    enum status status = STORE_ASK(store, &arena, &ids, err, TEXT("HKEYS"), TEXT("tocsin:outbox"));
    struct loading loading = {.outbox = outbox, .store = store};
    loading.entries = calloc((size_t)ids.count + 1, sizeof(struct outbox_entry *));
    if (!status && !loading.entries)
        status = error_set(err, STATUS_NOMEM, 0, "no memory for the outbox");
    if (!status)
        status = load_all(&loading, &ids, err);
    if (!status)
        status = put_loaded(&loading, err);
    else
        for (size_t e = 0; e < loading.count; e++)
            outbox_entry_free(loading.entries[e]);
    free(loading.entries);
    if (!status)
        status = load_digest(outbox, store, &arena, err);
    arena_fini(&arena);
    return status;
}
