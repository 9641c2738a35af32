/* SPDX-License-Identifier: Apache-2.0 */
#include "base/timestamp.h"
#include "ingest/ingest.h"
#include "journal/journal.h"
#include "tests/support/journal_folder.h"
#include "tests/support/table.h"
#include <pthread.h>
#include <sched.h>

static void test_gives_positions(void **state)
{
    struct journal_folder *f = *state;
    AUTO(journal) j = journal_folder_open(f, (struct journal_options){0});
    assert_int_equal(journal_epoch(j), 1);
    assert_int_equal(journal_next_position(j), 1);
    journal_folder_fill(f->batch, 10, 3);
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

/* The same position in two journals is two identities; a start keeps them. */
static void test_has_an_instance(void **state)
{
    struct journal_folder *f = *state;
    char other[80];
    (void)snprintf(other, sizeof other, "%s/other", f->path);
    struct hash128 first;
    uint64_t instance;
    {
        AUTO(journal) j = journal_folder_open(f, (struct journal_options){0});
        instance = journal_instance(j);
        assert_true(instance != 0);
        journal_folder_fill(f->batch, 10, 1);
        assert_int_equal(journal_append(j, f->batch, NULL), STATUS_OK);
        assert_int_equal(journal_sync(j, NULL), STATUS_OK);
        first = record_identity(&f->batch->records[0]);
        struct journal_options options = {.dir = other};
        AUTO(journal) k = NULL;
        assert_int_equal(journal_open(&options, &k, NULL), STATUS_OK);
        assert_true(journal_instance(k) != instance);
        batch_reset(f->batch);
        journal_folder_fill(f->batch, 10, 1);
        assert_int_equal(journal_append(k, f->batch, NULL), STATUS_OK);
        assert_int_equal(f->batch->records[0].position, 1);
        assert_false(hash_equal(record_identity(&f->batch->records[0]), first));
    }
    journal_folder_empty(other);
    (void)rmdir(other);
    AUTO(journal) j = journal_folder_open(f, (struct journal_options){0});
    assert_true(journal_instance(j) == instance);
    AUTO(batch) got = batch_new();
    AUTO(journal_reader) r = journal_folder_read(f, 1, TIMESTAMP_NONE);
    assert_int_equal(journal_reader_next(r, got, NULL), STATUS_OK);
    assert_true(got->records[0].instance == instance);
    assert_true(hash_equal(record_identity(&got->records[0]), first));
    /* kept beyond its journal: the origin says the same */
    char origin[RECORD_ORIGIN_LEN];
    struct record kept = {.origin = record_journal_origin(&got->records[0], origin)};
    assert_true(hash_equal(record_identity(&kept), first));
}

static void test_reads_back(void **state)
{
    struct journal_folder *f = *state;
    for (int is_compressed = 0; is_compressed < 2; is_compressed++) {
        AUTO(journal)
        j = journal_folder_open(f, (struct journal_options){.is_compressed = is_compressed});
        uint64_t from = journal_next_position(j);
        journal_folder_fill(f->batch, 1, 500);
        f->batch->records[7].kind = RECORD_GAP;
        f->batch->records[7].flags = RECORD_TRUNCATED;
        f->batch->records[7].origin = TEXT("dedup:x");
        f->batch->records[8].peer = TEXT("198.51.100.1");
        assert_int_equal(journal_append(j, f->batch, NULL), STATUS_OK);
        AUTO(batch) got = batch_new();
        AUTO(journal_reader) r = journal_folder_read(f, from, TIMESTAMP_NONE);
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
    struct journal_folder *f = *state;
    for (uint32_t epoch = 1; epoch <= 4; epoch++) {
        AUTO(journal) j = journal_folder_open(f, (struct journal_options){0});
        assert_int_equal(journal_epoch(j), epoch);
        if (epoch == 3)
            continue; /* an epoch without a record is an epoch too */
        journal_folder_append(f, j, journal_next_position(j), 10);
    }
    AUTO(journal_reader) r = journal_folder_read(f, 0, TIMESTAMP_NONE);
    uint64_t first = 0;
    assert_int_equal(journal_folder_read_all(r, f->batch, &first, NULL), 30);
    assert_int_equal(first, 1);
    AUTO(journal) j = journal_folder_open(f, (struct journal_options){0});
    assert_int_equal(journal_next_position(j), 31);
    assert_int_equal(journal_time_us(j), 30000000);
}

/* The state was ahead of a journal that lost its end: no position is given twice. */
static void test_skips(void **state)
{
    struct journal_folder *f = *state;
    {
        AUTO(journal) j = journal_folder_open(f, (struct journal_options){0});
        journal_folder_append(f, j, 1, 10);
    }
    {
        AUTO(journal) j = journal_folder_open(f, (struct journal_options){0});
        journal_skip_to(j, 5);
        assert_int_equal(journal_next_position(j), 11);
        journal_skip_to(j, 101);
        journal_folder_append(f, j, 101, 10);
        assert_int_equal(f->batch->records[0].position, 101);
    }
    AUTO(journal_reader) r = journal_folder_read(f, 0, TIMESTAMP_NONE);
    struct record got;
    assert_int_equal(journal_folder_read_all(r, f->batch, NULL, NULL), 20);
    assert_int_equal(journal_reader_fetch(r, 50, &f->arena, &got), STATUS_NOTFOUND);
    assert_int_equal(journal_reader_fetch(r, 101, &f->arena, &got), STATUS_OK);
    AUTO(journal) j = journal_folder_open(f, (struct journal_options){0});
    assert_int_equal(journal_next_position(j), 111);
}

static void test_one_writer(void **state)
{
    struct journal_folder *f = *state;
    AUTO(journal) first = journal_folder_open(f, (struct journal_options){0});
    AUTO(journal) second = NULL;
    assert_non_null(first);
    struct journal_options options = {.dir = f->path};
    assert_int_equal(journal_open(&options, &second, NULL), STATUS_CONFLICT);
}

static void test_reader_follows(void **state)
{
    struct journal_folder *f = *state;
    AUTO(journal) j = journal_folder_open(f, (struct journal_options){.segment_bytes = 64 * 1024});
    AUTO(journal_reader) r = journal_folder_read(f, 0, TIMESTAMP_NONE);
    AUTO(batch) got = batch_new();
    for (uint64_t n = 1; n < 30000; n += 100) { /* over many files */
        assert_int_equal(journal_reader_next(r, got, NULL), STATUS_AGAIN);
        journal_folder_append(f, j, n, 100);
        assert_int_equal(journal_reader_next(r, got, NULL), STATUS_OK);
        assert_int_equal(got->count, 100);
        assert_int_equal(got->records[0].position, n);
    }
}

/* Records 1..9000, 50 a block, over several files; each is received at `position` seconds. */
static void test_seeks(void **state)
{
    struct journal_folder *f = *state;
    AUTO(journal) j = journal_folder_open(f, (struct journal_options){.segment_bytes = 64 * 1024});
    for (uint64_t n = 1; n <= 9000; n += 50)
        journal_folder_append(f, j, n, 50);
    static const struct {
        uint64_t position;
        int64_t since_s;
        uint64_t want;
    } rows[] = {{0, 0, 1},       {1, 0, 1},          {77, 0, 77},        {8999, 0, 8999},
                {0, 4321, 4321}, {5000, 4321, 5000}, {4000, 4321, 4321}, {9001, 0, 0},
                {0, 9001, 0},    {0, 9000, 9000},    {1, 1, 1},          {51, 51, 51}};
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        int64_t since_us = rows[i].since_s ? rows[i].since_s * 1000000 : TIMESTAMP_NONE;
        AUTO(journal_reader) r = journal_folder_read(f, rows[i].position, since_us);
        uint64_t first = 0;
        uint64_t count = journal_folder_read_all(r, f->batch, &first, NULL);
        assert_int_equal(first, rows[i].want);
        assert_int_equal(count, rows[i].want ? 9001 - rows[i].want : 0);
    }
}

static void test_fetches(void **state)
{
    struct journal_folder *f = *state;
    AUTO(journal) j = journal_folder_open(f, (struct journal_options){.segment_bytes = 64 * 1024});
    for (uint64_t n = 1; n <= 9000; n += 50)
        journal_folder_append(f, j, n, 50);
    AUTO(journal_reader) r = journal_folder_read(f, 0, TIMESTAMP_NONE);
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
    journal_folder_append(f, j, 9001, 1);
    assert_int_equal(journal_reader_fetch(r, 9001, &f->arena, &none), STATUS_OK);
}

enum { FOLLOWED = 30000 };

struct follower {
    const struct journal_folder *folder;
    pthread_t thread;
    uint64_t count, wrong;
};

/* Reads until it has the last one; an error, a gap or a wrong record counts. */
static void *follow(void *argument)
{
    struct follower *me = argument;
    AUTO(batch) b = batch_new();
    AUTO(journal_reader) r = NULL;
    if (!b || journal_reader_open(me->folder->path, 0, TIMESTAMP_NONE, &r, NULL) != STATUS_OK)
        return NULL;
    while (me->count < FOLLOWED && me->wrong == 0) {
        enum status status = journal_reader_next(r, b, NULL);
        if (status == STATUS_AGAIN)
            (void)sched_yield();
        else if (status)
            me->wrong++;
        for (uint32_t i = 0; !status && i < b->count; i++) {
            char want[32];
            (void)snprintf(want, sizeof want, "event %d", (int)++me->count);
            me->wrong += b->records[i].position != me->count ||
                         !text_equal(b->records[i].raw, text_of(want));
        }
    }
    return NULL;
}

static void test_two_readers_follow(void **state)
{
    struct journal_folder *f = *state;
    AUTO(journal) j = journal_folder_open(f, (struct journal_options){.segment_bytes = 64 * 1024});
    struct follower followers[2] = {{.folder = f}, {.folder = f}};
    for (size_t i = 0; i < 2; i++)
        assert_int_equal(pthread_create(&followers[i].thread, NULL, follow, &followers[i]), 0);
    for (uint64_t n = 1; n <= FOLLOWED; n += 30) {
        journal_folder_append(f, j, n, 30);
        if (n % 600 == 1)
            assert_int_equal(journal_sync(j, NULL), STATUS_OK);
    }
    for (size_t i = 0; i < 2; i++) {
        (void)pthread_join(followers[i].thread, NULL);
        assert_int_equal(followers[i].wrong, 0);
        assert_int_equal(followers[i].count, FOLLOWED);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_gives_positions, journal_folder_set_up,
                                        journal_folder_tear_down),
        cmocka_unit_test_setup_teardown(test_has_an_instance, journal_folder_set_up,
                                        journal_folder_tear_down),
        cmocka_unit_test_setup_teardown(test_reads_back, journal_folder_set_up,
                                        journal_folder_tear_down),
        cmocka_unit_test_setup_teardown(test_epochs_go_on, journal_folder_set_up,
                                        journal_folder_tear_down),
        cmocka_unit_test_setup_teardown(test_skips, journal_folder_set_up,
                                        journal_folder_tear_down),
        cmocka_unit_test_setup_teardown(test_one_writer, journal_folder_set_up,
                                        journal_folder_tear_down),
        cmocka_unit_test_setup_teardown(test_reader_follows, journal_folder_set_up,
                                        journal_folder_tear_down),
        cmocka_unit_test_setup_teardown(test_two_readers_follow, journal_folder_set_up,
                                        journal_folder_tear_down),
        cmocka_unit_test_setup_teardown(test_seeks, journal_folder_set_up,
                                        journal_folder_tear_down),
        cmocka_unit_test_setup_teardown(test_fetches, journal_folder_set_up,
                                        journal_folder_tear_down),
    };
    return cmocka_run_group_tests_name("test_journal", tests, NULL, NULL);
}
