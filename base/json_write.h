/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include "base/buffer.h"
#include "base/text.h"
#include <stdbool.h>
#include <stdint.h>

/*
 * JSON out (RFC 8259), straight into a buffer. A `name` of NULL is a member of an array or the top
 * value; commas come by themselves. Bytes that are not UTF-8 are written as U+0080..U+00FF.
 */
void json_write_open(struct buffer *b, const char *name, char bracket); /* '{' or '[' */
void json_write_close(struct buffer *b, char bracket);                  /* '}' or ']' */
void json_write_string(struct buffer *b, const char *name, struct text value);
/* The member's name is text and not a literal. */
void json_write_named_string(struct buffer *b, struct text name, struct text value);
void json_write_named_open(struct buffer *b, struct text name, char bracket);
void json_write_int(struct buffer *b, const char *name, int64_t value);
void json_write_uint(struct buffer *b, const char *name, uint64_t value);
/* Shortest form that reads back the same; NaN and infinities become null. */
void json_write_double(struct buffer *b, const char *name, double value);
void json_write_bool(struct buffer *b, const char *name, bool value);
void json_write_null(struct buffer *b, const char *name);
void json_write_time(struct buffer *b, const char *name, int64_t us);
/* Already JSON. */
void json_write_raw(struct buffer *b, const char *name, struct text value);
/* The name alone with its colon, for a value that the caller writes itself. */
void json_write_name(struct buffer *b, struct text name);
/* Only the escaped bytes of a string, without quotes. */
void json_write_escape(struct buffer *b, struct text value);
