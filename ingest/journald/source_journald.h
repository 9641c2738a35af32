/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include "ingest/door/source.h"

/* systemd's journal, entry by entry. Refused by open where the build has no libsystemd. */
extern const struct source_type source_journald_type;
