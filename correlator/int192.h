/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include "base/fixed.h"
#include <stdint.h>

__extension__ typedef unsigned __int128 int192_low;

/* A sum of up to 2^32 fixed128 values, which 128 bits alone could not hold: two's complement of
 * 192 bits. Adding and taking away again gives the same bits back. */
struct int192 {
    int192_low low;
    int64_t high;
};

struct int192 int192_of(fixed128 value);
struct int192 int192_add(struct int192 a, struct int192 b);
struct int192 int192_subtract(struct int192 a, struct int192 b);
struct int192 int192_times(fixed128 value, uint32_t factor);
/* <0, 0, >0 */
int int192_compare(struct int192 a, struct int192 b);
/* Rounded towards zero; clamped to what fixed128 holds. */
fixed128 int192_divide(struct int192 a, uint32_t by);
