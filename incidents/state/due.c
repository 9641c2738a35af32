/* SPDX-License-Identifier: Apache-2.0 */
#include "incidents/state/due.h"
#include "base/own.h"
#include <stdlib.h>
#include <string.h>

enum { FIRST_SIZE = 64 };

void due_init(struct due_index *index)
{
    *index = (struct due_index){.now_us = INT64_MIN};
}

void due_fini(struct due_index *index)
{
    for (struct due *due = due_take(index, INT64_MAX); due; due = due_take(index, INT64_MAX))
        if (due->kind == DUE_OVERRIDE || due->kind == DUE_FLAPPING)
            free(CONTAINER_OF(due, struct due_incident, due));
    free(index->heap);
    due_init(index);
}

static bool is_before(const struct due *a, const struct due *b)
{
    return a->at_us != b->at_us ? a->at_us < b->at_us : a->order < b->order;
}

static void set(struct due_index *index, size_t place, struct due *due)
{
    index->heap[place - 1] = due;
    due->place = place;
}

static void rise(struct due_index *index, struct due *due)
{
    size_t place = due->place;
    while (place > 1 && is_before(due, index->heap[place / 2 - 1])) {
        set(index, place, index->heap[place / 2 - 1]);
        place /= 2;
    }
    set(index, place, due);
}

static void sink(struct due_index *index, struct due *due)
{
    size_t place = due->place;
    while (place * 2 <= index->count) {
        size_t child = place * 2;
        if (child < index->count && is_before(index->heap[child], index->heap[child - 1]))
            child++;
        if (!is_before(index->heap[child - 1], due))
            break;
        set(index, place, index->heap[child - 1]);
        place = child;
    }
    set(index, place, due);
}

static enum status make_room(struct due_index *index)
{
    if (index->count < index->size)
        return STATUS_OK;
    size_t size = index->size ? index->size * 2 : FIRST_SIZE;
    struct due **heap = realloc(index->heap, size * sizeof(struct due *));
    if (!heap)
        return STATUS_NOMEM;
    index->heap = heap;
    index->size = size;
    return STATUS_OK;
}

enum status due_put(struct due_index *index, struct due *due, int64_t at_us)
{
    if (!due->place) {
        enum status status = make_room(index);
        if (status)
            return status;
        index->count++;
        set(index, index->count, due);
    }
    due->at_us = at_us;
    due->order = index->order++;
    rise(index, due);
    sink(index, due);
    return STATUS_OK;
}

enum status due_put_incident(struct due_index *index, enum due_kind kind, const char *id,
                             int64_t at_us)
{
    struct due_incident *timer = calloc(1, sizeof *timer);
    if (!timer)
        return STATUS_NOMEM;
    timer->due.kind = kind;
    memcpy(timer->id, id, IDENT_LEN);
    enum status status = due_put(index, &timer->due, at_us);
    if (status)
        free(timer);
    return status;
}

void due_remove(struct due_index *index, struct due *due)
{
    size_t place = due->place;
    if (!place)
        return;
    struct due *last = index->heap[--index->count];
    due->place = 0;
    if (last == due)
        return;
    set(index, place, last);
    rise(index, last);
    sink(index, last);
}

struct due *due_take(struct due_index *index, int64_t now_us)
{
    if (now_us > index->now_us)
        index->now_us = now_us;
    if (!index->count || index->heap[0]->at_us > index->now_us)
        return NULL;
    struct due *first = index->heap[0];
    due_remove(index, first);
    return first;
}
