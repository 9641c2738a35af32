/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include "base/correlation.h"
#include "base/detection.h"
#include "base/error.h"
#include "base/metric.h"
#include "base/own.h"
#include "base/record.h"
#include <stdbool.h>
#include <stdint.h>

/*
 * Detections over time become detections. The sequencer puts the workers' batches back into
 * journal order and holds what has lateness; shards own the windows. Neither starts a thread nor
 * reads a clock (but to sample what a correlation costs): app gives them theirs. Time is event
 * time; lateness, absence and idleness read journal time.
 */

/* ---- sequencer: one thread ---- */

struct sequencer;
NODISCARD enum status sequencer_new(uint32_t max_held, struct sequencer **out, struct error *err);
void sequencer_free(struct sequencer *s);
AUTO_DEFINE(sequencer);

/*
 * Takes a batch from a worker, in any order of numbers. Each number comes once, from 1 (or from
 * where sequencer_restore set it).
 */
void sequencer_put(struct sequencer *s, struct batch *b);
/*
 * The next batch in order, or NULL while it is missing. Its feeds with lateness were taken out and
 * copied; what journal time now lets pass is in b->released, in output order of release. Owned by
 * the caller again.
 */
struct batch *sequencer_next(struct sequencer *s);
/* At the end of a file or a drain: everything held is released into `b`. */
void sequencer_flush(struct sequencer *s, struct batch *b);

/* ---- shard: one thread each ---- */

struct shard;
struct shard_options {
    uint32_t index, count;                  /* owns the buckets b with b % count == index */
    const struct correlation *correlations; /* of the first ruleset; borrowed until shard_swap */
    uint32_t correlation_count;
    size_t max_bytes; /* ceiling of all windows of this shard; the least recently touched
                         are evicted beyond it, counted */
};
/* Every correlation is one that a shard can run: INVALID or LIMIT names the first that is not (a
 * threshold that no window can hold, an ordered condition with too many alternatives). Any thread;
 * ask before rules are taken into use, shard_swap then fails for want of memory alone. */
NODISCARD enum status shard_check(const struct correlation *correlations, uint32_t count,
                                  struct error *err);
NODISCARD enum status shard_new(const struct shard_options *options, struct shard **out,
                                struct error *err);
void shard_free(struct shard *s);
AUTO_DEFINE(shard);

/* What one shard made of one batch. Owned by who took it; detections view into arena and batch. */
struct shard_reply {
    struct mail mail;
    struct batch *batch; /* not owned */
    uint32_t shard;
    uint32_t depth; /* of the correlations that ran in this pass */
    struct arena arena;
    struct detection **detections; /* in output order; also those that only feed a chain */
    uint32_t count, max;
    uint32_t refused; /* found no room */
};
struct shard_reply *shard_reply_new(void);
void shard_reply_free(struct shard_reply *r);
AUTO_DEFINE(shard_reply);
void shard_reply_reset(struct shard_reply *r);

/*
 * Runs the correlations of one depth over what the batch (depth 1) and the replies of the lower
 * depths (chain, `lower_count` of them, from all shards) feed to this shard's buckets, strictly in
 * order (released, event time, position, rule). Call with depth 1, 2, ... up to
 * shard_depth(); every shard finishes depth d before one begins d + 1. Also moves journal time on:
 * absence, first-seen memory, expiry of idle windows.
 */
void shard_run(struct shard *s, struct batch *b, uint32_t depth, struct shard_reply *const *lower,
               uint32_t lower_count, struct shard_reply *reply);
/* The deepest chain of the current ruleset; at least 1 where there is any correlation. */
uint32_t shard_depth(const struct shard *s);

/* A new ruleset at a batch boundary: windows of correlations with an equal content hash live on. */
NODISCARD enum status shard_swap(struct shard *s, const struct correlation *correlations,
                                 uint32_t count);

/* ---- checkpoints ---- */

/* Chunks of state go out (and come back) as bytes with a format version and a check sum inside. */
typedef enum status (*checkpoint_fn)(void *context, struct text chunk);

/* Every window changed since the last freeze, in chunks of up to 64 KiB. With `whole`, all. After a
 * failure the next freeze is whole by itself. */
NODISCARD enum status shard_freeze(struct shard *s, bool whole, checkpoint_fn put, void *context);
/* Applies one chunk of any shard count: windows of other shards' buckets are passed over. All
 * chunks of the whole freeze and of those since go to every shard, in any order, before its first
 * batch; of a window that is in several the latest counts. SYNTAX (nothing is changed), NOMEM. */
NODISCARD enum status shard_restore(struct shard *s, struct text chunk, struct error *err);
/* Held feeds, journal time and the number of the next batch. */
NODISCARD enum status sequencer_freeze(struct sequencer *s, checkpoint_fn put, void *context);
NODISCARD enum status sequencer_restore(struct sequencer *s, struct text chunk,
                                        const struct correlation *correlations, uint32_t count,
                                        struct error *err);

/* The number that the next batch must have: where a restored sequencer goes on. */
uint64_t sequencer_next_number(const struct sequencer *s);

/* Why this correlation did not fire for this group: window content, needed and seen, as JSON. */
void shard_explain(const struct shard *s, const struct correlation *c, struct hash128 key,
                   struct buffer *out);

/* What a correlation cost this shard since it has it. */
struct shard_cost {
    uint64_t evaluated; /* events and detections that reached one of its windows' groups */
    uint64_t matched;   /* of them, after how many the condition was true; absence: silences */
    uint64_t limits;    /* events cut off or refused, and groups evicted, at a ceiling */
    uint64_t ns;        /* sampled: every 64th is timed and counts 64 times */
};
/* One entry per correlation of the current ruleset, added to `out`. The shard's own thread, or
 * after it ended. */
void shard_add_costs(const struct shard *s, struct shard_cost *out, uint32_t count);

void shard_metrics(const struct shard *s, metric_fn tell, void *context);
/* Windows forgotten before their time, at a ceiling. Any thread. */
uint64_t shard_evicted(const struct shard *s);
void sequencer_metrics(const struct sequencer *s, metric_fn tell, void *context);
