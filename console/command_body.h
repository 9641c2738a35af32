/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include "base/buffer.h"
#include "base/error.h"
#include "base/text.h"

/*
 * A request's JSON body as a command of the record: {"do":"ack","incident":"inc_..", ...body}.
 * An empty `incident` is left out. SYNTAX: the body is no JSON object; INVALID: it says "do" or
 * "incident" itself.
 */
NODISCARD enum status command_body_write(struct text verb, struct text incident, struct text body,
                                         struct buffer *out, struct error *err);
