/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include "base/detection.h"
#include "base/error.h"
#include "base/metric.h"
#include "base/own.h"
#include "base/record.h"
#include "correlator/correlator.h"
#include "ingest/ingest.h"
#include "rules/rules.h"
#include <stdbool.h>
#include <stdint.h>

/*
 * The middle of the program, the same in `run`, `replay`, `test` and the preview: workers parse,
 * decode and match; a sequencer restores the order; shards correlate; one decider gets what came
 * out of each batch, in output order. It starts a thread for each of these.
 *
 *   dispatch --> worker 0..N-1 --> sequencer --> shard 0..M-1 --> decider --> pool of batches
 */
struct pipeline;

struct pipeline_result {
    struct batch *batch;           /* its records, for alerts and ticks */
    struct detection **detections; /* reported ones, in output order; renewals among them */
    uint32_t count;
};

/* State as bytes, to be stored under a key of the caller's choice. A list on the heap. */
struct pipeline_chunk {
    struct pipeline_chunk *next;
    size_t len;
    char bytes[];
};

/* Everything that changed since the last one, cut at one batch, aligned over all shards. */
struct pipeline_checkpoint {
    uint64_t position; /* of the last record before the cut; 0: none */
    int64_t journal_us;
    struct hash128 ruleset; /* the hash of the one that decided the batch before the cut */
    struct text columns;    /* names of streams' columns; empty where there are none */
    const struct pipeline_chunk *sequencer;     /* whole state of the sequencer */
    const struct pipeline_chunk *const *shards; /* one list per shard */
    uint32_t shard_count;
    bool is_whole;   /* all windows, not only the changed ones */
    bool has_failed; /* no memory for a part of it: not to be committed */
};

enum { PIPELINE_IDLE_MS = 20, PIPELINE_COLUMNS = 8 << 20 };

struct pipeline_options {
    uint32_t workers, shards; /* at least 1 each */
    uint32_t batches;         /* in the pool; 0: enough for the threads */
    struct parser_options parser;
    bool is_receipt_time;    /* timelines: event time is the record's receive_us */
    bool is_file_time;       /* files: journal time is the highest event time */
    size_t max_window_bytes; /* of all shards together */
    uint32_t max_held;       /* feeds that lateness may hold */
    uint32_t max_hosts;      /* what each worker remembers of hosts; 0: nothing */
    /* On the decider's thread, once per batch, in journal order. */
    void (*decided)(void *context, const struct pipeline_result *result);
    /* On the decider's thread, after `decided` for the batch that carries the cut; may be NULL. */
    void (*checkpoint)(void *context, const struct pipeline_checkpoint *c);
    /* On the decider's thread, between batches, after a nudge and at least every IDLE_MS; may be
     * NULL. */
    void (*idle)(void *context);
    void *context;
};

/* Takes one reference of `ruleset`. */
NODISCARD enum status pipeline_new(const struct pipeline_options *options, struct ruleset *ruleset,
                                   struct pipeline **out, struct error *err);
/* Drains and joins if pipeline_finish did not. */
void pipeline_free(struct pipeline *p);
AUTO_DEFINE(pipeline);
NODISCARD enum status pipeline_start(struct pipeline *p, struct error *err);

/* An empty batch from the pool, or NULL after `timeout_ms`. Any thread. */
struct batch *pipeline_take(struct pipeline *p, uint64_t timeout_ms);
/* Gives an unused batch back. Any thread. */
void pipeline_give_back(struct pipeline *p, struct batch *b);
/* Sends a positioned batch on its way: numbers it. One dispatching thread. */
void pipeline_dispatch(struct pipeline *p, struct batch *b);
/* Batches that were dispatched and not yet decided. Any thread. */
uint64_t pipeline_in_flight(const struct pipeline *p);
/* The next dispatched batch carries a checkpoint's cut. Any thread. */
void pipeline_request_checkpoint(struct pipeline *p, bool is_whole);
/* Calls `idle` soon. Any thread. */
void pipeline_nudge(struct pipeline *p);
/* Before start: state from a checkpoint, chunk by chunk, of any shard count. */
NODISCARD enum status pipeline_restore_shard(struct pipeline *p, struct text chunk,
                                             struct error *err);
NODISCARD enum status pipeline_restore_sequencer(struct pipeline *p, struct text chunk,
                                                 struct error *err);
NODISCARD enum status pipeline_restore_columns(struct pipeline *p, struct text chunk,
                                               struct error *err);
/* What the next batch holds is another file's. The dispatching thread only. */
void pipeline_forget_columns(struct pipeline *p);
/* From the next dispatched batch on this ruleset decides. Takes the reference. The dispatching
 * thread only. */
void pipeline_set_ruleset(struct pipeline *p, struct ruleset *ruleset);
/* Releases what lateness holds, waits until everything was decided, joins the threads. */
void pipeline_finish(struct pipeline *p, bool has_flush);

void pipeline_metrics(const struct pipeline *p, metric_fn tell, void *context);
/* What each host sent and, from `drops`, lost, as a JSON array: the `most` heard last. Any thread.
 */
void pipeline_write_hosts(const struct pipeline *p, struct drops *drops, int64_t now_us,
                          uint32_t most, struct buffer *out);
/* Of one shard, for explain: after pipeline_finish only. */
/* Windows forgotten before their time, of all shards. Any thread. */
uint64_t pipeline_evicted(const struct pipeline *p);
const struct shard *pipeline_shard(const struct pipeline *p, uint32_t index);
