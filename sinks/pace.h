/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include "base/text.h"
#include <stdbool.h>
#include <stdint.h>

/*
 * When the next try to one destination may start: a token bucket, the wait that the destination
 * asked for, and a breaker that rests it while it is down. Time is an argument (microseconds).
 *
 *      closed --(after failures in a row)--> open --(pause is over)--> one probe
 *         ^------------- it answered ----------------------------------'   |
 *                                            open, twice as long <---------' it is still down
 */
struct pace_options {
    double rate_per_s;     /* tries per second in the long run; 0: as many as can be */
    double burst;          /* tries at once after a rest; at least 1 */
    int64_t retry_us;      /* wait after a delivery's first failure; doubles */
    int64_t ceiling_us;    /* longest wait, of retries and of the breaker */
    int64_t breaker_after; /* failures in a row that open it; 0: never */
    int64_t breaker_pause_us;
};

struct pace {
    struct pace_options options;
    double tokens;
    int64_t tokens_at_us;  /* when `tokens` was true */
    int64_t held_until_us; /* Retry-After */
    int64_t open_until_us; /* the breaker's rest; 0: closed */
    uint32_t failures;     /* in a row */
    uint32_t trips;        /* openings in a row */
};

void pace_init(struct pace *p, const struct pace_options *options, int64_t now_us);
/* The earliest time at which a try may start: `now_us` or later. */
int64_t pace_ready_us(const struct pace *p, int64_t now_us);
/* A try starts now. */
void pace_take(struct pace *p, int64_t now_us);
/* The destination answered as a working one does, or it did not. */
void pace_answer(struct pace *p, bool is_down, int64_t now_us);
/* The destination asked for a rest. The ceiling holds here too. */
void pace_hold(struct pace *p, int64_t wait_us, int64_t now_us);
bool pace_is_open(const struct pace *p);
/* Wait before try number `attempt` + 1 (from 1): doubles up to the ceiling, then half of it is
 * spread by the delivery's id, so that many waiting deliveries do not come back as one crowd. */
int64_t pace_backoff_us(const struct pace *p, struct text id, uint32_t attempt);
