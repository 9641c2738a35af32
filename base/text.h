/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

/* A borrowed view of bytes: any bytes, no NUL at the end. Passed by value. */
struct text {
    const char *at;
    size_t len;
};

#define TEXT(literal) ((struct text){"" literal, sizeof(literal) - 1})
#define TEXT_NONE     ((struct text){NULL, 0})

/* For printf's "%.*s": prints at most 2^20 bytes. */
#define TEXT_ARG(t) (int)((t).len > 1048576 ? 1048576 : (t).len), ((t).at ? (t).at : "")

static inline struct text text_of(const char *cstring)
{
    return (struct text){cstring, cstring ? strlen(cstring) : 0};
}

static inline bool text_equal(struct text a, struct text b)
{
    return a.len == b.len && (a.len == 0 || memcmp(a.at, b.at, a.len) == 0);
}

/* ASCII letters compare without case. */
bool text_equal_nocase(struct text a, struct text b);
/* Byte order; a prefix sorts first. Returns <0, 0, >0. */
int text_compare(struct text a, struct text b);
bool text_starts(struct text t, struct text prefix);
bool text_ends(struct text t, struct text suffix);
/* Offset of the first `needle`, or t.len where there is none. An empty needle is found at 0. */
size_t text_find(struct text t, struct text needle);
/* Offset of the first `byte`, or t.len. */
size_t text_find_byte(struct text t, char byte);
/* From `from` (cut to t.len) on. */
struct text text_skip(struct text t, size_t from);
/* The first `len` (cut to t.len) bytes. */
struct text text_head(struct text t, size_t len);
/* Without spaces and tabs (also CR, LF) at both ends. */
struct text text_trim(struct text t);
/* Splits at the first `byte`: gives what is before it and moves *rest behind it. False at the end:
 * the last piece was given before. Start with *rest the whole text; rest->at NULL ends the walk. */
bool text_split(struct text *rest, char byte, struct text *out_piece);

/* Whole text as a decimal integer with optional sign; false if it is not one or does not fit. */
bool text_to_int64(struct text t, int64_t *out);
/* Whole text as a decimal floating number (no hex, no inf, no nan). */
bool text_to_double(struct text t, double *out);
/* "10s", "5m", "2h", "7d", "1w", "1M" (30 days), "1y" (365 days), "250ms", "5us": microseconds.
 * False where the unit is missing, unknown, or the value does not fit. "0" alone is 0. */
bool text_to_duration_us(struct text t, int64_t *out);
/* "64KiB", "20GiB", "1MB", "4096": bytes. */
bool text_to_size_bytes(struct text t, uint64_t *out);
/* True when the bytes are well-formed UTF-8 (RFC 3629: no surrogates, no overlong forms). */
bool text_is_utf8(struct text t);
/* Length in bytes of the UTF-8 sequence at the start of t, or 0 where it is malformed or empty. */
size_t text_utf8_len(struct text t);
/* Base64 (RFC 4648 section 4) into `out`, which has room for 4 * ((len + 2) / 3) bytes. */
size_t text_to_base64(struct text t, char *out);
