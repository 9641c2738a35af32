/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include <stdint.h>

/* One number for /metrics and for people, in Prometheus' words. */
enum metric_kind { METRIC_COUNTER, METRIC_GAUGE };

struct metric {
    const char *name;   /* without the "tocsin_" before it; counters end in _total */
    const char *help;   /* one sentence with its unit */
    const char *labels; /* `transport="udp",reason="kernel"`, values escaped; NULL: none */
    enum metric_kind kind;
    double value;
};

/* Each folder tells its numbers to such a function; the views live for the call. Any thread: the
 * teller reads its owners' counters with relaxed atomics. */
typedef void (*metric_fn)(void *context, const struct metric *m);
