/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The journal: records appended a second by durability policy, plain and compressed, and read back.
 * 200-byte syslog lines from a fixed seed, on the disk of the current folder. One JSON line a case:
 * median and worst of the rounds in wall ns per record and in CPU ns, records and MB a second,
 * bytes on disk per record, and the slowest tenth of the syncs.
 */
#include "base/timestamp.h"
#include "ingest/ingest.h"
#include "journal/journal.h"
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum { LINE_BYTES = 200, BATCHES = 32, ROUNDS = 11, QUICK_ROUNDS = 3, SYNCS = 4096 };

struct bench {
    char dir[64];
    struct batch *batches[BATCHES]; /* full ones */
    struct batch *single;           /* one record */
    unsigned rounds;
    uint32_t share; /* of the work: 1 or, in a quick run, more */
    double sync_us[SYNCS];
    uint32_t sync_count;
    uint64_t checksum;
};

enum policy { NONE, EVERY_5_MS, EVERY_BATCH };

struct row {
    const char *name;
    enum policy policy;
    bool is_compressed, is_single;
    uint32_t batches;
};

static const struct row rows[] = {
    {"append_none", NONE, false, false, 1024},
    {"append_none_zstd", NONE, true, false, 512},
    {"append_batch_5ms", EVERY_5_MS, false, false, 1024},
    {"append_batch_5ms_zstd", EVERY_5_MS, true, false, 512},
    {"append_sync_1024", EVERY_BATCH, false, false, 128},
    {"append_sync_1", EVERY_BATCH, false, true, 256},
    {"append_none_1", NONE, false, true, 65536},
};

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

static unsigned draw(uint64_t *state, unsigned below)
{
    *state = *state * UINT64_C(6364136223846793005) + 1442695040888963407;
    return (unsigned)(*state >> 33) % below;
}

static void fill(struct batch *b, uint64_t *state, uint32_t count)
{
    char line[LINE_BYTES + 64];
    while (b->count < count) {
        int len = snprintf(line, sizeof line,
                           "<38>Feb %2u %02u:%02u:%02u web%u sshd[%u]: Failed password for invalid "
                           "user u%u from 192.0.2.%u port %u ssh2 session=%08x%08x key=%08x%08x "
                           "agent=OpenSSH_%u.%u client=%u",
                           draw(state, 28) + 1, draw(state, 24), draw(state, 60), draw(state, 60),
                           draw(state, 100), draw(state, 30000), draw(state, 1000),
                           draw(state, 255), draw(state, 65000), draw(state, 1U << 31),
                           draw(state, 1U << 31), draw(state, 1U << 31), draw(state, 1U << 31),
                           draw(state, 9), draw(state, 9), draw(state, 100000));
        size_t used = len < LINE_BYTES ? (size_t)len : LINE_BYTES;
        memset(line + used, '.', LINE_BYTES - used);
        struct record *r = batch_add(b, (struct text){line, LINE_BYTES});
        if (!r)
            return;
        r->peer = TEXT("192.0.2.7");
        r->receive_us = INT64_C(1391600000000000) + b->count;
        r->format = FORMAT_SYSLOG;
    }
}

static bool set_up(struct bench *b)
{
    uint64_t state = 42;
    (void)snprintf(b->dir, sizeof b->dir, "bench_journal.XXXXXX");
    for (size_t i = 0; i < BATCHES; i++) {
        b->batches[i] = batch_new();
        if (!b->batches[i])
            return false;
        fill(b->batches[i], &state, BATCH_RECORDS);
    }
    b->single = batch_new();
    if (!b->single || !mkdtemp(b->dir))
        return false;
    fill(b->single, &state, 1);
    return true;
}

static void empty(const char *dir)
{
    DIR *d = opendir(dir);
    for (struct dirent *e = d ? readdir(d) : NULL; e; e = readdir(d)) {
        char name[512];
        (void)snprintf(name, sizeof name, "%s/%s", dir, e->d_name);
        if (e->d_name[0] != '.')
            (void)unlink(name);
    }
    if (d)
        (void)closedir(d);
}

static bool sync_now(struct bench *b, struct journal *j)
{
    uint64_t start = timestamp_monotonic_ns();
    if (journal_sync(j, NULL) != STATUS_OK)
        return false;
    if (b->sync_count < SYNCS)
        b->sync_us[b->sync_count++] = (double)(timestamp_monotonic_ns() - start) / 1000;
    return true;
}

/* One round: appends, and syncs as the policy says. Gives the number of records, 0: it failed. */
static uint64_t run(struct bench *b, struct journal *j, const struct row *row)
{
    uint64_t records = 0;
    uint64_t synced_ns = timestamp_monotonic_ns();
    for (uint32_t i = 0; i < row->batches / b->share; i++) {
        struct batch *next = row->is_single ? b->single : b->batches[i % BATCHES];
        if (journal_append(j, next, NULL) != STATUS_OK)
            return 0;
        records += next->count;
        bool is_due = row->policy == EVERY_BATCH ||
                      (row->policy == EVERY_5_MS &&
                       timestamp_monotonic_ns() - synced_ns >= UINT64_C(5000000));
        if (!is_due)
            continue;
        if (!sync_now(b, j))
            return 0;
        synced_ns = timestamp_monotonic_ns();
    }
    return records;
}

struct figures {
    double wall_ns[ROUNDS], cpu_ns[ROUNDS];
};

static void print(struct bench *b, const char *name, struct figures *f, double bytes)
{
    qsort(f->wall_ns, b->rounds, sizeof(double), compare);
    qsort(f->cpu_ns, b->rounds, sizeof(double), compare);
    qsort(b->sync_us, b->sync_count, sizeof(double), compare);
    double wall = f->wall_ns[b->rounds / 2];
    uint32_t n = b->sync_count;
    printf("{\"bench\":\"journal\",\"case\":\"%s\",\"wall_ns\":%.1f,\"wall_ns_worst\":%.1f,"
           "\"cpu_ns\":%.1f,\"records_per_s\":%.0f,\"mb_per_s\":%.1f,\"bytes_per_record\":%.1f,"
           "\"syncs\":%u,\"sync_us_p50\":%.0f,\"sync_us_p99\":%.0f,\"checksum\":%llu}\n",
           name, wall, f->wall_ns[b->rounds - 1], f->cpu_ns[b->rounds / 2], 1e9 / wall,
           1e3 / wall * LINE_BYTES, bytes, n, n ? b->sync_us[n / 2] : 0,
           n ? b->sync_us[n * 99 / 100] : 0, (unsigned long long)b->checksum);
    (void)fflush(stdout);
    b->sync_count = 0;
}

static struct journal *open_journal(const struct bench *b, bool is_compressed)
{
    struct journal *j = NULL;
    struct journal_options options = {
        .dir = b->dir, .is_compressed = is_compressed, .max_bytes = 1 << 30};
    if (journal_open(&options, &j, NULL) != STATUS_OK)
        return NULL;
    journal_allow_removal(j, UINT64_MAX);
    return j;
}

static double written(const struct bench *b)
{
    double bytes = 0;
    DIR *d = opendir(b->dir);
    for (struct dirent *e = d ? readdir(d) : NULL; e; e = readdir(d)) {
        char name[512];
        (void)snprintf(name, sizeof name, "%s/%s", b->dir, e->d_name);
        FILE *f = e->d_name[0] == '.' ? NULL : fopen(name, "r");
        if (f && fseek(f, 0, SEEK_END) == 0)
            bytes += (double)ftell(f);
        if (f)
            (void)fclose(f);
    }
    if (d)
        (void)closedir(d);
    return bytes;
}

static bool measure_append(struct bench *b, const struct row *row)
{
    struct figures f;
    double bytes = 0;
    for (unsigned i = 0; i < b->rounds; i++) {
        empty(b->dir);
        struct journal *j = open_journal(b, row->is_compressed);
        if (!j)
            return false;
        uint64_t wall = timestamp_monotonic_ns();
        uint64_t cpu = cpu_ns();
        uint64_t records = run(b, j, row);
        f.cpu_ns[i] = (double)(cpu_ns() - cpu) / (double)(records ? records : 1);
        f.wall_ns[i] = (double)(timestamp_monotonic_ns() - wall) / (double)(records ? records : 1);
        b->checksum += journal_next_position(j);
        bytes = written(b) / (double)(records ? records : 1);
        journal_close(j);
        if (records == 0)
            return false;
    }
    print(b, row->name, &f, bytes);
    return true;
}

static bool measure_read(struct bench *b, const char *name, bool is_compressed)
{
    struct row row = {.is_compressed = is_compressed, .batches = 512};
    empty(b->dir);
    struct journal *j = open_journal(b, is_compressed);
    uint64_t records = j ? run(b, j, &row) : 0;
    struct figures f;
    AUTO(batch) out = batch_new();
    for (unsigned i = 0; i < b->rounds && records && out; i++) {
        AUTO(journal_reader) r = NULL;
        uint64_t wall = timestamp_monotonic_ns();
        uint64_t cpu = cpu_ns();
        uint64_t count = 0;
        if (journal_reader_open(b->dir, 0, TIMESTAMP_NONE, &r, NULL) != STATUS_OK)
            return false;
        while (journal_reader_next(r, out, NULL) == STATUS_OK)
            count += out->count;
        if (count != records)
            return false;
        f.cpu_ns[i] = (double)(cpu_ns() - cpu) / (double)records;
        f.wall_ns[i] = (double)(timestamp_monotonic_ns() - wall) / (double)records;
        b->checksum += count;
    }
    journal_close(j);
    if (records && out)
        print(b, name, &f, 0);
    return records > 0 && out;
}

/* Single records from all over the journal, as evidence is fetched. */
static bool measure_fetch(struct bench *b)
{
    enum { FETCHES = 2000 };
    struct row row = {.batches = 512};
    empty(b->dir);
    struct journal *j = open_journal(b, false);
    uint64_t records = j ? run(b, j, &row) : 0;
    struct figures f;
    struct arena arena;
    uint64_t state = 7;
    arena_init(&arena, 1 << 20);
    AUTO(journal_reader) r = NULL;
    bool is_ok = records && journal_reader_open(b->dir, 0, TIMESTAMP_NONE, &r, NULL) == STATUS_OK;
    for (unsigned i = 0; i < b->rounds && is_ok; i++) {
        uint64_t wall = timestamp_monotonic_ns();
        uint64_t cpu = cpu_ns();
        for (uint32_t k = 0; k < FETCHES / b->share && is_ok; k++) {
            struct record got;
            arena_reset(&arena);
            is_ok = journal_reader_fetch(r, 1 + draw(&state, (unsigned)records), &arena, &got) ==
                    STATUS_OK;
            b->checksum += is_ok ? got.position : 0;
        }
        f.cpu_ns[i] = (double)(cpu_ns() - cpu) / (FETCHES / b->share);
        f.wall_ns[i] = (double)(timestamp_monotonic_ns() - wall) / (FETCHES / b->share);
    }
    arena_fini(&arena);
    journal_close(j);
    if (is_ok)
        print(b, "fetch_random", &f, 0);
    return is_ok;
}

int main(int argc, char **argv)
{
    bool is_quick = argc > 1 && strcmp(argv[1], "--quick") == 0;
    struct bench *b = calloc(1, sizeof *b);
    if (!b)
        return 2;
    b->rounds = is_quick ? QUICK_ROUNDS : ROUNDS;
    b->share = is_quick ? 64 : 1;
    bool is_ok = set_up(b);
    for (size_t i = 0; i < sizeof rows / sizeof *rows && is_ok; i++)
        is_ok = measure_append(b, &rows[i]);
    is_ok = is_ok && measure_read(b, "read", false) && measure_read(b, "read_zstd", true) &&
            measure_fetch(b);
    empty(b->dir);
    (void)rmdir(b->dir);
    for (size_t i = 0; i < BATCHES; i++)
        batch_free(b->batches[i]);
    batch_free(b->single);
    free(b);
    if (!is_ok)
        (void)fprintf(stderr, "bench_journal: the journal failed\n");
    return is_ok ? 0 : 1;
}
