/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include "incidents/decide/lifecycle.h"

/* A person's word: one command as JSON, its answer as JSON, the HTTP status. */
int incident_command_run(const struct lifecycle *lifecycle, struct text text, int64_t now_us,
                         struct buffer *reply);
/* The answer to a command that is not taken: {"error":...}. Gives `http`. */
int incident_command_refuse(struct buffer *reply, int http, const char *why, struct text detail);
