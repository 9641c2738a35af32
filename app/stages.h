/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include "app/pipeline_costs.h"
#include "base/mailbox.h"
#include <pthread.h>
#include <stdatomic.h>

/* The threads inside a pipeline and what they hand to each other. Private to pipeline.c, worker.c
 * and ordering.c. */

enum { PIPELINE_THREADS = 64 }; /* most workers, most shards */

/* One batch on its way through all shards to the decider. */
struct round {
    struct mail mail; /* to the decider, and in the pool of rounds */
    struct batch *batch;
    uint32_t depths;              /* passes that were run */
    _Atomic uint32_t shards_left; /* the shard that takes it to 0 sends it on */
    struct round_turn {
        struct mail mail;
        struct round *round;
    } turns[PIPELINE_THREADS];    /* one mail per shard */
    struct shard_reply **replies; /* [depth - 1][shard], made when first needed */
    uint32_t reply_count;
    _Atomic bool has_failed_freeze;
    struct pipeline_chunk *sequencer_chunks; /* of a checkpoint */
    struct pipeline_chunk *shard_chunks[PIPELINE_THREADS];
};

struct worker {
    pthread_t thread;
    struct pipeline *pipeline;
    struct mailbox inbox;
    struct parser *parser;
    struct ruleset *ruleset; /* of matcher; one reference */
    struct matcher *matcher;
    struct match_result result;
    struct event event;
    struct hosts *hosts; /* NULL: nobody asks */
    _Atomic uint64_t events, refused;
    pthread_mutex_t snapshot; /* held over each batch: readers of numbers see whole ones */
};

struct shard_thread {
    pthread_t thread;
    struct pipeline *pipeline;
    struct mailbox inbox;
    struct shard *shard;
    struct ruleset *ruleset;  /* the one its windows belong to; one reference */
    pthread_mutex_t snapshot; /* held over each batch, as a worker's */
    uint32_t index;
};

struct pipeline {
    struct pipeline_options options;
    struct ruleset *ruleset; /* for the next dispatched batch; one reference */
    uint64_t next_number;
    struct columns *columns; /* the dispatching thread's */
    uint32_t batch_count;
    _Atomic uint64_t in_flight;   /* batches: up at dispatch, down when decided */
    _Atomic int wants_checkpoint; /* 0 no, 1 changed windows, 2 all windows */

    struct mailbox pool;          /* empty batches */
    struct mailbox ordered_inbox; /* worker -> sequencer */
    struct mailbox decider_inbox; /* shards -> decider */
    struct mailbox rounds;        /* decider -> sequencer: rounds to use again */

    struct worker *workers;
    struct shard_thread *shards;
    pthread_t sequencer_thread, decider_thread;
    struct sequencer *sequencer;
    pthread_barrier_t depth_barrier; /* shards wait for each other between depths of chains */
    _Atomic uint32_t workers_left, shards_left;
    uint32_t started; /* threads, for joining after a failed start */
    bool is_started, is_finished, has_barrier;

    struct detection **merged; /* decider's scratch */
    uint32_t merged_max;
    struct pipeline_firings firings;
    _Atomic uint64_t detections, records, refused;
};

/* Thread functions: argument is the worker, the pipeline, the shard_thread, the pipeline. */
void *worker_main(void *argument);
void *ordering_sequence(void *argument);
void *ordering_shard(void *argument);
void *ordering_decide(void *argument);
/* A round with replies for one pass. NULL without memory. */
struct round *ordering_new_round(const struct pipeline *p);
void ordering_free_round(struct round *r);

NODISCARD enum status worker_init(struct worker *w, struct pipeline *p, struct error *err);
void worker_fini(struct worker *w);
