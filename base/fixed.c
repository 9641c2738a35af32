/* SPDX-License-Identifier: Apache-2.0 */
#include "base/fixed.h"

enum { DECIMALS = 9, MOST_DIGITS = 37 };

static bool exponent(struct text t, int64_t *out)
{
    return text_to_int64(t, out) && *out > -100 && *out < 100;
}

bool fixed_parse(struct text t, fixed128 *out)
{
    size_t mark = 0;
    while (mark < t.len && t.at[mark] != 'e' && t.at[mark] != 'E')
        mark++;
    int64_t shift = DECIMALS;
    if (mark < t.len) {
        int64_t e = 0;
        if (!exponent(text_skip(t, mark + 1), &e))
            return false;
        shift += e;
        t = text_head(t, mark);
    }
    bool is_negative = t.len && t.at[0] == '-';
    if (t.len && (t.at[0] == '-' || t.at[0] == '+'))
        t = text_skip(t, 1);
    fixed128 value = 0;
    int digits = 0;
    int seen = 0;
    bool in_fraction = false;
    for (size_t i = 0; i < t.len; i++) {
        if (t.at[i] == '.' && !in_fraction) {
            in_fraction = true;
            continue;
        }
        if (t.at[i] < '0' || t.at[i] > '9')
            return false;
        seen++;
        if (in_fraction && shift <= 0 && digits > DECIMALS)
            continue; /* far behind the last decimal that is kept */
        if (digits == MOST_DIGITS) {
            if (!in_fraction)
                return false;
            continue;
        }
        value = value * 10 + (t.at[i] - '0');
        digits += digits > 0 || t.at[i] != '0';
        shift -= in_fraction;
    }
    if (!seen)
        return false;
    for (; shift > 0 && value; shift--) {
        if (digits++ >= MOST_DIGITS)
            return false;
        value *= 10;
    }
    for (; shift < 0 && value; shift++)
        value /= 10;
    *out = is_negative ? -value : value;
    return true;
}

size_t fixed_format(fixed128 value, char out[48])
{
    char digits[48];
    size_t n = 0;
    bool is_negative = value < 0;
    fixed128 left = is_negative ? -value : value;
    bool is_started = false;
    for (int place = 0; place < DECIMALS || left || place == DECIMALS; place++) {
        int digit = (int)(left % 10);
        left /= 10;
        if (place == DECIMALS && is_started)
            digits[n++] = '.';
        if (place >= DECIMALS || digit || is_started) {
            digits[n++] = (char)('0' + digit);
            is_started = true;
        }
        if (place >= DECIMALS && !left)
            break;
    }
    if (is_negative)
        digits[n++] = '-';
    for (size_t i = 0; i < n; i++)
        out[i] = digits[n - 1 - i];
    return n;
}
