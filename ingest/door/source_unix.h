/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include "ingest/door/source.h"

/* A unix socket as /dev/log is one: datagrams, or a stream of framed messages. */
extern const struct source_type source_unix_type;
