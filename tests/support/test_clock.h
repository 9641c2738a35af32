/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include "base/wall_clock.h"
#include "tests/support/table.h"
#ifdef TOCSIN_TEST_CLOCK
#include "base/test_clock.h" /* IWYU pragma: export */
#define NEED_TEST_CLOCK()                                                                          \
    do {                                                                                           \
    } while (0)
#else
/* A build whose clock nobody moves: the tests that move it say so, and are skipped. */
#define NEED_TEST_CLOCK() SKIP_BECAUSE("built without -DTOCSIN_TEST_CLOCK=ON")
static inline void test_clock_move(int64_t by_us)
{
    (void)by_us;
}
static inline void test_clock_stop(int64_t at_us)
{
    (void)at_us;
}
static inline void test_clock_reset(void)
{
}
#endif

/* The clock shows `at_us` from now on, and runs on from there. */
static inline void test_clock_set(int64_t at_us)
{
    test_clock_reset();
    test_clock_move(at_us - wall_clock_us());
}
