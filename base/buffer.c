/* SPDX-License-Identifier: Apache-2.0 */
#include "base/buffer.h"
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void buffer_init(struct buffer *b, size_t max_bytes)
{
    *b = (struct buffer){.max_bytes = max_bytes};
}

void buffer_fini(struct buffer *b)
{
    free(b->at);
    *b = (struct buffer){.max_bytes = b->max_bytes};
}

void buffer_clear(struct buffer *b)
{
    b->len = 0;
    b->has_failed = false;
}

char *buffer_reserve(struct buffer *b, size_t more)
{
    if (more <= b->size - b->len && b->len + more <= b->max_bytes && b->at)
        return b->at + b->len;
    if (b->len > b->max_bytes || more > b->max_bytes - b->len) {
        b->has_failed = true;
        return NULL;
    }
    size_t want = b->len + more;
    size_t size = b->size ? b->size : 256;
    while (size < want)
        size *= 2;
    char *at = realloc(b->at, size);
    if (!at) {
        b->has_failed = true;
        return NULL;
    }
    b->at = at;
    b->size = size;
    return at + b->len;
}

void buffer_append(struct buffer *b, struct text t)
{
    if (!t.len)
        return;
    char *to = buffer_reserve(b, t.len);
    if (!to)
        return;
    memcpy(to, t.at, t.len);
    b->len += t.len;
}

void buffer_byte(struct buffer *b, char c)
{
    buffer_append(b, (struct text){&c, 1});
}

void buffer_printf(struct buffer *b, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    va_list again;
    va_copy(again, args);
    int n = vsnprintf(NULL, 0, format, args);
    va_end(args);
    char *to = n < 0 ? NULL : buffer_reserve(b, (size_t)n + 1);
    if (to) {
        (void)vsnprintf(to, (size_t)n + 1, format, again);
        b->len += (size_t)n;
    }
    va_end(again);
}

static void digits_of(struct buffer *b, uint64_t left, bool is_negative)
{
    char digits[24];
    char *at = digits + sizeof digits;
    do {
        *--at = (char)('0' + left % 10);
        left /= 10;
    } while (left);
    if (is_negative)
        *--at = '-';
    buffer_append(b, (struct text){at, (size_t)(digits + sizeof digits - at)});
}

void buffer_int64(struct buffer *b, int64_t value)
{
    digits_of(b, value < 0 ? 0 - (uint64_t)value : (uint64_t)value, value < 0);
}

void buffer_uint64(struct buffer *b, uint64_t value)
{
    digits_of(b, value, false);
}

void buffer_drop(struct buffer *b, size_t n)
{
    if (n > b->len)
        n = b->len;
    b->len -= n;
    if (b->len)
        memmove(b->at, b->at + n, b->len);
}
