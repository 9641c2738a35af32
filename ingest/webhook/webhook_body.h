/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include "base/buffer.h"
#include "base/error.h"
#include "base/text.h"
#include "ingest/webhook/webhook.h"

/* Bodies that came compressed: gzip, as many shippers send, and zstd. */
enum webhook_encoding { WEBHOOK_ENCODING_NONE, WEBHOOK_ENCODING_KNOWN, WEBHOOK_ENCODING_UNKNOWN };

/* Of a Content-Encoding header; empty: none. */
enum webhook_encoding webhook_body_encoding(struct text said);
/* Appends as many of the plain bytes as `out` may hold, whatever comes behind them. NOMEM, SYNTAX.
 */
NODISCARD enum status webhook_body_look(struct webhook_call *call, struct text body,
                                        struct buffer *out, uint64_t *held);
/* Appends the plain bytes, which are held in the budget as they come: *held of them, in any case.
 * LIMIT: more than `out` may hold; SYNTAX: damaged or cut; NOMEM; FULL: the call is overloaded. */
NODISCARD enum status webhook_body_inflate(struct webhook_call *call, struct text body,
                                           struct buffer *out, uint64_t *held);
