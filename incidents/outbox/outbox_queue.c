/* SPDX-License-Identifier: Apache-2.0 */
#include "incidents/outbox/outbox_queue.h"
#include "incidents/model/incident.h"
#include <stdlib.h>

enum { RESERVE = 8 /* an eighth of the room is the urgent's alone */ };

struct outbox_queue *outbox_queue_new(struct text name)
{
    struct outbox_queue *queue = calloc(1, sizeof *queue);
    if (!queue)
        return NULL;
    queue->due.kind = DUE_DESTINATION;
    if (!incident_set_text(&queue->name, name) || !queue->name) {
        outbox_queue_free(queue);
        return NULL;
    }
    return queue;
}

void outbox_queue_free(struct outbox_queue *queue)
{
    if (!queue)
        return;
    free(queue->name);
    free(queue);
}

bool outbox_queue_is_full(const struct outbox_queue *queue, size_t bytes)
{
    return queue->count >= OUTBOX_QUEUE_MAX || queue->bytes + bytes > OUTBOX_QUEUE_BYTES;
}

static void append(struct outbox_list *list, struct outbox_entry *entry)
{
    entry->next = NULL;
    entry->before = list->last;
    if (list->last)
        list->last->next = entry;
    else
        list->first = entry;
    list->last = entry;
}

static void prepend(struct outbox_list *list, struct outbox_entry *entry)
{
    entry->before = NULL;
    entry->next = list->first;
    if (list->first)
        list->first->before = entry;
    else
        list->last = entry;
    list->first = entry;
}

static void unlist(struct outbox_list *list, struct outbox_entry *entry)
{
    if (entry->before)
        entry->before->next = entry->next;
    else
        list->first = entry->next;
    if (entry->next)
        entry->next->before = entry->before;
    else
        list->last = entry->before;
    entry->before = entry->next = NULL;
}

void outbox_queue_add(struct outbox_queue *queue, struct outbox_entry *entry)
{
    append(&queue->lanes[entry->lane], entry);
    entry->place = PLACE_READY;
    queue->ready_count++;
}

void outbox_queue_mark(struct outbox_queue *queue, struct outbox_entry *entry)
{
    append(&queue->marked, entry);
    entry->place = PLACE_MARKED;
    queue->marked_count++;
}

void outbox_queue_take_back(struct outbox_queue *queue, struct outbox_entry *entry)
{
    prepend(&queue->marked, entry);
    entry->place = PLACE_MARKED;
    queue->marked_count++;
}

void outbox_queue_remove(struct outbox_queue *queue, struct outbox_entry *entry)
{
    if (entry->place == PLACE_READY) {
        unlist(&queue->lanes[entry->lane], entry);
        queue->ready_count--;
    } else if (entry->place == PLACE_MARKED) {
        unlist(&queue->marked, entry);
        queue->marked_count--;
    }
}

struct outbox_entry *outbox_queue_take(struct outbox_queue *queue, uint32_t room)
{
    uint32_t whole = room + queue->given_count;
    uint32_t left = room > queue->marked_count ? room - queue->marked_count : 0;
    for (int lane = 1; left && lane <= OUTBOX_LANES; lane++) {
        struct outbox_entry *entry = queue->lanes[lane].first;
        if (!entry)
            continue;
        if (lane > 1 && left <= whole / RESERVE)
            return NULL;
        outbox_queue_remove(queue, entry);
        return entry;
    }
    return NULL;
}
