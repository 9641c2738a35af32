/* SPDX-License-Identifier: Apache-2.0 */
#include "app/signals.h"
#include <signal.h>
#include <time.h>

void signals_ignore_pipe(void)
{
    struct sigaction ignore = {.sa_handler = SIG_IGN};
    (void)sigaction(SIGPIPE, &ignore, NULL);
}

static sigset_t words(void)
{
    sigset_t set;
    (void)sigemptyset(&set);
    (void)sigaddset(&set, SIGTERM);
    (void)sigaddset(&set, SIGINT);
    (void)sigaddset(&set, SIGHUP);
    return set;
}

void signals_block(void)
{
    sigset_t set = words();
    (void)pthread_sigmask(SIG_BLOCK, &set, NULL);
}

enum signals_word signals_wait(uint64_t timeout_ms)
{
    sigset_t set = words();
    struct timespec patience = {(time_t)(timeout_ms / 1000), (long)(timeout_ms % 1000) * 1000000L};
    int got = sigtimedwait(&set, NULL, &patience);
    if (got == SIGTERM || got == SIGINT)
        return SIGNALS_STOP;
    return got == SIGHUP ? SIGNALS_RELOAD : SIGNALS_NONE;
}
