/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include "base/text.h"
#include <stdint.h>

/* Which four bytes of a folded text are the rarest in logs, by what is known of paths, command
 * lines and English: filters look for those. */
enum { GRAM_BYTES = 4 };
/* Offset of the window of `width` bytes (at least GRAM_BYTES, at most t.len) whose commonest gram
 * is the rarest. */
uint32_t gram_rarest(struct text t, size_t width);
