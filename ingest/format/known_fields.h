/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include "base/arena.h"
#include "base/event.h"
#include "base/stamp.h"
#include <stdbool.h>
#include <stdint.h>

/* The names under which events carry their own time and host. Immutable after known_fields_init. */
enum { KNOWN_FIELDS_SLOTS = 256 };
struct known_fields {
    uint64_t hashes[KNOWN_FIELDS_SLOTS]; /* open addressing; 0: free */
    uint8_t rows[KNOWN_FIELDS_SLOTS];
};

void known_fields_init(struct known_fields *u);
/* Whether known_fields_apply looks at fields of this name. */
bool known_fields_reads(const struct known_fields *u, struct text name, uint64_t hash);
/*
 * Takes the event's time, and its host where it has none yet, from its fields: of several names the
 * most telling one counts ("@timestamp" before "time"), of one name the first value that is a time.
 * Where `has_time`, only the host.
 */
void known_fields_apply(const struct known_fields *u, struct stamp_reader *stamps,
                        struct arena *arena, bool has_time, struct event *e);
