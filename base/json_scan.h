/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include "base/arena.h"
#include "base/error.h"
#include "base/event.h"
#include "base/json_shape.h"
#include "base/json_string.h"
#include <stdbool.h>

/*
 * The event path's JSON reader (RFC 8259): one pass, no allocation per field, views into the
 * document. Refuses what jansson refuses with JSON_REJECT_DUPLICATES off: bad escapes, lone
 * surrogates, invalid UTF-8, control characters, trailing bytes, depth above JSON_SCAN_DEPTH.
 */
enum { JSON_SCAN_DEPTH = 64 };

/*
 * Adds the members of the object `document` to `event`: leaves by their dotted path ("a.b.c";
 * members of arrays share the path of the array), objects and arrays themselves as VALUE_OBJECT.
 * With a `shape` only those that it wants; their names live until it forgets, other paths that are
 * no single key are built in `arena`. Values are views into `document`, which must outlive the
 * event. What is not taken out is checked all the same. Sets what the event knows of its document.
 * SYNTAX: not one well-formed object; *out_at is the offset where it broke, nothing was added.
 * LIMIT: more fields than an event holds; those that fit were added.
 */
NODISCARD enum status json_scan(struct text document, struct json_shape *shape, struct arena *arena,
                                struct event *event, size_t *out_at);

/* The value of a field as plain bytes: unescaped where needed. */
static inline struct text json_value(const struct field *f, struct arena *arena)
{
    return f->is_escaped ? json_unescape(f->value, arena) : f->value;
}
