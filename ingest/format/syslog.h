/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include "base/arena.h"
#include "base/event.h"
#include "base/stamp.h"
#include <stdbool.h>

/*
 * Syslog headers: from the whole record to facility, severity, time, host, program, pid, msgid,
 * structured data and message. Views into `raw`; structured data with escapes into `arena`.
 */

/*
 * "<34>", also behind an octet count that a relay left in front. False: there is none, *t stays. A
 * value above 191 or one with a leading zero is no priority: EVENT_HEADER_DAMAGED is set.
 */
bool syslog_take_priority(struct text *t, struct event *e);
/* RFC 5424 from its version on. False: no version and time stand here, nothing was changed. */
bool syslog_read_5424(struct stamp_reader *stamps, struct text t, struct arena *arena,
                      struct event *e);
/* RFC 5424 from its time on, as exports hold it without priority and version. False: as above. */
bool syslog_read_bare_5424(struct stamp_reader *stamps, struct text t, struct arena *arena,
                           struct event *e);
/* RFC 3164 and everything that is sent in its name, from behind the priority on. */
void syslog_read_3164(struct stamp_reader *stamps, struct text t, struct event *e);
/* Whether a record without priority begins as a syslog file does: a time, a host and a tag. */
bool syslog_is_file_line(struct stamp_reader *stamps, struct text t);
/* The message is a header once more, and what stands before it a relay's own. */
bool syslog_has_inner(struct stamp_reader *stamps, const struct event *e);
