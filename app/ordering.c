/* SPDX-License-Identifier: Apache-2.0 */
#include "app/stages.h"
#include "base/log.h"
#include <stdlib.h>

/* ---- rounds ---- */

void ordering_free_round(struct round *r)
{
    if (!r)
        return;
    for (uint32_t i = 0; i < r->reply_count; i++)
        shard_reply_free(r->replies[i]);
    free(r->replies);
    free(r);
}

static void free_chunks(struct pipeline_chunk *chunk)
{
    while (chunk) {
        struct pipeline_chunk *next = chunk->next;
        free(chunk);
        chunk = next;
    }
}

/* Replies for `depths` passes of every shard, kept with the round for its next batch. */
static bool grow_replies(struct round *r, uint32_t want)
{
    if (want <= r->reply_count)
        return true;
    struct shard_reply **grown = realloc(r->replies, want * sizeof(struct shard_reply *));
    if (!grown)
        return false;
    r->replies = grown;
    while (r->reply_count < want) {
        r->replies[r->reply_count] = shard_reply_new();
        if (!r->replies[r->reply_count])
            return false;
        r->reply_count++;
    }
    return true;
}

struct round *ordering_new_round(const struct pipeline *p)
{
    struct round *r = calloc(1, sizeof *r);
    if (r && grow_replies(r, p->options.shards))
        return r;
    ordering_free_round(r);
    return NULL;
}

static uint32_t ruleset_depth(struct ruleset *ruleset)
{
    uint32_t count = 0;
    const struct correlation *all = ruleset_correlations(ruleset, &count);
    uint32_t depth = 1;
    for (uint32_t i = 0; i < count; i++)
        if (all[i].depth > depth)
            depth = all[i].depth;
    return depth;
}

/* ---- checkpoints ---- */

static enum status keep_chunk(void *context, struct text bytes)
{
    struct pipeline_chunk **list = context;
    struct pipeline_chunk *chunk = malloc(sizeof *chunk + bytes.len);
    if (!chunk)
        return STATUS_NOMEM;
    chunk->len = bytes.len;
    memcpy(chunk->bytes, bytes.at, bytes.len);
    chunk->next = *list;
    *list = chunk;
    return STATUS_OK;
}

/* ---- sequencer ---- */

/* Without memory for a deep chain's replies its deepest correlations do not run: counted. */
static uint32_t affordable_depths(struct pipeline *p, struct round *r, uint32_t depths)
{
    if (grow_replies(r, depths * p->options.shards))
        return depths;
    atomic_fetch_add_explicit(&p->refused, 1, memory_order_relaxed);
    return r->reply_count / p->options.shards;
}

/* There are as many rounds as batches, so one is always there or on its way back. */
static void send_round(struct pipeline *p, struct batch *b)
{
    struct mail *mail = mailbox_take(&p->rounds, UINT64_MAX);
    struct round *r = CONTAINER_OF(mail, struct round, mail);
    r->batch = b;
    atomic_store_explicit(&r->has_failed_freeze, false, memory_order_relaxed);
    r->depths = affordable_depths(p, r, ruleset_depth(b->ruleset));
    atomic_store_explicit(&r->shards_left, p->options.shards, memory_order_relaxed);
    if (b->is_checkpoint && sequencer_freeze(p->sequencer, keep_chunk, &r->sequencer_chunks))
        atomic_store_explicit(&r->has_failed_freeze, true, memory_order_relaxed);
    for (uint32_t i = 0; i < p->options.shards; i++) {
        r->turns[i].round = r;
        (void)!mailbox_send(&p->shards[i].inbox, &r->turns[i].mail);
    }
}

void *ordering_sequence(void *argument)
{
    struct pipeline *p = argument;
    for (;;) {
        struct mail *mail = mailbox_wait(&p->ordered_inbox, UINT64_MAX);
        if (!mail)
            break;
        while (mail) {
            struct batch *b = CONTAINER_OF(mail, struct batch, mail);
            mail = mail->next;
            sequencer_put(p->sequencer, b);
        }
        for (struct batch *b = sequencer_next(p->sequencer); b; b = sequencer_next(p->sequencer)) {
            if (b->is_flush)
                sequencer_flush(p->sequencer, b);
            send_round(p, b);
        }
    }
    for (uint32_t i = 0; i < p->options.shards; i++)
        mailbox_close(&p->shards[i].inbox);
    return NULL;
}

/* ---- shards ---- */

static void follow_ruleset(struct shard_thread *s, struct ruleset *ruleset)
{
    if (s->ruleset == ruleset)
        return;
    uint32_t count = 0;
    const struct correlation *all = ruleset_correlations(ruleset, &count);
    if (shard_swap(s->shard, all, count))
        log_line(LOG_ERROR, "no memory for the windows of the new rules shard=%u", s->index);
    ruleset_unref(s->ruleset);
    s->ruleset = ruleset_ref(ruleset);
}

static void run_round(struct shard_thread *s, struct round *r)
{
    struct pipeline *p = s->pipeline;
    uint32_t shards = p->options.shards;
    follow_ruleset(s, r->batch->ruleset);
    for (uint32_t depth = 1; depth <= r->depths; depth++) {
        struct shard_reply *reply = r->replies[(depth - 1) * shards + s->index];
        reply->batch = r->batch;
        reply->shard = s->index;
        reply->depth = depth;
        shard_run(s->shard, r->batch, depth, r->replies, (depth - 1) * shards, reply);
        if (depth < r->depths && shards > 1)
            (void)pthread_barrier_wait(&p->depth_barrier);
    }
    if (r->batch->is_checkpoint &&
        shard_freeze(s->shard, r->batch->is_whole, keep_chunk, &r->shard_chunks[s->index]))
        atomic_store_explicit(&r->has_failed_freeze, true, memory_order_relaxed);
}

void *ordering_shard(void *argument)
{
    struct shard_thread *s = argument;
    struct pipeline *p = s->pipeline;
    for (;;) {
        struct mail *mail = mailbox_wait(&s->inbox, UINT64_MAX);
        if (!mail)
            break;
        while (mail) {
            struct round *r = CONTAINER_OF(mail, struct round_turn, mail)->round;
            mail = mail->next;
            (void)pthread_mutex_lock(&s->snapshot);
            run_round(s, r);
            (void)pthread_mutex_unlock(&s->snapshot);
            /* pairs with the other shards' decrement: the last one sees all replies */
            if (atomic_fetch_sub_explicit(&r->shards_left, 1, memory_order_acq_rel) == 1)
                (void)!mailbox_send(&p->decider_inbox, &r->mail);
        }
    }
    if (atomic_fetch_sub_explicit(&p->shards_left, 1, memory_order_acq_rel) == 1)
        mailbox_close(&p->decider_inbox);
    return NULL;
}

/* ---- decider ---- */

static int by_output_order(const void *a, const void *b)
{
    const struct detection *const *x = a;
    const struct detection *const *y = b;
    return detection_compare(*x, *y);
}

static bool merge_room(struct pipeline *p, uint32_t count)
{
    if (count <= p->merged_max)
        return true;
    struct detection **grown = realloc(p->merged, count * 2 * sizeof(struct detection *));
    if (!grown)
        return false;
    p->merged = grown;
    p->merged_max = count * 2;
    return true;
}

static uint32_t merge(struct pipeline *p, struct round *r)
{
    struct batch *b = r->batch;
    uint32_t replies = r->depths * p->options.shards;
    uint32_t most = b->detection_count;
    for (uint32_t i = 0; i < replies; i++)
        most += r->replies[i]->count;
    if (!merge_room(p, most)) {
        atomic_fetch_add_explicit(&p->refused, most, memory_order_relaxed);
        return 0;
    }
    uint32_t count = 0;
    for (uint32_t i = 0; i < b->detection_count; i++)
        p->merged[count++] = b->detections[i];
    for (uint32_t i = 0; i < replies; i++)
        for (uint32_t j = 0; j < r->replies[i]->count; j++)
            if (r->replies[i]->detections[j]->rule->is_reported)
                p->merged[count++] = r->replies[i]->detections[j];
    if (count)
        qsort(p->merged, count, sizeof(struct detection *), by_output_order);
    return count;
}

static void checkpoint_out(struct pipeline *p, struct round *r)
{
    const struct batch *b = r->batch;
    if (b->is_checkpoint && p->options.checkpoint) {
        const struct record *last = b->count ? &b->records[b->count - 1] : NULL;
        struct pipeline_checkpoint c = {
            .position = last ? last->position : 0,
            .journal_us = last ? last->journal_us : 0,
            .ruleset = ruleset_hash(b->ruleset),
            .columns = b->columns,
            .sequencer = r->sequencer_chunks,
            .shards = (const struct pipeline_chunk *const *)r->shard_chunks,
            .shard_count = p->options.shards,
            .is_whole = b->is_whole,
            .has_failed = r->has_failed_freeze || b->has_lost_columns,
        };
        p->options.checkpoint(p->options.context, &c);
    }
    free_chunks(MOVE(r->sequencer_chunks));
    for (uint32_t i = 0; i < p->options.shards; i++)
        free_chunks(MOVE(r->shard_chunks[i]));
}

static void release(struct batch *b)
{
    for (struct mail *block = b->released_blocks; block;) {
        struct mail *next = block->next;
        free(block);
        block = next;
    }
    ruleset_unref(b->ruleset);
    batch_reset(b);
}

static void decide_round(struct pipeline *p, struct round *r)
{
    struct batch *b = r->batch;
    uint32_t count = merge(p, r);
    atomic_fetch_add_explicit(&p->detections, count, memory_order_relaxed);
    atomic_fetch_add_explicit(&p->records, b->count, memory_order_relaxed);
    pipeline_costs_fired(&p->firings, b->ruleset, p->merged, count);
    struct pipeline_result result = {.batch = b, .detections = p->merged, .count = count};
    p->options.decided(p->options.context, &result);
    checkpoint_out(p, r);
    for (uint32_t i = 0; i < r->depths * p->options.shards; i++)
        shard_reply_reset(r->replies[i]);
    release(b);
    atomic_fetch_sub_explicit(&p->in_flight, 1, memory_order_relaxed);
    (void)!mailbox_return(&p->pool, &b->mail);
    (void)!mailbox_send(&p->rounds, &r->mail);
}

void *ordering_decide(void *argument)
{
    struct pipeline *p = argument;
    uint64_t patience_ms = p->options.idle ? PIPELINE_IDLE_MS : UINT64_MAX;
    for (;;) {
        struct mail *mail = mailbox_wait(&p->decider_inbox, patience_ms);
        if (!mail && mailbox_is_closed(&p->decider_inbox))
            return NULL;
        while (mail) {
            struct round *r = CONTAINER_OF(mail, struct round, mail);
            mail = mail->next;
            decide_round(p, r);
        }
        if (p->options.idle)
            p->options.idle(p->options.context);
    }
}
