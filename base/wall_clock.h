/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include <stdint.h>

/*
 * The wall clock now, microseconds since 1970. Nothing else in the program reads it, so that a test
 * can set it and move it while the program runs. It may step, both ways: a wait for a time of the
 * day looks again each second, and what only lasts is measured by the monotonic clock. Only loops
 * call it.
 */
int64_t wall_clock_us(void);
