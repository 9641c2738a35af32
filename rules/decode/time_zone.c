/* SPDX-License-Identifier: Apache-2.0 */
#include "rules/decode/time_zone.h"
#include "base/path.h"
#include "base/timestamp.h"
#include <stdio.h>
#include <string.h>

#define FOLDER "/usr/share/zoneinfo/"

enum {
    HEADER = 44,
    FILE_BYTES = 64 << 10,
    NAME = 64,
    CHANGES_MOST = 4096,
    DAY_S = 86400,
    OFFSET_MOST = 26 * 3600, /* no place is further from UTC */
};

/* One change of a year, "M3.5.0/2": the week's day of a month, the fifth being the last. */
struct yearly {
    int month, week, day;
    int32_t clock_s;
};

struct time_zone {
    const int64_t *at;      /* UTC, ascending */
    const int32_t *offsets; /* from then on */
    uint32_t count;
    int32_t before; /* until the first change */
    bool has_rule;  /* for the time behind the last change */
    bool has_summer;
    int32_t standard, summer;
    struct yearly starts, ends; /* of summer */
};

/* ---- what holds behind the last change ---- */

static bool take_number(struct text *t, int *out)
{
    int value = 0;
    size_t i = 0;
    for (; i < t->len && i < 4 && t->at[i] >= '0' && t->at[i] <= '9'; i++)
        value = value * 10 + (t->at[i] - '0');
    *t = text_skip(*t, i);
    *out = value;
    return i > 0;
}

static bool take_byte(struct text *t, char byte)
{
    const bool is_it = t->len && t->at[0] == byte;
    *t = text_skip(*t, is_it);
    return is_it;
}

/* [+-]hh[:mm[:ss]] */
static bool take_clock(struct text *t, int32_t *out)
{
    int hours = 0;
    int minutes = 0;
    int seconds = 0;
    const bool is_negative = take_byte(t, '-');
    if (!is_negative)
        (void)take_byte(t, '+');
    if (!take_number(t, &hours) || (take_byte(t, ':') && !take_number(t, &minutes)) ||
        (take_byte(t, ':') && !take_number(t, &seconds)))
        return false;
    *out = (hours * 3600 + minutes * 60 + seconds) * (is_negative ? -1 : 1);
    return hours <= 167 && minutes < 60 && seconds < 60;
}

/* "CET" or "<+03>". */
static bool take_abbreviation(struct text *t)
{
    size_t i = 0;
    if (take_byte(t, '<')) {
        i = text_find_byte(*t, '>');
        *t = text_skip(*t, i + 1);
        return true;
    }
    while (i < t->len && ((t->at[i] | 0x20) >= 'a' && (t->at[i] | 0x20) <= 'z'))
        i++;
    *t = text_skip(*t, i);
    return i >= 3;
}

static bool take_yearly(struct text *t, struct yearly *out)
{
    *out = (struct yearly){.clock_s = 2 * 3600};
    return take_byte(t, ',') && take_byte(t, 'M') && take_number(t, &out->month) &&
           take_byte(t, '.') && take_number(t, &out->week) && take_byte(t, '.') &&
           take_number(t, &out->day) && (!take_byte(t, '/') || take_clock(t, &out->clock_s)) &&
           out->month >= 1 && out->month <= 12 && out->week >= 1 && out->week <= 5 && out->day <= 6;
}

/* POSIX's TZ: "CET-1CEST,M3.5.0,M10.5.0/3"; west counts as positive there. */
static void read_rule(struct text t, struct time_zone *z)
{
    int32_t west = 0;
    if (!take_abbreviation(&t) || !take_clock(&t, &west))
        return;
    z->standard = -west;
    z->summer = z->standard + 3600;
    if (!t.len) {
        z->has_rule = true;
        return;
    }
    if (!take_abbreviation(&t))
        return;
    if (t.len && t.at[0] != ',') {
        if (!take_clock(&t, &west))
            return;
        z->summer = -west;
    }
    z->has_summer = take_yearly(&t, &z->starts) && take_yearly(&t, &z->ends) && !t.len;
    z->has_rule = z->has_summer;
}

/* Local seconds of a change in a year. */
static int64_t change_in(const struct yearly *y, int year)
{
    const struct civil first = {.year = year, .month = y->month, .day = 1};
    const int64_t day = timestamp_from_civil(&first) / (INT64_C(1000000) * DAY_S);
    const int weekday = (int)(((day + 4) % 7 + 7) % 7); /* 1970 began on a Thursday */
    struct civil c = first;
    c.day = 1 + (y->day - weekday + 7) % 7 + (y->week - 1) * 7;
    while (!timestamp_is_civil(&c)) /* the fifth is the last there is */
        c.day -= 7;
    return timestamp_from_civil(&c) / 1000000 + y->clock_s;
}

static int32_t by_rule(const struct time_zone *z, int64_t utc_s)
{
    struct civil now;
    if (!z->has_summer)
        return z->standard;
    timestamp_to_civil((utc_s + z->standard) * 1000000, &now);
    const int64_t starts = change_in(&z->starts, now.year) - z->standard;
    const int64_t ends = change_in(&z->ends, now.year) - z->summer;
    const bool is_between =
        starts < ends ? utc_s >= starts && utc_s < ends : utc_s >= starts || utc_s < ends;
    return is_between ? z->summer : z->standard;
}

static int32_t offset_at(const struct time_zone *z, int64_t utc_s)
{
    uint32_t low = 0;
    uint32_t high = z->count;
    while (low < high) { /* how many changes are not later */
        const uint32_t middle = low + (high - low) / 2;
        if (z->at[middle] <= utc_s)
            low = middle + 1;
        else
            high = middle;
    }
    if (low == z->count && z->has_rule)
        return by_rule(z, utc_s);
    return low ? z->offsets[low - 1] : z->before;
}

int32_t time_zone_offset(const struct time_zone *z, int64_t local_s)
{
    const int32_t early = offset_at(z, local_s - OFFSET_MOST);
    const int32_t late = offset_at(z, local_s + OFFSET_MOST);
    if (offset_at(z, local_s - early) == early)
        return early;
    return offset_at(z, local_s - late) == late ? late : early;
}

/* ---- the file ---- */

static uint32_t get32(const char *at)
{
    const unsigned char *b = (const unsigned char *)at;
    return (uint32_t)b[0] << 24 | (uint32_t)b[1] << 16 | (uint32_t)b[2] << 8 | b[3];
}

static int64_t get64(const char *at)
{
    return (int64_t)((uint64_t)get32(at) << 32 | get32(at + 4));
}

struct counts {
    uint32_t utc, standard, leap, times, types, chars;
};

static bool read_header(struct text t, struct counts *out)
{
    if (t.len < HEADER || !text_starts(t, TEXT("TZif")))
        return false;
    *out = (struct counts){get32(t.at + 20), get32(t.at + 24), get32(t.at + 28),
                           get32(t.at + 32), get32(t.at + 36), get32(t.at + 40)};
    return out->times <= CHANGES_MOST && out->types && out->types <= 256 &&
           out->chars <= FILE_BYTES && out->leap <= CHANGES_MOST && out->utc <= 256 &&
           out->standard <= 256;
}

static size_t body_len(const struct counts *n, size_t time_bytes)
{
    return n->times * (time_bytes + 1) + (size_t)n->types * 6 + n->chars +
           n->leap * (time_bytes + 4) + n->standard + n->utc;
}

static bool read_changes(struct text t, const struct counts *n, struct arena *arena,
                         struct time_zone *z)
{
    int64_t *at = arena_alloc(arena, (n->times + 1) * sizeof *at);
    int32_t *offsets = arena_alloc(arena, (n->times + 1) * sizeof *offsets);
    const char *kinds = t.at + (size_t)n->times * 8;
    const char *types = kinds + n->times;
    if (!at || !offsets)
        return false;
    for (uint32_t i = 0; i < n->times; i++) {
        const uint32_t kind = (unsigned char)kinds[i];
        at[i] = get64(t.at + (size_t)i * 8);
        offsets[i] = (int32_t)get32(types + (size_t)(kind < n->types ? kind : 0) * 6);
    }
    z->at = at;
    z->offsets = offsets;
    z->count = n->times;
    z->before = (int32_t)get32(types);
    return true;
}

enum status time_zone_read(struct text bytes, struct arena *arena, const struct time_zone **out)
{
    struct counts n;
    if (!read_header(bytes, &n) || bytes.at[4] < '2')
        return STATUS_SYNTAX;
    struct text t = text_skip(bytes, HEADER + body_len(&n, 4)); /* the part for 32 bits */
    if (!read_header(t, &n) || t.len < HEADER + body_len(&n, 8))
        return STATUS_SYNTAX;
    t = text_skip(t, HEADER);
    struct time_zone *z = arena_zero(arena, sizeof *z);
    if (!z || !read_changes(t, &n, arena, z))
        return STATUS_NOMEM;
    t = text_skip(t, body_len(&n, 8));
    if (text_starts(t, TEXT("\n")))
        read_rule(text_head(text_skip(t, 1), text_find_byte(text_skip(t, 1), '\n')), z);
    *out = z;
    return STATUS_OK;
}

static bool is_name(struct text name)
{
    if (!name.len || name.len >= NAME || name.at[0] == '/' ||
        text_find(name, TEXT("..")) < name.len)
        return false;
    for (size_t i = 0; i < name.len; i++)
        if (name.at[i] <= ' ' || (unsigned char)name.at[i] > '~')
            return false;
    return true;
}

enum status time_zone_load(struct text name, struct arena *arena, const struct time_zone **out)
{
    char path[PATH_ROOM];
    if (!is_name(name))
        return STATUS_NOTFOUND;
    (void)snprintf(path, sizeof path, "%s%.*s", FOLDER, TEXT_ARG(name));
    char bytes[FILE_BYTES];
    FILE *file = fopen(path, "rbe");
    if (!file)
        return STATUS_NOTFOUND;
    const size_t len = fread(bytes, 1, sizeof bytes, file);
    (void)fclose(file);
    return time_zone_read((struct text){bytes, len}, arena, out);
}
