/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include "base/buffer.h"
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

/*
 * A flood of new keys makes the correlator forget windows before their time: what they had counted
 * is gone, and no rule says so. It is said in the log, every ten seconds while it lasts, and beside
 * "ready" for a minute.
 */
struct pressure {
    uint64_t said;    /* evicted when it was said last; the main thread's */
    uint64_t said_ms; /* 0: never */
    _Atomic uint64_t
        seen_ms; /* when more were seen last; 0: never. Read by the console's threads */
    _Atomic uint64_t evicted; /* in all */
};

/* `evicted` so far. Main thread, now and then. */
void pressure_look(struct pressure *p, uint64_t evicted, uint64_t now_ms);
/* True with a sentence in `out` where it was seen within the last minute. Any thread. */
bool pressure_tell(const struct pressure *p, uint64_t now_ms, struct buffer *out);
