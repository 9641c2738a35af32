/* SPDX-License-Identifier: Apache-2.0 */
#include "base/timestamp.h"
#include "ingest/ingest.h"
#include "tests/support/table.h"
#include <fcntl.h>
#include <ftw.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

struct fixture {
    char dir[64];
    struct batch *batch;
    struct arena arena;
};

static int set_up(void **state)
{
    struct fixture *f = calloc(1, sizeof *f);
    (void)snprintf(f->dir, sizeof f->dir, "/tmp/test_journal.XXXXXX");
    f->batch = batch_new();
    arena_init(&f->arena, 16 << 20);
    *state = f;
    return mkdtemp(f->dir) && f->batch ? 0 : -1;
}

static int remove_one(const char *path, const struct stat *st, int flag, struct FTW *ftw)
{
    (void)st, (void)flag, (void)ftw;
    return remove(path);
}

static int tear_down(void **state)
{
    struct fixture *f = *state;
    (void)nftw(f->dir, remove_one, 8, FTW_DEPTH | FTW_PHYS);
    batch_free(f->batch);
    arena_fini(&f->arena);
    free(f);
    return 0;
}

static struct journal *open_journal(const struct fixture *f, struct journal_options options)
{
    struct journal *j = NULL;
    struct error err = {0};
    options.dir = f->dir;
    if (journal_open(&options, &j, &err) != STATUS_OK)
        fail_msg("%s", err.text);
    return j;
}

/* `count` records "event <first + i>" received at 1 s, 2 s, ... after 1970. */
static void fill(struct batch *b, uint64_t first, uint32_t count)
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

static void append(struct fixture *f, struct journal *j, uint64_t first, uint32_t count)
{
    struct error err = {0};
    fill(f->batch, first, count);
    if (journal_append(j, f->batch, &err) != STATUS_OK)
        fail_msg("%s", err.text);
}

static struct journal_reader *open_reader(const struct fixture *f, uint64_t position,
                                          int64_t since_us)
{
    struct journal_reader *r = NULL;
    struct error err = {0};
    if (journal_reader_open(f->dir, position, since_us, &r, &err) != STATUS_OK)
        fail_msg("%s", err.text);
    return r;
}

/* Reads to the end: every record is "event N" with N rising; gives how many, and the first N. */
static uint64_t read_all(struct journal_reader *r, struct batch *b, uint64_t *out_first)
{
    uint64_t count = 0;
    uint64_t last = 0;
    struct error err = {0};
    enum status status;
    while ((status = journal_reader_next(r, b, &err)) == STATUS_OK) {
        for (uint32_t i = 0; i < b->count; i++) {
            char text[32];
            (void)snprintf(text, sizeof text, "%.*s", TEXT_ARG(b->records[i].raw));
            uint64_t number = strtoull(text + 6, NULL, 10);
            assert_true(number > last);
            assert_int_equal(b->records[i].receive_us, number * 1000000);
            assert_true(text_equal(b->records[i].peer, TEXT("192.0.2.7")));
            if (count++ == 0 && out_first)
                *out_first = number;
            last = number;
        }
    }
    assert_int_equal(status, STATUS_AGAIN);
    return count;
}

static void test_gives_positions(void **state)
{
    struct fixture *f = *state;
    AUTO(journal) j = open_journal(f, (struct journal_options){0});
    assert_int_equal(journal_epoch(j), 1);
    assert_int_equal(journal_next_position(j), 1);
    fill(f->batch, 10, 3);
    f->batch->records[1].receive_us = 99000000;
    assert_int_equal(journal_append(j, f->batch, NULL), STATUS_OK);
    for (uint32_t i = 0; i < 3; i++) {
        assert_int_equal(f->batch->records[i].position, i + 1);
        assert_int_equal(f->batch->records[i].epoch, 1);
    }
    assert_int_equal(f->batch->records[0].journal_us, 10000000);
    assert_int_equal(f->batch->records[2].journal_us, 99000000);
    assert_int_equal(journal_time_us(j), 99000000);
    assert_int_equal(journal_next_position(j), 4);
}

static void test_reads_back(void **state)
{
    struct fixture *f = *state;
    for (int is_compressed = 0; is_compressed < 2; is_compressed++) {
        AUTO(journal) j = open_journal(f, (struct journal_options){.is_compressed = is_compressed});
        uint64_t from = journal_next_position(j);
        fill(f->batch, 1, 500);
        f->batch->records[7].kind = RECORD_GAP;
        f->batch->records[7].flags = RECORD_TRUNCATED;
        f->batch->records[7].origin = TEXT("dedup:x");
        f->batch->records[8].peer = TEXT("198.51.100.1");
        assert_int_equal(journal_append(j, f->batch, NULL), STATUS_OK);
        AUTO(batch) got = batch_new();
        AUTO(journal_reader) r = open_reader(f, from, TIMESTAMP_NONE);
        assert_int_equal(journal_reader_next(r, got, NULL), STATUS_OK);
        assert_int_equal(got->count, 500);
        for (uint32_t i = 0; i < 500; i++) {
            const struct record *a = &f->batch->records[i];
            const struct record *b = &got->records[i];
            assert_true(text_equal(a->raw, b->raw));
            assert_true(text_equal(a->peer, b->peer));
            assert_true(text_equal(a->origin, b->origin));
            assert_int_equal(a->receive_us, b->receive_us);
            assert_int_equal(a->journal_us, b->journal_us);
            assert_int_equal(a->position, b->position);
            assert_int_equal(a->epoch, b->epoch);
            assert_int_equal(a->source, b->source);
            assert_int_equal(a->kind, b->kind);
            assert_int_equal(a->format, b->format);
            assert_int_equal(a->flags, b->flags);
        }
        assert_int_equal(journal_reader_next(r, got, NULL), STATUS_AGAIN);
    }
}

static void test_epochs_go_on(void **state)
{
    struct fixture *f = *state;
    for (uint32_t epoch = 1; epoch <= 4; epoch++) {
        AUTO(journal) j = open_journal(f, (struct journal_options){0});
        assert_int_equal(journal_epoch(j), epoch);
        if (epoch == 3)
            continue; /* an epoch without a record is an epoch too */
        append(f, j, journal_next_position(j), 10);
    }
    AUTO(journal_reader) r = open_reader(f, 0, TIMESTAMP_NONE);
    uint64_t first = 0;
    assert_int_equal(read_all(r, f->batch, &first), 30);
    assert_int_equal(first, 1);
    AUTO(journal) j = open_journal(f, (struct journal_options){0});
    assert_int_equal(journal_next_position(j), 31);
    assert_int_equal(journal_time_us(j), 30000000);
}

static void test_one_writer(void **state)
{
    struct fixture *f = *state;
    AUTO(journal) j = open_journal(f, (struct journal_options){0});
    AUTO(journal) second = NULL;
    struct journal_options options = {.dir = f->dir};
    assert_int_equal(journal_open(&options, &second, NULL), STATUS_CONFLICT);
}

static void test_reader_follows(void **state)
{
    struct fixture *f = *state;
    AUTO(journal) j = open_journal(f, (struct journal_options){.segment_bytes = 64 * 1024});
    AUTO(journal_reader) r = open_reader(f, 0, TIMESTAMP_NONE);
    AUTO(batch) got = batch_new();
    for (uint64_t n = 1; n < 30000; n += 100) { /* over many files */
        assert_int_equal(journal_reader_next(r, got, NULL), STATUS_AGAIN);
        append(f, j, n, 100);
        assert_int_equal(journal_reader_next(r, got, NULL), STATUS_OK);
        assert_int_equal(got->count, 100);
        assert_int_equal(got->records[0].position, n);
    }
}

/* Records 1..9000, 50 a block, over several files; each is received at `position` seconds. */
static void test_seeks(void **state)
{
    struct fixture *f = *state;
    AUTO(journal) j = open_journal(f, (struct journal_options){.segment_bytes = 64 * 1024});
    for (uint64_t n = 1; n <= 9000; n += 50)
        append(f, j, n, 50);
    static const struct {
        uint64_t position;
        int64_t since_s;
        uint64_t want;
    } rows[] = {{0, 0, 1},       {1, 0, 1},          {77, 0, 77},        {8999, 0, 8999},
                {0, 4321, 4321}, {5000, 4321, 5000}, {4000, 4321, 4321}, {9001, 0, 0},
                {0, 9001, 0},    {0, 9000, 9000},    {1, 1, 1},          {51, 51, 51}};
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        int64_t since_us = rows[i].since_s ? rows[i].since_s * 1000000 : TIMESTAMP_NONE;
        AUTO(journal_reader) r = open_reader(f, rows[i].position, since_us);
        uint64_t first = 0;
        uint64_t count = read_all(r, f->batch, &first);
        assert_int_equal(first, rows[i].want);
        assert_int_equal(count, rows[i].want ? 9001 - rows[i].want : 0);
    }
}

static void test_fetches(void **state)
{
    struct fixture *f = *state;
    AUTO(journal) j = open_journal(f, (struct journal_options){.segment_bytes = 64 * 1024});
    for (uint64_t n = 1; n <= 9000; n += 50)
        append(f, j, n, 50);
    AUTO(journal_reader) r = open_reader(f, 0, TIMESTAMP_NONE);
    for (uint64_t n = 1; n <= 9000; n += 331) {
        uint64_t position = n * 7919 % 9000 + 1;
        struct record got;
        char want[32];
        (void)snprintf(want, sizeof want, "event %d", (int)position);
        assert_int_equal(journal_reader_fetch(r, position, &f->arena, &got), STATUS_OK);
        assert_true(text_equal(got.raw, text_of(want)));
        assert_int_equal(got.position, position);
    }
    struct record none;
    assert_int_equal(journal_reader_fetch(r, 0, &f->arena, &none), STATUS_NOTFOUND);
    assert_int_equal(journal_reader_fetch(r, 9001, &f->arena, &none), STATUS_NOTFOUND);
    append(f, j, 9001, 1);
    assert_int_equal(journal_reader_fetch(r, 9001, &f->arena, &none), STATUS_OK);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_gives_positions, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_reads_back, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_epochs_go_on, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_one_writer, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_reader_follows, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_seeks, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_fetches, set_up, tear_down),
    };
    return cmocka_run_group_tests_name("test_journal", tests, NULL, NULL);
}
