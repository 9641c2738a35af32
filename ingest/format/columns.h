/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include "base/arena.h"
#include "base/event.h"
#include <stdbool.h>

/*
 * A line under the column names that columns_follow found: one field a column, of Zeek's the log's
 * name as `_path`, of W3C's the time as `@timestamp`. False, and nothing added, where the line has
 * another number of columns.
 */
bool columns_read(struct text columns, struct text line, struct arena *arena, struct event *e);
