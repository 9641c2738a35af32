/* SPDX-License-Identifier: Apache-2.0 */
#include "base/counter.h"
#include "base/hash.h"
#include "base/timestamp.h"
#include "base/wall_clock.h"
#include "journal/journal.h"
#include "journal/journal_marks.h"
#include <fcntl.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

/*
 * A ring of identities in the order of their coming, and over it a hash set of ring positions. Time
 * is the records' own receipt, which only grows here, so the oldest are at the tail. The file is
 * the ring as it lies in memory behind a small head: it is read on the machine that wrote it.
 */

enum {
    SLOTS = REPEATS_MAX * 2,
    KEPT_US = 600000000,
    SAVE_US = 10000000,
    NONE = -1,
};

struct identity {
    struct hash128 id;
    int64_t at_us; /* TIMESTAMP_NONE: forgotten */
};

#define REPEATS_COUNTERS(COUNTER)                                                                  \
    COUNTER(dropped, METRIC_COUNTER, "repeats_dropped_total",                                      \
            "Records that their sender had sent within 10 minutes before.")                        \
    COUNTER(overflowed, METRIC_COUNTER, "repeats_overflowed_total",                                \
            "Identities forgotten early because too many came.")

struct repeats {
    struct identity *ring; /* REPEATS_MAX */
    int32_t *slots;        /* SLOTS: index in the ring, or NONE */
    uint32_t tail, count;
    int64_t now_us, saved_us;
    bool is_changed;
    char *path;
    REPEATS_COUNTERS(COUNTER_FIELD) /* written by the journal's thread */
};

struct head {
    char magic[8];
    uint64_t count;
    int64_t now_us;
    uint64_t hash; /* of the identities */
};
static const char magic[8] = {'t', 'o', 'c', 'r', 'e', 'p', '0', '1'};

static uint32_t slot_of(const struct repeats *r, struct hash128 id)
{
    uint32_t at = (uint32_t)(hash_home(id) % SLOTS);
    while (r->slots[at] != NONE && !hash_equal(r->ring[r->slots[at]].id, id))
        at = (at + 1) % SLOTS;
    return at;
}

static void clear_slot(struct repeats *r, uint32_t at)
{
    r->slots[at] = NONE;
    for (uint32_t next = (at + 1) % SLOTS; r->slots[next] != NONE; next = (next + 1) % SLOTS) {
        uint32_t home = (uint32_t)(hash_home(r->ring[r->slots[next]].id) % SLOTS);
        bool may_stay = at <= next ? at < home && home <= next : at < home || home <= next;
        if (may_stay)
            continue;
        r->slots[at] = r->slots[next];
        r->slots[next] = NONE;
        at = next;
    }
}

static void drop_tail(struct repeats *r)
{
    const struct identity *i = &r->ring[r->tail];
    if (i->at_us != TIMESTAMP_NONE)
        clear_slot(r, slot_of(r, i->id));
    r->tail = (r->tail + 1) % REPEATS_MAX;
    r->count--;
}

static void age(struct repeats *r)
{
    while (r->count && (r->ring[r->tail].at_us == TIMESTAMP_NONE ||
                        r->ring[r->tail].at_us < r->now_us - KEPT_US))
        drop_tail(r);
}

/* False where it is known already. */
static bool remember(struct repeats *r, struct hash128 id, int64_t at_us)
{
    uint32_t slot = slot_of(r, id);
    if (r->slots[slot] != NONE)
        return false;
    if (r->count == REPEATS_MAX) {
        drop_tail(r);
        counter_add(&r->overflowed, 1);
        slot = slot_of(r, id);
    }
    uint32_t at = (r->tail + r->count++) % REPEATS_MAX;
    r->ring[at] = (struct identity){id, at_us};
    r->slots[slot] = (int32_t)at;
    r->is_changed = true;
    return true;
}

static bool is_ours(const struct record *r)
{
    return r->origin.len && !journal_marks_own(r->origin);
}

/* True where the record is news, or has no identity of its own. */
static bool is_news(struct repeats *r, const struct record *record)
{
    if (!is_ours(record))
        return true;
    if (record->receive_us > r->now_us)
        r->now_us = record->receive_us;
    age(r);
    return remember(r, record_identity(record), r->now_us);
}

void repeats_drop(struct repeats *r, struct batch *b)
{
    uint32_t kept = 0;
    size_t raw_bytes = 0;
    for (uint32_t i = 0; i < b->count; i++) {
        if (!is_news(r, &b->records[i]))
            continue;
        raw_bytes += b->records[i].raw.len;
        if (kept != i)
            b->records[kept] = b->records[i];
        kept++;
    }
    counter_add(&r->dropped, b->count - kept);
    b->count = kept;
    b->raw_bytes = raw_bytes;
}

void repeats_forget(struct repeats *r, const struct batch *b)
{
    for (uint32_t i = 0; i < b->count; i++) {
        if (!is_ours(&b->records[i]))
            continue;
        uint32_t slot = slot_of(r, record_identity(&b->records[i]));
        if (r->slots[slot] == NONE)
            continue;
        r->ring[r->slots[slot]].at_us = TIMESTAMP_NONE; /* its place rolls out of the ring */
        clear_slot(r, slot);
    }
}

/* ---- over a restart ---- */

static bool read_whole(int fd, void *at, size_t size)
{
    char *to = at;
    while (size) {
        ssize_t n = read(fd, to, size);
        if (n <= 0)
            return false;
        to += n;
        size -= (size_t)n;
    }
    return true;
}

static bool write_whole(int fd, const void *at, size_t size)
{
    const char *from = at;
    while (size) {
        ssize_t n = write(fd, from, size);
        if (n <= 0)
            return false;
        from += n;
        size -= (size_t)n;
    }
    return true;
}

/* A file that is missing or damaged leaves an empty ring: the journal then says the rest. */
static void load(struct repeats *r)
{
    struct head head;
    int fd = open(r->path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return;
    struct identity *all = NULL;
    if (read_whole(fd, &head, sizeof head) && memcmp(head.magic, magic, sizeof magic) == 0 &&
        head.count <= REPEATS_MAX)
        all = malloc((size_t)head.count * sizeof *all + 1);
    size_t size = all ? (size_t)head.count * sizeof *all : 0;
    if (all && read_whole(fd, all, size) && hash_bytes(all, size, 0) == head.hash) {
        for (uint64_t i = 0; i < head.count; i++)
            (void)remember(r, all[i].id, all[i].at_us);
        r->now_us = r->saved_us = head.now_us;
    }
    free(all);
    (void)close(fd);
}

static enum status read_on(struct repeats *r, const char *journal_dir, struct error *err)
{
    AUTO(journal_reader) reader = NULL;
    AUTO(batch) b = batch_new();
    if (!b)
        return error_set(err, STATUS_NOMEM, 0, "no memory for what senders repeat");
    int64_t since_us = r->now_us ? r->now_us : wall_clock_us() - KEPT_US;
    enum status status = journal_reader_open(journal_dir, 0, since_us, &reader, err);
    if (status == STATUS_NOTFOUND)
        return STATUS_OK; /* no journal yet */
    while (!status) {
        batch_reset(b);
        status = journal_reader_next(reader, b, err);
        for (uint32_t i = 0; !status && i < b->count; i++)
            (void)is_news(r, &b->records[i]);
    }
    return status == STATUS_AGAIN ? STATUS_OK : status;
}

enum status repeats_open(const char *path, const char *journal_dir, struct repeats **out,
                         struct error *err)
{
    AUTO(repeats) r = calloc(1, sizeof *r);
    if (!r)
        return error_set(err, STATUS_NOMEM, 0, "no memory for what senders repeat");
    r->ring = calloc(REPEATS_MAX, sizeof *r->ring);
    r->slots = malloc(SLOTS * sizeof *r->slots);
    r->path = strdup(path);
    if (!r->ring || !r->slots || !r->path)
        return error_set(err, STATUS_NOMEM, 0, "no memory for what senders repeat");
    memset(r->slots, 0xFF, SLOTS * sizeof *r->slots);
    load(r);
    enum status status = read_on(r, journal_dir, err);
    if (status)
        return status;
    *out = MOVE(r);
    return STATUS_OK;
}

void repeats_free(struct repeats *r)
{
    if (!r)
        return;
    free(r->ring);
    free(r->slots);
    free(r->path);
    free(r);
}

/* The ring from its tail on, without what was forgotten. */
static uint64_t flatten(const struct repeats *r, struct identity *out)
{
    uint64_t n = 0;
    for (uint32_t i = 0; i < r->count; i++) {
        const struct identity *one = &r->ring[(r->tail + i) % REPEATS_MAX];
        if (one->at_us != TIMESTAMP_NONE)
            out[n++] = *one;
    }
    return n;
}

static bool write_file(const struct repeats *r, const char *fresh)
{
    struct identity *all = malloc(r->count * sizeof *all + 1);
    if (!all)
        return false;
    struct head head = {.count = flatten(r, all), .now_us = r->now_us};
    size_t size = (size_t)head.count * sizeof *all;
    memcpy(head.magic, magic, sizeof magic);
    head.hash = hash_bytes(all, size, 0);
    int fd = open(fresh, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    bool is_written = fd >= 0 && write_whole(fd, &head, sizeof head) &&
                      write_whole(fd, all, size) && fdatasync(fd) == 0;
    if (fd >= 0)
        (void)close(fd);
    free(all);
    return is_written;
}

void repeats_save(struct repeats *r, bool must)
{
    char fresh[4096];
    if (!r->is_changed || (!must && r->now_us - r->saved_us < SAVE_US))
        return;
    r->saved_us = r->now_us; /* a disk that refuses is asked again in a while */
    (void)snprintf(fresh, sizeof fresh, "%s.new", r->path);
    if (write_file(r, fresh) && rename(fresh, r->path) == 0)
        r->is_changed = false;
}

void repeats_metrics(const struct repeats *r, metric_fn tell, void *context)
{
    const struct repeats *counters = r;
    const struct counter_line lines[] = {REPEATS_COUNTERS(COUNTER_LINE)};
    counter_tell(lines, sizeof lines / sizeof *lines, NULL, tell, context);
}
