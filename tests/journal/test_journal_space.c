/* SPDX-License-Identifier: Apache-2.0 */
#include "base/log.h"
#include "journal/journal.h"
#include "tests/support/journal_folder.h"
#include "tests/support/table.h"
#include <errno.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <signal.h>
#include <stddef.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>

static bool is_full(const struct journal *j)
{
    return journal_folder_metric(j, "journal_is_full") > 0;
}

/* Else the kernel ends the process instead of refusing the write. */
static void ignore_file_limit(void)
{
    const struct sigaction ignored = {.sa_handler = SIG_IGN};
    assert_int_equal(sigaction(SIGXFSZ, &ignored, NULL), 0);
}

static void test_reserve(void **state)
{
    struct journal_folder *f = *state;
    AUTO(journal) j = journal_folder_open(f, (struct journal_options){.reserve_bytes = 1ULL << 60});
    struct error err = {0};
    journal_folder_fill(f->batch, 1, 5);
    f->batch->records[0].position = 77;
    for (int i = 0; i < 3; i++) {
        assert_int_equal(journal_append(j, f->batch, &err), STATUS_FULL);
        assert_non_null(strstr(err.text, "reserved"));
        assert_true(is_full(j));
        assert_int_equal(f->batch->records[0].position, 77); /* nothing was given */
        assert_int_equal(journal_next_position(j), 1);
    }
    assert_true(journal_folder_metric(j, "journal_refused_records_total") == 15);
    AUTO(journal_reader) r = journal_folder_read(f, 0, TIMESTAMP_NONE);
    assert_int_equal(journal_reader_next(r, f->batch, NULL), STATUS_AGAIN);
}

/* The kernel refuses to let the file grow, in the middle of a block; then it allows it again. */
static void test_disk_refuses(void **state)
{
    struct journal_folder *f = *state;
    struct rlimit old;
    struct sigaction ignore = {.sa_handler = SIG_IGN};
    (void)sigaction(SIGXFSZ, &ignore, NULL);
    assert_int_equal(getrlimit(RLIMIT_FSIZE, &old), 0);
    for (rlim_t room = 0; room < 700; room += 7) {
        AUTO(journal) j = journal_folder_open(f, (struct journal_options){0});
        uint64_t first = journal_next_position(j);
        journal_folder_append(f, j, first, 3);
        struct rlimit tight = {.rlim_cur = 64 + 64 + 64 + 200 + room, .rlim_max = old.rlim_max};
        assert_int_equal(setrlimit(RLIMIT_FSIZE, &tight), 0);
        journal_folder_fill(f->batch, first + 3, 8);
        enum status status = journal_append(j, f->batch, NULL);
        assert_int_equal(setrlimit(RLIMIT_FSIZE, &old), 0);
        assert_true(status == STATUS_OK || status == STATUS_FULL);
        if (status == STATUS_FULL) {
            assert_true(is_full(j));
            assert_int_equal(journal_next_position(j), first + 3);
            journal_folder_append(f, j, first + 3, 8); /* it recovers by itself */
        }
        assert_false(is_full(j));
        assert_int_equal(journal_sync(j, NULL), STATUS_OK);
    }
    AUTO(journal_reader) r = journal_folder_read(f, 0, TIMESTAMP_NONE);
    assert_int_equal(journal_folder_read_all(r, f->batch, NULL, NULL), 1100);
}

static void test_open_on_full_disk(void **state)
{
    struct journal_folder *f = *state;
    struct rlimit old;
    ignore_file_limit();
    assert_int_equal(getrlimit(RLIMIT_FSIZE, &old), 0);
    journal_close(journal_folder_open(f, (struct journal_options){0}));
    struct rlimit none = {.rlim_cur = 0, .rlim_max = old.rlim_max};
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &none), 0);
    AUTO(journal) j = journal_folder_open(f, (struct journal_options){0});
    journal_folder_fill(f->batch, 1, 5);
    enum status status = journal_append(j, f->batch, NULL);
    enum status synced = journal_sync(j, NULL);
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &old), 0);
    assert_int_equal(status, STATUS_FULL);
    assert_int_equal(synced, STATUS_OK); /* there is nothing to sync */
    journal_folder_append(f, j, 1, 5);
    assert_int_equal(journal_sync(j, NULL), STATUS_OK);
    AUTO(journal_reader) r = journal_folder_read(f, 0, TIMESTAMP_NONE);
    assert_int_equal(journal_folder_read_all(r, f->batch, NULL, NULL), 5);
}

/* From here on this process's fdatasync fails with EIO: the kernel itself says so. */
static void break_fdatasync(void)
{
    struct sock_filter code[] = {
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_fdatasync, 0, 1),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | EIO),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
    };
    struct sock_fprog program = {.len = sizeof code / sizeof *code, .filter = code};
    if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) ||
        prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program))
        _exit(77);
}

enum { SYNCED = 50, UNSYNCED = 30 };

/* In a child: records, a sync that fails, a second one that must not believe the first file. */
static int run_failed_sync(struct journal_folder *f, uint64_t synced)
{
    struct journal_options options = {.dir = f->path};
    struct journal *j = NULL;
    struct error err;
    if (journal_open(&options, &j, &err))
        return 1;
    AUTO(journal_reader) r = NULL;
    if (journal_reader_open(f->path, 0, TIMESTAMP_NONE, &r, &err))
        return 2;
    if (synced) {
        journal_folder_append(f, j, 1, SYNCED);
        if (journal_sync(j, &err))
            return 3;
    }
    break_fdatasync();
    for (uint64_t i = 0; i < UNSYNCED; i += 10)
        journal_folder_append(f, j, synced + 1 + i, 10);
    if (journal_folder_read_all(r, f->batch, NULL, NULL) != synced + UNSYNCED)
        return 4;
    if (journal_sync(j, &err) != STATUS_IO)
        return 5;
    if (journal_sync(j, &err) != STATUS_OK || journal_epoch(j) != 1) /* into a file of its own */
        return 6;
    if (journal_next_position(j) != synced + UNSYNCED + 1)
        return 7;
    journal_folder_append(f, j, synced + UNSYNCED + 1, 5);
    /* a reader that was in the old file goes on in the new one, and gives nothing twice */
    if (journal_folder_read_all(r, f->batch, NULL, NULL) != 5)
        return 8;
    return 0; /* as a crash: nothing is closed */
}

static void test_failed_sync(void **state)
{
    struct journal_folder *f = *state;
    for (uint64_t synced = 0; synced <= SYNCED; synced += SYNCED) {
        pid_t child = fork();
        assert_true(child >= 0);
        if (child == 0)
            _exit(run_failed_sync(f, synced));
        int status = 0;
        assert_int_equal(waitpid(child, &status, 0), child);
        if (WIFEXITED(status) && WEXITSTATUS(status) == 77)
            SKIP_BECAUSE("no small disk can be mounted here");
        assert_true(WIFEXITED(status));
        assert_int_equal(WEXITSTATUS(status), 0);
        AUTO(journal_reader) r = journal_folder_read(f, 0, TIMESTAMP_NONE);
        uint64_t first = 0;
        assert_int_equal(journal_folder_read_all(r, f->batch, &first, NULL), synced + UNSYNCED + 5);
        assert_int_equal(first, 1);
        journal_folder_empty(f->path);
    }
}

/* 40 files or so of one second each. */
static void fill_files(struct journal_folder *f, struct journal *j, uint64_t until)
{
    for (uint64_t n = journal_next_position(j); n < until; n += 100)
        journal_folder_append(f, j, n, 100);
    assert_int_equal(journal_sync(j, NULL), STATUS_OK);
}

static void test_retention_by_size(void **state)
{
    struct journal_folder *f = *state;
    AUTO(journal)
    j = journal_folder_open(
        f, (struct journal_options){.segment_bytes = 64 * 1024, .max_bytes = 300 * 1024});
    fill_files(f, j, 20000);
    double files = journal_folder_metric(j, "journal_files");
    assert_true(files > 10); /* nothing may go yet */
    AUTO(journal_reader) r = journal_folder_read(f, 0, TIMESTAMP_NONE);
    struct record kept;
    journal_allow_removal(j, 5000);
    assert_int_equal(journal_sync(j, NULL), STATUS_OK);
    assert_true(journal_folder_metric(j, "journal_files") < files);
    assert_int_equal(journal_reader_fetch(r, 5000, &f->arena, &kept), STATUS_OK);
    assert_int_equal(journal_reader_fetch(r, 1, &f->arena, &kept), STATUS_NOTFOUND);
    journal_allow_removal(j, UINT64_MAX);
    assert_int_equal(journal_sync(j, NULL), STATUS_OK);
    assert_true(journal_folder_metric(j, "journal_bytes") <= 300 * 1024);
    assert_true(journal_folder_metric(j, "journal_files") >= 3);
    assert_int_equal(journal_reader_fetch(r, 20000, &f->arena, &kept), STATUS_OK);
}

static void test_retention_by_age(void **state)
{
    struct journal_folder *f = *state;
    AUTO(journal)
    j = journal_folder_open(f, (struct journal_options){.max_age_us = 8000 * 1000000LL});
    journal_allow_removal(j, UINT64_MAX);
    fill_files(f, j, 20000);
    AUTO(journal_reader) r = journal_folder_read(f, 0, TIMESTAMP_NONE);
    uint64_t first = 0;
    uint64_t last = 0;
    (void)journal_folder_read_all(r, f->batch, &first, &last);
    /* files of an eighth of the age: so much more may be left */
    assert_in_range(last - first, 8000, 9300);
}

int main(void)
{
    log_set_level(LOG_ERROR);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_reserve, journal_folder_set_up,
                                        journal_folder_tear_down),
        cmocka_unit_test_setup_teardown(test_disk_refuses, journal_folder_set_up,
                                        journal_folder_tear_down),
        cmocka_unit_test_setup_teardown(test_open_on_full_disk, journal_folder_set_up,
                                        journal_folder_tear_down),
        cmocka_unit_test_setup_teardown(test_failed_sync, journal_folder_set_up,
                                        journal_folder_tear_down),
        cmocka_unit_test_setup_teardown(test_retention_by_size, journal_folder_set_up,
                                        journal_folder_tear_down),
        cmocka_unit_test_setup_teardown(test_retention_by_age, journal_folder_set_up,
                                        journal_folder_tear_down),
    };
    return cmocka_run_group_tests_name("test_journal_space", tests, NULL, NULL);
}
