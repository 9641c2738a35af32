/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include "ingest/door/source.h"

/* Standard input, once: lines until its end. */
extern const struct source_type source_stdin_type;
