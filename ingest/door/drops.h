/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include "ingest/ingest.h"

/* The inside of the table of drops, for the report. */

enum { DROPS_SOURCES = 64, DROPS_PEER_LEN = 64 };

struct drops_entry {
    uint32_t source;
    uint8_t peer_len; /* 0: senders that made room for others, or without an address */
    char peer[DROPS_PEER_LEN];
    uint64_t counts[DROPS_REASONS];
    int64_t first_us, last_us; /* 0: free */
};

/* All entries on the heap, by source, then peer. NULL without memory. */
struct drops_entry *drops_copy(struct drops *d, uint32_t *out_count);
int drops_compare(const struct drops_entry *x, const struct drops_entry *y);
const char *drops_name(enum drops_reason why);
