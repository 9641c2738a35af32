/* SPDX-License-Identifier: Apache-2.0 */
#include "ingest/door/lane.h"
#include "base/timestamp.h"
#include "ingest/door/json_parts.h"
#include "ingest/door/source.h"
#include <poll.h>

enum { SCRATCH_BYTES = 16 << 20 }; /* one event that is built; messages are shorter */

void lane_init(struct lane *l, struct source *s)
{
    l->source = s;
    l->gather_us = LANE_GATHER_US;
    buffer_init(&l->scratch, SCRATCH_BYTES);
}

/* Senders that can wait do so while much waits behind: a batch now and then, so that none starves
 * because others flood. Datagrams would be lost. */
static void hold_back(const struct source *s)
{
    if (s->type->kernel_drops || !s->intake.is_long || !s->intake.is_long(s->intake.context))
        return;
    struct pollfd stop = {.fd = s->stop_fd, .events = POLLIN};
    (void)poll(&stop, 1, LANE_HOLD_MS);
}

bool lane_ready(struct lane *l)
{
    struct source *s = l->source;
    if (!l->batch)
        hold_back(s);
    while (!l->batch) {
        l->batch = s->intake.take(s->intake.context, SOURCE_TAKE_MS);
        if (!l->batch && source_is_stopping(s))
            return false;
    }
    if (l->batch->count == 0) {
        l->batch->source = s->index;
        l->peer = TEXT_NONE;
    }
    return true;
}

void lane_drop(struct lane *l, enum lane_drop why, struct text raw, struct text peer)
{
    static const enum drops_reason reasons[LANE_DROPS] = {
        [LANE_DROP_DENIED] = DROPS_DENIED,           [LANE_DROP_STOPPED] = DROPS_STOPPED,
        [LANE_DROP_MEMORY] = DROPS_MEMORY,           [LANE_DROP_EMPTY] = DROPS_EMPTY,
        [LANE_DROP_QUARANTINED] = DROPS_QUARANTINED,
    };
    counter_add(&l->read, 1);
    counter_add(&l->bytes, raw.len);
    counter_add(&l->dropped[why], 1);
    drops_count(l->source->intake.drops, l->source->index, peer, reasons[why], 1);
}

static struct text keep_peer(struct lane *l, struct text peer)
{
    if (!text_equal(l->peer, peer))
        l->peer = arena_copy(&l->batch->arena, peer);
    return l->peer;
}

static struct record *add_one(struct lane *l, struct text raw, struct text peer, int64_t receive_us,
                              bool is_truncated)
{
    if (!lane_ready(l)) {
        lane_drop(l, LANE_DROP_STOPPED, raw, peer);
        return NULL;
    }
    struct record *r = batch_add(l->batch, raw);
    if (!r) {
        lane_drop(l, LANE_DROP_MEMORY, raw, peer);
        return NULL;
    }
    r->peer = keep_peer(l, peer);
    r->receive_us = receive_us;
    r->kind = RECORD_EVENT;
    r->format = (enum format)l->source->format;
    r->flags = (is_truncated ? (uint32_t)RECORD_TRUNCATED : 0) |
               (l->source->durability == DURABILITY_NONE ? (uint32_t)RECORD_EXEMPT : 0) |
               l->source->record_flags;
    counter_add(&l->read, 1);
    counter_add(&l->bytes, raw.len);
    if (is_truncated)
        counter_add(&l->truncated, 1);
    return r;
}

/* What all parts of one message have in common. */
struct message {
    struct lane *lane;
    struct text peer;
    int64_t receive_us;
    struct record *last; /* NULL: one was dropped */
};

static bool add_part(void *context, struct text part)
{
    struct message *m = context;
    m->last = add_one(m->lane, part, m->peer, m->receive_us, false);
    if (m->last)
        m->last->flags |= record_part_flags(m->lane->parts++);
    return m->last;
}

uint32_t lane_parts_of(struct lane *l, struct text raw)
{
    const uint32_t parts =
        json_parts_may_be(raw) ? json_parts_walk(raw, RECORD_PARTS, &l->scratch, NULL, NULL) : 0;
    return parts ? parts : 1;
}

struct record *lane_add(struct lane *l, struct text raw, struct text peer, int64_t receive_us,
                        bool is_truncated)
{
    const uint32_t parts = is_truncated ? 1 : lane_parts_of(l, raw);
    struct message m = {l, peer, receive_us, NULL};
    if (l->batch && (batch_is_full(l->batch) || l->batch->count + parts > BATCH_RECORDS))
        lane_put(l);
    l->parts = 1;
    if (parts == 1)
        return add_one(l, raw, peer, receive_us, is_truncated);
    l->parts = 0;
    (void)json_parts_walk(raw, RECORD_PARTS, &l->scratch, add_part, &m);
    return m.last;
}

bool lane_identify(struct lane *l, struct text origin, uint32_t flags)
{
    struct batch *b = l->batch;
    const struct text kept = b ? arena_copy(&b->arena, origin) : TEXT_NONE;
    for (uint32_t i = 0; b && i < l->parts && i < b->count; i++) {
        struct record *r = &b->records[b->count - 1 - i];
        r->origin = kept;
        r->flags |= flags;
    }
    return kept.at;
}

static void give_back(const struct lane *l, struct batch *b)
{
    if (l->source->intake.put(l->source->intake.context, b) != STATUS_OK)
        batch_free(b);
}

void lane_put(struct lane *l)
{
    struct batch *b = MOVE(l->batch);
    if (b && b->count == 0) {
        give_back(l, b);
        return;
    }
    if (!b)
        return;
    uint32_t count = b->count;
    if (l->seal)
        l->seal(l->seal_context, b);
    l->put_ns = timestamp_monotonic_ns();
    if (l->source->intake.put(l->source->intake.context, b) == STATUS_OK) {
        counter_add(&l->put, count);
        return;
    }
    counter_add(&l->dropped[LANE_DROP_STOPPED], count);
    drops_count_batch(l->source->intake.drops, b, DROPS_STOPPED);
    if (b->durable)
        b->durable(b->durable_context, b->durable_token, false);
    batch_free(b);
}

bool lane_is_busy(const struct lane *l)
{
    return timestamp_monotonic_ns() - l->put_ns < l->gather_us * 1000;
}

void lane_fini(struct lane *l)
{
    lane_put(l);
    buffer_fini(&l->scratch);
}
