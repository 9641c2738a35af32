/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include "base/buffer.h"

/* A number with at most `decimals` digits behind the point and never an exponent: 90, not 9e+01. */
void json_fixed_write(struct buffer *out, const char *name, double value, int decimals);
/* Every bit of it, 17 digits. */
void json_fixed_exact(struct buffer *out, const char *name, double value);
