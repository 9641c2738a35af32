/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include "base/timestamp.h"
#include "ingest/ingest.h"
#include "journal/journal.h"
#include "tests/support/table.h"
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* A journal in a folder that goes away, with records "event N" received at second N. */
struct journal_folder {
    char path[64];
    struct batch *batch;
    struct arena arena;
};

static inline void journal_folder_empty(const char *path)
{
    DIR *d = opendir(path);
    for (struct dirent *e = d ? readdir(d) : NULL; e; e = readdir(d)) {
        char name[512];
        (void)snprintf(name, sizeof name, "%s/%s", path, e->d_name);
        if (e->d_name[0] != '.')
            (void)unlink(name);
    }
    if (d)
        (void)closedir(d);
}

static inline int journal_folder_set_up(void **state)
{
    struct journal_folder *f = calloc(1, sizeof *f);
    if (!f)
        return -1;
    /* in memory where that can be had: thousands of fsyncs would take a minute on a disk */
    (void)snprintf(f->path, sizeof f->path, "%s/test_journal.XXXXXX",
                   access("/dev/shm", W_OK) == 0 ? "/dev/shm" : "/tmp");
    f->batch = batch_new();
    arena_init(&f->arena, 16 << 20);
    *state = f;
    return mkdtemp(f->path) && f->batch ? 0 : -1;
}

static inline int journal_folder_tear_down(void **state)
{
    struct journal_folder *f = *state;
    journal_folder_empty(f->path);
    (void)rmdir(f->path);
    batch_free(f->batch);
    arena_fini(&f->arena);
    free(f);
    return 0;
}

static inline struct journal *journal_folder_open(const struct journal_folder *f,
                                                  struct journal_options options)
{
    struct journal *j = NULL;
    struct error err = {0};
    options.dir = f->path;
    if (journal_open(&options, &j, &err) != STATUS_OK)
        fail_msg("%s", err.text);
    return j;
}

static inline void journal_folder_fill(struct batch *b, uint64_t first, uint32_t count)
{
    batch_reset(b);
    for (uint32_t i = 0; i < count; i++) {
        char line[32];
        (void)snprintf(line, sizeof line, "event %d", (int)(first + i));
        struct record *r = batch_add(b, text_of(line));
        assert_non_null(r);
        r->receive_us = (int64_t)(first + i) * 1000000;
        r->peer = TEXT("192.0.2.7");
        r->format = FORMAT_SYSLOG;
        r->source = 3;
    }
}

static inline void journal_folder_append(struct journal_folder *f, struct journal *j,
                                         uint64_t first, uint32_t count)
{
    struct error err = {0};
    journal_folder_fill(f->batch, first, count);
    if (journal_append(j, f->batch, &err) != STATUS_OK)
        fail_msg("%s", err.text);
}

static inline struct journal_reader *journal_folder_read(const struct journal_folder *f,
                                                         uint64_t position, int64_t since_us)
{
    struct journal_reader *r = NULL;
    struct error err = {0};
    if (journal_reader_open(f->path, position, since_us, &r, &err) != STATUS_OK)
        fail_msg("%s", err.text);
    return r;
}

/* N of a record "event N"; fails unless all of it is as it was written. */
static inline uint64_t journal_folder_number(const struct record *r)
{
    char text[32];
    char want[32];
    (void)snprintf(text, sizeof text, "%.*s", TEXT_ARG(r->raw));
    uint64_t number = strncmp(text, "event ", 6) == 0 ? strtoull(text + 6, NULL, 10) : 0;
    (void)snprintf(want, sizeof want, "event %d", (int)number);
    assert_string_equal(text, want);
    assert_int_equal(r->receive_us, number * 1000000);
    assert_true(text_equal(r->peer, TEXT("192.0.2.7")));
    return number;
}

/* Reads on to the end: numbers rise. Gives how many there are, and the first and the last one. */
static inline uint64_t journal_folder_read_all(struct journal_reader *r, struct batch *b,
                                               uint64_t *out_first, uint64_t *out_last)
{
    uint64_t count = 0;
    uint64_t last = 0;
    uint64_t position = 0;
    struct error err = {0};
    enum status status;
    while ((status = journal_reader_next(r, b, &err)) == STATUS_OK) {
        for (uint32_t i = 0; i < b->count; i++) {
            uint64_t number = journal_folder_number(&b->records[i]);
            assert_true(number > last);
            assert_true(b->records[i].position > position);
            if (count++ == 0 && out_first)
                *out_first = number;
            last = number;
            position = b->records[i].position;
        }
    }
    assert_int_equal(status, STATUS_AGAIN);
    if (out_last)
        *out_last = last;
    return count;
}

struct journal_folder_asked {
    const char *name;
    double value;
};
static inline void journal_folder_hear(void *context, const struct metric *m)
{
    struct journal_folder_asked *asked = context;
    if (strcmp(m->name, asked->name) == 0)
        asked->value = m->value;
}
static inline double journal_folder_metric(const struct journal *j, const char *name)
{
    struct journal_folder_asked asked = {name, -1};
    journal_metrics(j, journal_folder_hear, &asked);
    return asked.value;
}
