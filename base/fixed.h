/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include "base/text.h"
#include <stdbool.h>
#include <stdint.h>

/* Decimal numbers whose sums do not depend on the order: 128 bits, nine decimals. */
__extension__ typedef __int128 fixed128;

#define FIXED_ONE ((fixed128)1000000000)

/* Whole text as a decimal number, exponent allowed; further decimals are cut. False where it is
 * none, or beyond +-10^28. */
bool fixed_parse(struct text t, fixed128 *out);
/* Shortest decimal form ("2.5", "-3"); returns its length, at most 48 bytes, no NUL. */
size_t fixed_format(fixed128 value, char out[48]);
