/* SPDX-License-Identifier: Apache-2.0 */
/* The record: detections decided in memory, effects through a private redis-server. */
#include "base/timestamp.h"
#include "incidents/incidents.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { MAX_SAMPLES = 200000, CHUNK_BYTES = 64 * 1024 };

struct bench {
    struct incidents *record;
    uint64_t position; /* of the next detection */
    uint32_t entities;
    uint64_t samples[MAX_SAMPLES];
    uint32_t count;
    char chunk[CHUNK_BYTES];
};

static int by_value(const void *a, const void *b)
{
    uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;
    return (x > y) - (x < y);
}

static struct rule make_rule(const char *key, enum rule_level level, const char *tactic)
{
    return (struct rule){.title = text_of(key),
                         .key = text_of(key),
                         .family = text_of(key),
                         .tactic = text_of(tactic),
                         .level = level,
                         .confidence = 0.9,
                         .content = {(uint64_t)(unsigned char)key[0], 7}};
}

static enum status put(struct bench *b, const struct rule *rule)
{
    char address[40];
    uint64_t n = b->position++;
    (void)snprintf(address, sizeof address, "10.%llu.%llu.%llu",
                   (unsigned long long)(n % b->entities >> 16),
                   (unsigned long long)((n % b->entities >> 8) & 255),
                   (unsigned long long)(n % b->entities & 255));
    const struct entity entity = {text_of(address), ENTITY_ADDRESS, true};
    const struct subject subject = {.entities = &entity, .entity_count = 1};
    int64_t at_us = INT64_C(1790000000000000) + (int64_t)n * 1000;
    const struct record record = {.raw = TEXT("Failed password for root from 10.0.0.1"),
                                  .receive_us = at_us,
                                  .journal_us = at_us,
                                  .position = n + 1,
                                  .epoch = 1};
    struct detection d = {.rule = rule,
                          .event_us = at_us,
                          .journal_us = at_us,
                          .position = n + 1,
                          .released = n + 1,
                          .subject = &subject,
                          .record = &record};
    d.id = detection_make_id(rule, &subject, record_identity(&record), 0);
    return incidents_detect(b->record, &d);
}

static bool drain(struct bench *b)
{
    for (int n = 0; n < 600; n++)
        if (incidents_poll(b->record, 100) == STATUS_OK)
            return true;
    return false;
}

static void report(const char *name, struct bench *b, uint64_t ns, uint64_t work)
{
    qsort(b->samples, b->count, sizeof *b->samples, by_value);
    uint64_t p50 = b->count ? b->samples[b->count / 2] : 0;
    uint64_t p99 = b->count ? b->samples[(uint64_t)b->count * 99 / 100] : 0;
    printf("{\"case\":\"%s\",\"work\":%llu,\"per_s\":%.0f,\"p50_ns\":%llu,\"p99_ns\":%llu}\n", name,
           (unsigned long long)work, (double)work * 1e9 / (double)(ns ? ns : 1),
           (unsigned long long)p50, (unsigned long long)p99);
    (void)fflush(stdout);
}

/* As many as go through: coalesced where they may be. */
static bool throughput(struct bench *b, const char *name, const struct rule *rule, uint32_t work)
{
    b->count = 0;
    uint64_t start = timestamp_monotonic_ns();
    for (uint32_t n = 0; n < work; n++) {
        enum status s;
        while ((s = put(b, rule)) == STATUS_FULL) {
            b->position--;
            (void)!incidents_poll(b->record, 10);
        }
        if (s != STATUS_OK)
            return false;
        if (n % 256 == 255)
            (void)!incidents_poll(b->record, 0);
    }
    if (!drain(b))
        return false;
    report(name, b, timestamp_monotonic_ns() - start, work);
    return true;
}

/* One at a time, from the detection to the acknowledged effect: an incident each. */
static bool latency(struct bench *b, const char *name, const struct rule *rule, uint32_t work)
{
    b->count = 0;
    uint64_t start = timestamp_monotonic_ns();
    for (uint32_t n = 0; n < work; n++) {
        uint64_t from = timestamp_monotonic_ns();
        if (put(b, rule) != STATUS_OK || !drain(b))
            return false;
        b->samples[b->count++] = timestamp_monotonic_ns() - from;
    }
    report(name, b, timestamp_monotonic_ns() - start, work);
    return true;
}

/* A checkpoint of that many chunks, committed; then the time of one effect beside the next one. */
static bool checkpoint(struct bench *b, const struct rule *rule, uint32_t chunks)
{
    char *bytes = b->chunk;
    char name[32];
    uint64_t from = timestamp_monotonic_ns();
    b->count = 0;
    for (uint32_t n = 0; n < chunks; n++) {
        int len = snprintf(name, sizeof name, "%u", n);
        memset(bytes, (int)(n & 255), CHUNK_BYTES);
        if (incidents_put_state(b->record, (struct text){name, (size_t)len},
                                (struct text){bytes, CHUNK_BYTES}) != STATUS_OK)
            return false;
        if (n % 64)
            continue;
        uint64_t asked = timestamp_monotonic_ns();
        if (put(b, rule) != STATUS_OK || !drain(b))
            return false;
        b->samples[b->count++] = timestamp_monotonic_ns() - asked;
    }
    if (!drain(b) || incidents_commit_state(b->record, TEXT("position 1\nshard 0\n")) || !drain(b))
        return false;
    report("redis: checkpoint chunks of 64 KiB; times of an incident meanwhile", b,
           timestamp_monotonic_ns() - from, chunks);
    return true;
}

static bool start(struct bench *b, const char *socket, uint32_t entities)
{
    struct error err = {0};
    const struct incidents_options options = {.socket = socket, .max_pending = 20000};
    incidents_close(b->record);
    b->record = NULL;
    b->entities = entities;
    if (incidents_open(&options, &b->record, &err) == STATUS_OK)
        return true;
    (void)fprintf(stderr, "%s\n", err.text);
    return false;
}

static bool run_redis(struct bench *b, const char *socket, uint32_t scale)
{
    const struct rule medium = make_rule("guessing", LEVEL_MEDIUM, "credential-access");
    const struct rule critical = make_rule("critical", LEVEL_CRITICAL, "impact");
    return start(b, socket, 100) &&
           throughput(b, "redis: detections, 100 entities, coalesced", &medium, 1000 * scale) &&
           start(b, socket, 100000) &&
           throughput(b, "redis: detections, every one a new entity", &medium, 100 * scale) &&
           throughput(b, "redis: detections, every one an incident", &critical, 50 * scale) &&
           latency(b, "redis: detection to durable incident", &critical, 10 * scale) &&
           checkpoint(b, &critical, 8 * scale);
}

static bool run_memory(struct bench *b, uint32_t scale)
{
    const struct rule medium = make_rule("guessing", LEVEL_MEDIUM, "credential-access");
    struct rule watched = medium;
    watched.max_entities = 10000;
    watched.max_entities_us = INT64_C(3600) * 1000000;
    return start(b, NULL, 100) &&
           throughput(b, "memory: detections, 100 entities", &medium, 2000 * scale) &&
           start(b, NULL, 100000) &&
           throughput(b, "memory: detections, every one a new entity", &medium, 500 * scale) &&
           start(b, NULL, 9999) &&
           throughput(b, "memory: noise breaker of 10,000, nearly loud", &watched, 250 * scale) &&
           start(b, NULL, 50000) &&
           throughput(b, "memory: noise breaker of 10,000, loud", &watched, 250 * scale);
}

int main(int argc, char **argv)
{
    bool is_quick = argc > 1 && strcmp(argv[1], "--quick") == 0;
    uint32_t scale = is_quick ? 5 : 200;
    char dir[] = "/tmp/tocsin-bench-XXXXXX", command[100];
    struct redis_server *server = NULL;
    struct error err = {0};
    struct bench *b = calloc(1, sizeof *b);
    if (!b || !mkdtemp(dir))
        return 3;
    bool is_ok = run_memory(b, scale);
    if (redis_server_start(dir, &server, &err) == STATUS_OK)
        is_ok = is_ok && run_redis(b, redis_server_socket(server), scale);
    else
        (void)fprintf(stderr, "skipped: %s\n", err.text);
    incidents_close(b->record);
    redis_server_stop(server);
    free(b);
    (void)snprintf(command, sizeof command, "rm -rf '%s'", dir);
    return system(command) == 0 && is_ok ? 0 : 1;
}
