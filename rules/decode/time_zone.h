/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include "base/arena.h"
#include "base/error.h"
#include "base/text.h"
#include <stdbool.h>
#include <stdint.h>

/* A zone by its name in the IANA data base ("Europe/Berlin"), as the system's tzdata has it (RFC
 * 8536). Immutable; lives in the arena that it was read into. */
struct time_zone;

/* From the bytes of its file. SYNTAX: they are none. */
NODISCARD enum status time_zone_read(struct text bytes, struct arena *arena,
                                     const struct time_zone **out);
/* From the system's folder. NOTFOUND, SYNTAX, NOMEM. */
NODISCARD enum status time_zone_load(struct text name, struct arena *arena,
                                     const struct time_zone **out);
/* Seconds east of UTC when clocks there show `local_s` (seconds since 1970 as if they were UTC).
 * Of an hour that is shown twice the first one; one that is skipped counts as before the change. */
int32_t time_zone_offset(const struct time_zone *z, int64_t local_s);
