/* SPDX-License-Identifier: Apache-2.0 */
#include "base/timestamp.h"
#include "correlator/chain.h"
#include "correlator/explaining.h"
#include "correlator/freezing.h"
#include "correlator/pass.h"
#include "correlator/ruleset_map.h"
#include "correlator/window_lru.h"
#include <stdio.h>
#include <stdlib.h>

enum { PREFETCH = 64, TIMED_EVERY = 64 };

/* What is idle is so at once for whoever asks; only its memory waits this long, for looking at the
 * oldest window of every correlation has its price. */
enum { SWEEP_US = 1000 * 1000 };

/* ---- life ---- */

enum status shard_new(const struct shard_options *options, struct shard **out, struct error *err)
{
    AUTO(shard) s = calloc(1, sizeof *s);
    if (!s)
        return error_set(err, STATUS_NOMEM, 0, "no memory for a shard");
    s->index = options->index;
    s->count = options->count;
    s->clock.now_us = SHARD_NO_TIME;
    s->clock.before_us = SHARD_NO_TIME;
    s->clock.heard_us = SHARD_NO_TIME;
    s->before = s->clock;
    s->swept_us = SHARD_NO_TIME;
    s->late = calloc(SHARD_LATE, sizeof *s->late);
    if (!s->late || window_store_init(&s->store, options->max_bytes))
        return error_set(err, STATUS_NOMEM, 0, "no memory for a shard");
    enum status status = ruleset_map_set(s, options->correlations, options->correlation_count, err);
    if (!status)
        *out = MOVE(s);
    return status;
}

void shard_free(struct shard *s)
{
    if (!s)
        return;
    window_store_fini(&s->store);
    ruleset_map_fini(s);
    free(s->work);
    free(s->late);
    free(s->generations);
    free(s);
}

enum status shard_check(const struct correlation *correlations, uint32_t count, struct error *err)
{
    return ruleset_map_check(correlations, count, err);
}

enum status shard_swap(struct shard *s, const struct correlation *correlations, uint32_t count)
{
    return ruleset_map_set(s, correlations, count, NULL);
}

uint32_t shard_depth(const struct shard *s)
{
    return s->depth;
}

/* ---- one pass ---- */

static int compare_work(const struct work *a, const struct work *b)
{
    const struct feed *x = a->feed;
    const struct feed *y = b->feed;
    if (x->released != y->released)
        return x->released < y->released ? -1 : 1;
    if (x->turn != y->turn)
        return x->turn < y->turn ? -1 : 1;
    if (x->event_us != y->event_us)
        return x->event_us < y->event_us ? -1 : 1;
    if (x->position != y->position)
        return x->position < y->position ? -1 : 1;
    if (a->rule != b->rule)
        return a->rule < b->rule ? -1 : 1;
    if (x->input != y->input)
        return x->input < y->input ? -1 : 1;
    int order = hash_compare(x->key, y->key);
    if (order || !a->from || !b->from)
        return order ? order : (a->from != NULL) - (b->from != NULL);
    return detection_compare(a->from, b->from);
}

static int by_order(const void *a, const void *b)
{
    return compare_work(a, b);
}

static void gather(struct shard *s, const struct feed *feeds, uint32_t count, uint32_t depth)
{
    for (uint32_t i = 0; i < count; i++) {
        const struct feed *f = &feeds[i];
        if (correlation_bucket(f->key) % s->count != s->index)
            continue;
        uint32_t rule = ruleset_map_find(s, f->correlation);
        if (rule == WINDOW_NONE) {
            counter_add(&s->counters.foreign, depth == 1);
            continue;
        }
        if (s->rules[rule].correlation->depth != depth)
            continue;
        if (!chain_reserve_work(s)) {
            counter_add(&s->counters.refused, 1);
            continue;
        }
        s->work[s->work_count++] = (struct work){f, rule, NULL};
    }
}

static void gather_all(struct pass *p, struct shard_reply *const *lower, uint32_t lower_count)
{
    struct shard *s = p->shard;
    s->work_count = 0;
    gather(s, p->batch->feeds, p->batch->feed_count, p->depth);
    gather(s, p->batch->released, p->batch->released_count, p->depth);
    for (uint32_t i = 0; p->depth > 1 && i < lower_count; i++)
        chain_feed(s, lower[i], p->depth, &p->reply->arena);
    for (uint32_t i = 1; i < s->work_count; i++) {
        if (compare_work(&s->work[i - 1], &s->work[i]) <= 0)
            continue;
        qsort(s->work, s->work_count, sizeof *s->work, by_order);
        return;
    }
}

/* No later feed of the same event goes into the same window. */
static bool is_last_of_event(const struct shard *s, uint32_t i)
{
    const struct work *a = &s->work[i];
    for (uint32_t j = i + 1; j < s->work_count; j++) {
        const struct work *b = &s->work[j];
        if (b->rule != a->rule || b->feed->position != a->feed->position ||
            b->feed->released != a->feed->released)
            return true;
        if (hash_equal(b->feed->key, a->feed->key) && pass_is_complete(&s->rules[b->rule], b->feed))
            return false;
    }
    return true;
}

static void insert(struct pass *p, uint32_t i)
{
    struct shard *s = p->shard;
    const struct work *work = &s->work[i];
    bool is_timed = ++s->inserted % TIMED_EVERY == 0;
    uint64_t start = is_timed ? timestamp_monotonic_ns() : 0;
    pass_insert(p, work, is_last_of_event(s, i));
    if (is_timed)
        s->rules[work->rule].cost.ns += (timestamp_monotonic_ns() - start) * TIMED_EVERY;
}

/* What a find will read is fetched for a whole group first: memory then answers in parallel. */
static void work_through(struct pass *p)
{
    struct shard *s = p->shard;
    for (uint32_t from = 0; from < s->work_count; from += PREFETCH) {
        uint32_t to = from + PREFETCH < s->work_count ? from + PREFETCH : s->work_count;
        for (int round = 0; round < 3; round++)
            for (uint32_t i = from; i < to; i++)
                window_store_prefetch(&s->store, s->work[i].feed->key, round);
        for (uint32_t i = from; i < to; i++) {
            pass_advance(p, s->work[i].feed->released);
            insert(p, i);
        }
    }
    pass_finish(p);
}

static int by_output_order(const void *a, const void *b)
{
    return detection_compare(*(const struct detection *const *)a,
                             *(const struct detection *const *)b);
}

static void put_in_order(struct shard_reply *reply)
{
    for (uint32_t i = 1; i < reply->count; i++) {
        if (detection_compare(reply->detections[i - 1], reply->detections[i]) <= 0)
            continue;
        qsort(reply->detections, reply->count, sizeof *reply->detections, by_output_order);
        return;
    }
}

/* A rule that is new comes into force with the first batch it sees: the same for all shards. */
static void date_rules(struct shard *s, const struct batch *b)
{
    if (!s->has_fresh || !b->count)
        return;
    for (uint32_t i = 0; i < s->rule_count; i++)
        if (s->rules[i].since_us == INT64_MIN)
            s->rules[i].since_us = b->records[0].journal_us;
    s->has_fresh = false;
}

/* The first batch after a restore. */
static void end_restore(struct shard *s)
{
    if (freezing_settle(s))
        counter_add(&s->counters.refused, 1);
    free(MOVE(s->generations));
    s->generation_max = 0;
}

static void begin_batch(struct shard *s, const struct batch *b)
{
    if (s->generations)
        end_restore(s);
    s->before = s->clock;
    date_rules(s, b);
}

static void end_pass(struct pass *p)
{
    struct shard *s = p->shard;
    if (window_lru_now(s) - s->swept_us >= SWEEP_US && p->depth >= s->depth) {
        for (uint32_t i = 0; i < s->rule_count; i++)
            window_lru_sweep(s, &s->rules[i], window_lru_now(s));
        s->swept_us = window_lru_now(s);
    }
    put_in_order(p->reply);
    counter_set(&s->counters.windows, s->store.live);
    counter_set(&s->counters.bytes, window_store_bytes(&s->store));
}

void shard_run(struct shard *s, struct batch *b, uint32_t depth, struct shard_reply *const *lower,
               uint32_t lower_count, struct shard_reply *reply)
{
    if (depth == 1)
        begin_batch(s, b);
    s->clock = s->before;
    struct pass p = {.shard = s,
                     .batch = b,
                     .depth = depth,
                     .reply = reply,
                     .silence_due = s->has_absence ? SHARD_NO_TIME : INT64_MAX};
    gather_all(&p, lower, lower_count);
    work_through(&p);
    end_pass(&p);
}

/* ---- checkpoints ---- */

enum status shard_freeze(struct shard *s, bool whole, checkpoint_fn put, void *context)
{
    return freezing_write(s, whole, put, context);
}

enum status shard_restore(struct shard *s, struct text chunk, struct error *err)
{
    return freezing_read(s, chunk, err);
}

/* ---- questions ---- */

void shard_explain(const struct shard *s, const struct correlation *c, struct hash128 key,
                   struct buffer *out)
{
    explaining_write(s, c, key, out);
}

void shard_add_costs(const struct shard *s, struct shard_cost *out, uint32_t count)
{
    for (uint32_t i = 0; i < s->rule_count && i < count; i++) {
        out[i].evaluated += s->rules[i].cost.evaluated;
        out[i].matched += s->rules[i].cost.matched;
        out[i].limits += s->rules[i].cost.limits;
        out[i].ns += s->rules[i].cost.ns;
    }
}

uint64_t shard_evicted(const struct shard *s)
{
    return atomic_load_explicit(&s->counters.windows_evicted, memory_order_relaxed);
}

void shard_metrics(const struct shard *s, metric_fn tell, void *context)
{
    char labels[32];
    (void)snprintf(labels, sizeof labels, "shard=\"%u\"", (unsigned)s->index);
    const struct shard_counters *counters = &s->counters;
    const struct counter_line lines[] = {SHARD_COUNTERS(COUNTER_LINE)};
    counter_tell(lines, sizeof lines / sizeof *lines, labels, tell, context);
}
