/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include <stdint.h>

/*
 * The wall clock of a test. Built with the CMake option TOCSIN_TEST_CLOCK alone: a program without
 * it has none of this. Two hands are added up:
 *
 *  - the environment's, for a whole run: TOCSIN_TEST_CLOCK="+400d" (a whole number of d, h, m or s,
 *    '+' or '-' before it), or TOCSIN_TEST_CLOCK=FILE, whose first eight bytes are an offset in
 *    microseconds (int64_t, this machine's byte order). The file is mapped, so that a write in
 *    place is seen by the next look at the clock, in every process that has it open.
 *  - this process's own, which a C test moves, or stops at one moment.
 *
 * A variable that is neither ends the program at the first look: a test on the wrong day would
 * prove nothing. Any thread.
 */
int64_t test_clock_shift(int64_t real_us);

/* Moves the own hand by `by_us`: forward, or back when negative. Moves a stopped clock too. */
void test_clock_move(int64_t by_us);
/* The clock shows `at_us` and stands still, until it is reset. */
void test_clock_stop(int64_t at_us);
/* The own hand back to nothing. */
void test_clock_reset(void);
