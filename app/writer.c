/* SPDX-License-Identifier: Apache-2.0 */
#include "app/daemon.h"
#include "base/log.h"
#include "base/timestamp.h"
#include "base/wall_clock.h"
#include "journal/journal.h"
#include <stdio.h>
#include <sys/resource.h>
#include <unistd.h>

enum {
    TICK_MS = 1000,
    FULL_RETRY_MS = 100,
    PENDING_MAX = 4096,
    FEED_MS = 1,
    STOP_MS = 5000,
    WRITER_NICE = -10
};

/* Batches that are appended and wait for the group fsync, oldest first. */
struct pending {
    struct mail *first, **last; /* each a batch's */
    uint32_t count;
    bool wants_sync_now; /* one of them has durability sync */
    bool needs_sync;     /* not all of them are exempt */
    uint64_t since_ms;   /* when the oldest was appended */
};

static void pending_clear(struct pending *p)
{
    *p = (struct pending){0};
    p->last = &p->first;
}

/* mail.next is free to link them: no mailbox holds them now. */
static void pending_add(struct pending *p, struct batch *b, enum durability policy, uint64_t now_ms)
{
    if (!p->count++)
        p->since_ms = now_ms;
    b->mail.next = NULL;
    *p->last = &b->mail;
    p->last = &b->mail.next;
    p->wants_sync_now |= policy == DURABILITY_SYNC;
    p->needs_sync |= policy != DURABILITY_NONE;
}

static void tell_durable(struct batch *b, bool is_ok)
{
    if (b->durable)
        b->durable(b->durable_context, b->durable_token, is_ok);
    b->durable = NULL;
}

/* Behind the barrier: sources hear of it, workers get the batches, in order. */
static void release(struct daemon *d, struct pending *p)
{
    struct error err;
    while (p->needs_sync && journal_sync(d->writer.journal, &err)) {
        log_line(LOG_ERROR, "the journal cannot be made durable, nothing goes on until it can: %s",
                 err.text);
        (void)usleep(FULL_RETRY_MS * 1000);
    }
    for (struct mail *mail = p->first; mail;) {
        struct batch *b = CONTAINER_OF(mail, struct batch, mail);
        mail = mail->next;
        tell_durable(b, true);
        if (b->count)
            backlog_take(d, b);
        else
            pipeline_give_back(d->pipeline, b);
    }
    pending_clear(p);
    repeats_save(d->writer.repeats, false);
}

static enum durability policy_of(const struct daemon *d, const struct batch *b)
{
    if (b->source >= d->inputs.source_count)
        return DURABILITY_BATCH;
    return source_durability(d->inputs.sources[b->source]);
}

static void drop(struct daemon *d, struct batch *b)
{
    atomic_fetch_add_explicit(&d->writer.dropped, b->count, memory_order_relaxed);
    drops_count_batch(d->inputs.drops, b, DROPS_JOURNAL);
    account_add(&d->account, b->source, ACCOUNT_REFUSED, account_messages(b));
    repeats_forget(d->writer.repeats, b);
    tell_durable(b, false);
    pipeline_give_back(d->pipeline, b);
}

/* False where nothing of the batch goes on: refused, dropped by policy or at the stop. A batch of
 * nothing but repetitions is empty and waits all the same, for what it repeats may not be durable.
 */
static bool append(struct daemon *d, struct pending *p, struct batch *b)
{
    struct writer *w = &d->writer;
    struct error err = {0};
    uint32_t came = b->count;
    repeats_drop(w->repeats, b);
    account_add(&d->account, b->source, ACCOUNT_REPEATED, came - b->count);
    for (;;) {
        came = b->count;
        enum status status = b->count ? journal_append(w->journal, b, &err) : STATUS_OK;
        account_add(&d->account, b->source, ACCOUNT_REPEATED, came - b->count);
        bool is_full = status != STATUS_OK && status != STATUS_CONFLICT;
        bool was_full = atomic_exchange_explicit(&w->is_disk_full, is_full, memory_order_relaxed);
        if (was_full && !is_full)
            log_line(LOG_INFO, "the journal writes again");
        if (!status)
            return true;
        if (status == STATUS_CONFLICT) {
            drop(d, b);
            return false;
        }
        if (!was_full)
            log_line(LOG_ERROR, "the journal takes nothing, %s: %s",
                     d->config->journal.full ? "records are dropped and counted"
                                             : "sources are not read until it does",
                     err.text);
        if (d->config->journal.full || atomic_load(&d->is_stopping)) {
            drop(d, b);
            return false;
        }
        release(d, p);
        (void)usleep(FULL_RETRY_MS * 1000);
    }
}

/* A record of the journal's own: a tick, a gap, a ruleset. False where everything is in flight:
 * time moves on with that. */
static bool append_own(struct daemon *d, struct pending *p, enum record_kind kind, struct text raw)
{
    struct batch *b = pipeline_take(d->pipeline, 0);
    if (!b)
        return false;
    struct record *r = batch_add(b, raw);
    if (!r) {
        pipeline_give_back(d->pipeline, b);
        return false;
    }
    r->kind = kind;
    r->receive_us = wall_clock_us();
    r->source = UINT32_MAX;
    b->source = UINT32_MAX;
    if (append(d, p, b))
        pending_add(p, b, kind == RECORD_TICK ? DURABILITY_NONE : DURABILITY_BATCH,
                    timestamp_monotonic_ms());
    return true;
}

static void swap_ruleset(struct daemon *d, struct pending *p)
{
    /* pairs with the release in reload.c: the ruleset behind the pointer is complete */
    struct ruleset *next = atomic_exchange_explicit(&d->writer.next, NULL, memory_order_acquire);
    if (!next)
        return;
    char hex[33];
    hash_to_hex(ruleset_hash(next), hex);
    release(d, p);
    if (d->backlog.swap || !append_own(d, p, RECORD_RULESET, text_of(hex))) {
        /* one at a time, and none that the journal does not tell: at the next look, unless newer
         * rules came */
        struct ruleset *none = NULL;
        if (!atomic_compare_exchange_strong(&d->writer.next, &none, next))
            ruleset_unref(next);
        return;
    }
    uint64_t position = journal_next_position(d->writer.journal) - 1;
    release(d, p);
    (void)backlog_swap(d, position, next);
}

static uint64_t patience(const struct daemon *d, const struct pending *p, uint64_t now_ms,
                         uint64_t tick_ms)
{
    uint64_t until_ms = tick_ms;
    uint64_t flush_ms = p->since_ms + (uint64_t)d->config->journal.batch_us / 1000;
    if (p->count && flush_ms < until_ms)
        until_ms = flush_ms;
    if (backlog_is_open(&d->backlog) && now_ms + FEED_MS < until_ms)
        until_ms = now_ms + FEED_MS;
    return until_ms > now_ms ? until_ms - now_ms : 0;
}

static void take_mail(struct daemon *d, struct pending *p, struct mail *mail)
{
    while (mail) {
        struct batch *b = CONTAINER_OF(mail, struct batch, mail);
        mail = mail->next;
        enum durability policy = policy_of(d, b);
        if (append(d, p, b))
            pending_add(p, b, policy, timestamp_monotonic_ms());
    }
}

/* A stop leaves little to read again: the last batch that goes on carries a cut. */
static void last_checkpoint(struct daemon *d, struct pending *p)
{
    backlog_finish(d, STOP_MS);
    pipeline_request_checkpoint(d->pipeline, atomic_load(&d->checkpoint.must_be_whole));
    (void)append_own(d, p, RECORD_TICK, TEXT_NONE);
    release(d, p);
    backlog_last(d);
    backlog_forget(d);
}

static void *write_loop(void *argument)
{
    struct daemon *d = argument;
    struct pending p;
    (void)setpriority(PRIO_PROCESS, 0, WRITER_NICE); /* doors wait for its batches */
    pending_clear(&p);
    (void)append_own(d, &p, RECORD_GAP, TEXT_NONE);
    swap_ruleset(d, &p);
    uint64_t tick_ms = timestamp_monotonic_ms() + TICK_MS;
    for (;;) {
        uint64_t now_ms = timestamp_monotonic_ms();
        struct mail *mail = mailbox_wait(&d->writer.inbox, patience(d, &p, now_ms, tick_ms));
        bool is_over = !mail && mailbox_is_closed(&d->writer.inbox);
        swap_ruleset(d, &p); /* first: this mail may have been sent because of the new rules */
        take_mail(d, &p, mail);
        now_ms = timestamp_monotonic_ms();
        if (now_ms >= tick_ms) {
            (void)append_own(d, &p, RECORD_TICK, TEXT_NONE);
            tick_ms = now_ms + TICK_MS;
            checkpoint_poll(d, now_ms);
            journal_allow_removal(d->writer.journal, atomic_load(&d->checkpoint.position));
        }
        bool is_due = now_ms - p.since_ms >= (uint64_t)d->config->journal.batch_us / 1000;
        if (p.count &&
            (is_over || is_due || p.wants_sync_now || !p.needs_sync || p.count >= PENDING_MAX))
            release(d, &p);
        backlog_feed(d);
        if (is_over) {
            last_checkpoint(d, &p);
            return NULL;
        }
    }
}

enum status writer_start(struct daemon *d, struct error *err)
{
    enum status status = mailbox_init(&d->writer.inbox, SIZE_MAX, NULL, NULL);
    if (status)
        return error_set(err, status, 0, "no memory for the journal's mailbox");
    if (pthread_create(&d->writer.thread, NULL, write_loop, d))
        return error_set(err, STATUS_IO, 0, "the journal's thread cannot be started");
    (void)pthread_setname_np(d->writer.thread, "journal");
    d->writer.is_started = true;
    return STATUS_OK;
}

void writer_stop(struct daemon *d)
{
    if (!d->writer.is_started)
        return;
    mailbox_close(&d->writer.inbox);
    (void)pthread_join(d->writer.thread, NULL);
    d->writer.is_started = false;
    repeats_save(d->writer.repeats, true);
    ruleset_unref(atomic_exchange(&d->writer.next, NULL));
}
