/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include "base/buffer.h"
#include "incidents/incidents.h"
#include "sinks/document.h"

/*
 * An incident in words for people. What came out of logs is defanged; the words around are ours.
 */

/* "[P2] opened: ssh-guessing, ssh-success on address 192.0.2.7": one line, at most 200 bytes. */
void wording_subject(const struct delivery *d, const struct document *doc, struct buffer *out);
/* Plain text, lines end with LF. */
void wording_body(const struct delivery *d, const struct document *doc, struct buffer *out);
