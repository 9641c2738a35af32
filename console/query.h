/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include "base/arena.h"
#include "base/error.h"
#include "base/text.h"
#include <stdbool.h>
#include <stdint.h>

/*
 * The part of a URL behind '?': name=value pairs, percent escapes undone.
 */

/* Undoes percent escapes; '+' becomes a space where `is_form`. False: a broken escape, or a NUL. */
bool query_decode(struct text t, bool is_form, struct arena *arena, struct text *out);
/* INVALID names a parameter that is not in `known` (names with a comma between), stands twice, or
 * cannot be decoded. */
NODISCARD enum status query_check(struct text query, const char *known, struct arena *arena,
                                  struct error *err);
/* The value of a checked query, or an empty text. */
struct text query_get(struct text query, struct text name, struct arena *arena);
/* RFC 3339, a date, or how long ago ("24h"). Empty: `fallback_us`. */
NODISCARD enum status query_time(struct text value, const char *name, int64_t now_us,
                                 int64_t fallback_us, int64_t *out, struct error *err);
