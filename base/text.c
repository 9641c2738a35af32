/* SPDX-License-Identifier: Apache-2.0 */
#include "base/text.h"
#include <math.h>
#include <stdlib.h>

static unsigned char lower(char c)
{
    unsigned char u = (unsigned char)c;
    return u >= 'A' && u <= 'Z' ? (unsigned char)(u + 32) : u;
}

bool text_equal_nocase(struct text a, struct text b)
{
    if (a.len != b.len)
        return false;
    for (size_t i = 0; i < a.len; i++)
        if (lower(a.at[i]) != lower(b.at[i]))
            return false;
    return true;
}

int text_compare(struct text a, struct text b)
{
    size_t n = a.len < b.len ? a.len : b.len;
    int order = n ? memcmp(a.at, b.at, n) : 0;
    if (order)
        return order;
    return a.len < b.len ? -1 : a.len > b.len;
}

bool text_starts(struct text t, struct text prefix)
{
    return t.len >= prefix.len && (prefix.len == 0 || memcmp(t.at, prefix.at, prefix.len) == 0);
}

bool text_ends(struct text t, struct text suffix)
{
    return t.len >= suffix.len &&
           (suffix.len == 0 || memcmp(t.at + t.len - suffix.len, suffix.at, suffix.len) == 0);
}

size_t text_find(struct text t, struct text needle)
{
    if (needle.len == 0)
        return 0;
    const char *hit = t.len ? memmem(t.at, t.len, needle.at, needle.len) : NULL;
    return hit ? (size_t)(hit - t.at) : t.len;
}

size_t text_find_byte(struct text t, char byte)
{
    const char *hit = t.len ? memchr(t.at, byte, t.len) : NULL;
    return hit ? (size_t)(hit - t.at) : t.len;
}

struct text text_skip(struct text t, size_t from)
{
    if (from > t.len)
        from = t.len;
    return (struct text){t.at ? t.at + from : NULL, t.len - from};
}

struct text text_head(struct text t, size_t len)
{
    return (struct text){t.at, len < t.len ? len : t.len};
}

static bool is_blank(char c)
{
    return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

struct text text_trim(struct text t)
{
    while (t.len && is_blank(t.at[0]))
        t = text_skip(t, 1);
    while (t.len && is_blank(t.at[t.len - 1]))
        t.len--;
    return t;
}

bool text_split(struct text *rest, char byte, struct text *out_piece)
{
    if (!rest->at)
        return false;
    size_t at = text_find_byte(*rest, byte);
    *out_piece = text_head(*rest, at);
    *rest = at < rest->len ? text_skip(*rest, at + 1) : TEXT_NONE;
    return true;
}

bool text_to_int64(struct text t, int64_t *out)
{
    size_t i = 0;
    bool negative = t.len && t.at[0] == '-';
    if (t.len && (t.at[0] == '-' || t.at[0] == '+'))
        i = 1;
    if (i == t.len)
        return false;
    uint64_t value = 0;
    uint64_t most = (uint64_t)INT64_MAX + (negative ? 1 : 0);
    for (; i < t.len; i++) {
        unsigned digit = (unsigned)(t.at[i] - '0');
        if (digit > 9 || value > (most - digit) / 10)
            return false;
        value = value * 10 + digit;
    }
    *out = negative ? (int64_t)(0 - value) : (int64_t)value;
    return true;
}

bool text_to_double(struct text t, double *out)
{
    char copy[64];
    if (t.len == 0 || t.len >= sizeof copy)
        return false;
    for (size_t i = 0; i < t.len; i++) {
        char c = t.at[i];
        bool is_number =
            (c >= '0' && c <= '9') || c == '.' || c == '-' || c == '+' || c == 'e' || c == 'E';
        if (!is_number)
            return false;
        copy[i] = c;
    }
    copy[t.len] = 0;
    char *end = NULL;
    double value = strtod(copy, &end);
    if (end != copy + t.len || !isfinite(value))
        return false;
    *out = value;
    return true;
}

bool text_to_duration_us(struct text t, int64_t *out)
{
    static const struct {
        const char *unit;
        int64_t us;
    } units[] = {
        {"us", 1},
        {"ms", 1000},
        {"s", 1000000},
        {"m", 60000000},
        {"h", INT64_C(3600000000)},
        {"d", INT64_C(86400000000)},
        {"w", INT64_C(604800000000)},
        {"M", INT64_C(2592000000000)},
        {"y", INT64_C(31536000000000)},
    };
    size_t digits = 0;
    while (digits < t.len && t.at[digits] >= '0' && t.at[digits] <= '9')
        digits++;
    int64_t n = 0;
    if (!digits || !text_to_int64(text_head(t, digits), &n))
        return false;
    struct text unit = text_skip(t, digits);
    if (n == 0 && unit.len == 0) {
        *out = 0;
        return true;
    }
    for (size_t i = 0; i < sizeof units / sizeof *units; i++)
        if (text_equal(unit, text_of(units[i].unit)))
            return !__builtin_mul_overflow(n, units[i].us, out);
    return false;
}

bool text_to_size_bytes(struct text t, uint64_t *out)
{
    static const struct {
        const char *unit;
        uint64_t bytes;
    } units[] = {
        {"", 1},
        {"B", 1},
        {"KiB", UINT64_C(1) << 10},
        {"MiB", UINT64_C(1) << 20},
        {"GiB", UINT64_C(1) << 30},
        {"TiB", UINT64_C(1) << 40},
        {"KB", 1000},
        {"kB", 1000},
        {"MB", 1000000},
        {"GB", 1000000000},
        {"TB", UINT64_C(1000000000000)},
    };
    size_t digits = 0;
    while (digits < t.len && t.at[digits] >= '0' && t.at[digits] <= '9')
        digits++;
    int64_t n = 0;
    if (!digits || !text_to_int64(text_head(t, digits), &n))
        return false;
    struct text unit = text_trim(text_skip(t, digits));
    for (size_t i = 0; i < sizeof units / sizeof *units; i++)
        if (text_equal(unit, text_of(units[i].unit)))
            return !__builtin_mul_overflow((uint64_t)n, units[i].bytes, out);
    return false;
}

static bool is_continuation(char c)
{
    return ((unsigned char)c & 0xC0U) == 0x80U;
}

size_t text_utf8_len(struct text t)
{
    if (t.len == 0)
        return 0;
    unsigned char a = (unsigned char)t.at[0];
    if (a < 0x80)
        return 1;
    if (a < 0xC2 || a > 0xF4)
        return 0;
    size_t len = a < 0xE0 ? 2 : a < 0xF0 ? 3 : 4;
    if (t.len < len)
        return 0;
    unsigned char b = (unsigned char)t.at[1];
    bool is_bad_second = (a == 0xE0 && b < 0xA0) || (a == 0xED && b > 0x9F) ||
                         (a == 0xF0 && b < 0x90) || (a == 0xF4 && b > 0x8F);
    if (is_bad_second)
        return 0;
    for (size_t i = 1; i < len; i++)
        if (!is_continuation(t.at[i]))
            return 0;
    return len;
}

bool text_is_utf8(struct text t)
{
    while (t.len) {
        uint64_t word = 0;
        if (t.len >= sizeof word) {
            memcpy(&word, t.at, sizeof word);
            if (!(word & UINT64_C(0x8080808080808080))) {
                t = text_skip(t, sizeof word);
                continue;
            }
        }
        size_t len = text_utf8_len(t);
        if (!len)
            return false;
        t = text_skip(t, len);
    }
    return true;
}

size_t text_to_base64(struct text t, char *out)
{
    static const char alphabet[] =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    size_t n = 0;
    for (size_t i = 0; i < t.len; i += 3) {
        uint32_t word = (uint32_t)(unsigned char)t.at[i] << 16;
        if (i + 1 < t.len)
            word |= (uint32_t)(unsigned char)t.at[i + 1] << 8;
        if (i + 2 < t.len)
            word |= (unsigned char)t.at[i + 2];
        out[n++] = alphabet[word >> 18 & 63];
        out[n++] = alphabet[word >> 12 & 63];
        out[n++] = i + 1 < t.len ? alphabet[word >> 6 & 63] : '=';
        out[n++] = i + 2 < t.len ? alphabet[word & 63] : '=';
    }
    return n;
}
