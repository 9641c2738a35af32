/* SPDX-License-Identifier: Apache-2.0 */
#include "correlator/wide.h"

struct wide wide_of(fixed128 value)
{
    return (struct wide){.low = (wide_low)value, .high = value < 0 ? -1 : 0};
}

struct wide wide_add(struct wide a, struct wide b)
{
    struct wide sum = {.low = a.low + b.low};
    sum.high = (int64_t)((uint64_t)a.high + (uint64_t)b.high + (sum.low < a.low));
    return sum;
}

struct wide wide_subtract(struct wide a, struct wide b)
{
    struct wide rest = {.low = a.low - b.low};
    rest.high = (int64_t)((uint64_t)a.high - (uint64_t)b.high - (a.low < b.low));
    return rest;
}

static struct wide negated(struct wide a)
{
    return wide_subtract((struct wide){0}, a);
}

struct wide wide_times(fixed128 value, uint32_t factor)
{
    wide_low size = value < 0 ? -(wide_low)value : (wide_low)value;
    wide_low bottom = (uint64_t)size * (wide_low)factor;
    wide_low top = (size >> 64) * factor;
    struct wide product = {.low = bottom + (top << 64)};
    product.high = (int64_t)((uint64_t)(top >> 64) + (product.low < bottom));
    return value < 0 ? negated(product) : product;
}

int wide_compare(struct wide a, struct wide b)
{
    if (a.high != b.high)
        return a.high < b.high ? -1 : 1;
    return a.low < b.low ? -1 : a.low > b.low;
}

fixed128 wide_divide(struct wide a, uint32_t by)
{
    struct wide size = a.high < 0 ? negated(a) : a;
    uint32_t words[6];
    for (int i = 0; i < 4; i++)
        words[i] = (uint32_t)(size.low >> (32 * i));
    words[4] = (uint32_t)(uint64_t)size.high;
    words[5] = (uint32_t)((uint64_t)size.high >> 32);
    uint64_t rest = 0;
    for (int i = 5; i >= 0; i--) {
        uint64_t part = rest << 32 | words[i];
        words[i] = (uint32_t)(part / by);
        rest = part % by;
    }
    wide_low quotient = 0;
    for (int i = 3; i >= 0; i--)
        quotient = quotient << 32 | words[i];
    const wide_low most = ~(wide_low)0 >> 1;
    if (words[4] || words[5] || quotient > most)
        quotient = most;
    return a.high < 0 ? -(fixed128)quotient : (fixed128)quotient;
}
