/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include "sinks/kind.h"

/* Mail that threads by incident. */
extern const struct sink_kind sink_smtp_kind;
