/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include "base/arena.h"
#include "base/error.h"
#include "base/event.h"
#include <stdbool.h>

/*
 * The event path's JSON reader (RFC 8259): one pass, no allocation per field, views into the
 * document. Refuses what jansson refuses with JSON_REJECT_DUPLICATES off: bad escapes, lone
 * surrogates, invalid UTF-8, control characters, trailing bytes, depth above JSON_SCAN_DEPTH.
 */
enum { JSON_SCAN_DEPTH = 64 };

/*
 * Adds every member of the object `document` to `event`: leaves by their dotted path
 * ("a.b.c"; members of arrays share the path of the array), objects and arrays themselves as
 * VALUE_OBJECT. `prefix` (may be empty) is put before each path with a dot. Paths that are not a
 * single key are built in `arena`. Views into `document` stay; it must outlive the event.
 * SYNTAX: not one well-formed object; *out_at is the offset where it broke, nothing was added.
 * LIMIT: more fields than an event holds; those that fit were added.
 */
NODISCARD enum status json_scan(struct text document, struct text prefix, struct arena *arena,
                                struct event *event, size_t *out_at);

/* A string's bytes with escapes undone, UTF-8; copied into `arena` only where there is an escape.
 * `at` is NULL where the arena has no room. The input was checked by json_scan. */
struct text json_unescape(struct text escaped, struct arena *arena);

/* The value of a field as plain bytes: unescaped where needed. */
static inline struct text json_value(const struct field *f, struct arena *arena)
{
    return f->is_escaped ? json_unescape(f->value, arena) : f->value;
}
