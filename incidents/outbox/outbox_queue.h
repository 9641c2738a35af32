/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include "incidents/outbox/outbox_entry.h"

/*
 * What waits for one destination, in a lane for each priority: the urgent go first, those of one
 * lane in the order in which they came, and those of one incident never overtake each other. Its
 * ceiling is its own, so that what waits for a dead destination takes no room from another.
 */
enum { OUTBOX_LANES = 5, OUTBOX_QUEUE_MAX = 200000, OUTBOX_QUEUE_BYTES = 512 << 20 };

struct outbox_list {
    struct outbox_entry *first, *last;
};

struct outbox_queue {
    char *name;
    struct outbox_list lanes[OUTBOX_LANES + 1]; /* by priority, from 1 */
    struct outbox_list marked;                  /* in the order of their marks */
    uint32_t count; /* in all, and of their documents: that is what the ceilings bound */
    size_t bytes;
    uint32_t ready_count, marked_count, given_count;
    bool is_full;   /* its sink took no more: none is given until one is settled or it is due */
    struct due due; /* of is_full */
};

struct outbox_queue *outbox_queue_new(struct text name);
void outbox_queue_free(struct outbox_queue *queue);
/* No room for one more of so many bytes. */
bool outbox_queue_is_full(const struct outbox_queue *queue, size_t bytes);
/* Into its lane, at the end. */
void outbox_queue_add(struct outbox_queue *queue, struct outbox_entry *entry);
/* Out of the lane or list that it is in. */
void outbox_queue_remove(struct outbox_queue *queue, struct outbox_entry *entry);
/* The next one to be marked: none but the urgent where fewer than an eighth of `room` is left.
 * NULL: none. Taken out of its lane. */
struct outbox_entry *outbox_queue_take(struct outbox_queue *queue, uint32_t room);
/* Among the marked: at the end, or before all others where its sink did not take it. */
void outbox_queue_mark(struct outbox_queue *queue, struct outbox_entry *entry);
void outbox_queue_take_back(struct outbox_queue *queue, struct outbox_entry *entry);
