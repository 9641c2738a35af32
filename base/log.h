/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include "base/text.h"
#include <stdbool.h>
#include <stdint.h>

/*
 * Log lines on standard error: one sentence plus key=value pairs. Only app/ and the top function
 * of a thread log above debug. Any thread. The same format string more than 10 times in 10 s is
 * held back, and the number held back is said.
 */
enum log_level { LOG_DEBUG, LOG_INFO, LOG_WARNING, LOG_ERROR };

void log_set_level(enum log_level least);
/* One JSON object a line instead of text. */
void log_set_json(bool is_json);

__attribute__((format(printf, 2, 3))) void log_line(enum log_level level, const char *format, ...);

/* Outside bytes for a log line: quoted, escaped, cut at 200 bytes. `out` holds LOG_QUOTE_LEN. */
enum { LOG_QUOTE_LEN = 832 };
const char *log_quote(struct text t, char out[LOG_QUOTE_LEN]);
