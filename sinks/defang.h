/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include "base/buffer.h"
#include "base/text.h"

/*
 * Text that came from outside, for a person's screen: nothing in it is a link, a control
 * character, or changes the direction of what is around it.
 */

/*
 * Appends at most about `max_bytes`, cut between characters with "..." behind. "://" becomes
 * "[://]", http hxxp, a dot before a letter "[.]", @ "[@]"; control, bidirectional and invisible
 * characters and bytes that are not UTF-8 become \xNN or \u{NNNN}.
 */
void defang_append(struct buffer *out, struct text t, size_t max_bytes);
/* The same without breaking links: one line of printable UTF-8, for subjects and titles. */
void defang_line(struct buffer *out, struct text t, size_t max_bytes);
