/* SPDX-License-Identifier: Apache-2.0 */
#include "base/stamp_pattern.h"
#include "base/digit.h"
#include "base/timestamp.h"
#include "base/zone_names.h"
#include <string.h>

#define SECOND_US INT64_C(1000000)

/* What a time adds up to while its pattern is walked. */
struct reading {
    struct datepart_cursor at;
    struct datepart part;
    int hour, minute, second;
    int day_of_year; /* 0: not said */
    bool is_half_day, is_afternoon;
    bool has_epoch;
    int64_t epoch_s;
};

static char peek(const struct datepart_cursor *c)
{
    return c->at < c->end ? *c->at : '\0';
}

static bool is_letter(char c)
{
    return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z');
}

/* The longer forms that some letters stand for. */
static struct text expansion_of(char letter)
{
    switch (letter) {
    case 'F':
        return TEXT("%Y-%m-%d");
    case 'D':
        return TEXT("%m/%d/%y");
    case 'T':
        return TEXT("%H:%M:%S");
    default:
        return TEXT_NONE;
    }
}

static bool is_known(char letter)
{
    return letter && strchr("YymbBhdejHIpMSfszZaA%FDT", letter);
}

static bool says(struct text pattern, const char *letters)
{
    for (size_t i = 0; i + 1 < pattern.len; i++)
        if (pattern.at[i] == '%') {
            if (strchr(letters, pattern.at[i + 1]))
                return true;
            i++;
        }
    return false;
}

const char *stamp_pattern_fault(struct text pattern)
{
    for (size_t i = 0; i < pattern.len; i++)
        if (pattern.at[i] == '%' && (++i == pattern.len || !is_known(pattern.at[i])))
            return "behind % it knows Y y m b B d e j H I p M S f s z Z a A F D T and %";
    const bool has_day = says(pattern, "deFD") && says(pattern, "mbBhFD");
    if (!says(pattern, "s") && !has_day && !says(pattern, "j"))
        return "it says no day: want %s, %j, or a day (%d) and its month (%m, %b)";
    if (says(pattern, "j") && !says(pattern, "YyFD"))
        return "%j needs the year (%Y)";
    if (says(pattern, "p") && !says(pattern, "I"))
        return "%p needs the hour as %I";
    return NULL;
}

static bool take_letters(struct datepart_cursor *c)
{
    const char *start = c->at;
    while (is_letter(peek(c)))
        c->at++;
    return c->at > start;
}

static bool take_month_name(struct reading *r)
{
    if (r->at.end - r->at.at < 3)
        return false;
    r->part.month = datepart_month_of(r->at.at);
    return r->part.month && take_letters(&r->at);
}

static bool take_short_year(struct reading *r)
{
    if (!datepart_number(&r->at, 2, 2, &r->part.year))
        return false;
    r->part.year += r->part.year < 69 ? 2000 : 1900;
    return true;
}

static bool take_half(struct reading *r)
{
    const char first = (char)(peek(&r->at) | 0x20);
    if ((first != 'a' && first != 'p') || r->at.end - r->at.at < 2 || (r->at.at[1] | 0x20) != 'm')
        return false;
    r->is_half_day = true;
    r->is_afternoon = first == 'p';
    r->at.at += 2;
    return true;
}

static bool take_fraction(struct reading *r)
{
    if (!digit_is(peek(&r->at)))
        return false;
    r->part.us = datepart_fraction(&r->at);
    return true;
}

static bool take_epoch(struct reading *r)
{
    enum { DIGITS = 12 };
    int digits = 0;
    r->epoch_s = 0; /* a pattern may say it twice */
    for (; digit_is(peek(&r->at)) && digits < DIGITS; digits++)
        r->epoch_s = r->epoch_s * 10 + (*r->at.at++ - '0');
    r->has_epoch = digits > 0;
    return r->has_epoch;
}

/* +02:00, -0500, +02, Z. */
static bool take_offset(struct reading *r)
{
    int hours = 0;
    int minutes = 0;
    r->part.has_zone = true;
    if (datepart_byte(&r->at, 'Z'))
        return true;
    const int sign = peek(&r->at) == '-' ? -1 : 1;
    if (!datepart_byte(&r->at, '+') && !datepart_byte(&r->at, '-'))
        return false;
    if (!datepart_number(&r->at, 2, 2, &hours))
        return false;
    (void)datepart_byte(&r->at, ':');
    (void)datepart_number(&r->at, 2, 2, &minutes);
    r->part.zone_s = sign * (hours * 3600 + minutes * 60);
    return hours < 24 && minutes < 60;
}

/* A name that nobody knows is passed over: the zone counts as not said. */
static bool take_zone_name(struct reading *r)
{
    const char *start = r->at.at;
    if (!take_letters(&r->at))
        return false;
    r->part.has_zone =
        zone_names_find((struct text){start, (size_t)(r->at.at - start)}, &r->part.zone_s);
    return true;
}

static bool take(struct reading *r, char letter)
{
    switch (letter) {
    case 'Y':
        return datepart_number(&r->at, 4, 4, &r->part.year);
    case 'y':
        return take_short_year(r);
    case 'm':
        return datepart_number(&r->at, 1, 2, &r->part.month);
    case 'b':
    case 'B':
    case 'h':
        return take_month_name(r);
    case 'd':
    case 'e':
        (void)datepart_blanks(&r->at);
        return datepart_number(&r->at, 1, 2, &r->part.day);
    case 'j':
        return datepart_number(&r->at, 1, 3, &r->day_of_year);
    case 'H':
        return datepart_number(&r->at, 1, 2, &r->hour) && r->hour < 24;
    case 'I':
        return datepart_number(&r->at, 1, 2, &r->hour) && r->hour <= 12;
    case 'p':
        return take_half(r);
    case 'M':
        return datepart_number(&r->at, 1, 2, &r->minute) && r->minute < 60;
    case 'S':
        return datepart_number(&r->at, 1, 2, &r->second) && r->second <= 60;
    case 'f':
        return take_fraction(r);
    case 's':
        return take_epoch(r);
    case 'z':
        return take_offset(r);
    case 'Z':
        return take_zone_name(r);
    case 'a':
    case 'A':
        return take_letters(&r->at);
    default:
        return datepart_byte(&r->at, '%');
    }
}

/* One level of expansions: those hold none themselves. */
static bool walk(struct reading *r, struct text pattern)
{
    for (size_t i = 0; i < pattern.len; i++) {
        const char byte = pattern.at[i];
        bool is_taken = true;
        if (byte == ' ')
            (void)datepart_blanks(&r->at);
        else if (byte != '%')
            is_taken = datepart_byte(&r->at, byte);
        else {
            const struct text longer = expansion_of(pattern.at[++i]);
            for (size_t j = 0; longer.at && j < longer.len && is_taken; j++)
                is_taken = longer.at[j] == '%' ? take(r, longer.at[++j])
                                               : datepart_byte(&r->at, longer.at[j]);
            is_taken = is_taken && (longer.at || take(r, pattern.at[i]));
        }
        if (!is_taken)
            return false;
    }
    return r->at.at == r->at.end;
}

static bool settle_day(struct reading *r)
{
    if (!r->day_of_year)
        return true;
    const struct civil first = {.year = r->part.year, .month = 1, .day = 1};
    struct civil c;
    timestamp_to_civil(
        timestamp_from_civil(&first) + (r->day_of_year - 1) * INT64_C(86400) * SECOND_US, &c);
    r->part.month = c.month;
    r->part.day = c.day;
    return c.year == r->part.year;
}

bool stamp_pattern_read(struct stamp_reader *reader, struct text pattern, struct text t,
                        struct stamp *out)
{
    t = text_trim(t);
    struct reading r = {.at = {t.at, t.at + t.len}};
    if (!t.len || !walk(&r, pattern))
        return false;
    if (r.has_epoch) {
        *out = (struct stamp){.us = r.epoch_s * SECOND_US + r.part.us,
                              .len = t.len,
                              .has_year = true,
                              .has_zone = true};
        return true;
    }
    if (r.is_half_day)
        r.hour = r.hour % 12 + (r.is_afternoon ? 12 : 0);
    if (r.second == 60) { /* a leap second is the end of the one before */
        r.second = 59;
        r.part.us = (int32_t)SECOND_US - 1;
    }
    r.part.clock_s = r.hour * 3600 + r.minute * 60 + r.second;
    return settle_day(&r) && stamp_finish(reader, &r.part, t.len, out);
}
