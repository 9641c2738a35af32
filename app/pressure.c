/* SPDX-License-Identifier: Apache-2.0 */
#include "app/pressure.h"
#include "base/log.h"

enum { SAY_MS = 10000, LASTS_MS = 60000 };

void pressure_look(struct pressure *p, uint64_t evicted, uint64_t now_ms)
{
    if (evicted != atomic_load_explicit(&p->evicted, memory_order_relaxed)) {
        atomic_store_explicit(&p->evicted, evicted, memory_order_relaxed);
        atomic_store_explicit(&p->seen_ms, now_ms, memory_order_relaxed);
    }
    if (evicted == p->said || (p->said_ms && now_ms - p->said_ms < SAY_MS))
        return;
    log_line(LOG_WARNING,
             "too many windows at once: those least recently touched are forgotten before their "
             "time, with what they had counted; see correlation.memory and max_groups "
             "forgotten=%llu in_all=%llu",
             (unsigned long long)(evicted - p->said), (unsigned long long)evicted);
    p->said = evicted;
    p->said_ms = now_ms;
}

bool pressure_tell(const struct pressure *p, uint64_t now_ms, struct buffer *out)
{
    const uint64_t seen_ms = atomic_load_explicit(&p->seen_ms, memory_order_relaxed);
    if (!seen_ms || now_ms - seen_ms > LASTS_MS)
        return false;
    buffer_printf(out,
                  "windows are forgotten before their time, for there are too many at once "
                  "(correlation.memory, max_groups): %llu so far",
                  (unsigned long long)atomic_load_explicit(&p->evicted, memory_order_relaxed));
    return true;
}
