/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include "base/arena.h"
#include "base/event.h"
#include "ingest/format/stamp.h"
#include <stdbool.h>
#include <stdint.h>

/* The names under which events carry their own time and host. Immutable after usual_init. */
enum { USUAL_SLOTS = 256 };
struct usual {
    uint64_t hashes[USUAL_SLOTS]; /* open addressing; 0: free */
    uint8_t rows[USUAL_SLOTS];
};

void usual_init(struct usual *u);
/* Whether usual_apply looks at fields of this name. */
bool usual_reads(const struct usual *u, struct text name, uint64_t hash);
/*
 * Takes the event's time, and its host where it has none yet, from its fields: of several names the
 * most telling one counts ("@timestamp" before "time"), of one name the first value that is a time.
 * Where `has_time`, only the host.
 */
void usual_apply(const struct usual *u, struct stamp_reader *stamps, struct arena *arena,
                 bool has_time, struct event *e);
