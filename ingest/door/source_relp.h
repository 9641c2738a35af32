/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include "ingest/door/source.h"

/* RELP, plain or over TLS: a message is acknowledged when it is durable. */
extern const struct source_type source_relp_type;
