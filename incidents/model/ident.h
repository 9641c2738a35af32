/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include "base/hash.h"
#include <stdint.h>

/*
 * Ids of incidents and deliveries: a prefix of four and 26 characters of Crockford's base 32, time
 * first, so that they sort by time. Made from what they stand for, never from chance: a decision
 * that is made again after a crash gives the same id.
 */
enum { IDENT_LEN = 30 };

void ident_make(const char prefix[5], int64_t us, struct hash128 from, char out[IDENT_LEN + 1]);
