/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include "ingest/door/source.h"

/* Every kind of source, in the order of the help. */
enum { SOURCE_KINDS = 9 };
extern const struct source_type *const source_kinds[SOURCE_KINDS];
