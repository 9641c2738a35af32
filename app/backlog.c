/* SPDX-License-Identifier: Apache-2.0 */
#include "app/backlog.h"
#include "app/daemon.h"
#include "base/log.h"
#include "base/timestamp.h"
#include "journal/journal.h"
#include <unistd.h>

enum { FEED_AT_ONCE = 8, PAUSE_US = 1000 };

static void count(_Atomic uint64_t *c, uint64_t by)
{
    /* its one writer; read for reports and by doors, which need no order */
    atomic_store_explicit(c, atomic_load_explicit(c, memory_order_relaxed) + by,
                          memory_order_relaxed);
}

static uint64_t behind_bytes(const struct backlog *b)
{
    return atomic_load_explicit(&b->bytes, memory_order_relaxed);
}

static bool has_room(const struct daemon *d)
{
    return d->backlog.is_over || pipeline_in_flight(d->pipeline) < BACKLOG_IN_FLIGHT;
}

static void end(struct backlog *b)
{
    journal_reader_free(MOVE(b->reader));
    atomic_store_explicit(&b->bytes, 0, memory_order_relaxed);
    atomic_store_explicit(&b->records, 0, memory_order_relaxed);
}

/* The record of a swap is the last one that the old rules see. */
static void dispatch(struct daemon *d, struct batch *b)
{
    struct backlog *l = &d->backlog;
    bool must_swap = l->swap && b->records[b->count - 1].position >= l->swap_position;
    pipeline_dispatch(d->pipeline, b);
    if (must_swap)
        pipeline_set_ruleset(d->pipeline, MOVE(l->swap));
}

/* What was behind and cannot be found in the journal again was damaged there. */
static void tell_missing(struct daemon *d)
{
    uint64_t records = atomic_load_explicit(&d->backlog.records, memory_order_relaxed);
    log_line(LOG_ERROR,
             "the journal was damaged while the workers were behind: not decided "
             "records=%llu",
             (unsigned long long)records);
    atomic_fetch_add_explicit(&d->writer.dropped, records, memory_order_relaxed);
    drops_count(d->inputs.drops, UINT32_MAX, TEXT_NONE, DROPS_JOURNAL, records);
}

static void forget(struct backlog *l, const struct batch *b)
{
    uint64_t records = atomic_load_explicit(&l->records, memory_order_relaxed);
    uint64_t bytes = behind_bytes(l);
    /* what a damage took away was counted, too */
    atomic_store_explicit(&l->records, records > b->count ? records - b->count : 0,
                          memory_order_relaxed);
    atomic_store_explicit(&l->bytes, bytes > b->raw_bytes ? bytes - b->raw_bytes : 0,
                          memory_order_relaxed);
}

/* The next batch from the journal on its way. False: none now. */
static bool feed_one(struct daemon *d)
{
    struct backlog *l = &d->backlog;
    struct error err = {0};
    struct batch *b = pipeline_take(d->pipeline, 0);
    if (!b)
        return false;
    enum status status = journal_reader_next(l->reader, b, &err);
    bool is_ours = !status && b->records[0].position <= l->last;
    if (is_ours) {
        bool is_last = b->records[b->count - 1].position >= l->last;
        forget(l, b);
        dispatch(d, b);
        if (is_last && atomic_load_explicit(&l->records, memory_order_relaxed))
            tell_missing(d);
        if (is_last)
            end(l);
        return true;
    }
    pipeline_give_back(d->pipeline, b);
    if (status && status != STATUS_AGAIN) {
        log_line(LOG_ERROR, "nothing is decided until the journal can be read: %s", err.text);
        return false;
    }
    tell_missing(d);
    end(l);
    return false;
}

void backlog_feed(struct daemon *d)
{
    for (int i = 0; i < FEED_AT_ONCE && backlog_is_open(&d->backlog) && has_room(d); i++)
        if (!feed_one(d))
            return;
}

static bool is_full(const struct daemon *d)
{
    return behind_bytes(&d->backlog) >= d->config->journal.backlog_bytes;
}

static void wait_for_room(struct daemon *d)
{
    while (is_full(d) && backlog_is_open(&d->backlog) && !atomic_load(&d->is_stopping)) {
        backlog_feed(d);
        if (is_full(d))
            (void)usleep(PAUSE_US);
    }
}

static bool open_reader(struct daemon *d, uint64_t position)
{
    struct error err = {0};
    enum status status =
        journal_reader_open(d->journal_dir, position, TIMESTAMP_NONE, &d->backlog.reader, &err);
    if (status)
        log_line(LOG_ERROR, "the journal cannot be read while it is written: %s", err.text);
    return status == STATUS_OK;
}

void backlog_take(struct daemon *d, struct batch *b)
{
    struct backlog *l = &d->backlog;
    wait_for_room(d);
    bool must_wait = backlog_is_open(l) || (!has_room(d) && d->config->journal.backlog_bytes &&
                                            open_reader(d, b->records[0].position));
    if (!must_wait) {
        dispatch(d, b);
        return;
    }
    l->last = b->records[b->count - 1].position;
    count(&l->records, b->count);
    count(&l->records_total, b->count);
    count(&l->bytes, b->raw_bytes);
    pipeline_give_back(d->pipeline, b);
}

bool backlog_swap(struct daemon *d, uint64_t position, struct ruleset *next)
{
    struct backlog *l = &d->backlog;
    if (l->swap)
        return false;
    if (!backlog_is_open(l)) {
        pipeline_set_ruleset(d->pipeline, next);
        return true;
    }
    l->swap = next;
    l->swap_position = position;
    return true;
}

void backlog_finish(struct daemon *d, uint64_t most_ms)
{
    uint64_t until_ms = timestamp_monotonic_ms() + most_ms;
    while (backlog_is_open(&d->backlog) && timestamp_monotonic_ms() < until_ms) {
        backlog_feed(d);
        if (!has_room(d))
            (void)usleep(PAUSE_US);
    }
    d->backlog.is_over = true;
}

void backlog_last(struct daemon *d)
{
    if (backlog_is_open(&d->backlog))
        (void)feed_one(d);
}

void backlog_forget(struct daemon *d)
{
    struct backlog *l = &d->backlog;
    uint64_t records = atomic_load_explicit(&l->records, memory_order_relaxed);
    if (backlog_is_open(l))
        log_line(LOG_INFO, "the next start decides what waits in the journal records=%llu",
                 (unsigned long long)records);
    end(l);
    ruleset_unref(MOVE(l->swap));
}

bool backlog_is_long(const struct daemon *d)
{
    return behind_bytes(&d->backlog) > d->config->journal.backlog_bytes / BACKLOG_PART;
}
