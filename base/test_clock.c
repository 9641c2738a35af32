/* SPDX-License-Identifier: Apache-2.0 */
#include "base/test_clock.h"
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#define RUNS      INT64_MIN
#define SECOND_US INT64_C(1000000)

static pthread_once_t once = PTHREAD_ONCE_INIT;
static int64_t fixed_us;                /* the variable's offset, written under `once` */
static const _Atomic(int64_t) *file_us; /* the file's, written there by other processes */
static _Atomic(int64_t) own_us;
static _Atomic(int64_t) stopped_us = RUNS;

static void refuse(const char *value, const char *why)
{
    (void)fprintf(stderr,
                  "TOCSIN_TEST_CLOCK='%s': %s; want an offset such as +400d, -3h, +90m or +10s, or "
                  "a file of eight bytes: the offset in microseconds\n",
                  value, why);
    abort();
}

static int64_t unit_us(const char *unit)
{
    static const struct {
        const char *name;
        int64_t us;
    } units[] = {
        {"s", SECOND_US}, {"m", 60 * SECOND_US}, {"h", 3600 * SECOND_US}, {"d", 86400 * SECOND_US}};
    for (size_t i = 0; i < sizeof units / sizeof *units; i++) {
        if (!strcmp(unit, units[i].name))
            return units[i].us;
    }
    return 0;
}

static void read_offset(const char *value)
{
    char *end = NULL;
    errno = 0;
    long long count = strtoll(value, &end, 10);
    int64_t us = unit_us(end);
    if (end == value + 1 || errno || !us || __builtin_mul_overflow((int64_t)count, us, &fixed_us))
        refuse(value, "no such offset");
}

static void map_file(const char *path)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    struct stat about = {0};
    if (fd < 0 || fstat(fd, &about))
        refuse(path, "the file cannot be read");
    if (about.st_size < (off_t)sizeof *file_us)
        refuse(path, "the file is too short");
    void *at = mmap(NULL, sizeof *file_us, PROT_READ, MAP_SHARED, fd, 0);
    if (at == MAP_FAILED)
        refuse(path, "the file cannot be mapped");
    (void)close(fd);
    file_us = at;
}

static void read_environment(void)
{
    const char *value = getenv("TOCSIN_TEST_CLOCK");
    if (!value || !*value)
        return;
    if (*value == '+' || *value == '-')
        read_offset(value);
    else
        map_file(value);
}

int64_t test_clock_shift(int64_t real_us)
{
    (void)pthread_once(&once, read_environment);
    int64_t stopped = atomic_load_explicit(&stopped_us, memory_order_relaxed);
    if (stopped != RUNS)
        return stopped;
    int64_t shared_us = file_us ? atomic_load_explicit(file_us, memory_order_relaxed) : 0;
    return real_us + fixed_us + shared_us + atomic_load_explicit(&own_us, memory_order_relaxed);
}

void test_clock_move(int64_t by_us)
{
    int64_t stopped = atomic_load_explicit(&stopped_us, memory_order_relaxed);
    if (stopped != RUNS)
        atomic_store_explicit(&stopped_us, stopped + by_us, memory_order_relaxed);
    else
        (void)atomic_fetch_add_explicit(&own_us, by_us, memory_order_relaxed);
}

void test_clock_stop(int64_t at_us)
{
    atomic_store_explicit(&stopped_us, at_us, memory_order_relaxed);
}

void test_clock_reset(void)
{
    atomic_store_explicit(&own_us, 0, memory_order_relaxed);
    atomic_store_explicit(&stopped_us, RUNS, memory_order_relaxed);
}
