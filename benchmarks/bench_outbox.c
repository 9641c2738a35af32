/* SPDX-License-Identifier: Apache-2.0 */
/* What must be told: openings with a destination that is down and one that works, in memory and
 * through a private redis-server; acknowledgements while many deliveries wait. */
#include "base/timestamp.h"
#include "incidents/incidents.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define T0 INT64_C(1790000000000000)

enum { MAX_SAMPLES = 4096, GIVEN_AT_ONCE = 256, ACKS = 1000 };

struct bench {
    struct incidents *record;
    const char *socket;
    char entities[64]; /* addresses that matter: each incident is a P1, which no storm holds */
    bool is_down;      /* the second destination takes nothing */
    uint64_t position, given, given_down;
    uint64_t samples[MAX_SAMPLES];
    uint32_t count;
    char (*ids)[40]; /* of incidents, from their deliveries */
    uint32_t id_count;
};

static uint32_t route(void *context, const struct notice *notice, struct text *out)
{
    (void)context;
    (void)notice;
    out[0] = TEXT("works");
    out[1] = TEXT("down");
    return 2;
}

static uint32_t room(void *context, struct text destination)
{
    const struct bench *b = context;
    return b->is_down && text_equal(destination, TEXT("down")) ? 0 : 1024;
}

/* CPU of this thread, so that a busy machine does not show. */
static uint64_t cpu_ns(void)
{
    struct timespec t = {0};
    (void)clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
    return (uint64_t)t.tv_sec * 1000000000 + (uint64_t)t.tv_nsec;
}

static int by_value(const void *a, const void *b)
{
    uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;
    return (x > y) - (x < y);
}

static bool open_one(struct bench *b)
{
    static const struct rule rule = {.title = {"critical", 8},
                                     .key = {"critical", 8},
                                     .family = {"critical", 8},
                                     .tactic = {"impact", 6},
                                     .level = LEVEL_CRITICAL,
                                     .confidence = 0.9,
                                     .content = {99, 7}};
    char address[40];
    uint64_t n = b->position++;
    (void)snprintf(address, sizeof address, "10.%llu.%llu.%llu", (unsigned long long)(n >> 16),
                   (unsigned long long)(n >> 8 & 255), (unsigned long long)(n & 255));
    const struct entity entity = {text_of(address), ENTITY_ADDRESS, true};
    const struct subject subject = {.entities = &entity, .entity_count = 1};
    int64_t at_us = T0 + (int64_t)n;
    const struct record record = {.raw = TEXT("a disk array lost its last spare"),
                                  .receive_us = at_us,
                                  .journal_us = at_us,
                                  .position = n + 1,
                                  .epoch = 1};
    struct detection d = {.rule = &rule,
                          .event_us = at_us,
                          .journal_us = at_us,
                          .position = n + 1,
                          .released = n + 1,
                          .subject = &subject,
                          .record = &record};
    d.id = detection_make_id(&rule, &subject, record_identity(&record), 0);
    enum status status = incidents_detect(b->record, &d);
    while (status == STATUS_FULL) {
        (void)!incidents_poll(b->record, 10);
        status = incidents_detect(b->record, &d);
    }
    return status == STATUS_OK;
}

static bool write_entities(struct bench *b, const char *dir)
{
    (void)snprintf(b->entities, sizeof b->entities, "%s/entities.yml", dir);
    FILE *file = fopen(b->entities, "w");
    if (!file)
        return false;
    (void)fputs("entities:\n  - {kind: address, cidr: 10.0.0.0/8, criticality: 2}\n", file);
    return fclose(file) == 0;
}

/* As the loop of the program does it: all that may go, and each is settled at once. */
static bool send_all(struct bench *b)
{
    for (int n = 0; n < GIVEN_AT_ONCE; n++) {
        struct delivery *d = incidents_next_delivery(b->record, T0 + INT64_C(3600000000));
        if (!d)
            return true;
        b->given++;
        b->given_down += text_equal(d->destination, TEXT("down"));
        if (d->kind == NOTICE_OPENED && b->id_count < ACKS && d->incident.len < 40)
            (void)snprintf(b->ids[b->id_count++], 40, "%.*s", TEXT_ARG(d->incident));
        const struct outcome o = {.delivery = d->id,
                                  .destination = d->destination,
                                  .incident = d->incident,
                                  .state = DELIVERY_DELIVERED,
                                  .attempt = 1,
                                  .started_us = T0};
        enum status status = incidents_settle(b->record, &o);
        delivery_free(d);
        if (status)
            return false;
    }
    return true;
}

static bool start(struct bench *b, const char *socket, bool is_down)
{
    struct error err = {0};
    const struct incidents_options options = {.socket = socket,
                                              .entities = b->entities,
                                              .max_pending = 200000,
                                              .route = route,
                                              .room = room,
                                              .context = b};
    incidents_close(b->record);
    b->record = NULL;
    b->socket = socket;
    b->is_down = is_down;
    b->given = b->given_down = 0;
    b->id_count = b->count = 0;
    if (incidents_open(&options, &b->record, &err) == STATUS_OK)
        return true;
    (void)fprintf(stderr, "%s\n", err.text);
    return false;
}

static bool drain(struct bench *b)
{
    for (int n = 0; n < 6000; n++) {
        if (!send_all(b))
            return false;
        if (incidents_poll(b->record, 10) == STATUS_OK && n > 0)
            return true;
    }
    return false;
}

/* That many incidents, P1 each, while deliveries go out: CPU of the one thread that decides, for
 * an opening with its two deliveries queued, and for what goes out. */
static bool openings(struct bench *b, const char *where, uint32_t work)
{
    uint64_t opening_ns = 0, sending_ns = 0, from = cpu_ns();
    for (uint32_t n = 0; n < work; n++) {
        if (!open_one(b))
            return false;
        if (n % 64 != 63 && n + 1 != work)
            continue;
        uint64_t opened = cpu_ns();
        if (incidents_poll(b->record, 0) == STATUS_CLOSED || !send_all(b))
            return false;
        opening_ns += opened - from;
        from = cpu_ns();
        sending_ns += from - opened;
    }
    if (!drain(b))
        return false;
    sending_ns += cpu_ns() - from;
    printf("{\"case\":\"%s: openings, %s\",\"work\":%u,\"opening_ns\":%.0f,\"limit_ns\":20000,"
           "\"delivery_ns\":%.0f,\"given\":%llu,\"given_to_the_dead\":%llu}\n",
           where, b->is_down ? "one of two destinations is down" : "both destinations work", work,
           (double)opening_ns / work, (double)sending_ns / (double)(b->given ? b->given : 1),
           (unsigned long long)b->given, (unsigned long long)b->given_down);
    (void)fflush(stdout);
    return true;
}

/* A person's word and its answer, while `work` deliveries wait for the dead destination. */
static bool acks(struct bench *b, const char *where, uint32_t work)
{
    char command[160];
    struct buffer reply;
    buffer_init(&reply, 1 << 20);
    b->count = 0;
    for (uint32_t n = 0; n < b->id_count; n++) {
        (void)snprintf(command, sizeof command, "{\"do\":\"ack\",\"incident\":\"%s\",\"by\":\"a\"}",
                       b->ids[n]);
        buffer_clear(&reply);
        uint64_t from = timestamp_monotonic_ns();
        int http = incidents_command(b->record, text_of(command), T0 + 3600000000 + n, &reply);
        b->samples[b->count++] = timestamp_monotonic_ns() - from;
        if (http != 200 || !send_all(b)) {
            (void)fprintf(stderr, "%d %.*s\n", http, TEXT_ARG(buffer_text(&reply)));
            buffer_fini(&reply);
            return false;
        }
    }
    buffer_fini(&reply);
    qsort(b->samples, b->count, sizeof *b->samples, by_value);
    printf("{\"case\":\"%s: acknowledgements while deliveries wait\",\"work\":%u,"
           "\"waiting\":%u,\"p50_us\":%.0f,\"p99_us\":%.0f,\"limit_us\":50000}\n",
           where, b->count, work, (double)b->samples[b->count / 2] / 1e3,
           (double)b->samples[(uint64_t)b->count * 99 / 100] / 1e3);
    (void)fflush(stdout);
    return b->count > 0;
}

/* The start that finds them waiting. */
static bool restart(struct bench *b, uint32_t work)
{
    uint64_t from = timestamp_monotonic_ns();
    if (!start(b, b->socket, true))
        return false;
    printf("{\"case\":\"redis: a start with deliveries waiting\",\"waiting\":%u,\"ms\":%.0f}\n",
           work, (double)(timestamp_monotonic_ns() - from) / 1e6);
    return true;
}

static bool run_memory(struct bench *b, uint32_t most)
{
    bool is_ok = true;
    for (int down = 0; down < 2; down++)
        for (uint32_t work = most / 100; is_ok && work <= most; work *= 10)
            is_ok = start(b, NULL, down == 1) && openings(b, "memory", work) &&
                    acks(b, "memory", down ? work : 0);
    return is_ok;
}

static bool run_redis(struct bench *b, const char *socket, uint32_t most)
{
    return start(b, socket, true) && openings(b, "redis", most) && acks(b, "redis", most) &&
           restart(b, most);
}

int main(int argc, char **argv)
{
    bool is_quick = argc > 1 && strcmp(argv[1], "--quick") == 0;
    uint32_t most = is_quick ? 1000 : 100000;
    char dir[] = "/tmp/tocsin-bench-XXXXXX", command[100];
    struct redis_server *server = NULL;
    struct error err = {0};
    struct bench *b = calloc(1, sizeof *b);
    if (!b || !mkdtemp(dir))
        return 3;
    b->ids = calloc(ACKS, sizeof *b->ids);
    bool is_ok = b->ids && write_entities(b, dir) && run_memory(b, most);
    if (redis_server_start(dir, &server, &err) == STATUS_OK)
        is_ok = is_ok && run_redis(b, redis_server_socket(server), most);
    else
        (void)fprintf(stderr, "skipped: %s\n", err.text);
    incidents_close(b->record);
    redis_server_stop(server);
    free(b->ids);
    free(b);
    (void)snprintf(command, sizeof command, "rm -rf '%s'", dir);
    return system(command) == 0 && is_ok ? 0 : 1;
}
