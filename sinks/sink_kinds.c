/* SPDX-License-Identifier: Apache-2.0 */
#include "sinks/sink_kinds.h"
#include "sinks/sink_command.h"
#include "sinks/sink_file.h"
#include "sinks/sink_http.h"
#include "sinks/sink_smtp.h"
#include "sinks/sink_webhook.h"

const struct sink_kind *const sink_kinds[SINK_KINDS] = {
    &sink_file_kind, &sink_webhook_kind, &sink_smtp_kind, &sink_http_kind, &sink_command_kind,
};
