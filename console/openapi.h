/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include "base/buffer.h"

struct resource;
/* The OpenAPI 3.1 document of the table (ended by a row without a method). */
void openapi_write(const struct resource *all, struct buffer *out);
