/* SPDX-License-Identifier: Apache-2.0 */
#include "ingest/door/lane.h"
#include "base/timestamp.h"
#include "ingest/door/source.h"
#include <poll.h>

void lane_init(struct lane *l, struct source *s)
{
    l->source = s;
    l->gather_us = LANE_GATHER_US;
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

struct record *lane_add(struct lane *l, struct text raw, struct text peer, int64_t receive_us,
                        bool is_truncated)
{
    if (l->batch && batch_is_full(l->batch))
        lane_put(l);
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
}
