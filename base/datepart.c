/* SPDX-License-Identifier: Apache-2.0 */
#include "base/datepart.h"
#include "base/digit.h"
#include "base/zone_names.h"
#include <string.h>
#include <strings.h>

static size_t left(const struct datepart_cursor *c)
{
    return (size_t)(c->end - c->at);
}

static char peek(const struct datepart_cursor *c)
{
    return c->at < c->end ? *c->at : '\0';
}

static bool is_letter(char c)
{
    return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z');
}

bool datepart_byte(struct datepart_cursor *c, char byte)
{
    if (peek(c) != byte || c->at == c->end)
        return false;
    c->at++;
    return true;
}

/* Between `least` and `most` digits. */
bool datepart_number(struct datepart_cursor *c, int least, int most, int *out)
{
    int value = 0;
    int count = 0;
    const char *at = c->at;
    for (; at < c->end && count < most && digit_is(*at); at++, count++)
        value = value * 10 + (*at - '0');
    if (count < least)
        return false;
    c->at = at;
    *out = value;
    return true;
}

/* Blanks, also no-break spaces in UTF-8 and Latin-1. */
bool datepart_blanks(struct datepart_cursor *c)
{
    const char *start = c->at;
    for (;;) {
        if (peek(c) == ' ' || peek(c) == (char)0xA0)
            c->at++;
        else if (left(c) >= 2 && c->at[0] == (char)0xC2 && c->at[1] == (char)0xA0)
            c->at += 2;
        else
            return c->at > start;
    }
}

int datepart_month_of(const char *at)
{
    static const char names[] = "janfebmaraprmayjunjulaugsepoctnovdec";
    char first = (char)(at[0] | 0x20);
    char second = (char)(at[1] | 0x20);
    char third = (char)(at[2] | 0x20);
    for (int i = 0; i < 12; i++) {
        const char *name = names + (ptrdiff_t)i * 3;
        if (name[2] == third && name[1] == second && name[0] == first)
            return i + 1;
    }
    return 0;
}

/* "Mar", "March" */
bool datepart_month(struct datepart_cursor *c, int *out)
{
    static const char *const rests[] = {"uary", "ruary", "ch",     "il",   "",      "e",
                                        "y",    "ust",   "tember", "ober", "ember", "ember"};
    *out = left(c) < 3 ? 0 : datepart_month_of(c->at);
    if (!*out)
        return false;
    size_t rest = strlen(rests[*out - 1]);
    bool is_whole =
        left(c) >= 3 + rest && rest && strncasecmp(c->at + 3, rests[*out - 1], rest) == 0;
    const char *end = c->at + 3 + (is_whole ? rest : 0);
    if (end < c->end && is_letter(*end))
        return false;
    c->at = end;
    return true;
}

int32_t datepart_fraction(struct datepart_cursor *c)
{
    int32_t us = 0;
    int32_t scale = 100000;
    for (; digit_is(peek(c)); c->at++, scale /= 10)
        us += (*c->at - '0') * scale;
    return us;
}

/* hh:mm:ss, hh:mm:ss.ffffff; seconds may be left out where `is_short_allowed`. */
bool datepart_clock(struct datepart_cursor *c, bool is_short_allowed, struct datepart *p)
{
    int hour = 0;
    int minute = 0;
    int second = 0;
    struct datepart_cursor at = *c;
    if (!datepart_number(&at, 1, 2, &hour) || !datepart_byte(&at, ':') ||
        !datepart_number(&at, 2, 2, &minute))
        return false;
    bool has_seconds = datepart_byte(&at, ':') && datepart_number(&at, 2, 2, &second);
    if ((!has_seconds && !is_short_allowed) || hour > 23 || minute > 59 || second > 60)
        return false;
    p->clock_s = hour * 3600 + minute * 60 + (second < 60 ? second : 59);
    p->us = second == 60 ? 999999 : 0;
    if (left(&at) > 1 && (*at.at == '.' || *at.at == ',') && digit_is(at.at[1])) {
        at.at++;
        p->us = datepart_fraction(&at);
    }
    *c = at;
    return true;
}

static bool take_offset(struct datepart_cursor *c, struct datepart *p)
{
    struct datepart_cursor at = *c;
    int sign = peek(&at) == '-' ? -1 : 1;
    int hours = 0;
    int minutes = 0;
    if (!datepart_byte(&at, '+') && !datepart_byte(&at, '-'))
        return false;
    if (!datepart_number(&at, 2, 2, &hours))
        return false;
    struct datepart_cursor behind = at;
    (void)datepart_byte(&behind, ':');
    if (datepart_number(&behind, 2, 2, &minutes))
        at = behind;
    if (hours > 23 || minutes > 59)
        return false;
    p->zone_s = sign * (hours * 3600 + minutes * 60);
    p->has_zone = true;
    *c = at;
    return true;
}

/* "CEST", and before a colon any such word: " DST:" is what a router without a zone's name says. */
static bool take_zone_name(struct datepart_cursor *c, struct datepart *p)
{
    struct datepart_cursor at = *c;
    while (at.at < at.end && *at.at >= 'A' && *at.at <= 'Z')
        at.at++;
    struct text name = {c->at, (size_t)(at.at - c->at)};
    bool is_ended = at.at == at.end || *at.at == ' ' || *at.at == ':' || *at.at == ',';
    if (name.len == 0 || name.len > 5 || !is_ended)
        return false;
    p->has_zone = zone_names_find(name, &p->zone_s);
    if (!p->has_zone && peek(&at) != ':')
        return false;
    *c = at;
    return true;
}

/* "GMT+0100", "UTC-05:00" */
static bool take_utc_offset(struct datepart_cursor *c, struct datepart *p)
{
    struct datepart_cursor at = *c;
    if (left(c) < 6 || (memcmp(c->at, "GMT", 3) != 0 && memcmp(c->at, "UTC", 3) != 0))
        return false;
    at.at += 3;
    if (!take_offset(&at, p))
        return false;
    *c = at;
    return true;
}

void datepart_zone(struct datepart_cursor *c, struct datepart *p)
{
    char first = peek(c);
    if (first == 'Z' || first == 'z') {
        if (left(c) == 1 || !is_letter(c->at[1])) {
            c->at++;
            p->has_zone = true;
        }
        return;
    }
    if (take_offset(c, p) || first != ' ')
        return;
    struct datepart_cursor behind = {c->at + 1, c->end};
    if (take_offset(&behind, p) || take_zone_name(&behind, p) || take_utc_offset(&behind, p))
        *c = behind;
}

/* " PM" behind a time of up to 12 o'clock. */
void datepart_half_day(struct datepart_cursor *c, struct datepart *p)
{
    enum { HOUR_S = 3600, NOON_S = 12 * HOUR_S };
    if (left(c) < 3 || *c->at != ' ' || (c->at[2] | 0x20) != 'm')
        return;
    char half = (char)(c->at[1] | 0x20);
    bool is_ended = left(c) == 3 || !is_letter(c->at[3]);
    if ((half != 'a' && half != 'p') || !is_ended || p->clock_s >= NOON_S + HOUR_S)
        return;
    c->at += 3;
    p->clock_s %= NOON_S;
    p->clock_s += half == 'p' ? NOON_S : 0;
}

/* " 2014" behind a time. */
void datepart_year_behind(struct datepart_cursor *c, struct datepart *p)
{
    struct datepart_cursor at = *c;
    int year = 0;
    if (p->year || !datepart_byte(&at, ' ') || !datepart_number(&at, 4, 4, &year) || year < 1970)
        return;
    char next = peek(&at);
    if (at.at < at.end && next != ' ' && next != ':' && next != ',' && next != ']')
        return;
    /* "2014: %SYS-6-X", and no address: "2001:db8::7" */
    if (next == ':' && left(&at) > 1 && at.at[1] != ' ' && at.at[1] != '%')
        return;
    p->year = year;
    *c = at;
}

void datepart_weekday(struct datepart_cursor *c)
{
    static const char names[] = "montuewedthufrisatsun";
    if (left(c) < 5 || !is_letter(c->at[0]))
        return;
    const char *end = c->at + 3; /* "Wed", "Wednesday" */
    while (end < c->end && end < c->at + 9 && is_letter(*end))
        end++;
    bool is_whole = end == c->at + 3 ||
                    ((end[-3] | 0x20) == 'd' && (end[-2] | 0x20) == 'a' && (end[-1] | 0x20) == 'y');
    if (!is_whole)
        return;
    char name[3] = {(char)(c->at[0] | 0x20), (char)(c->at[1] | 0x20), (char)(c->at[2] | 0x20)};
    for (size_t i = 0; i + 3 < sizeof names; i += 3) {
        if (memcmp(names + i, name, 3) != 0)
            continue;
        c->at = end;
        (void)datepart_byte(c, ',');
        (void)datepart_blanks(c);
        return;
    }
}
