/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include "base/arena.h"
#include "base/text.h"
#include <stdbool.h>

/* What the encoding modifiers make of a literal. False (or a NULL text) without memory. */

enum encode_utf16 { ENCODE_LE, ENCODE_BE, ENCODE_BOM };
struct text encode_utf16(struct text in, enum encode_utf16 how, struct arena *arena);
struct text encode_base64(struct text in, struct arena *arena);
/* The part of the Base64 that does not depend on the neighbours, where `in` begins at byte `offset`
 * (0, 1, 2) of a group of three. */
struct text encode_base64_offset(struct text in, unsigned offset, struct arena *arena);
