/* SPDX-License-Identifier: Apache-2.0 */
#include "base/timestamp.h"
#include <string.h>
#include <time.h>

#define SECOND_US INT64_C(1000000)
#define DAY_US    (INT64_C(86400) * SECOND_US)

/* Days since 1970-01-01, by eras of 400 years that start on 1 March. */
static int64_t days_from_civil(int year, int month, int day)
{
    int64_t y = year - (month <= 2);
    int64_t era = (y >= 0 ? y : y - 399) / 400;
    int64_t of_era = y - era * 400;
    int64_t of_year = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1;
    return era * 146097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year - 719468;
}

int64_t timestamp_from_civil(const struct civil *c)
{
    int64_t seconds = days_from_civil(c->year, c->month, c->day) * 86400 + c->hour * 3600 +
                      c->minute * 60 + c->second;
    return seconds * SECOND_US + c->us;
}

void timestamp_to_civil(int64_t us, struct civil *out)
{
    int64_t days = us / DAY_US - (us % DAY_US < 0);
    int64_t rest = us - days * DAY_US;
    int64_t z = days + 719468;
    int64_t era = (z >= 0 ? z : z - 146096) / 146097;
    int64_t of_era = z - era * 146097;
    int64_t y = (of_era - of_era / 1460 + of_era / 36524 - of_era / 146096) / 365;
    int64_t of_year = of_era - (365 * y + y / 4 - y / 100);
    int64_t m = (5 * of_year + 2) / 153;
    out->day = (int)(of_year - (153 * m + 2) / 5 + 1);
    out->month = (int)(m < 10 ? m + 3 : m - 9);
    out->year = (int)(y + era * 400 + (out->month <= 2));
    out->us = (int)(rest % SECOND_US);
    int64_t seconds = rest / SECOND_US;
    out->hour = (int)(seconds / 3600);
    out->minute = (int)(seconds / 60 % 60);
    out->second = (int)(seconds % 60);
}

bool timestamp_is_civil(const struct civil *c)
{
    static const int lengths[] = {31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    if (c->year < 0 || c->year > 9999 || c->month < 1 || c->month > 12 || c->day < 1)
        return false;
    bool is_leap = (c->year % 4 == 0 && c->year % 100 != 0) || c->year % 400 == 0;
    if (c->day > lengths[c->month - 1] || (c->month == 2 && c->day == 29 && !is_leap))
        return false;
    return c->hour >= 0 && c->hour <= 23 && c->minute >= 0 && c->minute <= 59 && c->second >= 0 &&
           c->second <= 60 && c->us >= 0 && c->us < SECOND_US;
}

static void digits(char *at, int width, int value)
{
    while (width-- > 0) {
        at[width] = (char)('0' + value % 10);
        value /= 10;
    }
}

void timestamp_format(int64_t us, char out[TIMESTAMP_LEN + 1])
{
    const int64_t least = INT64_C(-62167219200) * SECOND_US;
    const int64_t most = INT64_C(253402300800) * SECOND_US - 1;
    struct civil c;
    timestamp_to_civil(us < least ? least : us > most ? most : us, &c);
    memcpy(out, "0000-00-00T00:00:00.000000Z", TIMESTAMP_LEN + 1);
    digits(out, 4, c.year);
    digits(out + 5, 2, c.month);
    digits(out + 8, 2, c.day);
    digits(out + 11, 2, c.hour);
    digits(out + 14, 2, c.minute);
    digits(out + 17, 2, c.second);
    digits(out + 20, 6, c.us);
}

static bool number(struct text *t, size_t width, int *out)
{
    if (t->len < width)
        return false;
    int value = 0;
    for (size_t i = 0; i < width; i++) {
        unsigned digit = (unsigned)(t->at[i] - '0');
        if (digit > 9)
            return false;
        value = value * 10 + (int)digit;
    }
    *t = text_skip(*t, width);
    *out = value;
    return true;
}

static bool byte_of(struct text *t, const char *any)
{
    if (!t->len || !t->at[0] || !strchr(any, t->at[0]))
        return false;
    *t = text_skip(*t, 1);
    return true;
}

static int fraction(struct text *t)
{
    int us = 0;
    int scale = 100000;
    while (t->len && t->at[0] >= '0' && t->at[0] <= '9') {
        us += (t->at[0] - '0') * scale;
        scale /= 10;
        *t = text_skip(*t, 1);
    }
    return us;
}

static bool zone(struct text *t, int32_t *zone_s)
{
    if (byte_of(t, "Zz")) {
        *zone_s = 0;
        return true;
    }
    if (!t->len || (t->at[0] != '+' && t->at[0] != '-'))
        return true;
    int sign = t->at[0] == '-' ? -1 : 1;
    struct text rest = text_skip(*t, 1);
    int hours = 0;
    int minutes = 0;
    if (!number(&rest, 2, &hours))
        return true;
    struct text after = rest;
    (void)byte_of(&after, ":");
    if (number(&after, 2, &minutes))
        rest = after;
    if (hours > 23 || minutes > 59)
        return false;
    *zone_s = sign * (hours * 3600 + minutes * 60);
    *t = rest;
    return true;
}

bool timestamp_parse(struct text t, int32_t zone_s, int64_t *out_us, size_t *out_len)
{
    struct text rest = t;
    struct civil c = {0};
    if (!number(&rest, 4, &c.year) || !byte_of(&rest, "-/") || !number(&rest, 2, &c.month) ||
        !byte_of(&rest, "-/") || !number(&rest, 2, &c.day) || !byte_of(&rest, "Tt _") ||
        !number(&rest, 2, &c.hour) || !byte_of(&rest, ":") || !number(&rest, 2, &c.minute))
        return false;
    if (byte_of(&rest, ":") && !number(&rest, 2, &c.second))
        return false;
    if (rest.len > 1 && (rest.at[0] == '.' || rest.at[0] == ',') && rest.at[1] >= '0' &&
        rest.at[1] <= '9') {
        rest = text_skip(rest, 1);
        c.us = fraction(&rest);
    }
    if (!timestamp_is_civil(&c) || !zone(&rest, &zone_s))
        return false;
    if (c.second == 60) {
        c.second = 59;
        c.us = (int)(SECOND_US - 1);
    }
    if (!out_len && rest.len)
        return false;
    if (out_len)
        *out_len = t.len - rest.len;
    *out_us = timestamp_from_civil(&c) - (int64_t)zone_s * SECOND_US;
    return true;
}

uint64_t timestamp_monotonic_ns(void)
{
    struct timespec t = {0};
    (void)clock_gettime(CLOCK_MONOTONIC, &t);
    return (uint64_t)t.tv_sec * UINT64_C(1000000000) + (uint64_t)t.tv_nsec;
}

uint64_t timestamp_monotonic_ms(void)
{
    return timestamp_monotonic_ns() / 1000000;
}
