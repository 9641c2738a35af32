/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include "sinks/kind.h"

/* Every kind of destination, in the order of the help. */
enum { SINK_KINDS = 5 };
extern const struct sink_kind *const sink_kinds[SINK_KINDS];
