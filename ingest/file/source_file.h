/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include "ingest/door/source.h"

/* A log file that is written by others: followed over rotation and truncation. */
extern const struct source_type source_file_type;
