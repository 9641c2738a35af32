/* SPDX-License-Identifier: Apache-2.0 */
#include "base/timestamp.h"
#include "correlator/correlator.h"
#include "incidents/incidents.h"
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/*
 * A checkpoint of many changed windows into a real private redis-server (appendfsync always): how
 * long the shard stands still, how long until the commit is durable, what another client's reads
 * take meanwhile, and how long a start needs to have all windows again. A line of JSON; wall time.
 */

enum { BATCH = 1024, SAMPLES = 100000, QUICK = 20000, FULL = 1000000 };

struct bench {
    struct rule rule;
    struct correlation correlation;
    struct shard_options options;
    struct shard *shard;
    struct incidents *record;
    uint64_t chunks, bytes;
};

struct reader {
    struct view *view;
    _Atomic bool is_stopped; /* written by main, read by the reader: relaxed, only a hint */
    _Atomic uint32_t count;  /* written by the reader; main looks once on the way: relaxed */
    uint64_t ns[SAMPLES];
};

static double seconds_since(uint64_t from_ns)
{
    return (double)(timestamp_monotonic_ns() - from_ns) / 1e9;
}

static bool make_shard(struct bench *b, struct shard **out)
{
    b->rule = (struct rule){.key = TEXT("bench"), .content = {1, 2}};
    b->correlation = (struct correlation){.rule = &b->rule,
                                          .input_count = 1,
                                          .timespan_us = 60000000,
                                          .bound_count = 1,
                                          .bounds = {{BOUND_GTE, 5 * FIXED_ONE}},
                                          .group_count = 1,
                                          .depth = 1,
                                          .max_groups = 4000000};
    b->options = (struct shard_options){.count = 1,
                                        .correlations = &b->correlation,
                                        .correlation_count = 1,
                                        .max_bytes = (size_t)1 << 30};
    return shard_new(&b->options, out, NULL) == STATUS_OK;
}

/* Two events into each window. */
static bool fill(struct bench *b, uint64_t windows)
{
    AUTO(batch) batch = batch_new();
    AUTO(shard_reply) reply = shard_reply_new();
    struct feed *feeds = calloc(BATCH, sizeof *feeds);
    struct text group = TEXT("192.0.2.1");
    struct subject subject = {.group = &group, .group_count = 1};
    bool is_ok = batch && reply && feeds;
    for (uint64_t i = 0; is_ok && i < windows * 2; i += BATCH) {
        for (uint32_t j = 0; j < BATCH; j++) {
            uint64_t key = (i + j) % windows;
            struct record *r = &batch->records[j];
            *r = (struct record){.position = i + j + 1, .journal_us = (int64_t)(i + j)};
            feeds[j] = (struct feed){.correlation = &b->correlation,
                                     .key = {hash_mix(key * 2 + 1), hash_mix(key * 2 + 2)},
                                     .event_us = (int64_t)(i + j),
                                     .position = i + j + 1,
                                     .released = i + j + 1,
                                     .record = r,
                                     .subject = &subject};
        }
        batch->count = BATCH;
        batch->feeds = feeds;
        batch->feed_count = BATCH;
        shard_run(b->shard, batch, 1, NULL, 0, reply);
        shard_reply_reset(reply);
    }
    free(feeds);
    return is_ok;
}

static enum status keep(void *context, struct text chunk)
{
    struct bench *b = context;
    char name[32];
    (void)snprintf(name, sizeof name, "%llu", (unsigned long long)b->chunks++);
    b->bytes += chunk.len;
    enum status status = incidents_put_state(b->record, text_of(name), chunk);
    if (!status && b->chunks % 16 == 0)
        (void)!incidents_poll(b->record, 0);
    return status;
}

static bool drain(struct incidents *record)
{
    enum status status = STATUS_AGAIN;
    for (int n = 0; n < 600 && status == STATUS_AGAIN; n++)
        status = incidents_poll(record, 100);
    return status == STATUS_OK;
}

static void *read_on(void *argument)
{
    struct reader *r = argument;
    struct buffer out;
    buffer_init(&out, 1 << 20);
    struct incident_filter filter = {.since_us = INT64_MIN, .until_us = INT64_MAX, .limit = 1};
    for (uint32_t i = 0; i < SAMPLES; i++) {
        if (atomic_load_explicit(&r->is_stopped, memory_order_relaxed))
            break;
        uint64_t from = timestamp_monotonic_ns();
        (void)!view_incidents(r->view, &filter, &out, NULL);
        r->ns[i] = timestamp_monotonic_ns() - from;
        atomic_store_explicit(&r->count, i + 1, memory_order_relaxed);
        buffer_clear(&out);
        (void)usleep(500); /* a client that asks now and then, not one that saturates */
    }
    buffer_fini(&out);
    return NULL;
}

static int by_value(const void *a, const void *b)
{
    uint64_t x = *(const uint64_t *)a;
    uint64_t y = *(const uint64_t *)b;
    return x < y ? -1 : x > y;
}

static double quantile_ms(struct reader *r, uint32_t percent)
{
    qsort(r->ns, r->count, sizeof *r->ns, by_value);
    return r->count ? (double)r->ns[(uint64_t)r->count * percent / 100] / 1e6 : 0;
}

static bool restore(struct bench *b, double *out_s)
{
    AUTO(shard) again = NULL;
    struct buffer chunk;
    buffer_init(&chunk, 1 << 20);
    uint64_t from = timestamp_monotonic_ns();
    bool is_ok = make_shard(b, &again);
    for (uint64_t i = 0; is_ok && i < b->chunks; i++) {
        char name[32];
        (void)snprintf(name, sizeof name, "%llu", (unsigned long long)i);
        buffer_clear(&chunk);
        is_ok = incidents_get_state(b->record, text_of(name), &chunk) == STATUS_OK &&
                shard_restore(again, buffer_text(&chunk), NULL) == STATUS_OK;
    }
    AUTO(batch) first = batch_new();
    AUTO(shard_reply) reply = shard_reply_new();
    is_ok = is_ok && first && reply;
    if (is_ok)
        shard_run(again, first, 1, NULL, 0, reply); /* the windows get their order back */
    *out_s = seconds_since(from);
    buffer_fini(&chunk);
    return is_ok;
}

static bool measure(struct bench *b, struct reader *r, uint64_t windows)
{
    struct buffer commit;
    buffer_init(&commit, 1 << 20);
    pthread_t thread;
    if (!make_shard(b, &b->shard) || !fill(b, windows) || pthread_create(&thread, NULL, read_on, r))
        return false;
    (void)usleep(200000);
    uint32_t before = atomic_load_explicit(&r->count, memory_order_relaxed);
    uint64_t from = timestamp_monotonic_ns();
    bool is_ok = shard_freeze(b->shard, false, keep, b) == STATUS_OK;
    double frozen_s = seconds_since(from);
    for (uint64_t i = 0; i < b->chunks; i++)
        buffer_printf(&commit, "shard %llu\n", (unsigned long long)i);
    is_ok = is_ok && drain(b->record) &&
            incidents_commit_state(b->record, buffer_text(&commit)) == STATUS_OK &&
            drain(b->record);
    double durable_s = seconds_since(from);
    atomic_store_explicit(&r->is_stopped, true, memory_order_relaxed);
    (void)pthread_join(thread, NULL);
    uint32_t meanwhile = r->count - before;
    memmove(r->ns, r->ns + before, meanwhile * sizeof *r->ns);
    r->count = meanwhile;
    double restore_s = 0;
    is_ok = is_ok && restore(b, &restore_s);
    printf("{\"bench\":\"checkpoint\",\"windows\":%llu,\"bytes\":%llu,\"chunks\":%llu,"
           "\"frozen_s\":%.3f,\"durable_s\":%.3f,\"windows_per_second\":%.0f,"
           "\"reads_meanwhile\":%u,\"read_p50_ms\":%.2f,\"read_p99_ms\":%.2f,\"restore_s\":%.3f}\n",
           (unsigned long long)windows, (unsigned long long)b->bytes, (unsigned long long)b->chunks,
           frozen_s, durable_s, (double)windows / durable_s, r->count, quantile_ms(r, 50),
           quantile_ms(r, 99), restore_s);
    buffer_fini(&commit);
    return is_ok;
}

int main(int argc, char **argv)
{
    bool is_quick = argc > 1 && strcmp(argv[1], "--quick") == 0;
    char dir[] = "/tmp/tocsin-bench-XXXXXX";
    char command[100];
    struct error err = {.text = ""};
    AUTO(redis_server) server = NULL;
    struct bench *b = calloc(1, sizeof *b);
    struct reader *r = calloc(1, sizeof *r);
    if (!b || !r || !mkdtemp(dir))
        return 3;
    if (redis_server_start(dir, &server, &err)) {
        (void)fprintf(stderr, "skipped: %s\n", err.text);
        (void)rmdir(dir);
        return 0;
    }
    struct incidents_options options = {.socket = redis_server_socket(server),
                                        .max_pending = 20000};
    bool is_ok = incidents_open(&options, &b->record, &err) == STATUS_OK &&
                 view_open(&options, &r->view, &err) == STATUS_OK &&
                 measure(b, r, is_quick ? QUICK : FULL);
    if (err.text[0])
        (void)fprintf(stderr, "%s\n", err.text);
    shard_free(b->shard);
    view_close(r->view);
    incidents_close(b->record);
    redis_server_stop(MOVE(server));
    free(b);
    free(r);
    (void)snprintf(command, sizeof command, "rm -rf '%s'", dir);
    return system(command) == 0 && is_ok ? 0 : 1;
}
