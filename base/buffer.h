/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include "base/error.h"
#include "base/text.h"
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * Bytes that grow up to a ceiling given at birth. After a failed append the content is unchanged
 * and `has_failed` stays set, so a writer may append many times and look once at the end.
 */
struct buffer {
    char *at;         /* owned; NULL before the first byte */
    size_t len;       /* bytes in use */
    size_t size;      /* bytes allocated */
    size_t max_bytes; /* ceiling of len */
    bool has_failed;  /* an append met the ceiling or found no memory */
};

void buffer_init(struct buffer *b, size_t max_bytes);
void buffer_fini(struct buffer *b);
/* Empty again; memory and ceiling stay, has_failed is cleared. */
void buffer_clear(struct buffer *b);
/* Room for `more` bytes behind len: their address, or NULL. The caller raises len itself. */
char *buffer_reserve(struct buffer *b, size_t more);
void buffer_append(struct buffer *b, struct text t);
void buffer_byte(struct buffer *b, char c);
__attribute__((format(printf, 2, 3))) void buffer_printf(struct buffer *b, const char *format, ...);
void buffer_int64(struct buffer *b, int64_t value);
void buffer_uint64(struct buffer *b, uint64_t value);
/* Drops the first `n` (at most len) bytes; what follows moves to the front. */
void buffer_drop(struct buffer *b, size_t n);

static inline struct text buffer_text(const struct buffer *b)
{
    return (struct text){b->at, b->len};
}
