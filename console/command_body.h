/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include "base/buffer.h"
#include "base/error.h"
#include "base/text.h"

/*
 * A request's JSON body as a command of the record: {"do":"ack","incident":"inc_..", ...body}.
 * An empty `incident` is left out. SYNTAX: the body is no JSON object; INVALID: it says "do" or
 * "incident" itself. `key` is the request's Idempotency-Key, or empty: its member is
 * "idempotency_key", and no other may say it.
 */
NODISCARD enum status command_body_write(struct text verb, struct text incident, struct text body,
                                         struct text key, struct buffer *out, struct error *err);
