/* SPDX-License-Identifier: Apache-2.0 */
#include "base/monotonic.h"

enum status monotonic_cond_init(pthread_cond_t *condition)
{
    pthread_condattr_t attr;
    if (pthread_condattr_init(&attr))
        return STATUS_NOMEM;
    int failed =
        pthread_condattr_setclock(&attr, CLOCK_MONOTONIC) || pthread_cond_init(condition, &attr);
    (void)pthread_condattr_destroy(&attr);
    return failed ? STATUS_NOMEM : STATUS_OK;
}

struct timespec monotonic_deadline(uint64_t timeout_ms)
{
    struct timespec t = {0};
    (void)clock_gettime(CLOCK_MONOTONIC, &t);
    t.tv_sec += (time_t)(timeout_ms / 1000);
    t.tv_nsec += (long)(timeout_ms % 1000) * 1000000L;
    if (t.tv_nsec >= 1000000000L) {
        t.tv_sec++;
        t.tv_nsec -= 1000000000L;
    }
    return t;
}
