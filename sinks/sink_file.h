/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include "sinks/kind.h"

/* JSON Lines, appended and on disk before a delivery counts as delivered. */
extern const struct sink_kind sink_file_kind;
