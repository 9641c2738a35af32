/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include <stdbool.h>

/* Digits of ASCII, whatever the locale. */

static inline bool digit_is(char c)
{
    return (unsigned char)(c - '0') < 10;
}
/* What a hex digit of either case stands for; -1 where it is none. */
static inline int digit_of_hex(char c)
{
    return digit_is(c)                              ? c - '0'
           : (c | 0x20) >= 'a' && (c | 0x20) <= 'f' ? (c | 0x20) - 'a' + 10
                                                    : -1;
}
/* The hex digit, lower case, of the low four bits. */
static inline char digit_hex(unsigned value)
{
    return "0123456789abcdef"[value & 15];
}
