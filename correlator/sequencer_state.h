/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include "correlator/correlator.h"
#include "correlator/counters.h"
#include "correlator/held.h"

/*
 * What a held feed knows of its correlation once its ruleset may be gone: enough for a shard to
 * find it again by content. Kept for the sequencer's life, one per content hash.
 */
struct retired {
    struct correlation correlation; /* only rule, index and lateness_us are set */
    struct rule rule;               /* only content is set */
};

enum { SEQUENCER_RECENT = 256 };

struct sequencer {
    uint64_t next_number;
    struct mail *waiting; /* batches that came early, by number */
    int64_t journal_us;
    uint64_t position; /* of the last record seen */
    uint32_t max_held;
    struct held_heap heap;
    struct retired **retired;
    uint32_t retired_count, retired_max;
    struct retired *recent[SEQUENCER_RECENT]; /* by index: where to look first */
    struct held **out;                        /* released for the batch in hand, in order */
    uint32_t out_count, out_max;
    struct sequencer_counters counters;
};

/* The retired correlation of that content, made where there is none; NULL without memory or beyond
 * 65,536. */
const struct retired *sequencer_state_retired(struct sequencer *s, struct hash128 content,
                                              uint32_t index, int64_t lateness_us);
