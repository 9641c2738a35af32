/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include "base/buffer.h"
#include "base/secret.h"
#include "base/text.h"
#include <stdbool.h>
#include <stdint.h>

/*
 * Signatures as Standard Webhooks say: "v1," and base64 of HMAC-SHA256 over "id.timestamp.body".
 * A secret written whsec_... is base64 of the key; any other is the key itself.
 */

/* True where a secret that begins with whsec_ is base64 behind it. */
bool signature_is_secret(const struct secret *s);
/* One signature for each secret, a space between: the receiver takes any that fits, so secrets can
 * be changed one side at a time. False without memory. */
bool signature_write(const struct secret_list *secrets, struct text id, int64_t timestamp_s,
                     struct text body, struct buffer *out);
