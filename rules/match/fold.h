/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include "base/text.h"
#include <stddef.h>

/*
 * Unicode simple case folding (statuses C and S of CaseFolding.txt): what "without case" means for
 * every string that rules compare. Both sides are folded, then compared as bytes.
 */

/* Most bytes that `len` bytes can fold to: two-byte letters may become three bytes. */
static inline size_t fold_room(size_t len)
{
    return len + len / 2 + 8;
}
/* Writes the folded text to `out` (fold_room(in.len) bytes); returns its length. Bytes that are not
 * UTF-8 stay as they are. */
size_t fold_text(struct text in, char *out);
