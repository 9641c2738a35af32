/* SPDX-License-Identifier: Apache-2.0 */
#include "console/query.h"
#include "base/digit.h"
#include "base/timestamp.h"

static int byte_at(struct text t, size_t i)
{
    if (i + 2 >= t.len)
        return -1;
    int high = digit_of_hex(t.at[i + 1]);
    int low = digit_of_hex(t.at[i + 2]);
    return high < 0 || low < 0 ? -1 : high * 16 + low;
}

bool query_decode(struct text t, bool is_form, struct arena *arena, struct text *out)
{
    char *at = arena_bytes(arena, t.len + 1);
    size_t len = 0;
    if (!at)
        return false;
    for (size_t i = 0; i < t.len; i++) {
        char c = t.at[i];
        if (c == '%') {
            int byte = byte_at(t, i);
            if (byte <= 0)
                return false;
            c = (char)byte;
            i += 2;
        } else if (c == '+' && is_form) {
            c = ' ';
        }
        at[len++] = c;
    }
    *out = (struct text){at, len};
    return true;
}

static bool is_known(struct text known, struct text name)
{
    struct text each;
    while (text_split(&known, ',', &each)) {
        if (text_equal(each, name))
            return true;
    }
    return false;
}

static struct text cut_pair(struct text pair, struct text *out_value)
{
    size_t at = text_find_byte(pair, '=');
    *out_value = text_skip(pair, at + 1);
    return text_head(pair, at);
}

static uint32_t count_of(struct text query, struct text name)
{
    uint32_t count = 0;
    struct text pair;
    while (text_split(&query, '&', &pair)) {
        struct text value;
        count += text_equal(cut_pair(pair, &value), name);
    }
    return count;
}

enum status query_check(struct text query, const char *known, struct arena *arena,
                        struct error *err)
{
    struct text rest = query;
    struct text pair;
    while (query.len && text_split(&rest, '&', &pair)) {
        struct text value;
        struct text decoded;
        struct text name = cut_pair(pair, &value);
        if (!is_known(text_of(known), name) || !name.len)
            return error_set(err, STATUS_INVALID, 0, "no parameter '%.*s' here; there are: %s",
                             TEXT_ARG(text_head(name, 40)), known[0] ? known : "none");
        if (count_of(query, name) > 1)
            return error_set(err, STATUS_INVALID, 0, "the parameter '%.*s' stands twice",
                             TEXT_ARG(name));
        if (!query_decode(value, true, arena, &decoded))
            return error_set(err, STATUS_SYNTAX, 0, "the parameter '%.*s' has a broken escape",
                             TEXT_ARG(name));
    }
    return STATUS_OK;
}

struct text query_get(struct text query, struct text name, struct arena *arena)
{
    struct text pair;
    while (text_split(&query, '&', &pair)) {
        struct text value;
        struct text decoded = TEXT_NONE;
        if (text_equal(cut_pair(pair, &value), name) && query_decode(value, true, arena, &decoded))
            return decoded;
    }
    return TEXT_NONE;
}

static bool read_date(struct text t, int64_t *out)
{
    int64_t year = 0, month = 0, day = 0;
    bool has_shape = t.len == 10 && t.at[4] == '-' && t.at[7] == '-' &&
                     text_to_int64(text_head(t, 4), &year) &&
                     text_to_int64(text_head(text_skip(t, 5), 2), &month) &&
                     text_to_int64(text_skip(t, 8), &day);
    struct civil c = {.year = (int)year, .month = (int)month, .day = (int)day};
    if (!has_shape || !timestamp_is_civil(&c))
        return false;
    *out = timestamp_from_civil(&c);
    return true;
}

enum status query_time(struct text value, const char *name, int64_t now_us, int64_t fallback_us,
                       int64_t *out, struct error *err)
{
    int64_t ago_us = 0;
    if (!value.len) {
        *out = fallback_us;
        return STATUS_OK;
    }
    if (read_date(value, out) || timestamp_parse(value, 0, out, NULL))
        return STATUS_OK;
    if (text_to_duration_us(value, &ago_us) && ago_us >= 0) {
        *out = now_us - ago_us;
        return STATUS_OK;
    }
    return error_set(err, STATUS_INVALID, 0,
                     "%s: want a time such as 2026-11-22T06:00:00Z, a date, or how long ago: 24h",
                     name);
}
