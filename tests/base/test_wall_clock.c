/* SPDX-License-Identifier: Apache-2.0 */
#include "base/timestamp.h"
#include "base/wall_clock.h"
#include "tests/support/test_clock.h"
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

static const int64_t second_us = 1000000;
static const int64_t hour_us = INT64_C(3600000000);
static const int64_t day_us = INT64_C(86400000000);
static const int64_t leap_day_us = INT64_C(1835395200000000); /* 2028-02-29T00:00:00Z */

/* This program again, with the variable set: it says the time for each byte that it is sent. */
struct teller {
    pid_t pid;
    int ask, answers, errors;
};

static int tell_times(void)
{
    char byte = 0;
    while (read(STDIN_FILENO, &byte, 1) == 1) {
        int64_t now_us = wall_clock_us();
        if (write(STDOUT_FILENO, &now_us, sizeof now_us) != sizeof now_us)
            return 1;
    }
    return 0;
}

static void become_teller(int in, int out, int errors, const char *clock)
{
    (void)dup2(in, STDIN_FILENO);
    (void)dup2(out, STDOUT_FILENO);
    (void)dup2(errors, STDERR_FILENO);
    (void)setenv("TOCSIN_TEST_CLOCK", clock, 1);
    (void)execl("/proc/self/exe", "test_wall_clock", "--tell", (char *)NULL);
    _exit(127);
}

static void teller_start(struct teller *t, const char *clock)
{
    int ask[2], answer[2], error[2];
    assert_int_equal(pipe2(ask, O_CLOEXEC) | pipe2(answer, O_CLOEXEC) | pipe2(error, O_CLOEXEC), 0);
    t->pid = fork();
    assert_true(t->pid >= 0);
    if (t->pid == 0)
        become_teller(ask[0], answer[1], error[1], clock);
    (void)close(ask[0]);
    (void)close(answer[1]);
    (void)close(error[1]);
    *t = (struct teller){t->pid, ask[1], answer[0], error[0]};
}

/* False when it has ended. */
static bool teller_ask(struct teller *t, int64_t *out_us)
{
    return write(t->ask, "?", 1) == 1 && read(t->answers, out_us, sizeof *out_us) == sizeof *out_us;
}

static int teller_end(struct teller *t)
{
    (void)close(t->ask);
    (void)close(t->answers);
    (void)close(t->errors);
    int status = 0;
    assert_int_equal(waitpid(t->pid, &status, 0), t->pid);
    return status;
}

/* It tells a time between two looks of ours, `by_us` away: no bound on how long it may take. */
static void check_offset(struct teller *t, int64_t by_us)
{
    int64_t real_us = wall_clock_us(), told_us = 0;
    assert_true(teller_ask(t, &told_us));
    assert_true(told_us >= real_us + by_us);
    assert_true(told_us <= wall_clock_us() + by_us);
}

static const struct row {
    const char *name, *clock;
    int64_t by_us; /* 0: refused */
} rows[] = {
    {"offset: days ahead", "+400d", 400 * INT64_C(86400000000)},
    {"offset: hours back", "-3h", -3 * INT64_C(3600000000)},
    {"offset: minutes", "+90m", 90 * INT64_C(60000000)},
    {"offset: seconds", "+10s", 10 * INT64_C(1000000)},
    {"refused: no unit", "+10", 0},
    {"refused: another unit", "+10w", 0},
    {"refused: more after it", "+10d ", 0},
    {"refused: no number", "+d", 0},
    {"refused: two signs", "+-3d", 0},
    {"refused: too far", "+9223372036854775807d", 0},
    {"refused: no such file", "/nonexistent/clock", 0},
    {"refused: a short file", "/dev/null", 0},
};

static void test_environment(void **state)
{
    NEED_TEST_CLOCK();
    const struct row *row = *state;
    struct teller t;
    teller_start(&t, row->clock);
    int64_t told_us = 0;
    if (row->by_us) {
        check_offset(&t, row->by_us);
        assert_int_equal(teller_end(&t), 0);
        return;
    }
    assert_false(teller_ask(&t, &told_us));
    char why[512] = {0};
    assert_true(read(t.errors, why, sizeof why - 1) > 0);
    assert_non_null(strstr(why, row->clock));
    assert_non_null(strstr(why, "want an offset such as +400d"));
    assert_true(WIFSIGNALED(teller_end(&t)));
}

static void test_file_moves_a_running_program(void **state)
{
    (void)state;
    NEED_TEST_CLOCK();
    char path[] = "/tmp/tocsin-clock-XXXXXX";
    int fd = mkstemp(path);
    int64_t offset_us = 0;
    assert_int_equal(pwrite(fd, &offset_us, sizeof offset_us, 0), sizeof offset_us);
    struct teller one, other;
    teller_start(&one, path);
    teller_start(&other, path);
    static const int64_t steps[] = {0, 1000000, INT64_C(34560000000000), -INT64_C(86400000000)};
    for (size_t i = 0; i < sizeof steps / sizeof *steps; i++) {
        assert_int_equal(pwrite(fd, &steps[i], sizeof steps[i], 0), sizeof steps[i]);
        check_offset(&one, steps[i]);
        check_offset(&other, steps[i]);
    }
    assert_int_equal(teller_end(&one), 0);
    assert_int_equal(teller_end(&other), 0);
    (void)close(fd);
    assert_int_equal(unlink(path), 0);
}

static void test_own_hand(void **state)
{
    (void)state;
    NEED_TEST_CLOCK();
    int64_t before_us = wall_clock_us();
    test_clock_move(400 * day_us);
    assert_true(wall_clock_us() >= before_us + 400 * day_us);
    test_clock_move(-400 * day_us);
    assert_true(wall_clock_us() < before_us + 400 * day_us);
    test_clock_set(leap_day_us);
    assert_true(wall_clock_us() >= leap_day_us);
    test_clock_reset();
    assert_true(wall_clock_us() < leap_day_us);
}

static void test_stopped_clock_stands(void **state)
{
    (void)state;
    NEED_TEST_CLOCK();
    test_clock_stop(leap_day_us - second_us);
    assert_int_equal(wall_clock_us(), leap_day_us - second_us);
    uint64_t monotonic_ns = timestamp_monotonic_ns();
    while (timestamp_monotonic_ns() == monotonic_ns)
        continue;
    assert_int_equal(wall_clock_us(), leap_day_us - second_us);
    test_clock_move(hour_us);
    assert_int_equal(wall_clock_us(), leap_day_us - second_us + hour_us);
    test_clock_set(leap_day_us);
    int64_t seen_us = wall_clock_us();
    while (wall_clock_us() == seen_us)
        continue;
    test_clock_reset();
}

int main(int argc, char **argv)
{
    if (argc == 2 && !strcmp(argv[1], "--tell"))
        return tell_times();
    /* what it is told by the environment is what these tests try */
    (void)unsetenv("TOCSIN_TEST_CLOCK");
    enum { ROWS = sizeof rows / sizeof *rows };
    struct CMUnitTest tests[ROWS + 3];
    for (size_t i = 0; i < ROWS; i++)
        tests[i] = ROW(test_environment, &rows[i]);
    tests[ROWS] = (struct CMUnitTest)cmocka_unit_test(test_file_moves_a_running_program);
    tests[ROWS + 1] = (struct CMUnitTest)cmocka_unit_test(test_own_hand);
    tests[ROWS + 2] = (struct CMUnitTest)cmocka_unit_test(test_stopped_clock_stands);
    return cmocka_run_group_tests_name("test_wall_clock", tests, NULL, NULL);
}
