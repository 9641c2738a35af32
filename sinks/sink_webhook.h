/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include "sinks/kind.h"

/* HTTP POST, signed as Standard Webhooks say. */
extern const struct sink_kind sink_webhook_kind;
