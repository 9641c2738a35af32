/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include "base/buffer.h"
#include <stdbool.h>
#include <stdint.h>

/*
 * Durations of one kind: ended ones, ones that are still open (censored), and what is unknown.
 * Never a bare mean: n, open, median and p90 stand together, and the Kaplan-Meier median says what
 * the open ones hide. Zero it to begin.
 */
struct response_time {
    int64_t us;
    bool is_open;
};
struct response_times {
    struct response_time *all;
    uint32_t count, max;
    uint32_t ended, open, unknown;
    uint32_t negative; /* clocks that disagree: shown, not in the figures */
    bool has_failed;   /* no memory */
};

void response_times_fini(struct response_times *t);
void response_times_add(struct response_times *t, int64_t us);
void response_times_add_open(struct response_times *t, int64_t us);
void response_times_add_unknown(struct response_times *t);
/* Members of a JSON object; seconds. What cannot be said is left out, never 0. */
void response_times_write(struct response_times *t, struct buffer *out);
