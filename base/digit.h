/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include <stdbool.h>

/* Digits of ASCII, whatever the locale. */

static inline bool digit_is(char c)
{
    return (unsigned char)(c - '0') < 10;
}
/* What a hex digit of either case stands for; -1 where it is none. */
int digit_of_hex(char c);
/* The hex digit, lower case, of the low four bits. */
static inline char digit_hex(unsigned value)
{
    return "0123456789abcdef"[value & 15];
}
