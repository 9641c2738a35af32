/* SPDX-License-Identifier: Apache-2.0 */
#include "ingest/kafka/kafka_flight.h"
#include <stdlib.h>

enum status kafka_flight_open_barrier(struct kafka_barrier **out)
{
    struct kafka_barrier *b = calloc(1, sizeof *b);
    if (!b)
        return STATUS_NOMEM;
    if (mailbox_init(&b->landed, SIZE_MAX, NULL, NULL) != STATUS_OK) {
        free(b);
        return STATUS_NOMEM;
    }
    b->refs = 1;
    *out = b;
    return STATUS_OK;
}

static void unref(struct kafka_barrier *b)
{
    /* release: what this thread did to it; acquire: before it is freed, what all others did */
    if (atomic_fetch_sub_explicit(&b->refs, 1, memory_order_acq_rel) != 1)
        return;
    mailbox_fini(&b->landed);
    free(b);
}

void kafka_flight_close_barrier(struct kafka_barrier *b)
{
    if (!b)
        return;
    mailbox_close(&b->landed);
    for (struct mail *m = mailbox_take_all(&b->landed); m;) {
        struct kafka_flight *f = CONTAINER_OF(m, struct kafka_flight, mail);
        m = m->next;
        kafka_flight_free(f);
    }
    unref(b);
}

struct kafka_flight *kafka_flight_new(struct kafka_barrier *b, uint64_t number)
{
    struct kafka_flight *f = calloc(1, sizeof *f);
    if (!f)
        return NULL;
    f->barrier = b;
    f->number = number;
    return f;
}

void kafka_flight_free(struct kafka_flight *f)
{
    if (!f)
        return;
    free(f->spans);
    free(f);
}

static struct kafka_span *add_span(struct kafka_flight *f)
{
    if (f->count == f->size) {
        uint32_t size = f->size ? f->size * 2 : 8;
        struct kafka_span *spans = realloc(f->spans, size * sizeof *spans);
        if (!spans)
            return NULL;
        f->spans = spans;
        f->size = size;
    }
    return &f->spans[f->count++];
}

bool kafka_flight_note(struct kafka_flight *f, struct kafka_partition *p, int64_t offset)
{
    if (p->span_flight == f->number && f->spans[p->span].claim == p->claim) {
        f->spans[p->span].next = offset + 1;
        return true;
    }
    struct kafka_span *span = add_span(f);
    if (!span)
        return false;
    *span = (struct kafka_span){p, p->claim, offset, offset + 1};
    p->span = f->count - 1;
    p->span_flight = f->number;
    return true;
}

void kafka_flight_leave(struct kafka_flight *f)
{
    (void)atomic_fetch_add_explicit(&f->barrier->refs, 1, memory_order_relaxed);
}

void kafka_flight_land(void *flight, uint64_t token, bool is_ok)
{
    (void)token;
    struct kafka_flight *f = flight;
    struct kafka_barrier *b = f->barrier;
    f->is_ok = is_ok;
    if (mailbox_send(&b->landed, &f->mail) != STATUS_OK)
        kafka_flight_free(f);
    unref(b);
}
