/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include "base/error.h"
#include "base/own.h"
#include "rules/decode/mapping.h"
#include "rules/match/names.h"
#include <stdbool.h>
#include <stdint.h>

/*
 * For each mapping: which fields of an event are which fields of the rules. One table from the
 * hash of an event's field name to field numbers, so that one walk over an event finds all that any
 * rule reads. Immutable, any thread.
 */

/* What the record's own header says; an event's field of the same name wins, "syslog.<name>" is
 * always the header's. */
enum envelope {
    ENVELOPE_NONE,
    ENVELOPE_HOST,
    ENVELOPE_PROGRAM,
    ENVELOPE_PID,
    ENVELOPE_MSGID,
    ENVELOPE_FACILITY,
    ENVELOPE_SEVERITY,
    ENVELOPE_MESSAGE,
    ENVELOPE_PEER,
};

struct fieldmap_entry {
    uint64_t hash;    /* event_name_hash; 0 with an empty name: free */
    struct text name; /* the event's */
    uint32_t field;   /* the rules' */
    uint32_t rank;    /* 0: the name that is preferred */
};
struct fieldmap_header {
    uint32_t field, rank;
    enum envelope which;
};
struct fieldmap {
    struct fieldmap_entry *entries; /* open addressing; equal hashes follow each other */
    uint32_t mask;
    struct fieldmap_header *headers;
    uint32_t header_count;
};

/* Whether this mapping's events have a field of that name that some rule reads. */
bool fieldmap_reads(const struct fieldmap *map, struct text name, uint64_t hash);

/* Tables for every mapping of `set`, index as in event->mapping; names live in `arena`. */
NODISCARD enum status fieldmap_build(const struct names *names, const struct mapping_set *set,
                                     struct arena *arena, struct fieldmap **out,
                                     uint32_t *out_count, struct error *err);
