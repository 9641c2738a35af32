/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include "base/buffer.h"
#include "base/text.h"
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

/*
 * What people read, in terminals and pagers, of texts that others wrote. Whatever would act instead
 * of being seen is written out: controls of ASCII and of Unicode (a terminal takes U+009B for an
 * escape sequence), marks that turn the direction of writing or have no width, separators of lines,
 * and bytes that are no UTF-8. "\x1b", "\xff" is a byte, "\u202e" a code point, "\n" and "\t" are
 * what they say. A backslash of the text stays as it is: Windows' paths are to be read.
 */

/* Length of what at the start of `t` must not go out as it is: 1 for a byte, more for a code point;
 * 0: it may. *out_point: the code point, or the byte's value. */
size_t printable_hidden(struct text t, unsigned *out_point);

/* On one line. */
void printable_write(struct buffer *out, struct text t);
/* The same, but for line ends and tabs, which stay: for what was put together line by line. */
void printable_lines(struct buffer *out, struct text t);
/* A JSON text, valid before and after: the same code points as \uXXXX. */
void printable_json(struct buffer *out, struct text json);

/*
 * printf for people: every %s is written as printable_write does, cut (by its precision) between
 * characters; the format's own bytes, line ends too, stay. Knows d i u x X c s f g e with flags,
 * width, precision and h l ll z.
 */
__attribute__((format(printf, 2, 3))) void printable_format(struct buffer *out, const char *format,
                                                            ...);
__attribute__((format(printf, 2, 0))) void printable_vformat(struct buffer *out, const char *format,
                                                             va_list args);
__attribute__((format(printf, 2, 3))) void printable_print(FILE *to, const char *format, ...);
