/* SPDX-License-Identifier: Apache-2.0 */
#include "base/json_scan.h"
#include "ingest/ingest.h"
#include "rules/rules.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

/*
 * What matching costs on one core: Windows events (JSON) with 1, 10, 100, 1000 and all public
 * rules, and sshd text with 1, 50 and 500 rules. `bench_match [--quick] [CASE]`. Reads the corpora
 * where TOCSIN_CORPORA says; without them, events made here. One JSON line a case.
 */

enum { EVENTS_MOST = 60000, LINES_MOST = 200000 };

struct events {
    struct text *items;
    uint32_t count;
    struct arena arena;
    size_t bytes;
};

static void fail(const char *why)
{
    (void)fprintf(stderr, "bench_match: %s\n", why);
    exit(1);
}

static void read_lines(const char *path, uint32_t most, struct events *out)
{
    struct error err = {.code = STATUS_OK};
    struct file_reader *reader = NULL;
    struct batch *b = batch_new();
    out->items = calloc(most, sizeof *out->items);
    arena_init(&out->arena, (size_t)1 << 30);
    if (!b || !out->items || file_reader_open(path, false, &reader, &err) != STATUS_OK)
        fail(err.text);
    while (out->count < most && file_reader_next(reader, b, &err) == STATUS_OK)
        for (uint32_t i = 0; i < b->count && out->count < most; i++) {
            out->items[out->count++] = arena_copy(&out->arena, b->records[i].raw);
            out->bytes += b->records[i].raw.len;
        }
    file_reader_free(reader);
    batch_free(b);
}

/* ---- rules ---- */

static struct ruleset *load(const char *const *paths, uint32_t count)
{
    struct error err = {.code = STATUS_OK};
    struct ruleset *r = NULL;
    const struct ruleset_options options = {
        .paths = paths,
        .path_count = count,
        .share = SOURCE_DIR "/rules/share",
        .has_routing = true,
    };
    if (ruleset_load(&options, &r, &err) != STATUS_OK)
        fail(err.text);
    return r;
}

/* Every n-th rule file of the public set, so that a part is like the whole. */
static struct ruleset *load_part(const char *corpora, uint32_t wanted)
{
    char folder[1024];
    (void)snprintf(folder, sizeof folder, "%s/sigma", corpora);
    const char *all[] = {folder};
    struct ruleset *whole = load(all, 1);
    if (!wanted)
        return whole;
    uint32_t count = 0;
    const struct rule *const *rules = ruleset_rules(whole, &count);
    const char **paths = calloc(wanted, sizeof *paths);
    uint32_t kept = 0;
    for (uint32_t i = 0; i < count && kept < wanted && paths; i++)
        if ((uint64_t)i * wanted / count >= kept)
            paths[kept++] = strndup(rules[i]->file.at, rules[i]->file.len);
    struct ruleset *part = load(paths, kept);
    for (uint32_t i = 0; i < kept; i++)
        free((void *)(uintptr_t)paths[i]);
    free(paths);
    ruleset_unref(whole);
    return part;
}

/* ---- one case ---- */

struct totals {
    double parse_ns, decode_ns, match_ns;
    uint64_t events, feeds, detections;
};

enum { TOGETHER = 512 };

/* Of this thread: what others do on the machine does not count. */
static double cpu_ns(void)
{
    struct timespec now;
    (void)clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
    return (double)now.tv_sec * 1e9 + (double)now.tv_nsec;
}

/* A batch goes through one step after the other, as in a worker's cache, and each step is timed. */
static void run_pass(struct parser *parser, struct matcher *m, const struct ruleset *ruleset,
                     const struct events *events, enum format format, struct totals *t)
{
    struct event *parsed = calloc(TOGETHER, sizeof *parsed);
    struct record *records = calloc(TOGETHER, sizeof *records);
    struct match_result result = {.feeds = NULL};
    struct arena arena;
    arena_init(&arena, (size_t)64 << 20);
    if (!parsed || !records)
        fail("no memory");
    for (uint32_t first = 0; first < events->count; first += TOGETHER) {
        uint32_t n = events->count - first < TOGETHER ? events->count - first : TOGETHER;
        arena_reset(&arena);
        matcher_reset(m, &result);
        parser_begin(parser, ruleset_reads, ruleset);
        double a = cpu_ns();
        for (uint32_t i = 0; i < n; i++) {
            records[i] = (struct record){
                .raw = events->items[first + i], .position = first + i + 1, .format = format};
            parser_read(parser, &records[i], &arena, &parsed[i]);
        }
        double b = cpu_ns();
        for (uint32_t i = 0; i < n; i++)
            matcher_decode(m, &parsed[i], &arena);
        double c = cpu_ns();
        for (uint32_t i = 0; i < n; i++)
            matcher_match(m, &parsed[i], &arena, &result);
        double d = cpu_ns();
        t->parse_ns += b - a;
        t->decode_ns += c - b;
        t->match_ns += d - c;
        t->feeds += result.feed_count;
        t->detections += result.detection_count;
    }
    t->events += events->count;
    for (uint32_t i = 0; i < TOGETHER; i++)
        event_fini(&parsed[i]);
    free(parsed);
    free(records);
    arena_fini(&arena);
}

static void run(const char *name, struct ruleset *ruleset, const struct events *events,
                enum format format, unsigned passes)
{
    struct error err = {.code = STATUS_OK};
    struct matcher *m = NULL;
    struct parser *parser = NULL;
    const struct parser_options options = {.format = format, .now_us = 1391600000000000};
    if (matcher_new(ruleset, &m, &err) != STATUS_OK ||
        parser_new(&options, &parser, &err) != STATUS_OK)
        fail(err.text);
    struct totals warm = {.events = 0};
    run_pass(parser, m, ruleset, events, format, &warm);
    struct totals best = {.match_ns = 1e30};
    double whole_ns = 1e30;
    for (unsigned i = 0; i < passes; i++) {
        struct totals t = {.events = 0};
        run_pass(parser, m, ruleset, events, format, &t);
        double ns = t.parse_ns + t.decode_ns + t.match_ns;
        if (ns < whole_ns) {
            whole_ns = ns;
            best = t;
        }
    }
    uint32_t rules = 0;
    uint64_t evaluated = 0;
    const struct rule_cost *costs = matcher_costs(m, &rules);
    for (uint32_t i = 0; i < rules; i++)
        evaluated += costs[i].evaluated;
    double n = (double)best.events;
    printf("{\"bench\":\"match\",\"case\":\"%s\",\"rules\":%u,\"events\":%llu,\"events_per_cpu_s\":"
           "%.0f,"
           "\"parse_ns\":%.0f,\"decode_ns\":%.0f,\"match_ns\":%.0f,\"candidates_per_event\":%.2f,"
           "\"feeds\":%llu,\"detections\":%llu}\n",
           name, rules, (unsigned long long)best.events, n * 1e9 / whole_ns, best.parse_ns / n,
           best.decode_ns / n, best.match_ns / n, (double)evaluated / (n * (passes + 1)),
           (unsigned long long)best.feeds, (unsigned long long)best.detections);
    (void)fflush(stdout);
    matcher_free(m);
    parser_free(parser);
    ruleset_unref(ruleset);
}

/* ---- sshd text ---- */

/* Rules over decoded sshd lines: some that match them often, most that look for other words. */
static struct ruleset *load_text_rules(unsigned count)
{
    char path[] = "/tmp/tocsin-bench-XXXXXX.yml";
    int fd = mkstemps(path, 4);
    FILE *f = fd < 0 ? NULL : fdopen(fd, "w");
    if (!f)
        fail("no temporary file");
    for (unsigned i = 0; i < count; i++) {
        (void)fprintf(f, "---\ntitle: text %u\nlogsource: {product: linux, service: sshd}\n", i);
        if (i % 3 == 0)
            (void)fprintf(f,
                          "detection: {s: {action: login, outcome: failure, user: name%u}, "
                          "condition: s}\n",
                          i);
        else if (i % 3 == 1)
            (void)fprintf(f, "detection: {s: ['word%u and', 'another%u'], condition: s}\n", i, i);
        else
            (void)fprintf(f,
                          "detection: {s: {message|re: 'session %u[0-9]+ (open|close)ed'}, "
                          "condition: s}\n",
                          i);
    }
    (void)fclose(f);
    const char *paths[] = {path};
    struct ruleset *r = load(paths, 1);
    (void)unlink(path);
    return r;
}

static void make_events(struct events *out, uint32_t count, bool is_json)
{
    out->items = calloc(count, sizeof *out->items);
    arena_init(&out->arena, (size_t)1 << 30);
    for (uint32_t i = 0; i < count; i++) {
        char line[512];
        (void)snprintf(line, sizeof line,
                       is_json
                           ? "{\"EventID\":1,\"Channel\":\"Microsoft-Windows-Sysmon/Operational\","
                             "\"Image\":\"C:\\\\Windows\\\\p%u.exe\",\"CommandLine\":\"p -x %u\"}"
                           : "<38>Feb  5 10:00:00 web1 sshd[%u]: Failed password for root from "
                             "192.0.2.%u port 4242 ssh2",
                       i, i % 250);
        out->items[out->count++] = arena_copy(&out->arena, text_of(line));
    }
}

static void free_events(struct events *e)
{
    arena_fini(&e->arena);
    free(e->items);
}

int main(int argc, char **argv)
{
    const char *corpora = getenv("TOCSIN_CORPORA");
    bool is_quick = argc > 1 && strcmp(argv[1], "--quick") == 0;
    const char *only = argc > 1 + is_quick ? argv[1 + is_quick] : NULL;
    unsigned passes = is_quick ? 1 : only ? 100 : 3;
    struct events windows = {.count = 0};
    struct events lines = {.count = 0};
    char path[1024];
    if (is_quick || !corpora) {
        make_events(&windows, 2000, true);
        make_events(&lines, 2000, false);
    } else {
        (void)snprintf(path, sizeof path, "%s/windows/events.jsonl.gz", corpora);
        read_lines(path, EVENTS_MOST, &windows);
        (void)snprintf(path, sizeof path, "%s/sshd/slice_1m.log.gz", corpora);
        read_lines(path, LINES_MOST, &lines);
    }
    static const unsigned sizes[] = {1, 10, 100, 1000, 0};
    for (size_t i = 0; i < 5 && corpora && !is_quick; i++) {
        char name[32];
        (void)snprintf(name, sizeof name, sizes[i] ? "windows-%u" : "windows-all", sizes[i]);
        if (!only || strcmp(only, name) == 0)
            run(name, load_part(corpora, sizes[i]), &windows, FORMAT_JSON, passes);
    }
    static const unsigned text_sizes[] = {1, 50, 500};
    for (size_t i = 0; i < 3; i++) {
        char name[32];
        (void)snprintf(name, sizeof name, "sshd-%u", text_sizes[i]);
        if (!only || strcmp(only, name) == 0)
            run(name, load_text_rules(text_sizes[i]), &lines, FORMAT_SYSLOG, passes);
    }
    free_events(&windows);
    free_events(&lines);
    return 0;
}
