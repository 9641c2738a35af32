/* SPDX-License-Identifier: Apache-2.0 */
#include "ingest/kafka/kafka.h"
#include "base/json_scan.h"
#include "base/log.h"
#include "base/timestamp.h"
#include "base/wall_clock.h"
#include "ingest/kafka/kafka_client.h"
#include "ingest/kafka/kafka_flight.h"
#include "ingest/kafka/kafka_table.h"
#include <inttypes.h>
#include <poll.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/*
 * One thread reads, counts and stores offsets. A record's way:
 *
 *   poll -> batch + flight -> journal -> barrier -> flight lands -> offset stored -> committed
 *
 * A broker delivers again what was not committed; the journal knows those records by topic,
 * partition and offset and drops them. A batch that the journal refuses is read again: everything
 * is paused until all flights have landed, then the consumer goes back to the first refused offset.
 */
enum {
    POLL_MS = 100,
    PATIENCE_MS = 2000,   /* without a batch until reading is paused */
    RETRY_MS = 1000,      /* after a refused batch */
    DRAIN_MS = 30000,     /* at a revocation: well below max.poll.interval.ms */
    STOP_MS = 10000,      /* at the stop */
    LETTERS_MS = 10000,   /* until dead letters are acknowledged */
    LOOK_MS = 1000,       /* how often the ends of the logs are looked at */
    AHEAD_US = 1000000,   /* so far may a broker's clock be ahead of ours */
    GENERATIONS_MAX = 64, /* remakes of one topic that are told apart */
};

#define KAFKA_COUNTERS(COUNTER)                                                                    \
    COUNTER(future, METRIC_COUNTER, "kafka_future_timestamps_total",                               \
            "Records whose own time was ahead of ours: received when they were read.")             \
    COUNTER(tombstones, METRIC_COUNTER, "kafka_tombstones_total",                                  \
            "Records without a value: passed over.")                                               \
    COUNTER(letters, METRIC_COUNTER, "kafka_dead_letters_total",                                   \
            "Records sent to the dead letter topic.")                                              \
    COUNTER(rebalances, METRIC_COUNTER, "kafka_rebalances_total", "Assignments of partitions.")    \
    COUNTER(retries, METRIC_COUNTER, "kafka_retries_total",                                        \
            "Times refused batches were read again.")                                              \
    COUNTER(pauses, METRIC_COUNTER, "kafka_pauses_total",                                          \
            "Times reading was paused because no batch was free.")                                 \
    COUNTER(is_paused, METRIC_GAUGE, "kafka_is_paused", "1 while reading is paused.")

struct kafka {
    struct source source;
    struct option_texts topics;         /* option */
    const struct yaml_node *properties; /* option */
    struct text dead_letter;            /* option */
    struct kafka_client *client;
    struct kafka_barrier *barrier;
    struct kafka_table table;
    pthread_t thread;
    bool has_thread;

    /* The reading thread's. */
    struct kafka_flight *open;          /* covers what the lane's batch holds; NULL: nothing */
    struct kafka_flight *first, **last; /* in the air, in the order in which they left */
    uint64_t flights, in_air;
    struct kafka_message held; /* came while there was no batch */
    bool is_holding, has_letters, is_failing;
    uint64_t retry_ms, look_ms;
    uint64_t lacking_ms;  /* since when there is no batch; 0: there is one */
    struct event scratch; /* checks JSON */
    struct arena scratch_arena;

    KAFKA_COUNTERS(COUNTER_FIELD)
};

#define AT(member) offsetof(struct kafka, member)
static const struct option rows[] = {
    {"topics", OPTION_TEXTS, AT(topics), NULL, 0, 0, NULL, "topics to read; ^... is a pattern"},
    {"properties", OPTION_NODE, AT(properties), NULL, 0, 0, NULL,
     "librdkafka's properties: bootstrap.servers and group.id are needed, all others possible"},
    {"dead_letter", OPTION_TEXT, AT(dead_letter), "", 0, 0, NULL,
     "topic for records that cannot be taken; '' keeps them, cut and as they are"},
};

/* ---- flights ---- */

/* The lane hands its batch over: the barrier answers to the open flight. */
static void seal(void *context, struct batch *b)
{
    struct kafka *k = context;
    kafka_flight_leave(k->open);
    b->durable = kafka_flight_land;
    b->durable_context = k->open;
}

/* Sends on what was read. Offsets without a record (tombstones, dead letters) wait their turn too.
 */
static void put(struct kafka *k)
{
    struct lane *lane = &k->source.lanes[0];
    if (!k->open)
        return;
    if (k->has_letters && !kafka_client_flush(k->client, LETTERS_MS))
        k->open->must_fail = true;
    k->has_letters = false;
    *k->last = k->open;
    k->last = &k->open->next;
    k->in_air++;
    if (lane->batch && lane->batch->count > 0)
        lane_put(lane);
    else
        k->open->has_landed = k->open->is_ok = true;
    k->open = NULL;
}

/* Something must be read again, after a while. */
static void fail(struct kafka *k)
{
    k->is_failing = true;
    k->retry_ms = timestamp_monotonic_ms() + RETRY_MS;
}

static void settle_span(struct kafka *k, const struct kafka_span *s, bool is_ok)
{
    struct kafka_partition *p = s->partition;
    if (s->claim != p->claim || !p->is_owned)
        return; /* somebody else has it, or it came anew: it begins at what was committed */
    if (is_ok && p->failed_at < 0) {
        kafka_client_store(k->client, &(struct kafka_place){p->topic, p->number, s->next});
    } else if (!is_ok && (p->failed_at < 0 || s->first < p->failed_at)) {
        p->failed_at = s->first;
        fail(k);
    }
}

static void land(struct kafka *k, struct mail *mail)
{
    while (mail) {
        CONTAINER_OF(mail, struct kafka_flight, mail)->has_landed = true;
        mail = mail->next;
    }
    while (k->first && k->first->has_landed) {
        struct kafka_flight *f = k->first;
        for (uint32_t i = 0; i < f->count; i++)
            settle_span(k, &f->spans[i], f->is_ok && !f->must_fail);
        k->first = f->next;
        if (!k->first)
            k->last = &k->first;
        k->in_air--;
        kafka_flight_free(f);
    }
}

static void settle(struct kafka *k)
{
    land(k, mailbox_take_all(&k->barrier->landed));
}

/* Waits until everything has landed, or the time is over. */
static void drain(struct kafka *k, uint64_t patience_ms)
{
    uint64_t until_ms = timestamp_monotonic_ms() + patience_ms;
    put(k);
    settle(k);
    while (k->in_air > 0 && timestamp_monotonic_ms() < until_ms)
        land(k, mailbox_wait(&k->barrier->landed, POLL_MS));
    if (k->in_air > 0)
        log_line(LOG_WARNING,
                 "kafka: %" PRIu64 " batches are not durable yet: their records will come again",
                 k->in_air);
}

static void let_go(struct kafka *k)
{
    if (k->is_holding)
        kafka_client_release(&k->held);
    k->is_holding = false;
}

/* ---- partitions ---- */

static int64_t mark_of(struct kafka *k, const struct kafka_partition *p)
{
    const struct intake *intake = &k->source.intake;
    return intake->mark ? intake->mark(intake->context, text_of(p->stream)) : -1;
}

/*
 * A topic that was deleted and made anew counts from 0 again: the journal would take its records
 * for known ones. It shows by a log that ends before what the journal has; from then on the origins
 * name the generation.
 */
static void find_generation(struct kafka *k, struct kafka_partition *p)
{
    int64_t mark = mark_of(k, p);
    while (mark >= 0 && p->generation < GENERATIONS_MAX) { /* the newest the journal has */
        uint32_t generation = p->generation;
        kafka_table_set_generation(p, generation + 1);
        int64_t later = mark_of(k, p);
        if (later < 0) {
            kafka_table_set_generation(p, generation);
            break;
        }
        mark = later;
    }
    if (p->next_offset - 1 > mark) /* what this run read is not in that mark */
        mark = p->next_offset - 1;
    if (mark < 0)
        return;
    int64_t end = kafka_client_ask_end(k->client, &(struct kafka_place){p->topic, p->number, 0});
    if (end < 0 || end > mark)
        return;
    log_line(LOG_WARNING,
             "kafka: the log of %s [%d] ends at %" PRId64 ", but the journal has offset %" PRId64
             ": the topic was made anew",
             p->topic, p->number, end, mark);
    kafka_table_set_generation(p, p->generation + 1);
}

static void assigned(void *context, const struct kafka_place *places, uint32_t count)
{
    struct kafka *k = context;
    counter_add(&k->rebalances, 1);
    for (uint32_t i = 0; i < count; i++) {
        struct kafka_partition *p =
            kafka_table_add(&k->table, text_of(places[i].topic), places[i].partition);
        if (!p) {
            log_line(LOG_ERROR, "kafka: no room for %s [%d]: it is not read", places[i].topic,
                     places[i].partition);
            continue;
        }
        find_generation(k, p);
        p->claim++;
        p->failed_at = -1;
        p->next_offset = places[i].offset >= 0 ? places[i].offset : -1;
        p->is_first = true;
        p->is_owned = true;
    }
    log_line(LOG_INFO, "kafka: this Tocsin reads %u partitions of %s, and correlates only those",
             count, k->source.address);
}

static void revoked(void *context, const struct kafka_place *places, uint32_t count, bool is_lost)
{
    struct kafka *k = context;
    drain(k, is_lost ? 0 : DRAIN_MS);
    for (uint32_t i = 0; i < count; i++) {
        struct kafka_partition *p =
            kafka_table_find(&k->table, text_of(places[i].topic), places[i].partition);
        if (!p)
            continue;
        p->claim++;
        p->is_owned = false;
        p->failed_at = -1;
    }
    counter_set(&k->is_paused, 0);
    k->is_failing = false; /* eager: all of them went */
    let_go(k);
}

static void look(struct kafka *k)
{
    uint64_t now_ms = timestamp_monotonic_ms();
    if (now_ms < k->look_ms)
        return;
    k->look_ms = now_ms + LOOK_MS;
    for (uint32_t i = 0; i < k->table.count; i++) {
        struct kafka_partition *p = k->table.items[i];
        if (p->is_owned)
            p->end_offset =
                kafka_client_end(k->client, &(struct kafka_place){p->topic, p->number, 0});
    }
}

/* ---- records ---- */

/* Why the record cannot be taken, or NULL. */
static const char *find_fault(struct kafka *k, const struct kafka_message *m)
{
    if (k->dead_letter.len == 0)
        return NULL;
    if (m->value.len > k->source.max_message_bytes)
        return "longer than max_message";
    if (k->source.format != FORMAT_JSON)
        return NULL;
    size_t at = 0;
    event_reset(&k->scratch, &(const struct record){0});
    arena_reset(&k->scratch_arena);
    return json_scan(m->value, NULL, &k->scratch_arena, &k->scratch, &at) == STATUS_SYNTAX
               ? "not one well-formed JSON object"
               : NULL;
}

static void bury(struct kafka *k, const struct kafka_message *m, struct text origin,
                 const char *cause)
{
    counter_add(&k->letters, 1);
    lane_drop(&k->source.lanes[0], LANE_DROP_QUARANTINED, m->value, TEXT_NONE);
    k->has_letters = true;
    if (kafka_client_bury(k->client, m, cause, origin) == STATUS_OK)
        return;
    /* its queue is full: empty it and try once more */
    if (!kafka_client_flush(k->client, LETTERS_MS) ||
        kafka_client_bury(k->client, m, cause, origin) != STATUS_OK)
        k->open->must_fail = true;
}

/*
 * A record was received when its log took it: the same at every reading, here or on another
 * machine. A time from the future would move everybody's journal time: such a record, and one
 * without a time, is received when it is read.
 */
static int64_t received_us(struct kafka *k, const struct kafka_message *m)
{
    int64_t now_us = wall_clock_us();
    if (m->timestamp_us != TIMESTAMP_NONE && m->timestamp_us <= now_us + AHEAD_US)
        return m->timestamp_us;
    if (m->timestamp_us != TIMESTAMP_NONE)
        counter_add(&k->future, 1);
    return now_us;
}

static void add_record(struct kafka *k, const struct kafka_message *m, struct kafka_partition *p,
                       struct text origin)
{
    struct lane *lane = &k->source.lanes[0];
    bool is_long = m->value.len > k->source.max_message_bytes;
    struct record *r = lane_add(lane, text_head(m->value, k->source.max_message_bytes), TEXT_NONE,
                                received_us(k, m), is_long);
    const uint32_t resumed = p->is_first ? (uint32_t)RECORD_RESUMED : 0;
    if (!r ||
        !lane_identify(lane, origin,
                       resumed)) { /* no room: the flight is read again, into an empty batch */
        k->open->must_fail = true;
        return;
    }
    p->is_first = false;
}

static bool begin_flight(struct kafka *k)
{
    if (!k->open)
        k->open = kafka_flight_new(k->barrier, ++k->flights);
    return k->open != NULL;
}

static void take_wanted(struct kafka *k, const struct kafka_message *m, struct kafka_partition *p)
{
    if (!begin_flight(k) || !kafka_flight_note(k->open, p, m->offset)) {
        p->failed_at = m->offset; /* no memory: read again from here, and store nothing behind */
        fail(k);
        return;
    }
    char origin[KAFKA_STREAM_LEN + 24];
    int len = snprintf(origin, sizeof origin, "%s:%" PRId64, p->stream, m->offset);
    struct text name = {origin, (size_t)len};
    const char *fault = m->has_value ? find_fault(k, m) : NULL;
    p->next_offset = m->offset + 1;
    if (!m->has_value)
        counter_add(&k->tombstones, 1);
    else if (fault)
        bury(k, m, name, fault);
    else
        add_record(k, m, p, name);
}

static bool has_room(struct kafka *k, const struct kafka_message *m)
{
    struct lane *lane = &k->source.lanes[0];
    const bool is_whole = m->has_value && m->value.len <= k->source.max_message_bytes;
    const uint32_t parts = is_whole ? lane_parts_of(lane, m->value) : 1;
    return lane->batch->count + parts <= BATCH_RECORDS;
}

static void take_message(struct kafka *k, struct kafka_message *m)
{
    struct kafka_partition *p = kafka_table_find(&k->table, m->topic, m->partition);
    /* An offset below the next one was taken already: librdkafka went back of its own accord. */
    if (p && p->is_owned && m->offset >= p->next_offset) {
        if (!has_room(k, m)) { /* all its events go in one batch: the next one */
            put(k);
            k->is_holding = true;
            return;
        }
        take_wanted(k, m, p);
    }
    kafka_client_release(m);
}

/* After a pause, from where each partition was read to. False: not all of them; try again. */
static bool restart(struct kafka *k)
{
    bool is_ok = true;
    let_go(k); /* it is read again */
    kafka_client_resume(k->client);
    counter_set(&k->is_paused, 0);
    for (uint32_t i = 0; i < k->table.count; i++) {
        struct kafka_partition *p = k->table.items[i];
        struct kafka_place place = {p->topic, p->number, p->next_offset};
        if (p->is_owned && place.offset >= 0)
            is_ok &= kafka_client_seek(k->client, &place) == STATUS_OK;
    }
    return is_ok;
}

static void pause(struct kafka *k)
{
    if (!counter_get(&k->is_paused))
        counter_add(&k->pauses, 1);
    counter_set(&k->is_paused, 1);
    kafka_client_pause(k->client);
}

/* Keeps the place in the group while nothing can be taken. */
static void stay(struct kafka *k)
{
    if (!k->is_holding)
        k->is_holding = kafka_client_poll(k->client, POLL_MS, &k->held) == STATUS_OK;
    else
        land(k, mailbox_wait(&k->barrier->landed, POLL_MS));
}

/* An empty batch; none while so much waits behind that Kafka should. */
static struct batch *take_batch(struct kafka *k)
{
    const struct intake *intake = &k->source.intake;
    if (!intake->is_long || !intake->is_long(intake->context))
        return intake->take(intake->context, POLL_MS);
    struct pollfd stop = {.fd = k->source.stop_fd, .events = POLLIN};
    (void)poll(&stop, 1, POLL_MS);
    return NULL;
}

/* A batch with room, or false. Short shortages are waited out: a pause throws away what was
 * fetched. */
static bool make_room(struct kafka *k)
{
    struct lane *lane = &k->source.lanes[0];
    if (lane->batch && batch_is_full(lane->batch))
        put(k);
    if (!lane->batch)
        lane->batch = take_batch(k);
    if (lane->batch) {
        lane->batch->source = k->source.index;
        k->lacking_ms = 0;
        if (counter_get(&k->is_paused) && !restart(k))
            fail(k);
        return !k->is_failing;
    }
    uint64_t now_ms = timestamp_monotonic_ms();
    if (k->lacking_ms == 0)
        k->lacking_ms = now_ms;
    if (now_ms - k->lacking_ms < PATIENCE_MS)
        return false;
    pause(k);
    stay(k);
    return false;
}

static void read_one(struct kafka *k)
{
    struct lane *lane = &k->source.lanes[0];
    int patience_ms = !k->open ? POLL_MS : lane_is_busy(lane) ? 1 : 0;
    if (!k->is_holding) {
        k->is_holding = kafka_client_poll(k->client, patience_ms, &k->held) == STATUS_OK;
        if (!k->is_holding)
            put(k);
    }
    if (!k->is_holding || !lane->batch) /* a revocation takes the batch away */
        return;
    k->is_holding = false;
    take_message(k, &k->held);
}

/* Goes back to what was refused, once nothing is in the air any more. */
static void go_back(struct kafka *k)
{
    put(k);
    pause(k);
    stay(k);
    settle(k);
    if (!k->is_failing || k->in_air > 0 || timestamp_monotonic_ms() < k->retry_ms)
        return;
    for (uint32_t i = 0; i < k->table.count; i++) {
        struct kafka_partition *p = k->table.items[i];
        if (p->failed_at >= 0)
            p->next_offset = p->failed_at;
        p->failed_at = -1;
    }
    k->is_failing = false;
    counter_add(&k->retries, 1);
    if (!restart(k))
        fail(k);
}

static void *read_loop(void *argument)
{
    struct kafka *k = argument;
    while (!source_is_stopping(&k->source)) {
        settle(k);
        look(k);
        if (k->is_failing)
            go_back(k);
        else if (make_room(k))
            read_one(k);
    }
    drain(k, STOP_MS);
    let_go(k);
    kafka_client_close(MOVE(k->client));
    lane_fini(&k->source.lanes[0]);
    return NULL;
}

/* ---- the source ---- */

static void write_address(struct kafka *k)
{
    char servers[100];
    kafka_client_property(k->client, "bootstrap.servers", servers, sizeof servers);
    size_t used = (size_t)snprintf(k->source.address, sizeof k->source.address, "%s", servers);
    for (uint32_t i = 0; i < k->topics.count && used < sizeof k->source.address; i++)
        used += (size_t)snprintf(k->source.address + used, sizeof k->source.address - used,
                                 "%c%.*s", i ? ',' : '/', TEXT_ARG(k->topics.items[i]));
    for (char *c = k->source.address; *c; c++)
        if (*c == '"' || *c == '\\')
            *c = '_'; /* it becomes a label */
}

static enum status open_kafka(struct source *s, struct error *err)
{
    struct kafka *k = CONTAINER_OF(s, struct kafka, source);
    k->last = &k->first;
    kafka_table_init(&k->table);
    arena_init(&k->scratch_arena, 1 << 20);
    s->lanes[0].seal = seal;
    s->lanes[0].seal_context = k;
    if (k->topics.count == 0)
        return error_set(err, STATUS_INVALID, 0, "topics is empty");
    const struct kafka_setup setup = {
        .properties = k->properties,
        .topics = k->topics,
        .dead_letter = k->dead_letter,
        .events = {.context = k, .assigned = assigned, .revoked = revoked},
    };
    enum status status = kafka_flight_open_barrier(&k->barrier);
    if (status)
        return error_set(err, status, 0, "no memory for a Kafka source");
    status = kafka_client_open(&setup, &k->client, err);
    if (!status)
        write_address(k);
    return status;
}

static enum status start_kafka(struct source *s, struct error *err)
{
    struct kafka *k = CONTAINER_OF(s, struct kafka, source);
    char group[128];
    kafka_client_property(k->client, "group.id", group, sizeof group);
    enum status status = kafka_client_subscribe(k->client, err);
    if (status)
        return status;
    if (pthread_create(&k->thread, NULL, read_loop, k))
        return error_set(err, STATUS_IO, 0, "the Kafka thread cannot be started");
    k->has_thread = true;
    (void)pthread_setname_np(k->thread, "kafka");
    log_line(LOG_INFO,
             "kafka: of several Tocsins in group %s, each correlates only the partitions it reads: "
             "an attack that is spread over partitions of two of them is seen by neither",
             group);
    return STATUS_OK;
}

static void stop_kafka(struct source *s)
{
    struct kafka *k = CONTAINER_OF(s, struct kafka, source);
    if (k->has_thread)
        (void)pthread_join(k->thread, NULL);
    k->has_thread = false;
}

static void close_kafka(struct source *s)
{
    struct kafka *k = CONTAINER_OF(s, struct kafka, source);
    kafka_client_close(k->client);
    while (k->first) { /* those that landed are ours, the others free themselves */
        struct kafka_flight *f = k->first;
        k->first = f->next;
        if (f->has_landed)
            kafka_flight_free(f);
    }
    kafka_flight_free(k->open);
    kafka_flight_close_barrier(k->barrier);
    kafka_table_fini(&k->table);
    event_fini(&k->scratch);
    arena_fini(&k->scratch_arena);
}

static void tell_partitions(const struct kafka *k, metric_fn tell, void *context)
{
    /* acquire: pairs with the table's release, so each entry is whole */
    uint32_t count = atomic_load_explicit(&k->table.count, memory_order_acquire);
    for (uint32_t i = 0; i < count; i++) {
        const struct kafka_partition *p = k->table.items[i];
        int64_t next = atomic_load_explicit(&p->next_offset, memory_order_relaxed);
        int64_t end = atomic_load_explicit(&p->end_offset, memory_order_relaxed);
        if (!atomic_load_explicit(&p->is_owned, memory_order_relaxed) || next < 0 || end < 0)
            continue;
        char labels[KAFKA_TOPIC_LEN + 96];
        (void)snprintf(labels, sizeof labels, "source=\"%u\",topic=\"%s\",partition=\"%d\"",
                       k->source.index, p->topic, p->number);
        tell(context, &(struct metric){"kafka_lag_records",
                                       "Records of the partition that were not read yet.", labels,
                                       METRIC_GAUGE, end > next ? (double)(end - next) : 0});
    }
}

static void tell_kafka(const struct source *s, metric_fn tell, void *context)
{
    const struct kafka *k = (const struct kafka *)(const void *)s; /* its first member */
    const struct kafka *counters = k;
    const struct counter_line lines[] = {KAFKA_COUNTERS(COUNTER_LINE)};
    counter_tell(lines, sizeof lines / sizeof *lines, s->labels, tell, context);
    tell_partitions(k, tell, context);
}

const struct source_type kafka_type = {
    .key = "kafka",
    .kind = "kafka",
    .help = "a member of a Kafka consumer group",
    .size_bytes = sizeof(struct kafka),
    .format = "auto",
    .options = rows,
    .option_count = sizeof rows / sizeof *rows,
    .open = open_kafka,
    .start = start_kafka,
    .stop = stop_kafka,
    .close = close_kafka,
    .metrics = tell_kafka,
};
