/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include "base/fixed.h"
#include <stdint.h>

__extension__ typedef unsigned __int128 wide_low;

/* A sum of up to 2^32 fixed128 values, which 128 bits alone could not hold: two's complement of
 * 192 bits. Adding and taking away again gives the same bits back. */
struct wide {
    wide_low low;
    int64_t high;
};

struct wide wide_of(fixed128 value);
struct wide wide_add(struct wide a, struct wide b);
struct wide wide_subtract(struct wide a, struct wide b);
struct wide wide_times(fixed128 value, uint32_t factor);
/* <0, 0, >0 */
int wide_compare(struct wide a, struct wide b);
/* Rounded towards zero; clamped to what fixed128 holds. */
fixed128 wide_divide(struct wide a, uint32_t by);
