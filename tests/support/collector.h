/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include "base/monotonic.h"
#include "base/record.h"
#include "ingest/ingest.h"
#include <assert.h>
#include <pthread.h>
#include <stdlib.h>
#include <time.h>

/*
 * An intake for tests of doors: keeps every record that comes, in order. `max_batches` batches
 * are out at most, and with `is_shut` none is given: backpressure. Barriers are called at once, or
 * with `holds_barriers` when collector_release says so.
 */
struct collector {
    pthread_mutex_t lock;
    pthread_cond_t came;
    struct record *records; /* texts are heap copies */
    size_t count, size;
    struct batch *held[256];
    size_t held_count;
    int batches_out, max_batches;
    bool is_shut, holds_barriers, is_closed, counts_only;
};

static inline struct batch *collector_take(void *context, uint64_t timeout_ms)
{
    struct collector *c = context;
    struct timespec until;
    (void)clock_gettime(CLOCK_MONOTONIC, &until);
    until.tv_nsec += (long)(timeout_ms % 1000) * 1000000;
    until.tv_sec += (time_t)(timeout_ms / 1000) + until.tv_nsec / 1000000000;
    until.tv_nsec %= 1000000000;
    (void)pthread_mutex_lock(&c->lock);
    int late = 0;
    while (!late && (c->is_shut || c->batches_out >= c->max_batches))
        late = pthread_cond_timedwait(&c->came, &c->lock, &until);
    struct batch *b = late ? NULL : batch_new();
    c->batches_out += b != NULL;
    (void)pthread_mutex_unlock(&c->lock);
    return b;
}

static inline struct text collector_copy(struct text t)
{
    char *at = malloc(t.len + 1);
    assert(at);
    if (t.len)
        memcpy(at, t.at, t.len);
    at[t.len] = 0;
    return (struct text){at, t.len};
}

static inline void collector_keep(struct collector *c, const struct record *r)
{
    if (!c->counts_only) {
        if (c->count == c->size) {
            c->size = c->size ? c->size * 2 : 64;
            c->records = realloc(c->records, c->size * sizeof *c->records);
            assert(c->records);
        }
        c->records[c->count] = *r;
        c->records[c->count].raw = collector_copy(r->raw);
        c->records[c->count].peer = collector_copy(r->peer);
        c->records[c->count].origin = collector_copy(r->origin);
    }
    c->count++;
}

static inline void collector_finish(struct batch *b, bool is_ok)
{
    if (b->durable)
        b->durable(b->durable_context, b->durable_token, is_ok);
    batch_free(b);
}

static inline enum status collector_put(void *context, struct batch *b)
{
    struct collector *c = context;
    (void)pthread_mutex_lock(&c->lock);
    if (c->is_closed) {
        (void)pthread_mutex_unlock(&c->lock);
        return STATUS_CLOSED;
    }
    for (uint32_t i = 0; i < b->count; i++)
        collector_keep(c, &b->records[i]);
    c->batches_out--;
    bool is_held = c->holds_barriers && b->durable;
    if (is_held) {
        assert(c->held_count < sizeof c->held / sizeof *c->held);
        c->held[c->held_count++] = b;
    }
    (void)pthread_cond_broadcast(&c->came);
    (void)pthread_mutex_unlock(&c->lock);
    if (!is_held)
        collector_finish(b, true);
    return STATUS_OK;
}

static inline void collector_init(struct collector *c)
{
    *c = (struct collector){.max_batches = 16};
    (void)pthread_mutex_init(&c->lock, NULL);
    enum status status = monotonic_cond_init(&c->came);
    assert(!status);
}

/* Waits (a minute at most) until `count` records came in all; returns how many there are. */
static inline size_t collector_wait(struct collector *c, size_t count)
{
    struct timespec until;
    (void)clock_gettime(CLOCK_MONOTONIC, &until);
    until.tv_sec += 60;
    (void)pthread_mutex_lock(&c->lock);
    int late = 0;
    while (!late && c->count < count)
        late = pthread_cond_timedwait(&c->came, &c->lock, &until);
    size_t got = c->count;
    (void)pthread_mutex_unlock(&c->lock);
    return got;
}

/* Calls the barriers that were held. */
static inline size_t collector_release(struct collector *c, bool is_ok)
{
    (void)pthread_mutex_lock(&c->lock);
    size_t count = c->held_count;
    for (size_t i = 0; i < count; i++)
        collector_finish(c->held[i], is_ok);
    c->held_count = 0;
    (void)pthread_mutex_unlock(&c->lock);
    return count;
}

static inline void collector_shut(struct collector *c, bool is_shut)
{
    (void)pthread_mutex_lock(&c->lock);
    c->is_shut = is_shut;
    (void)pthread_cond_broadcast(&c->came);
    (void)pthread_mutex_unlock(&c->lock);
}

static inline void collector_fini(struct collector *c)
{
    (void)collector_release(c, false);
    for (size_t i = 0; i < c->count && !c->counts_only; i++) {
        free((void *)(uintptr_t)c->records[i].raw.at);
        free((void *)(uintptr_t)c->records[i].peer.at);
        free((void *)(uintptr_t)c->records[i].origin.at);
    }
    free(c->records);
    (void)pthread_cond_destroy(&c->came);
    (void)pthread_mutex_destroy(&c->lock);
}

static inline struct intake collector_intake(struct collector *c)
{
    return (struct intake){.context = c, .take = collector_take, .put = collector_put};
}
