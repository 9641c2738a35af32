/* SPDX-License-Identifier: Apache-2.0 */
#include "sinks/destination.h"
#include "base/log.h"
#include "base/mailbox.h"
#include "base/timestamp.h"
#include "base/wall_clock.h"
#include "sinks/pace.h"
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

enum { STATES = DELIVERY_EXPIRED + 1 };

/* Written by the thread with relaxed stores, read by whoever asks for metrics. */
struct counters {
    _Atomic uint64_t outcomes[STATES];
    _Atomic uint64_t lost; /* outcomes that found no memory */
    _Atomic int64_t last_success_us;
    _Atomic bool is_open, is_disabled;
};

struct destination {
    struct destination_options options;
    struct mailbox mailbox;
    pthread_t thread;
    bool has_thread, has_mailbox;
    _Atomic int64_t held;     /* in the mailbox, pending and in flight: the queue's bound */
    _Atomic uint64_t stop_ms; /* 0: run; else no try starts later. Pairs with destination_stop */
    struct counters counters;
    /* the thread's own: */
    struct pace pace;
    struct mail *pending; /* in the order of arrival */
    bool is_disabled;
};

static struct delivery *delivery_of(struct mail *m)
{
    return CONTAINER_OF(m, struct delivery, mail);
}

static void enqueue(struct destination *d, struct mail *more)
{
    struct mail **last = &d->pending;
    while (*last)
        last = &(*last)->next;
    *last = more;
}

/* An earlier delivery of the same incident is still waiting for its retry. */
static bool is_behind(struct destination *d, struct mail *m)
{
    struct text incident = delivery_of(m)->incident;
    if (!incident.len)
        return false;
    for (struct mail *e = d->pending; e != m; e = e->next) {
        if (text_equal(delivery_of(e)->incident, incident))
            return true;
    }
    return false;
}

/* The most urgent one that is due, oldest first; NULL, and *out_wake_us is when one will be. */
static struct mail **find_due(struct destination *d, int64_t now_us, int64_t *out_wake_us)
{
    struct mail **best = NULL;
    *out_wake_us = INT64_MAX;
    for (struct mail **m = &d->pending; *m; m = &(*m)->next) {
        const struct delivery *each = delivery_of(*m);
        if (each->due_us > now_us) {
            if (each->due_us < *out_wake_us)
                *out_wake_us = each->due_us;
            continue;
        }
        if (best && each->priority >= delivery_of(*best)->priority)
            continue;
        if (!is_behind(d, *m))
            best = m;
    }
    return best;
}

static void hand_over(struct destination *d, const struct outcome *o)
{
    (void)atomic_fetch_add_explicit(&d->counters.outcomes[o->state], 1, memory_order_relaxed);
    struct outcome *copy = outcome_new(o);
    if (copy)
        d->options.settle(d->options.context, copy);
    else
        (void)atomic_fetch_add_explicit(&d->counters.lost, 1, memory_order_relaxed);
}

static bool is_tried_again(const struct delivery *each, enum delivery_state state)
{
    return state == DELIVERY_FAILED_TEMP || (state == DELIVERY_UNKNOWN && !each->may_be_duplicate);
}

/* An outcome for each who was tried. The delivery ends with the last of those who are not tried
 * again, unless somebody is. */
static void tell_recipients(struct destination *d, const struct delivery *each,
                            const struct attempt *a, struct outcome *o, int64_t next_us)
{
    uint32_t ended = 0, told = 0;
    for (uint32_t r = 0; r < a->recipient_count; r++)
        ended += !next_us || !is_tried_again(each, a->recipients[r].state);
    for (int is_again = 0; is_again < 2; is_again++)
        for (uint32_t r = 0; r < a->recipient_count; r++) {
            const struct attempt_recipient *recipient = &a->recipients[r];
            if ((next_us && is_tried_again(each, recipient->state)) != is_again)
                continue;
            o->recipient = recipient->name;
            o->state = recipient->state;
            o->http_status = recipient->code;
            o->detail = text_of(recipient->detail);
            o->next_us = is_again ? next_us : 0;
            o->is_part = is_again || next_us || ++told < ended;
            hand_over(d, o);
        }
}

static void settle(struct destination *d, const struct delivery *each, const struct attempt *a,
                   int64_t started_us, int64_t took_us, int64_t next_us)
{
    struct outcome o = {
        .delivery = each->id,
        .destination = each->destination,
        .incident = each->incident,
        .state = a->state,
        .attempt = each->attempts,
        .http_status = a->http_status,
        .started_us = started_us,
        .latency_us = took_us,
        .next_us = next_us,
        .detail = text_of(a->detail),
    };
    if (a->recipient_count)
        tell_recipients(d, each, a, &o, next_us);
    else
        hand_over(d, &o);
}

static void drop(struct mail **at)
{
    struct mail *m = *at;
    *at = m->next;
    delivery_free(delivery_of(m));
}

/* Room is made before the outcome that says so is on its way: who hears it may send at once. */
static void let_go(struct destination *d)
{
    (void)atomic_fetch_sub_explicit(&d->held, 1, memory_order_release);
}

static bool is_too_old(const struct destination *d, const struct delivery *each, int64_t now_us)
{
    return now_us - each->queued_us > d->options.common->give_up_us;
}

/* Decided without a try: too old, or the destination asked never to be called again. */
static bool is_refused(const struct destination *d, const struct delivery *each, int64_t now_us,
                       struct attempt *out)
{
    if (d->is_disabled) {
        kind_tell(out, DELIVERY_FAILED_PERM, "the destination asked not to be called any more");
        return true;
    }
    if (!is_too_old(d, each, now_us))
        return false;
    kind_tell(out, DELIVERY_EXPIRED, "not delivered in the time it may take (give_up)");
    return true;
}

static void learn(struct destination *d, const struct attempt *a, int64_t now_us)
{
    bool was_open = pace_is_open(&d->pace);
    pace_answer(&d->pace, a->is_down, now_us);
    if (a->retry_after_us > 0)
        pace_hold(&d->pace, a->retry_after_us, now_us);
    bool is_open = pace_is_open(&d->pace);
    struct text name = d->options.name;
    if (is_open && !was_open)
        log_line(LOG_WARNING,
                 "a destination is down and is left alone for a while sink=%.*s reason=%s",
                 TEXT_ARG(name), a->detail);
    else if (was_open && !is_open)
        log_line(LOG_INFO, "a destination answers again sink=%.*s", TEXT_ARG(name));
    atomic_store_explicit(&d->counters.is_open, is_open, memory_order_relaxed);
    if (a->must_disable && !d->is_disabled) {
        d->is_disabled = true;
        atomic_store_explicit(&d->counters.is_disabled, true, memory_order_relaxed);
        log_line(LOG_ERROR, "a destination asked not to be called any more sink=%.*s",
                 TEXT_ARG(name));
    }
    if (a->state == DELIVERY_DELIVERED || a->state == DELIVERY_ACCEPTED)
        atomic_store_explicit(&d->counters.last_success_us, now_us, memory_order_relaxed);
}

/* When the delivery is tried again, or 0: it is settled for good. */
static int64_t next_try_us(const struct destination *d, const struct delivery *each,
                           const struct attempt *a, int64_t now_us)
{
    bool is_again = !a->recipient_count && is_tried_again(each, a->state);
    for (uint32_t r = 0; r < a->recipient_count && !is_again; r++)
        is_again = is_tried_again(each, a->recipients[r].state);
    if (!is_again)
        return 0;
    int64_t next_us = now_us + pace_backoff_us(&d->pace, each->id, each->attempts);
    return d->pace.held_until_us > next_us ? d->pace.held_until_us : next_us;
}

/* What the next try of it must know: who is not tried again, and that it may come twice. */
static void learn_recipients(struct delivery *each, const struct attempt *a)
{
    bool is_unknown = !a->recipient_count && a->state == DELIVERY_UNKNOWN;
    for (uint32_t r = 0; r < a->recipient_count; r++) {
        const struct attempt_recipient *recipient = &a->recipients[r];
        if (is_tried_again(each, recipient->state))
            is_unknown = is_unknown || recipient->state == DELIVERY_UNKNOWN;
        else
            each->settled_mask |= UINT64_C(1) << recipient->number;
    }
    each->may_be_duplicate = each->may_be_duplicate || is_unknown;
}

static void attempt(struct destination *d, struct mail **at, int64_t now_us)
{
    struct delivery *each = delivery_of(*at);
    struct attempt a = {.state = DELIVERY_UNKNOWN};
    if (is_refused(d, each, now_us, &a)) {
        let_go(d);
        settle(d, each, &a, now_us, 0, 0);
        drop(at);
        return;
    }
    pace_take(&d->pace, now_us);
    uint64_t started_ns = timestamp_monotonic_ns();
    d->options.kind->attempt(d->options.sink, each, now_us, &a);
    int64_t took_us = (int64_t)((timestamp_monotonic_ns() - started_ns) / 1000);
    int64_t end_us = wall_clock_us();
    learn(d, &a, end_us);
    each->attempts++;
    int64_t next_us = next_try_us(d, each, &a, end_us);
    if (!next_us)
        let_go(d);
    settle(d, each, &a, now_us, took_us, next_us);
    if (!next_us) {
        drop(at);
        return;
    }
    each->due_us = next_us;
    learn_recipients(each, &a);
}

/* Tries all that may be tried now; returns when the next one may be. */
static int64_t work(struct destination *d)
{
    while (true) {
        int64_t now_us = wall_clock_us();
        uint64_t stop_ms = atomic_load_explicit(&d->stop_ms, memory_order_acquire);
        if (stop_ms && timestamp_monotonic_ms() >= stop_ms)
            return INT64_MAX;
        int64_t wake_us = INT64_MAX;
        struct mail **due = find_due(d, now_us, &wake_us);
        if (!due)
            return wake_us;
        /* what is not tried any more waits for nobody */
        bool is_at_once = d->is_disabled || is_too_old(d, delivery_of(*due), now_us);
        int64_t ready_us = is_at_once ? now_us : pace_ready_us(&d->pace, now_us);
        if (ready_us > now_us)
            return ready_us;
        attempt(d, due, now_us);
        enqueue(d, mailbox_take_all(&d->mailbox)); /* something more urgent may have come */
    }
}

static uint64_t wait_ms(int64_t wake_us)
{
    if (wake_us == INT64_MAX)
        return UINT64_MAX;
    int64_t left_us = wake_us - wall_clock_us();
    /* at most a second, so that a wall clock that was set wakes nobody late for long */
    if (left_us > 1000000)
        left_us = 1000000;
    return left_us > 0 ? (uint64_t)(left_us + 999) / 1000 : 0;
}

static void *run(void *argument)
{
    struct destination *d = argument;
    while (!mailbox_is_closed(&d->mailbox)) {
        int64_t wake_us = work(d);
        enqueue(d, mailbox_wait(&d->mailbox, wait_ms(wake_us)));
    }
    enqueue(d, mailbox_take_all(&d->mailbox));
    (void)work(d);
    return NULL;
}

enum status destination_new(const struct destination_options *options, struct destination **out,
                            struct error *err)
{
    const struct sink_common *c = options->common;
    AUTO(destination) d = calloc(1, sizeof *d);
    if (!d)
        return error_set(err, STATUS_NOMEM, 0, "no memory for a destination");
    enum status status = mailbox_init(&d->mailbox, (size_t)c->queue, NULL, NULL);
    if (status)
        return error_set(err, status, 0, "no mailbox for a destination");
    d->has_mailbox = true;
    pace_init(&d->pace,
              &(struct pace_options){.rate_per_s = c->rate_per_s,
                                     .burst = c->burst,
                                     .retry_us = c->retry_us,
                                     .ceiling_us = c->retry_ceiling_us,
                                     .breaker_after = c->breaker_after,
                                     .breaker_pause_us = c->breaker_pause_us},
              0);
    d->options = *options;
    *out = MOVE(d);
    return STATUS_OK;
}

enum status destination_start(struct destination *d, struct error *err)
{
    /* signals are the main thread's */
    sigset_t all, before;
    (void)sigfillset(&all);
    (void)pthread_sigmask(SIG_SETMASK, &all, &before);
    int failed = pthread_create(&d->thread, NULL, run, d);
    (void)pthread_sigmask(SIG_SETMASK, &before, NULL);
    if (failed)
        return error_set(err, STATUS_IO, 0, "no thread for the sink %.*s (error %d)",
                         TEXT_ARG(d->options.name), failed);
    d->has_thread = true;
    return STATUS_OK;
}

void destination_stop(struct destination *d, uint64_t deadline_ms)
{
    atomic_store_explicit(&d->stop_ms, deadline_ms, memory_order_release);
    mailbox_close(&d->mailbox);
}

void destination_join(struct destination *d, uint64_t deadline_ms)
{
    if (!d->has_thread)
        return;
    struct timespec until = {.tv_sec = (time_t)(deadline_ms / 1000),
                             .tv_nsec = (long)(deadline_ms % 1000) * 1000000};
    int failed = pthread_clockjoin_np(d->thread, NULL, CLOCK_MONOTONIC, &until);
    if (failed) {
        if (d->options.kind->abandon)
            d->options.kind->abandon(d->options.sink);
        (void)pthread_join(d->thread, NULL);
    }
    d->has_thread = false;
}

void destination_free(struct destination *d)
{
    if (!d)
        return;
    if (d->has_thread) {
        destination_stop(d, 1);
        destination_join(d, 1);
    }
    if (d->has_mailbox) {
        mailbox_close(&d->mailbox);
        enqueue(d, mailbox_take_all(&d->mailbox));
        mailbox_fini(&d->mailbox);
    }
    while (d->pending)
        drop(&d->pending);
    if (d->options.kind)
        d->options.kind->close(d->options.sink);
    free(d);
}

enum status destination_send(struct destination *d, struct delivery *delivery)
{
    int64_t held = atomic_fetch_add_explicit(&d->held, 1, memory_order_relaxed);
    enum status status =
        held < d->options.common->queue ? mailbox_send(&d->mailbox, &delivery->mail) : STATUS_FULL;
    if (status)
        (void)atomic_fetch_sub_explicit(&d->held, 1, memory_order_relaxed);
    return status;
}

uint32_t destination_room(const struct destination *d)
{
    int64_t left = d->options.common->queue - atomic_load_explicit(&d->held, memory_order_acquire);
    return left > 0 ? (uint32_t)left : 0;
}

void destination_metrics(const struct destination *d, metric_fn tell, void *context)
{
    const struct counters *c = &d->counters;
    char labels[160];
    for (int state = 0; state < STATES; state++) {
        if (state == DELIVERY_QUEUED || state == DELIVERY_SENDING)
            continue; /* no attempt ends so */
        (void)snprintf(labels, sizeof labels, "sink=\"%.*s\",outcome=\"%s\"",
                       TEXT_ARG(d->options.name), delivery_state_name((enum delivery_state)state));
        uint64_t count = atomic_load_explicit(&c->outcomes[state], memory_order_relaxed);
        tell(context, &(struct metric){"sinks_attempts_total", "Attempts by what came of them.",
                                       labels, METRIC_COUNTER, (double)count});
    }
    (void)snprintf(labels, sizeof labels, "sink=\"%.*s\"", TEXT_ARG(d->options.name));
    const struct metric others[] = {
        {"sinks_queued", "Deliveries that wait or are in flight.", labels, METRIC_GAUGE,
         (double)atomic_load_explicit(&d->held, memory_order_relaxed)},
        {"sinks_breaker_open", "1 while the destination is left alone because it is down.", labels,
         METRIC_GAUGE, atomic_load_explicit(&c->is_open, memory_order_relaxed) ? 1 : 0},
        {"sinks_disabled", "1 once the destination asked not to be called any more.", labels,
         METRIC_GAUGE, atomic_load_explicit(&c->is_disabled, memory_order_relaxed) ? 1 : 0},
        {"sinks_last_success_seconds", "Time of the last success in seconds since 1970; 0: none.",
         labels, METRIC_GAUGE,
         (double)atomic_load_explicit(&c->last_success_us, memory_order_relaxed) / 1e6},
        {"sinks_outcomes_lost_total", "Attempts whose record found no memory.", labels,
         METRIC_COUNTER, (double)atomic_load_explicit(&c->lost, memory_order_relaxed)},
    };
    for (size_t i = 0; i < sizeof others / sizeof *others; i++)
        tell(context, &others[i]);
}
