/* SPDX-License-Identifier: Apache-2.0 */
#include "app/daemon.h"
#include "app/promise.h"
#include "base/json_write.h"
#include "base/log.h"
#include "base/timestamp.h"
#include "base/wall_clock.h"
#include <stdlib.h>
#include <string.h>

enum {
    COMMAND_MS = 10000,
    REDIS_WAIT_MS = 100,
    DELIVERIES_PER_IDLE = 256,
    FULL_US = 1000000, /* a full destination is asked again after that */
};
enum { GENERATION_MS = 60000, DRAIN_MS = 5000 };

/* A command on its way to the decider and back; freed by whoever comes last. */
struct request {
    struct mail mail;
    struct promise *answer;
    struct buffer text, reply;
    pthread_mutex_t lock;
    int references;
};

static void request_unref(struct request *q)
{
    (void)pthread_mutex_lock(&q->lock);
    bool is_last = --q->references == 0;
    (void)pthread_mutex_unlock(&q->lock);
    if (!is_last)
        return;
    buffer_fini(&q->text);
    buffer_fini(&q->reply);
    (void)pthread_mutex_destroy(&q->lock);
    free(q);
}

static struct request *request_new(struct text command)
{
    struct request *q = calloc(1, sizeof *q);
    if (!q)
        return NULL;
    buffer_init(&q->text, 1 << 20);
    buffer_init(&q->reply, 16 << 20);
    buffer_append(&q->text, command);
    q->references = 2;
    q->answer = promise_new();
    if (!q->answer || q->text.has_failed || pthread_mutex_init(&q->lock, NULL)) {
        promise_free(q->answer);
        promise_free(q->answer);
        buffer_fini(&q->text);
        free(q);
        return NULL;
    }
    return q;
}

int decider_command(void *daemon, struct text command, struct buffer *reply)
{
    struct daemon *d = daemon;
    struct request *q = request_new(command);
    if (!q) {
        buffer_append(reply, TEXT("{\"error\":\"no memory for this command\"}"));
        return 503;
    }
    struct promise *answer = q->answer;
    if (mailbox_send(&d->decider.commands, &q->mail)) {
        promise_free(answer);
        promise_free(answer);
        request_unref(q);
        request_unref(q);
        buffer_append(reply, TEXT("{\"error\":\"too many commands, or the program is stopping\"}"));
        return 503;
    }
    pipeline_nudge(d->pipeline);
    int status = 503;
    if (promise_wait(answer, COMMAND_MS, &status)) {
        buffer_append(reply, buffer_text(&q->reply));
    } else {
        status = 504;
        buffer_append(reply, TEXT("{\"error\":\"the record did not answer in 10 s: the command may "
                                  "still take effect\"}"));
    }
    promise_free(answer);
    request_unref(q);
    return status;
}

static void run_commands(struct daemon *d, struct mail *mail)
{
    while (mail) {
        struct request *q = CONTAINER_OF(mail, struct request, mail);
        mail = mail->next;
        int status = incidents_command(d->decider.incidents, buffer_text(&q->text), wall_clock_us(),
                                       &q->reply);
        promise_give(q->answer, status);
        request_unref(q);
    }
}

void decider_settle(void *daemon, struct outcome *o)
{
    struct daemon *d = daemon;
    if (mailbox_send(&d->decider.outcomes, &o->mail))
        outcome_free(o); /* stopping: the delivery stays unsettled and is made again */
    else
        pipeline_nudge(d->pipeline);
}

static void settle_outcomes(struct daemon *d)
{
    for (struct mail *mail = mailbox_take_all(&d->decider.outcomes); mail;) {
        struct outcome *o = CONTAINER_OF(mail, struct outcome, mail);
        mail = mail->next;
        if (incidents_settle(d->decider.incidents, o))
            log_line(LOG_WARNING, "the outcome of a delivery could not be recorded delivery=%.*s",
                     TEXT_ARG(o->delivery));
        outcome_free(o);
    }
}

/* A destination that is gone is an outcome too: never silence. One that takes no more just now has
 * tried nothing: the delivery waits on. */
static void refuse_delivery(struct daemon *d, const struct delivery *delivery, enum status why)
{
    int64_t now_us = wall_clock_us();
    struct outcome said = {
        .delivery = delivery->id,
        .destination = delivery->destination,
        .incident = delivery->incident,
        .state = why == STATUS_NOTFOUND ? DELIVERY_FAILED_PERM : DELIVERY_QUEUED,
        .attempt = delivery->attempts + 1,
        .started_us = now_us,
        .next_us = why == STATUS_NOTFOUND ? 0 : now_us + FULL_US,
        .detail = why == STATUS_NOTFOUND ? TEXT("no such destination in the configuration")
                                         : TEXT("the destination's queue is full"),
    };
    if (incidents_settle(d->decider.incidents, &said))
        log_line(LOG_WARNING, "a refused delivery could not be recorded delivery=%.*s",
                 TEXT_ARG(delivery->id));
}

static void send_deliveries(struct daemon *d)
{
    for (int i = 0; i < DELIVERIES_PER_IDLE; i++) {
        struct delivery *delivery = incidents_next_delivery(d->decider.incidents, wall_clock_us());
        if (!delivery)
            return;
        enum status status = sinks_send(d->sinks, delivery);
        if (status) {
            refuse_delivery(d, delivery, status);
            delivery_free(delivery);
        }
    }
}

static void check_roll_back(struct daemon *d)
{
    if (d->decider.must_restart || !incidents_has_rolled_back(d->decider.incidents))
        return;
    log_line(LOG_ERROR, "Redis lost effects that it had acknowledged: the program starts anew from "
                        "its last checkpoint");
    d->decider.must_restart = true;
}

static enum status poll_record(struct daemon *d, uint64_t timeout_ms)
{
    enum status status = incidents_poll(d->decider.incidents, timeout_ms);
    if (status == STATUS_CLOSED && !atomic_exchange(&d->decider.must_stop, true))
        log_line(LOG_ERROR, "another tocsin has taken over this Redis: this one stops");
    return status;
}

/* What people said of incidents becomes a numbered generation in the journal, so that a replay
 * weighs rules as that time did. */
static void journal_verdicts(struct daemon *d)
{
    struct decider *r = &d->decider;
    uint64_t now_ms = timestamp_monotonic_ms();
    if (now_ms - r->generation_ms < GENERATION_MS || atomic_load(&d->is_stopping))
        return;
    r->generation_ms = now_ms;
    struct buffer now;
    buffer_init(&now, 1 << 20);
    incidents_verdicts(r->incidents, &now);
    bool is_new = !now.has_failed && !text_equal(buffer_text(&now), buffer_text(&r->generation)) &&
                  !text_equal(buffer_text(&now), TEXT("{\"rules\":{}}"));
    struct batch *b = is_new ? pipeline_take(d->pipeline, 0) : NULL;
    struct record *record = b ? batch_add(b, buffer_text(&now)) : NULL;
    if (record) {
        record->kind = RECORD_CONFIDENCE;
        record->receive_us = wall_clock_us();
        record->source = b->source = UINT32_MAX;
    }
    if (record && !mailbox_send(&d->writer.inbox, &b->mail)) {
        buffer_fini(&r->generation);
        r->generation = now;
        return;
    }
    if (b)
        pipeline_give_back(d->pipeline, b);
    buffer_fini(&now);
}

void decider_idle(void *daemon)
{
    struct daemon *d = daemon;
    run_commands(d, mailbox_take_all(&d->decider.commands));
    settle_outcomes(d);
    (void)poll_record(d, 0);
    send_deliveries(d);
    journal_verdicts(d);
    check_roll_back(d);
    if (d->decider.has_detections)
        command_flush_output(&d->decider.detections, true);
}

/* At a stop nobody waits for a Redis that does not come: the next start decides again from the last
 * checkpoint, and none is committed from here on. */
static bool must_skip(struct daemon *d)
{
    if (!atomic_load(&d->is_stopping))
        return false;
    atomic_store(&d->decider.has_skipped, true);
    return true;
}

/* While Redis is away its effects wait; when no more can wait, everything before them does. What
 * people say and what is told goes on: closing makes room. */
static void wait_for_redis(struct daemon *d)
{
    struct mail *commands = NULL;
    if (poll_record(d, REDIS_WAIT_MS) != STATUS_AGAIN) /* it has all, and still takes nothing */
        commands = mailbox_wait(&d->decider.commands, REDIS_WAIT_MS);
    run_commands(d, commands ? commands : mailbox_take_all(&d->decider.commands));
    settle_outcomes(d);
    send_deliveries(d);
    check_roll_back(d);
}

static void detect(struct daemon *d, const struct detection *detection)
{
    struct decider *r = &d->decider;
    enum status status = STATUS_FULL;
    while (status == STATUS_FULL) {
        status = incidents_detect(r->incidents, detection);
        if (status == STATUS_FULL && must_skip(d))
            return;
        if (status == STATUS_FULL)
            wait_for_redis(d);
    }
    if (status)
        log_line(LOG_ERROR, "a detection could not be recorded rule=%.*s reason=%s",
                 TEXT_ARG(detection->rule->key), error_name(status));
    if (detection->is_renewal)
        return;
    if (r->has_detections) {
        detection_write(detection, TEXT_NONE, &r->detections.buffer);
        command_flush_output(&r->detections, false);
    }
}

static void alert(struct daemon *d, const struct record *record)
{
    struct decider *r = &d->decider;
    arena_reset(&r->arena);
    parser_read(r->parser, record, &r->arena, &r->event);
    enum status status = STATUS_FULL;
    while (status == STATUS_FULL) {
        status = incidents_alert(r->incidents, &r->event);
        if (status == STATUS_FULL && must_skip(d))
            return;
        if (status == STATUS_FULL)
            wait_for_redis(d);
    }
    if (status)
        log_line(LOG_ERROR, "an alert could not be recorded position=%llu reason=%s",
                 (unsigned long long)record->position, error_name(status));
}

/* Detections and alerts share one order: that of the records which completed them. */
/* What was held is let go before the record that moves time past it. */
static bool is_before(const struct detection *d, const struct record *record)
{
    return d->released < record->position ||
           (d->released == record->position && d->turn == RELEASE_BEFORE);
}

void decider_decided(void *daemon, const struct pipeline_result *result)
{
    struct daemon *d = daemon;
    uint32_t next = 0;
    account_decided(&d->account, result->batch);
    for (uint32_t i = 0; i < result->batch->count; i++) {
        const struct record *record = &result->batch->records[i];
        while (next < result->count && is_before(result->detections[next], record))
            detect(d, result->detections[next++]);
        if (record->kind == RECORD_ALERT)
            alert(d, record);
        if (record->kind == RECORD_CONFIDENCE && incidents_learn(d->decider.incidents, record->raw))
            log_line(LOG_ERROR, "a generation of confidences could not be used position=%llu",
                     (unsigned long long)record->position);
        for (; next < result->count && result->detections[next]->released <= record->position;
             next++)
            detect(d, result->detections[next]);
        d->decider.journal_us = record->journal_us;
    }
    for (; next < result->count; next++)
        detect(d, result->detections[next]);
    if (result->batch->count &&
        incidents_tick(d->decider.incidents, d->decider.journal_us) == STATUS_NOMEM)
        log_line(LOG_ERROR, "no memory to move the record's time on");
    (void)!incidents_poll(d->decider.incidents, 0);
    send_deliveries(d);
}

enum status decider_drain(struct daemon *d)
{
    run_commands(d, mailbox_take_all(&d->decider.commands));
    settle_outcomes(d);
    enum status status = incidents_poll(d->decider.incidents, DRAIN_MS);
    if (d->decider.has_detections)
        command_flush_output(&d->decider.detections, true);
    return status;
}
