/* SPDX-License-Identifier: Apache-2.0 */
#include "correlator/correlator.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

/*
 * One shard alone, on one thread: window updates a second for few keys, many and ever new ones;
 * memory per live window; how long a million changed windows take to go out and to come back.
 * Figures are CPU time of the thread; a line of JSON per case.
 */

enum { BATCH = 1024, RATE_PER_S = 200000, QUICK = 50000, FULL = 1000000 };

struct bench {
    struct rule rule;
    struct correlation correlation;
    struct shard *shard;
    struct shard_reply *reply;
    struct batch *batch;
    struct feed *feeds;
    struct subject subject;
    struct text group;
    uint64_t position, random;
};

static double now_s(void)
{
    struct timespec t;
    (void)clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static void start(struct bench *b, enum correlation_type type, const char *than)
{
    *b = (struct bench){.random = 7};
    b->rule = (struct rule){.key = TEXT("bench"), .content = {1, 2}};
    b->correlation = (struct correlation){
        .rule = &b->rule,
        .type = type,
        .input_count = 1,
        .timespan_us = 60000000,
        .bound_count = 1,
        .bounds = {{.operator= BOUND_GTE } }, .group_count = 1, .depth = 1, .max_groups = 4000000};
    bool is_number = fixed_parse(text_of(than), &b->correlation.bounds[0].than);
    b->group = TEXT("192.0.2.1");
    b->subject = (struct subject){.group = &b->group, .group_count = 1};
    struct shard_options options = {.count = 1,
                                    .correlations = &b->correlation,
                                    .correlation_count = 1,
                                    .max_bytes = (size_t)2 << 30};
    b->reply = shard_reply_new();
    b->batch = batch_new();
    b->feeds = calloc(BATCH, sizeof *b->feeds);
    if (!is_number || !b->reply || !b->batch || !b->feeds || shard_new(&options, &b->shard, NULL))
        exit(3);
    b->batch->feeds = b->feeds;
    b->batch->count = BATCH;
    for (uint32_t i = 0; i < BATCH; i++)
        b->batch->records[i] = (struct record){.raw = TEXT("x"), .epoch = 1};
}

static void stop(struct bench *b)
{
    b->batch->feeds = NULL;
    shard_free(b->shard);
    shard_reply_free(b->reply);
    batch_free(b->batch);
    free(b->feeds);
}

static uint64_t next_random(struct bench *b)
{
    b->random += UINT64_C(0x9E3779B97F4A7C15);
    return hash_mix(b->random);
}

/* Events come at RATE_PER_S; `keys` 0: each has a key of its own. */
static void fill(struct bench *b, uint64_t keys)
{
    for (uint32_t i = 0; i < BATCH; i++) {
        uint64_t key = keys ? next_random(b) % keys : b->position;
        int64_t at = (int64_t)(b->position * 1000000 / RATE_PER_S);
        struct record *r = &b->batch->records[i];
        r->position = ++b->position;
        r->journal_us = at;
        b->feeds[i] = (struct feed){.correlation = &b->correlation,
                                    .key = {hash_mix(key * 2 + 1), hash_mix(key * 2 + 2)},
                                    .event_us = at,
                                    .position = r->position,
                                    .released = r->position,
                                    .record = r,
                                    .has_value = true,
                                    .distinct = {next_random(b) % 50, 1},
                                    .number = (fixed128)(next_random(b) % 1000) * FIXED_ONE,
                                    .subject = &b->subject};
    }
    b->batch->feed_count = BATCH;
}

static int by_value(const void *a, const void *b)
{
    double x = *(const double *)a;
    double y = *(const double *)b;
    return x < y ? -1 : x > y;
}

struct gauges {
    double windows, bytes, detections;
};

static void note(void *context, const struct metric *m)
{
    struct gauges *g = context;
    if (strcmp(m->name, "correlator_windows") == 0)
        g->windows = m->value;
    if (strcmp(m->name, "correlator_bytes") == 0)
        g->bytes = m->value;
    if (strcmp(m->name, "correlator_detections_total") == 0)
        g->detections = m->value;
}

/* `warm` events first, then `count` that are measured batch by batch. */
static void measure(const char *name, struct bench *b, uint64_t keys, uint64_t warm, uint64_t count)
{
    uint64_t batches = count / BATCH + 1;
    double *ns = calloc(batches, sizeof *ns);
    if (!ns)
        exit(3);
    double total = 0;
    for (uint64_t i = 0; i < warm / BATCH + batches; i++) {
        fill(b, keys);
        double before = now_s();
        shard_run(b->shard, b->batch, 1, NULL, 0, b->reply);
        double spent = now_s() - before;
        shard_reply_reset(b->reply);
        if (i < warm / BATCH)
            continue;
        ns[i - warm / BATCH] = spent * 1e9 / BATCH;
        total += spent;
    }
    qsort(ns, batches, sizeof *ns, by_value);
    struct gauges g = {0};
    shard_metrics(b->shard, note, &g);
    printf("{\"bench\":\"window\",\"case\":\"%s\",\"updates\":%llu,\"per_second\":%.0f,"
           "\"median_ns\":%.1f,\"p99_ns\":%.1f,\"windows\":%.0f,\"bytes_per_window\":%.1f,"
           "\"detections\":%.0f}\n",
           name, (unsigned long long)(batches * BATCH), (double)(batches * BATCH) / total,
           ns[batches / 2], ns[batches * 99 / 100], g.windows,
           g.windows > 0 ? g.bytes / g.windows : 0, g.detections);
    (void)fflush(stdout);
    free(ns);
}

/* ---- checkpoints ---- */

struct chunks {
    struct text *at;
    size_t count, max;
    uint64_t bytes;
};

static enum status keep(void *context, struct text chunk)
{
    struct chunks *c = context;
    if (c->count == c->max) {
        c->max = c->max ? c->max * 2 : 1024;
        struct text *grown = realloc(c->at, c->max * sizeof *grown);
        if (!grown)
            return STATUS_NOMEM;
        c->at = grown;
    }
    char *copy = malloc(chunk.len);
    if (!copy)
        return STATUS_NOMEM;
    memcpy(copy, chunk.at, chunk.len);
    c->at[c->count++] = (struct text){copy, chunk.len};
    c->bytes += chunk.len;
    return STATUS_OK;
}

static void measure_checkpoint(uint64_t windows)
{
    struct bench b;
    start(&b, CORRELATION_EVENT_COUNT, "5");
    for (uint64_t i = 0; i < windows * 2; i += BATCH) { /* two events each, on average */
        fill(&b, windows);
        shard_run(b.shard, b.batch, 1, NULL, 0, b.reply);
        shard_reply_reset(b.reply);
    }
    struct gauges g = {0};
    shard_metrics(b.shard, note, &g);
    struct chunks c = {0};
    double before = now_s();
    enum status status = shard_freeze(b.shard, false, keep, &c);
    double freeze_s = now_s() - before;
    struct bench again;
    start(&again, CORRELATION_EVENT_COUNT, "5");
    before = now_s();
    for (size_t i = 0; i < c.count && !status; i++)
        status = shard_restore(again.shard, c.at[i], NULL);
    again.position = b.position;
    fill(&again, windows); /* the first batch puts windows back into the order of their touch */
    shard_run(again.shard, again.batch, 1, NULL, 0, again.reply);
    double restore_s = now_s() - before;
    if (status)
        exit(3);
    printf("{\"bench\":\"window\",\"case\":\"checkpoint\",\"windows\":%.0f,\"freeze_s\":%.3f,"
           "\"windows_per_second\":%.0f,\"chunks\":%zu,\"bytes_per_window\":%.1f,"
           "\"restore_s\":%.3f}\n",
           g.windows, freeze_s, g.windows / freeze_s, c.count, (double)c.bytes / g.windows,
           restore_s);
    for (size_t i = 0; i < c.count; i++)
        free((void *)(uintptr_t)c.at[i].at);
    free(c.at);
    stop(&b);
    stop(&again);
}

int main(int argc, char **argv)
{
    bool is_quick = argc > 1 && strcmp(argv[1], "--quick") == 0;
    uint64_t n = is_quick ? QUICK : FULL;
    static const struct {
        const char *name;
        enum correlation_type type;
        const char *than;
        uint64_t keys; /* of a full run */
    } cases[] = {
        {"event_count, 1,000 keys", CORRELATION_EVENT_COUNT, "5", 1000},
        {"event_count, 1,000,000 keys", CORRELATION_EVENT_COUNT, "5", 1000000},
        {"event_count, every key new", CORRELATION_EVENT_COUNT, "5", 0},
        {"event_count, one key", CORRELATION_EVENT_COUNT, "5", 1},
        {"value_count, 1,000 keys", CORRELATION_VALUE_COUNT, "10", 1000},
        {"value_sum, 1,000 keys", CORRELATION_VALUE_SUM, "1000000", 1000},
        {"value_median, 1,000 keys", CORRELATION_VALUE_MEDIAN, "1000000", 1000},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct bench b;
        start(&b, cases[i].type, cases[i].than);
        uint64_t keys = is_quick && cases[i].keys > QUICK ? QUICK : cases[i].keys;
        uint64_t warm = cases[i].keys == 1000000 ? n * 3 : cases[i].keys ? n : 0;
        measure(cases[i].name, &b, keys, warm, n * 2);
        stop(&b);
    }
    measure_checkpoint(n);
    return 0;
}
