/* SPDX-License-Identifier: Apache-2.0 */
#include "correlator/int192.h"

struct int192 int192_of(fixed128 value)
{
    return (struct int192){.low = (int192_low)value, .high = value < 0 ? -1 : 0};
}

struct int192 int192_add(struct int192 a, struct int192 b)
{
    struct int192 sum = {.low = a.low + b.low};
    sum.high = (int64_t)((uint64_t)a.high + (uint64_t)b.high + (sum.low < a.low));
    return sum;
}

struct int192 int192_subtract(struct int192 a, struct int192 b)
{
    struct int192 rest = {.low = a.low - b.low};
    rest.high = (int64_t)((uint64_t)a.high - (uint64_t)b.high - (a.low < b.low));
    return rest;
}

static struct int192 negated(struct int192 a)
{
    return int192_subtract((struct int192){0}, a);
}

struct int192 int192_times(fixed128 value, uint32_t factor)
{
    int192_low size = value < 0 ? -(int192_low)value : (int192_low)value;
    int192_low bottom = (uint64_t)size * (int192_low)factor;
    int192_low top = (size >> 64) * factor;
    struct int192 product = {.low = bottom + (top << 64)};
    product.high = (int64_t)((uint64_t)(top >> 64) + (product.low < bottom));
    return value < 0 ? negated(product) : product;
}

int int192_compare(struct int192 a, struct int192 b)
{
    if (a.high != b.high)
        return a.high < b.high ? -1 : 1;
    return a.low < b.low ? -1 : a.low > b.low;
}

fixed128 int192_divide(struct int192 a, uint32_t by)
{
    struct int192 size = a.high < 0 ? negated(a) : a;
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
    int192_low quotient = 0;
    for (int i = 3; i >= 0; i--)
        quotient = quotient << 32 | words[i];
    const int192_low most = ~(int192_low)0 >> 1;
    if (words[4] || words[5] || quotient > most)
        quotient = most;
    return a.high < 0 ? -(fixed128)quotient : (fixed128)quotient;
}
