/* SPDX-License-Identifier: Apache-2.0 */
#include "base/log.h"
#include "base/timestamp.h"
#include "ingest/ingest.h"
#include "ingest/kafka/kafka_flight.h"
#include "ingest/kafka/kafka_table.h"
#include "journal/journal.h"
#include "tests/support/table.h"
#include <librdkafka/rdkafka.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/signalfd.h>
#include <unistd.h>

/* ---- configuration ---- */

static struct batch *take_none(void *context, uint64_t timeout_ms)
{
    (void)context, (void)timeout_ms;
    return NULL;
}

static enum status put_none(void *context, struct batch *b)
{
    (void)context, (void)b;
    return STATUS_CLOSED;
}

static enum status open_source(const char *yaml, const struct intake *intake, struct source **out,
                               struct error *err)
{
    struct arena arena;
    struct yaml_file file;
    arena_init(&arena, 1 << 20);
    enum status status = yaml_parse(text_of(yaml), &arena, &file, err);
    if (!status)
        status = source_open(file.documents[0], 7, intake, out, err);
    arena_fini(&arena);
    return status;
}

#define PLACE "bootstrap.servers: '127.0.0.1:1', group.id: g"
static const struct row {
    const char *name, *yaml, *says;
} rows[] = {
    {"open: whole", "kafka: {topics: [a, b], properties: {" PLACE "}, dead_letter: d}", NULL},
    {"open: one topic", "kafka: {topics: a, properties: {" PLACE ", fetch.min.bytes: 7}}", NULL},
    {"open: no topics", "kafka: {properties: {" PLACE "}}", "topics"},
    {"open: no group", "kafka: {topics: a, properties: {bootstrap.servers: '127.0.0.1:1'}}",
     "group.id"},
    {"open: no servers", "kafka: {topics: a, properties: {group.id: x}}", "bootstrap.servers"},
    {"open: unknown property", "kafka: {topics: a, properties: {" PLACE ", no.such: 1}}",
     "no.such"},
    {"open: bad value", "kafka: {topics: a, properties: {" PLACE ", fetch.min.bytes: x}}",
     "fetch.min.bytes"},
    {"open: offsets of its own",
     "kafka: {topics: a, properties: {" PLACE ", enable.auto.offset.store: true}}",
     "follow the journal"},
    {"open: cooperative",
     "kafka: {topics: a, properties: {" PLACE
     ", partition.assignment.strategy: cooperative-sticky}}",
     "cooperative-sticky"},
    {"open: properties is a list", "kafka: {topics: a, properties: [x]}", "mapping"},
    {"open: a list as value", "kafka: {topics: a, properties: {group.id: [x]}}", "value"},
};

static void test_open(void **state)
{
    const struct row *row = *state;
    const struct intake intake = {.take = take_none, .put = put_none};
    struct error err = {0};
    AUTO(source) s = NULL;
    enum status status = open_source(row->yaml, &intake, &s, &err);
    if (!row->says) {
        assert_int_equal(status, STATUS_OK);
        assert_string_equal(source_kind(s), "kafka");
        assert_true(strncmp(source_address(s), "127.0.0.1:1/a", 13) == 0);
        return;
    }
    assert_true(status != STATUS_OK);
    assert_null(s);
    if (!strstr(err.text, row->says))
        fail_msg("'%s' does not say '%s'", err.text, row->says);
}

/* ---- the table and flights ---- */

static void test_table_finds(void **state)
{
    (void)state;
    struct kafka_table *t = malloc(sizeof *t);
    assert_non_null(t);
    kafka_table_init(t);
    for (int32_t i = 0; i < KAFKA_TABLE_MAX; i++) {
        const struct kafka_partition *p = kafka_table_add(t, i % 2 ? TEXT("a") : TEXT("bb"), i / 2);
        assert_non_null(p);
        assert_ptr_equal(p, kafka_table_add(t, i % 2 ? TEXT("a") : TEXT("bb"), i / 2));
    }
    assert_null(kafka_table_add(t, TEXT("c"), 1));
    assert_null(kafka_table_find(t, TEXT("c"), 1));
    assert_string_equal(kafka_table_find(t, TEXT("a"), 17)->stream, "kafka:a:17");
    kafka_table_set_generation(kafka_table_find(t, TEXT("bb"), 3), 2);
    assert_string_equal(kafka_table_find(t, TEXT("bb"), 3)->stream, "kafka:bb@2:3");
    kafka_table_fini(t);
    free(t);
}

static void test_flight_covers(void **state)
{
    (void)state;
    struct kafka_partition p[2] = {{.number = 1}, {.number = 2}};
    struct kafka_barrier *b = NULL;
    assert_int_equal(kafka_flight_open_barrier(&b), STATUS_OK);
    struct kafka_flight *f = kafka_flight_new(b, 1);
    for (int64_t i = 0; i < 10; i++) {
        assert_true(kafka_flight_note(f, &p[i % 2], 100 + i * 3));
        if (i == 5)
            p[1].claim++; /* went and came back: what follows is a span of its own */
    }
    assert_int_equal(f->count, 3);
    assert_int_equal(f->spans[0].first, 100);
    assert_int_equal(f->spans[0].next, 125);
    assert_int_equal(f->spans[1].next, 116);
    assert_int_equal(f->spans[2].first, 121);
    kafka_flight_leave(f);
    kafka_flight_land(f, 0, true);
    assert_ptr_equal(mailbox_take_all(&b->landed), &f->mail);
    kafka_flight_free(f);
    /* lands after the source is gone: nobody is left to free it but itself */
    struct kafka_flight *late = kafka_flight_new(b, 2);
    struct kafka_flight *waits = kafka_flight_new(b, 3);
    kafka_flight_leave(late);
    kafka_flight_leave(waits);
    kafka_flight_land(waits, 0, false);
    kafka_flight_close_barrier(b);
    kafka_flight_land(late, 0, true);
}

/* ---- a taker: the real source and the real journal, for the flow test ---- */

struct taker {
    struct journal *journal;
    struct mailbox inbox;
    _Atomic bool is_refusing; /* SIGUSR1 and SIGUSR2 */
    _Atomic uint32_t out;
    pthread_t thread;
};

static struct batch *taker_take(void *context, uint64_t timeout_ms)
{
    struct taker *t = context;
    if (t->out >= 64) {
        (void)poll(NULL, 0, (int)timeout_ms);
        return NULL;
    }
    t->out++;
    return batch_new();
}

static enum status taker_put(void *context, struct batch *b)
{
    struct taker *t = context;
    return mailbox_send(&t->inbox, &b->mail);
}

static int64_t taker_mark(void *context, struct text stream)
{
    const struct taker *t = context;
    return journal_mark(t->journal, stream);
}

static void *taker_write(void *argument)
{
    struct taker *t = argument;
    struct error err;
    for (;;) {
        struct mail *mail = mailbox_wait(&t->inbox, UINT64_MAX);
        if (!mail)
            return NULL;
        while (mail) {
            struct batch *b = CONTAINER_OF(mail, struct batch, mail);
            mail = mail->next;
            bool is_ok = !t->is_refusing && journal_append(t->journal, b, &err) == STATUS_OK &&
                         journal_sync(t->journal, &err) == STATUS_OK;
            if (!is_ok)
                log_line(LOG_INFO, "refused records=%u", b->count);
            if (b->durable)
                b->durable(b->durable_context, b->durable_token, is_ok);
            batch_free(b);
            t->out--;
        }
    }
}

static void print_metric(void *context, const struct metric *m)
{
    FILE *out = context;
    (void)fprintf(out, "%s{%s} %.0f\n", m->name, m->labels ? m->labels : "", m->value);
}

static void tell(const struct taker *t, const struct source *s, const char *path)
{
    FILE *out = fopen(path, "w");
    if (!out)
        return;
    journal_metrics(t->journal, print_metric, out);
    source_metrics(s, print_metric, out);
    (void)fclose(out);
}

/* SIGUSR1: refuse from now on. SIGUSR2: take again. SIGHUP: metrics to METRICS. SIGTERM: end. */
static int take(const char *yaml, const char *dir, uint64_t reserve_bytes, const char *metrics)
{
    static const int signals[] = {SIGTERM, SIGUSR1, SIGUSR2, SIGHUP};
    struct taker t = {0};
    struct error err = {0};
    sigset_t set;
    (void)sigemptyset(&set);
    for (size_t i = 0; i < sizeof signals / sizeof *signals; i++)
        (void)sigaddset(&set, signals[i]);
    (void)pthread_sigmask(SIG_BLOCK, &set, NULL);
    struct journal_options options = {.dir = dir, .reserve_bytes = reserve_bytes};
    const struct intake intake = {
        .context = &t, .take = taker_take, .put = taker_put, .mark = taker_mark};
    struct source *s = NULL;
    if (journal_open(&options, &t.journal, &err) || mailbox_init(&t.inbox, SIZE_MAX, NULL, NULL) ||
        open_source(yaml, &intake, &s, &err) || pthread_create(&t.thread, NULL, taker_write, &t) ||
        source_start(s, &err)) {
        (void)fprintf(stderr, "%s\n", err.text);
        return 2;
    }
    (void)puts("ready");
    (void)fflush(stdout);
    int fd = signalfd(-1, &set, SFD_CLOEXEC);
    struct signalfd_siginfo got = {0};
    while (read(fd, &got, sizeof got) == (ssize_t)sizeof got && got.ssi_signo != SIGTERM) {
        if (got.ssi_signo == SIGHUP)
            tell(&t, s, metrics);
        else
            t.is_refusing = got.ssi_signo == SIGUSR1;
    }
    source_stop(s);
    mailbox_close(&t.inbox);
    (void)pthread_join(t.thread, NULL);
    source_close(s);
    mailbox_fini(&t.inbox);
    journal_close(t.journal);
    (void)close(fd);
    return 0;
}

/* Each record's bytes on a line, behind where it stands and when it was received if wanted. */
static int list(const char *dir, bool has_times)
{
    AUTO(journal_reader) r = NULL;
    AUTO(batch) b = batch_new();
    struct error err = {0};
    enum status status = journal_reader_open(dir, 0, TIMESTAMP_NONE, &r, &err);
    while (!status && (status = journal_reader_next(r, b, &err)) == STATUS_OK)
        for (uint32_t i = 0; i < b->count; i++)
            if (has_times)
                printf("%.*s %lld %.*s\n", TEXT_ARG(b->records[i].origin),
                       (long long)b->records[i].receive_us, TEXT_ARG(b->records[i].raw));
            else
                printf("%.*s\n", TEXT_ARG(b->records[i].raw));
    return status == STATUS_AGAIN ? 0 : 2;
}

static void count_failure(rd_kafka_t *rk, const rd_kafka_message_t *m, void *opaque)
{
    (void)rk;
    uint64_t *failed = opaque;
    *failed += m->err != 0;
}

/* The lines of standard input, so many a second, over all partitions; outlives a killed broker. */
static int produce(const char *servers, const char *topic, uint64_t per_s)
{
    char reason[160];
    uint64_t failed = 0;
    const char *properties[][2] = {{"bootstrap.servers", servers},
                                   {"enable.idempotence", "true"},
                                   {"reconnect.backoff.max.ms", "500"},
                                   {"partitioner", "random"},
                                   {"sticky.partitioning.linger.ms", "0"}};
    rd_kafka_conf_t *conf = rd_kafka_conf_new();
    for (size_t i = 0; i < sizeof properties / sizeof *properties; i++)
        (void)rd_kafka_conf_set(conf, properties[i][0], properties[i][1], reason, sizeof reason);
    rd_kafka_conf_set_opaque(conf, &failed);
    rd_kafka_conf_set_dr_msg_cb(conf, count_failure);
    rd_kafka_t *rk = rd_kafka_new(RD_KAFKA_PRODUCER, conf, reason, sizeof reason);
    rd_kafka_topic_t *to_topic = rk ? rd_kafka_topic_new(rk, topic, NULL) : NULL;
    if (!to_topic)
        return 2;
    char line[1024];
    for (uint64_t n = 1; fgets(line, sizeof line, stdin); n++) {
        while (rd_kafka_produce(to_topic, RD_KAFKA_PARTITION_UA, RD_KAFKA_MSG_F_COPY, line,
                                strcspn(line, "\n"), NULL, 0, NULL) != 0)
            (void)rd_kafka_poll(rk, 10); /* its queue is full */
        if (n % 50 == 0)
            (void)rd_kafka_poll(rk, 0);
        if (n % 50 == 0 && per_s)
            (void)poll(NULL, 0, (int)(50 * 1000 / per_s));
    }
    failed += rd_kafka_flush(rk, 120000) != RD_KAFKA_RESP_ERR_NO_ERROR;
    rd_kafka_topic_destroy(to_topic);
    rd_kafka_destroy(rk);
    return failed ? 1 : 0;
}

int main(int argc, char **argv)
{
    if (argc == 5 && strcmp(argv[1], "produce") == 0)
        return produce(argv[2], argv[3], strtoull(argv[4], NULL, 10));
    if (argc == 6 && strcmp(argv[1], "take") == 0)
        return take(argv[2], argv[3], strtoull(argv[4], NULL, 10), argv[5]);
    if (argc == 3 && strcmp(argv[1], "list") == 0)
        return list(argv[2], false);
    if (argc == 3 && strcmp(argv[1], "times") == 0)
        return list(argv[2], true);
    struct CMUnitTest tests[sizeof rows / sizeof *rows + 2];
    size_t n = 0;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        tests[n++] = ROW(test_open, &rows[i]);
    tests[n++] = (struct CMUnitTest)cmocka_unit_test(test_table_finds);
    tests[n++] = (struct CMUnitTest)cmocka_unit_test(test_flight_covers);
    return _cmocka_run_group_tests("test_kafka", tests, n, NULL, NULL);
}
