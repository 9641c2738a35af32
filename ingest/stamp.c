/* SPDX-License-Identifier: Apache-2.0 */
#include "ingest/stamp.h"
#include "base/timestamp.h"
#include "ingest/zone_names.h"
#include <string.h>

#define SECOND_US INT64_C(1000000)
#define DAY_US    (INT64_C(86400) * SECOND_US)

struct cursor {
    const char *at, *end;
};

/* What the pieces of one time add up to. */
struct parts {
    int year, month, day; /* year 0: not said */
    int32_t clock_s;      /* since midnight */
    int32_t us;
    int32_t zone_s;
    bool has_zone;
};

static size_t left(const struct cursor *c)
{
    return (size_t)(c->end - c->at);
}

static char peek(const struct cursor *c)
{
    return c->at < c->end ? *c->at : '\0';
}

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static bool is_letter(char c)
{
    return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z');
}

static bool take_byte(struct cursor *c, char byte)
{
    if (peek(c) != byte || c->at == c->end)
        return false;
    c->at++;
    return true;
}

/* Between `least` and `most` digits. */
static bool take_number(struct cursor *c, int least, int most, int *out)
{
    int value = 0;
    int count = 0;
    const char *at = c->at;
    for (; at < c->end && count < most && is_digit(*at); at++, count++)
        value = value * 10 + (*at - '0');
    if (count < least)
        return false;
    c->at = at;
    *out = value;
    return true;
}

/* Blanks, also no-break spaces in UTF-8 and Latin-1. */
static bool take_blanks(struct cursor *c)
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

static int month_of(const char *at)
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

static bool take_month(struct cursor *c, int *out)
{
    if (left(c) < 3 || (left(c) > 3 && is_letter(c->at[3])))
        return false;
    *out = month_of(c->at);
    c->at += *out ? 3 : 0;
    return *out != 0;
}

static int32_t take_fraction(struct cursor *c)
{
    int32_t us = 0;
    int32_t scale = 100000;
    for (; is_digit(peek(c)); c->at++, scale /= 10)
        us += (*c->at - '0') * scale;
    return us;
}

/* hh:mm:ss, hh:mm:ss.ffffff; seconds may be left out where `is_short_allowed`. */
static bool take_clock(struct cursor *c, bool is_short_allowed, struct parts *p)
{
    int hour = 0;
    int minute = 0;
    int second = 0;
    struct cursor at = *c;
    if (!take_number(&at, 1, 2, &hour) || !take_byte(&at, ':') || !take_number(&at, 2, 2, &minute))
        return false;
    bool has_seconds = take_byte(&at, ':') && take_number(&at, 2, 2, &second);
    if ((!has_seconds && !is_short_allowed) || hour > 23 || minute > 59 || second > 60)
        return false;
    p->clock_s = hour * 3600 + minute * 60 + (second < 60 ? second : 59);
    p->us = second == 60 ? 999999 : 0;
    if (left(&at) > 1 && (*at.at == '.' || *at.at == ',') && is_digit(at.at[1])) {
        at.at++;
        p->us = take_fraction(&at);
    }
    *c = at;
    return true;
}

static bool take_offset(struct cursor *c, struct parts *p)
{
    struct cursor at = *c;
    int sign = peek(&at) == '-' ? -1 : 1;
    int hours = 0;
    int minutes = 0;
    if (!take_byte(&at, '+') && !take_byte(&at, '-'))
        return false;
    if (!take_number(&at, 2, 2, &hours))
        return false;
    struct cursor behind = at;
    (void)take_byte(&behind, ':');
    if (take_number(&behind, 2, 2, &minutes))
        at = behind;
    if (hours > 23 || minutes > 59)
        return false;
    p->zone_s = sign * (hours * 3600 + minutes * 60);
    p->has_zone = true;
    *c = at;
    return true;
}

/* "CEST", and before a colon any such word: " DST:" is what a router without a zone's name says. */
static bool take_zone_name(struct cursor *c, struct parts *p)
{
    struct cursor at = *c;
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

static void take_zone(struct cursor *c, struct parts *p)
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
    struct cursor behind = {c->at + 1, c->end};
    if (take_offset(&behind, p) || take_zone_name(&behind, p))
        *c = behind;
}

/* " PM" behind a time of up to 12 o'clock. */
static void take_half_day(struct cursor *c, struct parts *p)
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
static void take_year_behind(struct cursor *c, struct parts *p)
{
    struct cursor at = *c;
    int year = 0;
    if (p->year || !take_byte(&at, ' ') || !take_number(&at, 4, 4, &year) || year < 1970)
        return;
    char next = peek(&at);
    if (at.at < at.end && next != ' ' && next != ':' && next != ',' && next != ']')
        return;
    p->year = year;
    *c = at;
}

static int64_t near_day(const struct stamp_reader *r)
{
    return r->near_us / DAY_US;
}

/* By whole days, so that the answer for a date is the same all day long and on every worker. */
static int64_t nearest(const struct stamp_reader *r, struct civil c)
{
    struct civil now;
    timestamp_to_civil(r->near_us, &now);
    int64_t best = TIMESTAMP_NONE;
    int64_t best_distance = INT64_MAX;
    for (int year = now.year - 4; year <= now.year + 1; year++) { /* 29 February may be far */
        c.year = year;
        if (!timestamp_is_civil(&c))
            continue;
        int64_t day = timestamp_from_civil(&c);
        int64_t distance = day / DAY_US - near_day(r);
        distance = distance < 0 ? -distance : distance;
        if (distance < best_distance) {
            best = day;
            best_distance = distance;
        }
    }
    return best;
}

/* Midnight of the day, or TIMESTAMP_NONE where there is no such day. */
static int64_t midnight(struct stamp_reader *r, const struct parts *p)
{
    if (p->day < 1 || p->day > 31 || p->month < 1 || p->month > 12)
        return TIMESTAMP_NONE; /* the key below has no room for others */
    uint32_t key = (uint32_t)p->year << 9 | (uint32_t)p->month << 5 | (uint32_t)p->day;
    int64_t near = p->year ? 0 : near_day(r);
    if (key == r->day_key && near == r->day_near)
        return r->day_us;
    struct civil c = {.year = p->year ? p->year : 2000, .month = p->month, .day = p->day};
    if (!timestamp_is_civil(&c))
        return TIMESTAMP_NONE;
    int64_t us = p->year ? timestamp_from_civil(&c) : nearest(r, c);
    r->day_key = key;
    r->day_near = near;
    r->day_us = us;
    return us;
}

static bool finish(struct stamp_reader *r, const struct parts *p, const struct cursor *c,
                   struct text t, struct stamp *out)
{
    int64_t day = midnight(r, p);
    if (day == TIMESTAMP_NONE)
        return false;
    int32_t zone_s = p->has_zone ? p->zone_s : r->zone_s;
    *out = (struct stamp){
        .us = day + (int64_t)(p->clock_s - zone_s) * SECOND_US + p->us,
        .len = (size_t)(c->at - t.at),
        .has_year = p->year != 0,
        .has_zone = p->has_zone,
    };
    return true;
}

static void skip_weekday(struct cursor *c)
{
    static const char names[] = "montuewedthufrisatsun";
    if (left(c) < 5 || !is_letter(c->at[0]) || is_letter(c->at[3]))
        return;
    char name[3] = {(char)(c->at[0] | 0x20), (char)(c->at[1] | 0x20), (char)(c->at[2] | 0x20)};
    for (size_t i = 0; i + 3 < sizeof names; i += 3) {
        if (memcmp(names + i, name, 3) != 0)
            continue;
        c->at += 3;
        (void)take_byte(c, ',');
        (void)take_blanks(c);
        return;
    }
}

/* Two digits, the first of which may be a blank where `is_padded`; or -1. */
static int two(const char *at, bool is_padded)
{
    unsigned high = is_padded && at[0] == ' ' ? 0 : (unsigned)(at[0] - '0');
    unsigned low = (unsigned)(at[1] - '0');
    return high > 9 || low > 9 ? -1 : (int)(high * 10 + low);
}

/* Exactly "hh:mm:ss". */
static bool read_plain_clock(const char *at, struct parts *p)
{
    int hour = two(at, false);
    int minute = two(at + 3, false);
    int second = two(at + 6, false);
    bool is_in_range = hour >= 0 && hour < 24 && minute >= 0 && minute < 60 && second >= 0 &&
                       second < 60; /* a leap second takes the long way */
    p->clock_s = hour * 3600 + minute * 60 + second;
    return is_in_range && at[2] == ':' && at[5] == ':';
}

/* Exactly "Feb  5 13:37:45", which nearly every line has; the rest of the variants take longer. */
static bool take_plain(struct cursor *c, struct parts *p)
{
    enum { LEN = 15 };
    const char *at = c->at;
    if (left(c) < LEN || at[3] != ' ' || at[6] != ' ' || !read_plain_clock(at + 7, p))
        return false;
    p->month = month_of(at);
    p->day = two(at + 4, true);
    if (!p->month || p->day < 0)
        return false;
    c->at += LEN;
    return true;
}

/* " 2014", " UTC", ".123" and the like, as far as they follow. */
static void take_rest(struct cursor *c, struct parts *p)
{
    if (left(c) > 1 && (*c->at == '.' || *c->at == ',') && is_digit(c->at[1])) {
        c->at++;
        p->us = take_fraction(c);
    }
    if (left(c) > 1 && *c->at == ' ' && c->at[1] >= 'a')
        return; /* a host's name */
    take_half_day(c, p);
    take_year_behind(c, p);
    take_zone(c, p);
    if (p->has_zone)
        take_year_behind(c, p);
}

bool stamp_read_bsd(struct stamp_reader *r, struct text t, struct stamp *out)
{
    struct cursor c = {t.at, t.at + t.len};
    struct parts p = {0};
    if (t.len < 13)
        return false;
    if (take_plain(&c, &p)) {
        take_rest(&c, &p);
        return finish(r, &p, &c, t, out);
    }
    p = (struct parts){0};
    if (is_digit(*c.at) && (!take_number(&c, 4, 4, &p.year) || !take_byte(&c, ' ')))
        return false;
    skip_weekday(&c);
    if (!take_month(&c, &p.month) || !take_blanks(&c) || !take_number(&c, 1, 2, &p.day))
        return false;
    (void)take_byte(&c, ','); /* Jul 31, 2020 4:40:20 PM */
    if (!take_blanks(&c))
        return false;
    struct cursor behind = c;
    if (!p.year && take_number(&behind, 4, 4, &p.year) && take_blanks(&behind))
        c = behind;
    else if (behind.at != c.at)
        p.year = 0;
    if (!take_clock(&c, false, &p))
        return false;
    take_rest(&c, &p);
    return finish(r, &p, &c, t, out);
}

/* Exactly "2014-02-05T13:37:45". */
static bool take_plain_iso(struct cursor *c, struct parts *p)
{
    enum { LEN = 19 };
    const char *at = c->at;
    if (left(c) < LEN || at[4] != '-' || at[7] != '-' || at[10] != 'T' ||
        !read_plain_clock(at + 11, p))
        return false;
    int century = two(at, false);
    int year = two(at + 2, false);
    p->year = century * 100 + year;
    p->month = two(at + 5, false);
    p->day = two(at + 8, false);
    if (century < 1 || year < 0 || p->month < 1 || p->day < 1)
        return false;
    c->at += LEN;
    if (left(c) > 1 && *c->at == '.' && is_digit(c->at[1])) {
        c->at++;
        p->us = take_fraction(c);
    }
    return true;
}

bool stamp_read_iso(struct stamp_reader *r, struct text t, struct stamp *out)
{
    struct cursor c = {t.at, t.at + t.len};
    struct parts p = {0};
    if (take_plain_iso(&c, &p)) {
        take_zone(&c, &p);
        return finish(r, &p, &c, t, out);
    }
    p = (struct parts){0};
    if (t.len < 15 || !take_number(&c, 4, 4, &p.year) || p.year == 0)
        return false;
    char separator = *c.at;
    if ((separator != '-' && separator != '/') || !take_byte(&c, separator) ||
        !take_number(&c, 2, 2, &p.month) || !take_byte(&c, separator) ||
        !take_number(&c, 2, 2, &p.day))
        return false;
    char between = peek(&c);
    if (between != 'T' && between != ' ' && between != 't' && between != '_')
        return false;
    c.at++;
    if (!take_clock(&c, true, &p))
        return false;
    take_half_day(&c, &p);
    take_zone(&c, &p);
    return finish(r, &p, &c, t, out);
}

/* What a date with its day in front is made of, told apart by its separator and its month. */
static bool take_date(struct cursor *c, struct parts *p)
{
    enum { LEAST_YEAR = 13, CENTURY = 2000 };
    if (!take_number(c, 1, 2, &p->day))
        return false;
    char separator = peek(c);
    if ((separator != '/' && separator != '-' && separator != ' ') || !take_byte(c, separator))
        return false;
    if (take_month(c, &p->month)) { /* 05/Feb/2014, 5 Feb 2014, 14 Nov 07:01:22 */
        if (!take_byte(c, separator))
            return false;
        struct cursor behind = *c;
        int year = 0;
        if (take_number(&behind, 4, 4, &year)) {
            *c = behind;
            p->year = year;
        }
        return p->year || separator == ' ';
    }
    if (separator != '/' || !take_number(c, 1, 2, &p->month) || !take_byte(c, '/'))
        return false;
    if (take_number(c, 4, 4, &p->year)) { /* 02/05/2014: the month first, unless it cannot be */
        int day = p->day;
        if (day <= 12) {
            p->day = p->month;
            p->month = day;
        }
        return true;
    }
    p->year = p->day + CENTURY; /* 17/06/09: Java's way */
    return take_number(c, 2, 2, &p->day) && p->year >= CENTURY + LEAST_YEAR;
}

/* 05/Feb/2014:13:37:45 +0100, 5 Feb 2014 13:37:45, 05-Feb-2014 13:37:45, 02/05/2014 1:37:45 PM. */
static bool read_day_first(struct stamp_reader *r, struct text t, struct stamp *out)
{
    struct cursor c = {t.at, t.at + t.len};
    struct parts p = {0};
    skip_weekday(&c);
    if (!take_date(&c, &p))
        return false;
    bool is_apart = take_byte(&c, ':') || take_byte(&c, ' ') || take_byte(&c, 'T');
    if ((!is_apart && p.year) || !take_clock(&c, p.year != 0, &p))
        return false;
    take_half_day(&c, &p);
    take_zone(&c, &p);
    return finish(r, &p, &c, t, out);
}

/* Seconds, ms, us or ns since 1970, with decimals; told apart by size. */
static bool read_epoch(struct text t, struct stamp *out)
{
    struct cursor c = {t.at, t.at + t.len};
    uint64_t value = 0;
    int digits = 0;
    for (; is_digit(peek(&c)) && digits < 20; c.at++, digits++)
        value = value * 10 + (uint64_t)(*c.at - '0');
    uint64_t divisor = digits == 10 ? 1 : digits == 13 ? 1000 : digits == 16 ? 1000000 : 0;
    if (digits == 19)
        divisor = 1000000000;
    if (!divisor || value / divisor < 1000000000 || value / divisor > 4102444800)
        return false;
    int64_t us =
        divisor > 1000000 ? (int64_t)(value / 1000) : (int64_t)(value * (1000000 / divisor));
    if (divisor == 1 && left(&c) > 1 && *c.at == '.' && is_digit(c.at[1])) {
        c.at++;
        us += take_fraction(&c);
    }
    char next = peek(&c);
    if (is_letter(next) || next == '-' || next == ':' || next == '.')
        return false;
    *out =
        (struct stamp){.us = us, .len = (size_t)(c.at - t.at), .has_year = true, .has_zone = true};
    return true;
}

bool stamp_read(struct stamp_reader *r, struct text t, struct stamp *out)
{
    if (t.len < 10)
        return false;
    if (is_letter(t.at[0]))
        return stamp_read_bsd(r, t, out) || read_day_first(r, t, out);
    if (!is_digit(t.at[0]))
        return false;
    return stamp_read_iso(r, t, out) || read_day_first(r, t, out) || read_epoch(t, out) ||
           stamp_read_bsd(r, t, out);
}

bool stamp_read_whole(struct stamp_reader *r, struct text t, struct stamp *out)
{
    t = text_trim(t);
    if (text_starts(t, TEXT("/Date(")) && text_ends(t, TEXT(")/")))
        t = text_head(text_skip(t, 6), t.len - 8);
    if (!stamp_read(r, t, out))
        return false;
    return out->len == t.len;
}

void stamp_apply(const struct stamp *s, struct event *e)
{
    const uint32_t guesses = EVENT_TIME_ASSUMED | EVENT_YEAR_ASSUMED | EVENT_ZONE_ASSUMED;
    e->event_us = s->us;
    e->flags &= ~guesses;
    e->flags |= s->has_year ? 0 : (uint32_t)EVENT_YEAR_ASSUMED;
    e->flags |= s->has_zone ? 0 : (uint32_t)EVENT_ZONE_ASSUMED;
}
