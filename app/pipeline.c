/* SPDX-License-Identifier: Apache-2.0 */
#include "app/pipeline.h"
#include "app/stages.h"
#include <stdlib.h>

/* ---- the pool ---- */

struct batch *pipeline_take(struct pipeline *p, uint64_t timeout_ms)
{
    struct mail *mail = mailbox_take(&p->pool, timeout_ms);
    return mail ? CONTAINER_OF(mail, struct batch, mail) : NULL;
}

void pipeline_give_back(struct pipeline *p, struct batch *b)
{
    batch_reset(b);
    (void)!mailbox_return(&p->pool, &b->mail);
}

/* ---- dispatch ---- */

void pipeline_request_checkpoint(struct pipeline *p, bool is_whole)
{
    atomic_store_explicit(&p->wants_checkpoint, is_whole ? 2 : 1, memory_order_relaxed);
}

void pipeline_nudge(struct pipeline *p)
{
    mailbox_nudge(&p->decider_inbox);
}

void pipeline_set_ruleset(struct pipeline *p, struct ruleset *ruleset)
{
    ruleset_unref(p->ruleset);
    p->ruleset = ruleset;
}

/* What streams' columns are called is state like any other: a start goes on with it. */
static void keep_columns(struct pipeline *p, struct batch *b)
{
    struct buffer state;
    buffer_init(&state, PIPELINE_COLUMNS);
    columns_save(p->columns, &state);
    b->columns = arena_copy(&b->arena, buffer_text(&state));
    b->has_lost_columns = state.has_failed || !b->columns.at;
    buffer_fini(&state);
}

void pipeline_forget_columns(struct pipeline *p)
{
    columns_forget(p->columns);
}

void pipeline_dispatch(struct pipeline *p, struct batch *b)
{
    b->number = p->next_number++;
    columns_follow(p->columns, b);
    atomic_fetch_add_explicit(&p->in_flight, 1, memory_order_relaxed);
    b->ruleset = ruleset_ref(p->ruleset);
    int wanted = atomic_load_explicit(&p->wants_checkpoint, memory_order_relaxed);
    if (wanted) {
        wanted = atomic_exchange_explicit(&p->wants_checkpoint, 0, memory_order_relaxed);
        b->is_checkpoint = wanted > 0;
        b->is_whole = wanted > 1;
    }
    if (b->is_checkpoint)
        keep_columns(p, b);
    (void)!mailbox_send(&p->workers[b->number % p->options.workers].inbox, &b->mail);
}

uint64_t pipeline_in_flight(const struct pipeline *p)
{
    return atomic_load_explicit(&p->in_flight, memory_order_relaxed); /* a hint: no order */
}

/* ---- life cycle ---- */

static enum status fill_pool(struct pipeline *p, struct error *err)
{
    uint32_t count = p->options.batches;
    if (!count)
        count = 8 + 2 * (p->options.workers + p->options.shards); /* few stay in the cache */
    for (; p->batch_count < count; p->batch_count++) {
        struct batch *b = batch_new();
        if (b)
            (void)!mailbox_send(&p->pool, &b->mail);
        struct round *r = ordering_new_round(p);
        if (r)
            (void)!mailbox_send(&p->rounds, &r->mail);
        if (!b || !r)
            return error_set(err, STATUS_NOMEM, 0, "no memory for %u batches", count);
    }
    return STATUS_OK;
}

static enum status init_shards(struct pipeline *p, struct error *err)
{
    uint32_t count = 0;
    const struct correlation *all = ruleset_correlations(p->ruleset, &count);
    for (uint32_t i = 0; i < p->options.shards; i++) {
        struct shard_thread *s = &p->shards[i];
        s->pipeline = p;
        s->index = i;
        s->ruleset = ruleset_ref(p->ruleset);
        if (pthread_mutex_init(&s->snapshot, NULL))
            return error_set(err, STATUS_NOMEM, 0, "no memory for a shard");
        struct shard_options options = {
            .index = i,
            .count = p->options.shards,
            .correlations = all,
            .correlation_count = count,
            .max_bytes = p->options.max_window_bytes / p->options.shards,
        };
        enum status status = mailbox_init(&s->inbox, SIZE_MAX, NULL, NULL);
        if (!status)
            status = shard_new(&options, &s->shard, err);
        if (status)
            return status;
    }
    return STATUS_OK;
}

static enum status init_parts(struct pipeline *p, struct error *err)
{
    struct mailbox *boxes[] = {&p->pool, &p->ordered_inbox, &p->decider_inbox, &p->rounds};
    for (size_t i = 0; i < sizeof boxes / sizeof *boxes; i++)
        if (mailbox_init(boxes[i], SIZE_MAX, NULL, NULL))
            return error_set(err, STATUS_NOMEM, 0, "no memory for the pipeline's mailboxes");
    if (pthread_mutex_init(&p->firings.lock, NULL) ||
        pthread_barrier_init(&p->depth_barrier, NULL, p->options.shards))
        return error_set(err, STATUS_NOMEM, 0, "no memory for the pipeline's barrier");
    p->has_barrier = true;
    enum status status = fill_pool(p, err);
    for (uint32_t i = 0; i < p->options.workers && !status; i++)
        status = worker_init(&p->workers[i], p, err);
    if (!status)
        status = init_shards(p, err);
    if (!status)
        status = sequencer_new(p->options.max_held, &p->sequencer, err);
    return status;
}

enum status pipeline_new(const struct pipeline_options *options, struct ruleset *ruleset,
                         struct pipeline **out, struct error *err)
{
    if (!options->workers || !options->shards || options->workers > PIPELINE_THREADS ||
        options->shards > PIPELINE_THREADS)
        return error_set(err, STATUS_INVALID, 0, "workers and shards: want 1 to %d",
                         PIPELINE_THREADS);
    AUTO(pipeline) p = calloc(1, sizeof *p);
    if (!p)
        return error_set(err, STATUS_NOMEM, 0, "no memory for the pipeline");
    p->options = *options;
    p->ruleset = ruleset_ref(ruleset);
    p->next_number = 1;
    p->workers = calloc(options->workers, sizeof *p->workers);
    p->shards = calloc(options->shards, sizeof *p->shards);
    p->columns = columns_new();
    if (!p->workers || !p->shards || !p->columns)
        return error_set(err, STATUS_NOMEM, 0, "no memory for the pipeline's threads");
    enum status status = init_parts(p, err);
    if (status)
        return status;
    *out = MOVE(p);
    return STATUS_OK;
}

static enum status start_one(struct pipeline *p, pthread_t *thread, void *(*run)(void *),
                             void *argument, const char *name, struct error *err)
{
    if (pthread_create(thread, NULL, run, argument))
        return error_set(err, STATUS_IO, 0, "a thread cannot be started: %s", name);
    (void)pthread_setname_np(*thread, name);
    p->started++;
    return STATUS_OK;
}

/* From the end of the flow to its start, so that whoever runs has somebody to send to. */
enum status pipeline_start(struct pipeline *p, struct error *err)
{
    atomic_store(&p->workers_left, p->options.workers);
    atomic_store(&p->shards_left, p->options.shards);
    enum status status = start_one(p, &p->decider_thread, ordering_decide, p, "decider", err);
    for (uint32_t i = 0; i < p->options.shards && !status; i++)
        status = start_one(p, &p->shards[i].thread, ordering_shard, &p->shards[i], "shard", err);
    if (!status)
        status = start_one(p, &p->sequencer_thread, ordering_sequence, p, "sequencer", err);
    for (uint32_t i = 0; i < p->options.workers && !status; i++)
        status = start_one(p, &p->workers[i].thread, worker_main, &p->workers[i], "worker", err);
    p->is_started = status == STATUS_OK;
    return status;
}

void pipeline_finish(struct pipeline *p, bool has_flush)
{
    if (!p->is_started || p->is_finished)
        return;
    struct batch *last = has_flush ? pipeline_take(p, UINT64_MAX) : NULL;
    if (last) {
        last->is_flush = true;
        pipeline_dispatch(p, last);
    }
    for (uint32_t i = 0; i < p->options.workers; i++)
        mailbox_close(&p->workers[i].inbox);
    for (uint32_t i = 0; i < p->options.workers; i++)
        (void)pthread_join(p->workers[i].thread, NULL);
    (void)pthread_join(p->sequencer_thread, NULL);
    for (uint32_t i = 0; i < p->options.shards; i++)
        (void)pthread_join(p->shards[i].thread, NULL);
    (void)pthread_join(p->decider_thread, NULL);
    p->is_finished = true;
}

static void drain(struct pipeline *p)
{
    for (struct mail *mail = mailbox_take_all(&p->pool); mail;) {
        struct batch *b = CONTAINER_OF(mail, struct batch, mail);
        mail = mail->next;
        batch_free(b);
    }
    for (struct mail *mail = mailbox_take_all(&p->rounds); mail;) {
        struct round *r = CONTAINER_OF(mail, struct round, mail);
        mail = mail->next;
        ordering_free_round(r);
    }
}

void pipeline_free(struct pipeline *p)
{
    if (!p)
        return;
    pipeline_finish(p, false);
    if (p->has_barrier) {
        drain(p);
        (void)pthread_barrier_destroy(&p->depth_barrier);
        mailbox_fini(&p->pool);
        mailbox_fini(&p->ordered_inbox);
        mailbox_fini(&p->decider_inbox);
        mailbox_fini(&p->rounds);
    }
    for (uint32_t i = 0; p->workers && i < p->options.workers; i++)
        worker_fini(&p->workers[i]);
    for (uint32_t i = 0; p->shards && i < p->options.shards; i++) {
        shard_free(p->shards[i].shard);
        if (p->shards[i].ruleset)
            (void)pthread_mutex_destroy(&p->shards[i].snapshot);
        ruleset_unref(p->shards[i].ruleset);
    }
    if (p->has_barrier)
        (void)pthread_mutex_destroy(&p->firings.lock);
    ruleset_unref(p->firings.ruleset);
    free(p->firings.items);
    sequencer_free(p->sequencer);
    columns_free(p->columns);
    ruleset_unref(p->ruleset);
    free(p->merged);
    free(p->workers);
    free(p->shards);
    free(p);
}

/* ---- state in ---- */

enum status pipeline_restore_shard(struct pipeline *p, struct text chunk, struct error *err)
{
    for (uint32_t i = 0; i < p->options.shards; i++) {
        enum status status = shard_restore(p->shards[i].shard, chunk, err);
        if (status)
            return status;
    }
    return STATUS_OK;
}

enum status pipeline_restore_sequencer(struct pipeline *p, struct text chunk, struct error *err)
{
    uint32_t count = 0;
    const struct correlation *all = ruleset_correlations(p->ruleset, &count);
    enum status status = sequencer_restore(p->sequencer, chunk, all, count, err);
    p->next_number = sequencer_next_number(p->sequencer);
    return status;
}

enum status pipeline_restore_columns(struct pipeline *p, struct text chunk, struct error *err)
{
    if (columns_load(p->columns, chunk))
        return STATUS_OK;
    return error_set(err, STATUS_SYNTAX, 0, "the checkpoint's column names cannot be read");
}

/* ---- numbers out ---- */

static void tell_total(metric_fn tell, void *context, const char *name, const char *help,
                       uint64_t value)
{
    struct metric m = {.name = name, .help = help, .kind = METRIC_COUNTER, .value = (double)value};
    tell(context, &m);
}

void pipeline_metrics(const struct pipeline *p, metric_fn tell, void *context)
{
    uint64_t refused = atomic_load_explicit(&p->refused, memory_order_relaxed);
    for (uint32_t w = 0; w < p->options.workers; w++) {
        struct worker *worker = &p->workers[w];
        refused += atomic_load_explicit(&worker->refused, memory_order_relaxed);
        (void)pthread_mutex_lock(&worker->snapshot);
        parser_metrics(worker->parser, tell, context);
        if (worker->matcher)
            matcher_metrics(worker->matcher, tell, context);
        (void)pthread_mutex_unlock(&worker->snapshot);
    }
    tell_total(tell, context, "records_processed_total", "Records that were decided.",
               atomic_load_explicit(&p->records, memory_order_relaxed));
    tell_total(tell, context, "detections_total", "Detections that left the correlator.",
               atomic_load_explicit(&p->detections, memory_order_relaxed));
    tell_total(tell, context, "results_refused_total",
               "Matches dropped because a batch had no room for them.", refused);
    tell_total(tell, context, "columns_evicted_total",
               "Streams whose column names were forgotten because there were too many.",
               columns_evicted(p->columns));
    for (uint32_t i = 0; i < p->options.shards; i++)
        shard_metrics(p->shards[i].shard, tell, context);
    sequencer_metrics(p->sequencer, tell, context);
}

void pipeline_write_hosts(const struct pipeline *p, struct drops *drops, int64_t now_us,
                          uint32_t most, struct buffer *out)
{
    struct hosts *tables[PIPELINE_THREADS];
    uint32_t count = 0;
    for (uint32_t i = 0; i < p->options.workers; i++)
        if (p->workers[i].hosts)
            tables[count++] = p->workers[i].hosts;
    hosts_write(tables, count, drops, now_us, most, out);
}

uint64_t pipeline_evicted(const struct pipeline *p)
{
    uint64_t sum = 0;
    for (uint32_t i = 0; i < p->options.shards; i++)
        sum += shard_evicted(p->shards[i].shard);
    return sum;
}

const struct shard *pipeline_shard(const struct pipeline *p, uint32_t index)
{
    return p->shards[index].shard;
}
