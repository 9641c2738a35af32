/* SPDX-License-Identifier: Apache-2.0 */
#include "sinks/envelope.h"
#include "base/json_write.h"
#include <stdio.h>

void envelope_write(const struct delivery *d, struct buffer *out)
{
    bool is_one = d->incident.len > 0;
    char type[64];
    (void)snprintf(type, sizeof type, "incident%s.%s", is_one ? "" : "s",
                   incidents_notice_name(d->kind));
    json_write_open(out, NULL, '{');
    json_write_string(out, "type", text_of(type));
    json_write_string(out, "id", d->id);
    json_write_time(out, "time", d->queued_us);
    json_write_raw(out, is_one ? "incident" : "summary",
                   d->document.len ? d->document : TEXT("null"));
    json_write_close(out, '}');
}
