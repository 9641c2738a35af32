/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include <stdbool.h>
#include <stdint.h>

/* The pieces that times are written in, each taken from the front of a cursor. What does not stand
 * there is not taken, and false says so. */
struct datepart_cursor {
    const char *at, *end;
};

/* What the pieces of one time add up to. */
struct datepart {
    int year, month, day; /* year 0: not said */
    int32_t clock_s;      /* since midnight */
    int32_t us;
    int32_t zone_s;
    bool has_zone;
    bool is_order_assumed; /* day and month could be the other way round */
};

bool datepart_byte(struct datepart_cursor *c, char byte);
/* Between `least` and `most` digits. */
bool datepart_number(struct datepart_cursor *c, int least, int most, int *out);
/* Blanks, also no-break spaces in UTF-8 and Latin-1. */
bool datepart_blanks(struct datepart_cursor *c);
/* 1..12 for three letters in either case, or 0. */
int datepart_month_of(const char *at);
bool datepart_month(struct datepart_cursor *c, int *out);
/* "Wed ", "Wed, ": passed over. */
void datepart_weekday(struct datepart_cursor *c);
/* The decimals behind a point, as microseconds, cut at six. */
int32_t datepart_fraction(struct datepart_cursor *c);
/* hh:mm:ss, hh:mm:ss.ffffff; seconds may be left out where `is_short_allowed`. */
bool datepart_clock(struct datepart_cursor *c, bool is_short_allowed, struct datepart *p);
/* Z, +0100, " +01:00", " CEST", and before a colon any such word. */
void datepart_zone(struct datepart_cursor *c, struct datepart *p);
/* " PM" behind a time of up to 12 o'clock. */
void datepart_half_day(struct datepart_cursor *c, struct datepart *p);
/* " 2014" behind a time. */
void datepart_year_behind(struct datepart_cursor *c, struct datepart *p);
