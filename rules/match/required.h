/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include "base/arena.h"
#include "base/text.h"
#include <stdbool.h>
#include <stdint.h>

/*
 * Literals of which every match of a regular expression contains at least one, folded; for finding
 * candidates. 0: none is known. Bytes live in `arena`.
 */
enum { REQUIRED_LITERALS = 16 };
uint32_t required_literals(struct text pattern, struct arena *arena,
                           struct text out[REQUIRED_LITERALS]);
/* True where the pattern only says what wildcards say (literals, `.*`, anchors): a lint. */
bool required_is_wildcard(struct text pattern);
