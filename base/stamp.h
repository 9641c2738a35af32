/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include "base/datepart.h"
#include "base/event.h"
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* A date and time as log senders write it, in any of the shapes seen in the field. */
struct stamp {
    int64_t us;
    size_t len;    /* bytes it took */
    bool has_year; /* said, not guessed */
    bool has_zone;
    bool is_order_assumed; /* 03/04/2026: the month was taken to stand first */
};

/*
 * What a date without year and zone means, and the last day that was worked out: log lines repeat
 * theirs a million times. One thread at a time.
 */
struct stamp_reader {
    int32_t zone_s;  /* east of UTC */
    uint32_t dates;  /* RECORD_DAY_FIRST, RECORD_MONTH_FIRST; 0: nobody says, the month is taken to
                        stand first */
    int64_t near_us; /* a date without year is the one nearest to this, at most two months ahead */
    uint32_t day_key;
    int64_t day_near, day_us;
};

/*
 * Reads the time at the very start of `t`:
 *   Feb  5 13:37:45   also with .123456, a year before or behind the time or behind the day, a zone
 *                     (Z, +0200, +02:00, CEST), a weekday before it, U+00A0 as padding
 *   2014-02-05T13:37:45.123456+01:00   also with a space, '/', ',', no zone
 *   05/Feb/2014:13:37:45 +0100, 02/05/2014 1:37:45 PM, 14/02/2014:13:37:45, 05-Feb-2014 13:37:45,
 *   14 Feb 13:37:45, 14/02/05 13:37:45 (year first), Feb 5, 2014 1:37:45 PM
 *   1391607465.123, 1391607465123   seconds, ms, us or ns since 1970, between 2001 and 2100
 */
bool stamp_read(struct stamp_reader *r, struct text t, struct stamp *out);
/* The whole of `t` (blanks around it allowed) is a time. */
bool stamp_read_whole(struct stamp_reader *r, struct text t, struct stamp *out);
/* Only "Mmm dd hh:mm:ss" in its variants, or only ISO: for places where others would be guesses. */
bool stamp_read_bsd(struct stamp_reader *r, struct text t, struct stamp *out);
bool stamp_read_iso(struct stamp_reader *r, struct text t, struct stamp *out);

/* What a date's pieces add up to; `len` is kept. False where there is no such day. */
bool stamp_finish(struct stamp_reader *r, const struct datepart *p, size_t len, struct stamp *out);
/* Digits since 1970 in units of which `per_s` make a second, with decimals. The whole of `t`. */
bool stamp_read_since(struct text t, int64_t per_s, struct stamp *out);

/* The event's time, and whether year, zone or order were guessed. */
void stamp_apply(const struct stamp *s, struct event *e);
