/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include "base/error.h"
#include "base/text.h"
#include <stdbool.h>

enum { LISTENER_ADDRESS_LEN = 64 };

/* What listener_open would say of `where` itself. */
NODISCARD enum status listener_check(struct text where, bool is_open, struct error *err);
/* Binds "127.0.0.1:8514", "[::1]:0" or "localhost:8514" and listens. Loopback alone, unless
 * `is_open`: the console has no users yet, so whoever reaches it may do everything. `out_address`
 * gets the real port. */
NODISCARD enum status listener_open(struct text where, bool is_open, int *out_fd,
                                    char out_address[LISTENER_ADDRESS_LEN], struct error *err);
