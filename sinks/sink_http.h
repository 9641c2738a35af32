/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include "sinks/kind.h"

/* Any system that takes HTTP requests, as a preset describes it. */
extern const struct sink_kind sink_http_kind;
