/* SPDX-License-Identifier: Apache-2.0 */
#include "base/stamp.h"
#include "base/datepart.h"
#include "base/digit.h"
#include "base/timestamp.h"
#include <string.h>

#define SECOND_US INT64_C(1000000)
#define DAY_US    (INT64_C(86400) * SECOND_US)

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

static int64_t near_day(const struct stamp_reader *r)
{
    return r->near_us / DAY_US;
}

/* Logs speak of the past: a date further ahead than this is one of the year before. */
enum { AHEAD_DAYS = 62 };

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
        distance = distance < 0 ? -distance : distance > AHEAD_DAYS ? distance + 366 : distance;
        if (distance < best_distance) {
            best = day;
            best_distance = distance;
        }
    }
    return best;
}

/* Midnight of the day, or TIMESTAMP_NONE where there is no such day. */
static int64_t midnight(struct stamp_reader *r, const struct datepart *p)
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

bool stamp_finish(struct stamp_reader *r, const struct datepart *p, size_t len, struct stamp *out)
{
    int64_t day = midnight(r, p);
    if (day == TIMESTAMP_NONE)
        return false;
    int32_t zone_s = p->has_zone ? p->zone_s : r->zone_s;
    *out = (struct stamp){
        .us = day + (int64_t)(p->clock_s - zone_s) * SECOND_US + p->us,
        .len = len,
        .has_year = p->year != 0,
        .has_zone = p->has_zone,
        .is_order_assumed = p->is_order_assumed,
    };
    return true;
}

static bool finish(struct stamp_reader *r, const struct datepart *p,
                   const struct datepart_cursor *c, struct text t, struct stamp *out)
{
    return stamp_finish(r, p, (size_t)(c->at - t.at), out);
}

/* Two digits, the first of which may be a blank where `is_padded`; or -1. */
static int two(const char *at, bool is_padded)
{
    unsigned high = is_padded && at[0] == ' ' ? 0 : (unsigned)(at[0] - '0');
    unsigned low = (unsigned)(at[1] - '0');
    return high > 9 || low > 9 ? -1 : (int)(high * 10 + low);
}

/* Exactly "hh:mm:ss". */
static bool read_plain_clock(const char *at, struct datepart *p)
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
static bool take_plain(struct datepart_cursor *c, struct datepart *p)
{
    enum { LEN = 15 };
    const char *at = c->at;
    if (left(c) < LEN || at[3] != ' ' || at[6] != ' ' || !read_plain_clock(at + 7, p))
        return false;
    p->month = datepart_month_of(at);
    p->day = two(at + 4, true);
    if (!p->month || p->day < 0)
        return false;
    c->at += LEN;
    return true;
}

/* " 2014", " UTC", ".123" and the like, as far as they follow. */
static void take_rest(struct datepart_cursor *c, struct datepart *p)
{
    if (left(c) > 1 && (*c->at == '.' || *c->at == ',') && digit_is(c->at[1])) {
        c->at++;
        p->us = datepart_fraction(c);
    }
    if (left(c) > 1 && *c->at == ' ' && c->at[1] >= 'a')
        return; /* a host's name */
    datepart_half_day(c, p);
    datepart_year_behind(c, p);
    datepart_zone(c, p);
    if (p->has_zone)
        datepart_year_behind(c, p);
}

/* " ", ", ", " @ " (Kibana's) */
static bool between_date_and_clock(struct datepart_cursor *c)
{
    (void)datepart_byte(c, ',');
    bool is_apart = datepart_blanks(c);
    if (is_apart && datepart_byte(c, '@'))
        (void)datepart_blanks(c);
    return is_apart;
}

bool stamp_read_bsd(struct stamp_reader *r, struct text t, struct stamp *out)
{
    struct datepart_cursor c = {t.at, t.at + t.len};
    struct datepart p = {0};
    if (t.len < 13)
        return false;
    if (take_plain(&c, &p)) {
        take_rest(&c, &p);
        return finish(r, &p, &c, t, out);
    }
    p = (struct datepart){0};
    if (digit_is(*c.at) && (!datepart_number(&c, 4, 4, &p.year) || !datepart_byte(&c, ' ')))
        return false;
    datepart_weekday(&c);
    if (!datepart_month(&c, &p.month) || !datepart_blanks(&c) || !datepart_number(&c, 1, 2, &p.day))
        return false;
    (void)datepart_byte(&c, ','); /* Jul 31, 2020 4:40:20 PM */
    if (!datepart_blanks(&c))
        return false;
    struct datepart_cursor behind = c;
    if (!p.year && datepart_number(&behind, 4, 4, &p.year) && between_date_and_clock(&behind))
        c = behind;
    else if (behind.at != c.at)
        p.year = 0;
    if (!datepart_clock(&c, false, &p))
        return false;
    take_rest(&c, &p);
    return finish(r, &p, &c, t, out);
}

/* Exactly "2014-02-05T13:37:45". */
static bool take_plain_iso(struct datepart_cursor *c, struct datepart *p)
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
    if (left(c) > 1 && (*c->at == '.' || *c->at == ',') && digit_is(c->at[1])) {
        c->at++;
        p->us = datepart_fraction(c);
    }
    return true;
}

/* Two digits below `limit`, from the front. */
static bool take_two(struct datepart_cursor *c, int least, int limit, int *out)
{
    return datepart_number(c, 2, 2, out) && *out >= least && *out < limit;
}

/* "20140205T133745", ISO 8601's basic format; decimals behind. */
static bool take_basic_iso(struct datepart_cursor *c, struct datepart *p)
{
    struct datepart_cursor at = *c;
    int hour = 0;
    int minute = 0;
    int second = 0;
    bool is_one = datepart_number(&at, 4, 4, &p->year) && p->year > 1969 && p->year < 2200 &&
                  take_two(&at, 1, 13, &p->month) && take_two(&at, 1, 32, &p->day) &&
                  datepart_byte(&at, 'T') && take_two(&at, 0, 24, &hour) &&
                  take_two(&at, 0, 60, &minute) && take_two(&at, 0, 60, &second) &&
                  !digit_is(peek(&at));
    if (!is_one) {
        *p = (struct datepart){0};
        return false;
    }
    p->clock_s = hour * 3600 + minute * 60 + second;
    if (left(&at) > 1 && (*at.at == '.' || *at.at == ',') && digit_is(at.at[1])) {
        at.at++;
        p->us = datepart_fraction(&at);
    }
    *c = at;
    return true;
}

bool stamp_read_iso(struct stamp_reader *r, struct text t, struct stamp *out)
{
    struct datepart_cursor c = {t.at, t.at + t.len};
    struct datepart p = {0};
    if (take_plain_iso(&c, &p)) {
        datepart_zone(&c, &p);
        return finish(r, &p, &c, t, out);
    }
    p = (struct datepart){0};
    if (t.len < 15)
        return false;
    if (take_basic_iso(&c, &p)) {
        datepart_zone(&c, &p);
        return finish(r, &p, &c, t, out);
    }
    if (!datepart_number(&c, 4, 4, &p.year) || p.year == 0)
        return false;
    char separator = *c.at;
    if ((separator != '-' && separator != '/' && separator != '.') ||
        !datepart_byte(&c, separator) || !datepart_number(&c, 2, 2, &p.month) ||
        !datepart_byte(&c, separator) || !datepart_number(&c, 2, 2, &p.day))
        return false;
    char between = peek(&c);
    if (between != 'T' && between != ' ' && between != 't' && between != '_')
        return false;
    c.at++;
    if (!datepart_clock(&c, true, &p))
        return false;
    datepart_half_day(&c, &p);
    datepart_zone(&c, &p);
    return finish(r, &p, &c, t, out);
}

/* What a date with its day in front is made of, told apart by its separator and its month. */
static bool take_date(struct datepart_cursor *c, uint32_t dates, struct datepart *p)
{
    enum { LEAST_YEAR = 13, CENTURY = 2000 };
    if (!datepart_number(c, 1, 2, &p->day))
        return false;
    char separator = peek(c);
    if ((separator != '/' && separator != '-' && separator != ' ') || !datepart_byte(c, separator))
        return false;
    if (datepart_month(c, &p->month)) { /* 05/Feb/2014, 5 Feb 2014, 14 Nov 07:01:22 */
        if (!datepart_byte(c, separator))
            return false;
        struct datepart_cursor behind = *c;
        int year = 0;
        if (datepart_number(&behind, 4, 4, &year)) {
            *c = behind;
            p->year = year;
        } else if (separator == '-' && datepart_number(&behind, 2, 2, &year) &&
                   !digit_is(peek(&behind))) { /* 04-MAR-26 */
            *c = behind;
            p->year = year + CENTURY;
        }
        return p->year || separator == ' ';
    }
    if (separator == '-') { /* 05-02-2014: the day first, as who writes so does */
        if (!datepart_number(c, 2, 2, &p->month) || !datepart_byte(c, '-') ||
            !datepart_number(c, 4, 4, &p->year) || p->year < 1970)
            return false;
        int first = p->day;
        p->is_order_assumed = !dates && first <= 12 && p->month <= 12 && first != p->month;
        if ((dates & RECORD_MONTH_FIRST) || p->month > 12) {
            p->day = p->month;
            p->month = first;
        }
        return true;
    }
    if (separator != '/' || !datepart_number(c, 1, 2, &p->month) || !datepart_byte(c, '/'))
        return false;
    if (datepart_number(c, 4, 4, &p->year)) { /* 02/05/2014: the month first, unless it cannot be */
        int first = p->day;
        if (dates & RECORD_DAY_FIRST)
            return true;
        if (first <= 12) {
            p->day = p->month;
            p->month = first;
            p->is_order_assumed = !dates && p->day <= 12 && p->day != p->month;
        }
        return true;
    }
    p->year = p->day + CENTURY; /* 17/06/09: Java's way */
    return datepart_number(c, 2, 2, &p->day) && p->year >= CENTURY + LEAST_YEAR;
}

/* 05/Feb/2014:13:37:45 +0100, 5 Feb 2014 13:37:45, 05-Feb-2014 13:37:45, 02/05/2014 1:37:45 PM. */
static bool read_day_first(struct stamp_reader *r, struct text t, struct stamp *out)
{
    struct datepart_cursor c = {t.at, t.at + t.len};
    struct datepart p = {0};
    datepart_weekday(&c);
    if (!take_date(&c, r->dates, &p))
        return false;
    (void)datepart_byte(&c, ','); /* 3/4/2026, 4:54:23 AM */
    bool is_apart = datepart_byte(&c, ':') || datepart_byte(&c, ' ') || datepart_byte(&c, 'T');
    if ((!is_apart && p.year) || !datepart_clock(&c, p.year != 0, &p))
        return false;
    datepart_half_day(&c, &p);
    datepart_zone(&c, &p);
    return finish(r, &p, &c, t, out);
}

/* Seconds, ms, us or ns since 1970, with decimals; told apart by size. */
static bool read_epoch(struct text t, struct stamp *out)
{
    struct datepart_cursor c = {t.at, t.at + t.len};
    uint64_t value = 0;
    int digits = 0;
    for (; digit_is(peek(&c)) && digits < 20; c.at++, digits++)
        value = value * 10 + (uint64_t)(*c.at - '0');
    uint64_t divisor = digits == 10 ? 1 : digits == 13 ? 1000 : digits == 16 ? 1000000 : 0;
    if (digits == 19)
        divisor = 1000000000;
    if (!divisor || value / divisor < 1000000000 || value / divisor > 4102444800)
        return false;
    int64_t us =
        divisor > 1000000 ? (int64_t)(value / 1000) : (int64_t)(value * (1000000 / divisor));
    if (divisor == 1 && left(&c) > 1 && *c.at == '.' && digit_is(c.at[1])) {
        c.at++;
        us += datepart_fraction(&c);
    }
    char next = peek(&c);
    if (is_letter(next) || next == '-' || next == ':' || next == '.')
        return false;
    *out =
        (struct stamp){.us = us, .len = (size_t)(c.at - t.at), .has_year = true, .has_zone = true};
    return true;
}

bool stamp_read_since(struct text t, int64_t per_s, struct stamp *out)
{
    enum { DIGITS = 19 };
    struct datepart_cursor c = {t.at, t.at + t.len};
    int64_t value = 0;
    int digits = 0;
    for (; digit_is(peek(&c)) && digits < DIGITS - 1; c.at++, digits++)
        value = value * 10 + (*c.at - '0');
    if (digits == DIGITS - 1 && digit_is(peek(&c)) && value < INT64_MAX / 10)
        value = value * 10 + (*c.at++ - '0');
    const int64_t seconds = value / per_s;
    const int64_t rest = value % per_s;
    int64_t us = per_s > SECOND_US ? rest / (per_s / SECOND_US) : rest * (SECOND_US / per_s);
    if (!digits || seconds > INT64_C(253402300799)) /* the year 9999 */
        return false;
    if (left(&c) > 1 && *c.at == '.' && digit_is(c.at[1])) {
        c.at++;
        us += datepart_fraction(&c) / (per_s < SECOND_US ? per_s : SECOND_US);
    }
    if (c.at != c.end)
        return false;
    *out = (struct stamp){
        .us = seconds * SECOND_US + us, .len = t.len, .has_year = true, .has_zone = true};
    return true;
}

bool stamp_read(struct stamp_reader *r, struct text t, struct stamp *out)
{
    if (t.len < 10)
        return false;
    if (is_letter(t.at[0]))
        return stamp_read_bsd(r, t, out) || read_day_first(r, t, out);
    if (!digit_is(t.at[0]))
        return false;
    return stamp_read_iso(r, t, out) || read_day_first(r, t, out) || read_epoch(t, out) ||
           stamp_read_bsd(r, t, out);
}

/* Length of a blank and the zone behind it, "CET" or "+03"; 0: there is none. */
static size_t tail_word(struct text t, bool is_letters)
{
    enum { LEAST = 3, MOST = 6 };
    size_t i = 1;
    if (!t.len || t.at[0] != ' ')
        return 0;
    while (i < t.len && (is_letters ? t.at[i] >= 'A' && t.at[i] <= 'Z'
                                    : digit_is(t.at[i]) || t.at[i] == '+' || t.at[i] == '-'))
        i++;
    return i >= LEAST && i <= MOST ? i : 0;
}

/*
 * What programs put behind an offset: the zone once more. Go's " CET" or " +03" and its monotonic
 * " m=+0.123", JavaScript's " (Central European Standard Time)", Java's "[Europe/Paris]".
 */
static bool is_tail(struct text t)
{
    if (text_starts(t, TEXT(" (")) && text_ends(t, TEXT(")")))
        return true;
    if (text_starts(t, TEXT("[")) && text_ends(t, TEXT("]")))
        return true;
    size_t word = tail_word(t, true);
    t = text_skip(t, word ? word : tail_word(t, false));
    if (!text_starts(t, TEXT(" m=")))
        return !t.len;
    t = text_skip(t, 3);
    while (t.len && (digit_is(t.at[0]) || memchr("+-.", t.at[0], 3)))
        t = text_skip(t, 1);
    return !t.len;
}

/* .NET's "/Date(1391607465000+0100)/": what is in it; its offset is for display. */
static struct text without_wrapping(struct text t)
{
    size_t digits = 0;
    if (!text_starts(t, TEXT("/Date(")) || !text_ends(t, TEXT(")/")))
        return t;
    t = text_head(text_skip(t, 6), t.len - 8);
    while (digits < t.len && digit_is(t.at[digits]))
        digits++;
    return t.len == digits + 5 ? text_head(t, digits) : t;
}

/* "20140205133745", and seconds since 1970 with a comma: told apart from numbers where nothing else
 * stands beside them. */
static bool read_bare_digits(struct stamp_reader *r, struct text t, struct stamp *out)
{
    enum { DATE = 8, ALL = 14, SECONDS = 10, ROOM = 24 };
    char text[ROOM];
    size_t digits = 0;
    while (digits < t.len && digit_is(t.at[digits]))
        digits++;
    bool is_date = digits == ALL && t.len == ALL && t.at[0] <= '2';
    bool is_epoch =
        digits == SECONDS && t.len > SECONDS + 1 && t.len < ROOM && t.at[SECONDS] == ',';
    if (!is_date && !is_epoch)
        return false;
    memcpy(text, t.at, is_date ? DATE : t.len);
    if (is_date) {
        text[DATE] = 'T';
        memcpy(text + DATE + 1, t.at + DATE, ALL - DATE);
    } else {
        text[SECONDS] = '.';
    }
    struct text whole = {text, is_date ? ALL + 1 : t.len};
    bool is_time = stamp_read(r, whole, out) && out->len == whole.len;
    out->len = t.len;
    return is_time;
}

bool stamp_read_whole(struct stamp_reader *r, struct text t, struct stamp *out)
{
    t = without_wrapping(text_trim(t));
    if (t.len && digit_is(t.at[0]) && read_bare_digits(r, t, out))
        return true;
    if (!stamp_read(r, t, out))
        return false;
    return out->len == t.len || (out->has_zone && is_tail(text_skip(t, out->len)));
}

void stamp_apply(const struct stamp *s, struct event *e)
{
    const uint32_t guesses =
        EVENT_TIME_ASSUMED | EVENT_YEAR_ASSUMED | EVENT_ZONE_ASSUMED | EVENT_ORDER_ASSUMED;
    e->event_us = s->us;
    e->flags &= ~guesses;
    e->flags |= s->has_year ? 0 : (uint32_t)EVENT_YEAR_ASSUMED;
    e->flags |= s->has_zone ? 0 : (uint32_t)EVENT_ZONE_ASSUMED;
    e->flags |= s->is_order_assumed ? (uint32_t)EVENT_ORDER_ASSUMED : 0;
}
