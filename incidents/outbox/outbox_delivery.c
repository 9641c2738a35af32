/* SPDX-License-Identifier: Apache-2.0 */
#include "incidents/outbox/outbox_delivery.h"
#include "base/json_write.h"
#include "base/timestamp.h"
#include "incidents/outbox/digest.h"

/* Of one effect at most, so that none is long; and what a destination takes that does not say. */
enum { MARKED_AT_ONCE = 256, ANY_ROOM = 1 << 30 };

static struct outbox_entry *find(const struct outbox *outbox, struct text id)
{
    for (struct hash_link *at = hash_table_first(&outbox->entries, hash_table_hash(id, 0)); at;
         at = hash_table_next(at)) {
        struct outbox_entry *entry = CONTAINER_OF(at, struct outbox_entry, link);
        if (text_equal(text_of(entry->id), id))
            return entry;
    }
    return NULL;
}

static uint32_t mark_some(struct outbox *outbox, struct outbox_queue *queue,
                          struct changes *changes, uint64_t number, uint32_t most)
{
    uint32_t room = outbox->room ? outbox->room(outbox->context, text_of(queue->name)) : ANY_ROOM;
    uint32_t count = 0;
    while (count < most) {
        struct outbox_entry *entry = outbox_queue_take(queue, room);
        if (!entry)
            break;
        outbox_forget_subject(outbox, entry);
        entry->state = DELIVERY_SENDING;
        entry->marked = number;
        outbox_queue_mark(queue, entry);
        outbox_save_entry(changes, entry, false);
        count++;
    }
    return count;
}

bool outbox_delivery_mark(struct outbox *outbox, struct changes *changes, uint64_t number)
{
    uint32_t count = 0;
    for (uint32_t q = 0; q < outbox->queue_count && count < MARKED_AT_ONCE; q++) {
        struct outbox_queue *queue = outbox->queues[(outbox->turn + q) % outbox->queue_count];
        if (!queue->is_full && queue->ready_count)
            count += mark_some(outbox, queue, changes, number, MARKED_AT_ONCE - count);
    }
    return count > 0;
}

struct delivery *outbox_delivery_take(struct outbox *outbox, uint64_t acknowledged)
{
    for (uint32_t q = 0; q < outbox->queue_count; q++) {
        uint32_t turn = (outbox->turn + q) % outbox->queue_count;
        struct outbox_queue *queue = outbox->queues[turn];
        struct outbox_entry *entry = queue->marked.first;
        if (queue->is_full || !entry || entry->marked > acknowledged)
            continue;
        struct delivery *delivery = delivery_new(entry);
        if (!delivery)
            return NULL;
        outbox_queue_remove(queue, entry);
        entry->place = PLACE_GIVEN;
        queue->given_count++;
        outbox->turn = turn + 1;
        return delivery;
    }
    return NULL;
}

static bool is_final(const struct outcome *outcome)
{
    switch (outcome->state) {
    case DELIVERY_QUEUED:
    case DELIVERY_SENDING:
    case DELIVERY_FAILED_TEMP:
        return false;
    case DELIVERY_UNKNOWN:
        return outcome->next_us <= 0;
    case DELIVERY_ACCEPTED:
    case DELIVERY_DELIVERED:
    case DELIVERY_FAILED_PERM:
    case DELIVERY_SUPPRESSED:
    case DELIVERY_EXPIRED:
        return true;
    }
    return true;
}

static void write_attempt(const struct outbox_entry *entry, const struct outcome *outcome,
                          struct buffer *out)
{
    json_write_open(out, NULL, '{');
    json_write_string(out, "delivery", text_of(entry->id));
    json_write_string(out, "destination", text_of(entry->queue->name));
    json_write_string(out, "notice", text_of(incidents_notice_name(entry->kind)));
    if (outcome->recipient.len)
        json_write_string(out, "recipient", outcome->recipient);
    json_write_string(out, "state", text_of(delivery_state_name(outcome->state)));
    json_write_uint(out, "attempt", outcome->attempt);
    json_write_time(out, "started", outcome->started_us);
    json_write_int(out, "latency_us", outcome->latency_us);
    if (outcome->http_status)
        json_write_int(out, "http_status", outcome->http_status);
    if (outcome->next_us > 0)
        json_write_time(out, "next", outcome->next_us);
    if (entry->may_be_duplicate)
        json_write_bool(out, "may_be_duplicate", true);
    if (outcome->detail.len)
        json_write_string(out, "detail", text_head(outcome->detail, 2000));
    json_write_close(out, '}');
}

static void record_attempt(struct changes *changes, const struct outbox_entry *entry,
                           const struct outcome *outcome)
{
    struct buffer data, kind, key;
    buffer_init(&data, 1 << 16);
    buffer_init(&kind, 64);
    buffer_init(&key, 128);
    write_attempt(entry, outcome, &data);
    buffer_printf(&kind, "delivery.%s", delivery_state_name(outcome->state));
    buffer_printf(&key, "tocsin:attempts:%s", entry->incident);
    struct effect *effect = changes_effect(changes);
    if (effect && entry->incident[0])
        EFFECT(effect, TEXT("RPUSH"), buffer_text(&key), buffer_text(&data));
    buffer_byte(&kind, 0);
    if (!kind.has_failed)
        changes_record(changes,
                       &(struct ledger_entry){.kind = kind.at,
                                              .incident = text_of(entry->incident),
                                              .time_us = outcome->started_us + outcome->latency_us,
                                              .data = buffer_text(&data)});
    if (effect && outcome->state == DELIVERY_FAILED_PERM)
        EFFECT(effect, TEXT("HSET"), TEXT("tocsin:dead"),
               CHANGES_JOIN(changes, text_of(entry->id),
                            outcome->recipient.len ? TEXT(" ") : TEXT_NONE, outcome->recipient),
               buffer_text(&data));
    buffer_fini(&data);
    buffer_fini(&kind);
    buffer_fini(&key);
}

/* That incident's destination, or one recipient of it, has the delivery, or never will. */
static void note_told(struct tables *tables, const struct outbox_entry *entry,
                      const struct outcome *outcome, struct text id)
{
    struct incident *incident = tables_incident(tables, id);
    struct text destination = text_of(entry->queue->name), delivery = text_of(entry->id);
    if (!incident)
        return;
    if (outcome->state == DELIVERY_DELIVERED || outcome->state == DELIVERY_ACCEPTED)
        telling_arrive(&incident->telling, destination, outcome->recipient, delivery,
                       outcome->started_us + outcome->latency_us);
    else if (is_final(outcome) && !outcome->is_part && outcome->state != DELIVERY_UNKNOWN)
        telling_fail(&incident->telling, destination, delivery);
    else
        return;
    tables_touch_incident(tables, incident);
}

static void note_all_told(struct tables *tables, const struct outbox_entry *entry,
                          const struct outcome *outcome)
{
    if (entry->incident[0])
        note_told(tables, entry, outcome, text_of(entry->incident));
    struct text rest = {entry->document, entry->document_len}, id;
    while (entry->kind == NOTICE_DIGEST && !entry->incident[0] && digest_next(&rest, &id))
        note_told(tables, entry, outcome, id);
}

static void note_time(struct tables *tables, const struct outbox_entry *entry,
                      const struct outcome *outcome)
{
    struct incident *incident = tables_incident(tables, text_of(entry->incident));
    bool is_delivered = outcome->state == DELIVERY_DELIVERED;
    if (!incident || (!is_delivered && outcome->state != DELIVERY_ACCEPTED))
        return;
    int64_t at_us = outcome->started_us + outcome->latency_us;
    if (incident->times[TIME_NOTIFIED] == TIMESTAMP_NONE)
        incident->times[TIME_NOTIFIED] = at_us;
    if (is_delivered && incident->times[TIME_DELIVERED] == TIMESTAMP_NONE)
        incident->times[TIME_DELIVERED] = at_us;
    tables_touch_incident(tables, incident);
}

/* Its sink has it no more: there is room for another. */
static void leave_sink(struct outbox *outbox, struct outbox_entry *entry)
{
    struct outbox_queue *queue = entry->queue;
    if (entry->place != PLACE_GIVEN)
        return;
    queue->given_count--;
    queue->is_full = false;
    due_remove(outbox->due, &queue->due);
}

static void finish(struct outbox *outbox, struct changes *changes, struct outbox_entry *entry)
{
    struct effect *effect = changes_effect(changes);
    if (effect) {
        EFFECT(effect, TEXT("HDEL"), TEXT("tocsin:outbox"), text_of(entry->id));
        EFFECT(effect, TEXT("HDEL"), TEXT("tocsin:outbox:documents"), text_of(entry->id));
    }
    COUNT(changes->counters, deliveries_settled);
    leave_sink(outbox, entry);
    outbox_remove(outbox, entry);
}

/* No sink took it: nothing happened, so nothing is recorded. It comes again as the first of its
 * destination, once one that its sink has is settled, or at `at_us`. */
static void take_back(struct outbox *outbox, struct outbox_entry *entry, int64_t at_us)
{
    struct outbox_queue *queue = entry->queue;
    if (entry->place != PLACE_GIVEN)
        return;
    queue->given_count--;
    outbox_queue_take_back(queue, entry);
    queue->is_full = due_put(outbox->due, &queue->due, at_us) == STATUS_OK;
}

enum status outbox_delivery_settle(struct outbox *outbox, struct changes *changes,
                                   struct tables *tables, const struct outcome *outcome)
{
    struct outbox_entry *entry = find(outbox, outcome->delivery);
    if (!entry)
        return STATUS_NOTFOUND;
    if (outcome->state == DELIVERY_QUEUED) {
        take_back(outbox, entry, outcome->next_us);
        return STATUS_OK;
    }
    entry->attempts = outcome->attempt;
    entry->state = outcome->state;
    entry->due_us = outcome->next_us > 0 ? outcome->next_us : entry->due_us;
    record_attempt(changes, entry, outcome);
    note_time(tables, entry, outcome);
    note_all_told(tables, entry, outcome);
    if (is_final(outcome) && outcome->recipient.len)
        outbox_entry_settle(entry, outcome->recipient);
    if (is_final(outcome) && !outcome->is_part) {
        finish(outbox, changes, entry);
        return STATUS_OK;
    }
    outbox_save_entry(changes, entry, false);
    return STATUS_OK;
}
