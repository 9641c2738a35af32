/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include "base/text.h"
#include <stdbool.h>
#include <stdint.h>

/* Times are int64_t microseconds since 1970-01-01T00:00:00Z (`_us`), leap seconds ignored. */

#define TIMESTAMP_NONE INT64_MIN /* "no time known" */

enum { TIMESTAMP_LEN = 27 }; /* "2014-02-05T00:00:01.000000Z" */

struct civil {
    int year, month, day; /* month and day from 1 */
    int hour, minute, second, us;
};

/* Proleptic Gregorian, UTC. Years 0..9999. No check of ranges. */
int64_t timestamp_from_civil(const struct civil *c);
void timestamp_to_civil(int64_t us, struct civil *out);
/* Month and day exist in that year, clock in range (second 60 is let through as 59.999999). */
bool timestamp_is_civil(const struct civil *c);

/* Writes RFC 3339 with six decimals and Z, and a NUL. Out of years 0..9999: clamped. */
void timestamp_format(int64_t us, char out[TIMESTAMP_LEN + 1]);

/*
 * RFC 3339 section 5.6, generously: 'T' or a space or '_' between, any number of decimals (cut at
 * six) after '.' or ',', zone "Z", "+hh:mm", "+hhmm", "+hh", or none (then `zone_s` east of UTC is
 * used). Reads from the start of `t` and reports the bytes it took in *out_len (may be NULL, then
 * the whole text must be a time).
 */
bool timestamp_parse(struct text t, int32_t zone_s, int64_t *out_us, size_t *out_len);

/* Monotonic clock in milliseconds and in nanoseconds. Only loops call them. */
uint64_t timestamp_monotonic_ms(void);
uint64_t timestamp_monotonic_ns(void);
