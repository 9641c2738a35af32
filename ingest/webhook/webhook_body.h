/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include "base/buffer.h"
#include "base/error.h"
#include "base/text.h"

/* Bodies that came compressed: gzip, as many shippers send, and zstd. */
enum webhook_encoding { WEBHOOK_ENCODING_NONE, WEBHOOK_ENCODING_KNOWN, WEBHOOK_ENCODING_UNKNOWN };

/* Of a Content-Encoding header; empty: none. */
enum webhook_encoding webhook_body_encoding(struct text said);
/* Appends the plain bytes. LIMIT: more than `out` may hold; SYNTAX: damaged or cut. */
NODISCARD enum status webhook_body_inflate(struct text body, struct buffer *out);
