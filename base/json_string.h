/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include "base/arena.h"
#include "base/text.h"
#include <stdbool.h>
#ifdef __SSE2__
#include <emmintrin.h>
#endif

/* Strings of JSON (RFC 8259 section 7) as bytes between quotes, escapes and all. */

/* On to the next byte that plain text cannot hold: a quote, a backslash, control or non-ASCII. */
static inline const char *json_string_plain_end(const char *at, const char *end)
{
#ifdef __SSE2__
    const __m128i quote = _mm_set1_epi8('"');
    const __m128i backslash = _mm_set1_epi8('\\');
    const __m128i space = _mm_set1_epi8(' ');
    for (; end - at >= 16; at += 16) {
        __m128i bytes = _mm_loadu_si128((const __m128i *)(const void *)at);
        /* a signed comparison finds both: control characters and bytes from 0x80 on */
        __m128i odd = _mm_or_si128(
            _mm_cmplt_epi8(bytes, space),
            _mm_or_si128(_mm_cmpeq_epi8(bytes, quote), _mm_cmpeq_epi8(bytes, backslash)));
        unsigned mask = (unsigned)_mm_movemask_epi8(odd);
        if (mask)
            return at + __builtin_ctz(mask);
    }
#endif
    while (at < end && (unsigned char)*at >= 0x20 && (unsigned char)*at < 0x80 && *at != '"' &&
           *at != '\\')
        at++;
    return at;
}

/* Length of the escape that the backslash at `at` begins, or 0 where it is none. */
size_t json_string_escape_len(const char *at, const char *end);

/* A string's bytes with escapes undone, UTF-8; copied into `arena` only where there is an escape.
 * `at` is NULL where the arena has no room. The input was checked by json_scan. */
struct text json_unescape(struct text escaped, struct arena *arena);
