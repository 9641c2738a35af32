/* SPDX-License-Identifier: Apache-2.0 */
#include "base/wall_clock.h"
#include <time.h>
#ifdef TOCSIN_TEST_CLOCK
#include "base/test_clock.h"
#endif

int64_t wall_clock_us(void)
{
    struct timespec t = {0};
    (void)clock_gettime(CLOCK_REALTIME, &t);
    int64_t real_us = (int64_t)t.tv_sec * 1000000 + t.tv_nsec / 1000;
#ifdef TOCSIN_TEST_CLOCK
    return test_clock_shift(real_us);
#else
    return real_us;
#endif
}
