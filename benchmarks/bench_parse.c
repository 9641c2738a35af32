/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What one record costs until it is an event: framing, headers, formats. Inputs are made at start
 * from a fixed seed. One JSON line a case: median and p99 of the rounds in ns per record (thread
 * CPU time), records and MB per second, allocations per record, a checksum.
 */
#include "base/timestamp.h"
#include "ingest/door/framer.h"
#include "ingest/ingest.h"
#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum { RECORDS = 4096, ROUNDS = 31, QUICK_ROUNDS = 3, TEXT_BYTES = RECORDS * 1024 };

struct input {
    struct buffer bytes; /* all records */
    struct text texts[RECORDS];
    uint64_t state; /* of the generator */
};

static unsigned draw(struct input *in, unsigned below)
{
    in->state = in->state * UINT64_C(6364136223846793005) + 1442695040888963407;
    return (unsigned)(in->state >> 33) % below;
}

typedef void (*make_fn)(struct input *in, unsigned i);

static void make_3164(struct input *in, unsigned i)
{
    buffer_printf(&in->bytes,
                  "<38>Feb %2u %02u:%02u:%02u web%u sshd[%u]: Failed password for invalid user u%u "
                  "from 192.0.2.%u port %u ssh2",
                  i / 512 + 1, draw(in, 24), draw(in, 60), draw(in, 60), draw(in, 100),
                  draw(in, 30000), draw(in, 1000), draw(in, 255), draw(in, 65000));
}

static void make_file_line(struct input *in, unsigned i)
{
    buffer_printf(&in->bytes,
                  "Feb %2u %02u:%02u:%02u web%u sshd[%u]: Failed password for invalid user u%u "
                  "from 192.0.2.%u port %u ssh2",
                  i / 512 + 1, draw(in, 24), draw(in, 60), draw(in, 60), draw(in, 100),
                  draw(in, 30000), draw(in, 1000), draw(in, 255), draw(in, 65000));
}

static void make_5424(struct input *in, unsigned i)
{
    buffer_printf(&in->bytes,
                  "<38>1 2014-02-%02uT%02u:%02u:%02u.%06uZ web%u sshd %u - - Failed password for "
                  "invalid user u%u from 192.0.2.%u port %u ssh2",
                  i / 512 + 1, draw(in, 24), draw(in, 60), draw(in, 60), draw(in, 1000000),
                  draw(in, 100), draw(in, 30000), draw(in, 1000), draw(in, 255), draw(in, 65000));
}

static void make_structured(struct input *in, unsigned i)
{
    buffer_printf(&in->bytes,
                  "<165>1 2014-02-%02uT%02u:14:15.003Z host%u evntslog %u ID47 [origin@32473 "
                  "iut=\"%u\" eventSource=\"Application\" eventID=\"%u\"] An application event",
                  i / 512 + 1, draw(in, 24), draw(in, 100), draw(in, 9999), draw(in, 9),
                  draw(in, 5000));
}

static void make_cef(struct input *in, unsigned i)
{
    buffer_printf(&in->bytes,
                  "<134>Feb %2u 10:00:%02u fw%u CEF:0|Acme|Wall|1.0|%u|Connection denied|5|src="
                  "192.0.2.%u dst=198.51.100.%u spt=%u dpt=443 proto=TCP act=deny cs1Label=Rule "
                  "cs1=block all msg=denied by rule %u",
                  i / 512 + 1, draw(in, 60), draw(in, 9), draw(in, 999), draw(in, 255),
                  draw(in, 255), draw(in, 65000), draw(in, 99));
}

static void make_pairs(struct input *in, unsigned i)
{
    buffer_printf(&in->bytes,
                  "time=\"2014-02-%02uT10:00:%02uZ\" level=info host=app%u msg=\"user %u logged "
                  "in\" src_ip=192.0.2.%u duration=%u status=ok",
                  i / 512 + 1, draw(in, 60), draw(in, 9), draw(in, 999), draw(in, 255),
                  draw(in, 5000));
}

static void make_json(struct input *in, unsigned i)
{
    buffer_printf(&in->bytes,
                  "{\"@timestamp\":\"2014-02-%02uT10:00:%02u.000Z\",\"host\":{\"name\":\"w%u\"},"
                  "\"winlog\":{\"channel\":\"Security\",\"event_id\":4688,\"event_data\":{"
                  "\"NewProcessName\":\"C:\\\\Windows\\\\System32\\\\cmd.exe\",\"ProcessId\":"
                  "\"0x%x\",\"CommandLine\":\"cmd.exe /c echo %u\"}}}",
                  i / 512 + 1, draw(in, 60), draw(in, 99), draw(in, 9999), draw(in, 9999));
}

static bool make(struct input *in, make_fn fn, bool has_counts, const char *end)
{
    size_t starts[RECORDS + 1];
    in->state = 42;
    buffer_clear(&in->bytes);
    for (unsigned i = 0; i < RECORDS; i++) {
        starts[i] = in->bytes.len;
        fn(in, i);
        if (has_counts) {
            char record[1024];
            size_t len = in->bytes.len - starts[i];
            memcpy(record, in->bytes.at + starts[i], len);
            in->bytes.len = starts[i];
            buffer_printf(&in->bytes, "%zu ", len);
            buffer_append(&in->bytes, (struct text){record, len});
        }
        buffer_append(&in->bytes, text_of(end));
    }
    starts[RECORDS] = in->bytes.len;
    for (unsigned i = 0; i < RECORDS && !in->bytes.has_failed; i++)
        in->texts[i] = (struct text){in->bytes.at + starts[i], starts[i + 1] - starts[i]};
    return !in->bytes.has_failed;
}

static uint64_t cpu_ns(void)
{
    struct timespec t = {0};
    (void)clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
    return (uint64_t)t.tv_sec * UINT64_C(1000000000) + (uint64_t)t.tv_nsec;
}

static int compare(const void *a, const void *b)
{
    double x = *(const double *)a;
    double y = *(const double *)b;
    return x < y ? -1 : x > y;
}

/* One round over all records: a checksum. */
struct job {
    struct input *in;
    struct parser *parser;
    struct event event;
    struct arena arena;
    const char *path;
    uint64_t (*run)(struct job *j);
};

static uint64_t run_parser(struct job *j)
{
    uint64_t sum = 0;
    struct record r = {.receive_us = INT64_C(1391600000000000)};
    for (unsigned i = 0; i < RECORDS; i++) {
        r.raw = j->in->texts[i];
        parser_read(j->parser, &r, &j->arena, &j->event);
        sum += (uint64_t)j->event.event_us + j->event.message.len + j->event.field_count;
        arena_reset(&j->arena);
    }
    return sum;
}

static uint64_t run_framer(struct job *j)
{
    enum { READ_BYTES = 65536 };
    struct framer f;
    uint64_t sum = 0;
    framer_init(&f, READ_BYTES);
    for (size_t at = 0; at < j->in->bytes.len; at += READ_BYTES) {
        struct text chunk = text_head(text_skip(buffer_text(&j->in->bytes), at), READ_BYTES);
        struct text message;
        uint32_t flags = 0;
        while (framer_next(&f, &chunk, &message, &flags))
            sum += message.len + 1;
    }
    framer_fini(&f);
    return sum;
}

static uint64_t run_file(struct job *j)
{
    AUTO(file_reader) reader = NULL;
    AUTO(batch) b = batch_new();
    uint64_t sum = 0;
    if (!b || file_reader_open(j->path, false, &reader, NULL))
        return 0;
    while (file_reader_next(reader, b, NULL) == STATUS_OK)
        sum += b->count + b->raw_bytes;
    return sum;
}

static void measure(struct job *j, const char *name, unsigned rounds)
{
    double ns[ROUNDS];
    uint64_t sum = j->run(j); /* warm-up */
    size_t before = mallinfo2().uordblks;
    for (unsigned i = 0; i < rounds; i++) {
        uint64_t start = cpu_ns();
        sum += j->run(j);
        ns[i] = (double)(cpu_ns() - start) / RECORDS;
    }
    size_t grown = mallinfo2().uordblks - before;
    qsort(ns, rounds, sizeof *ns, compare);
    double median = ns[rounds / 2];
    double bytes = (double)j->in->bytes.len / RECORDS;
    printf("{\"bench\":\"parse\",\"case\":\"%s\",\"median_ns\":%.1f,\"p99_ns\":%.1f,"
           "\"records_per_s\":%.0f,\"mb_per_s\":%.0f,\"bytes_per_record\":%.0f,"
           "\"heap_growth_bytes\":%zu,\"checksum\":%llu}\n",
           name, median, ns[rounds - 1], 1e9 / median, bytes * 1e3 / median, bytes, grown,
           (unsigned long long)sum);
}

static bool write_file(const struct input *in, char path[])
{
    int fd = mkstemp(path);
    if (fd < 0)
        return false;
    bool is_ok = write(fd, in->bytes.at, in->bytes.len) == (ssize_t)in->bytes.len;
    return close(fd) == 0 && is_ok;
}

int main(int argc, char **argv)
{
    static const struct {
        const char *name;
        make_fn make;
        bool has_counts;
        const char *end;
        uint64_t (*run)(struct job *j);
    } cases[] = {
        {"frame LF", make_3164, false, "\n", run_framer},
        {"frame octet count", make_3164, true, "", run_framer},
        {"file lines", make_3164, false, "\n", run_file},
        {"rfc3164", make_3164, false, "", run_parser},
        {"rfc3164 without priority", make_file_line, false, "", run_parser},
        {"rfc5424", make_5424, false, "", run_parser},
        {"rfc5424 with structured data", make_structured, false, "", run_parser},
        {"cef in syslog", make_cef, false, "", run_parser},
        {"key=value", make_pairs, false, "", run_parser},
        {"json", make_json, false, "", run_parser},
    };
    unsigned rounds = argc > 1 && strcmp(argv[1], "--quick") == 0 ? QUICK_ROUNDS : ROUNDS;
    struct input *in = calloc(1, sizeof *in);
    struct job job = {.in = in};
    const struct parser_options options = {0};
    if (!in || parser_new(&options, &job.parser, NULL))
        return 1;
    buffer_init(&in->bytes, TEXT_BYTES);
    arena_init(&job.arena, 1 << 20);
    int code = 0;
    for (size_t i = 0; i < sizeof cases / sizeof *cases && !code; i++) {
        char path[] = "/tmp/bench_parse_XXXXXX";
        bool is_file = cases[i].run == run_file;
        job.run = cases[i].run;
        job.path = path;
        if (!make(in, cases[i].make, cases[i].has_counts, cases[i].end) ||
            (is_file && !write_file(in, path)))
            code = 1;
        else
            measure(&job, cases[i].name, rounds);
        if (is_file)
            (void)unlink(path);
    }
    parser_free(job.parser);
    event_fini(&job.event);
    arena_fini(&job.arena);
    buffer_fini(&in->bytes);
    free(in);
    return code;
}
