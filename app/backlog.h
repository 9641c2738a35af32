/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include "base/error.h"
#include "base/record.h"
#include "base/text.h"
#include "journal/journal.h"
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

/*
 * What the journal holds and the workers were not given yet. The journal is the buffer: while the
 * workers are behind, a batch that is durable goes back into the pool, for the doors to fill again,
 * and is read from the journal when its turn comes. One batch is one block there, so the workers
 * see the same batches in the same order as without it.
 *
 *   journaled ──► in flight < IN_FLIGHT and nothing behind ──────────────► dispatched
 *        └──────► else: given back, counted ──► read again, in order ──────┘
 *
 * The journal's thread only, but for the numbers.
 */
struct daemon;
struct journal_reader;
struct ruleset;

enum {
    BACKLOG_IN_FLIGHT =
        96,            /* batches that the pipeline holds; the others of the pool are for doors */
    BACKLOG_PART = 64, /* beyond 1/64 of the most, doors whose senders can wait are not read */
};

struct backlog {
    struct journal_reader *reader; /* NULL: nothing is behind */
    uint64_t last;                 /* position of the last record that is behind */
    struct ruleset *swap;          /* decides from the record at swap_position on; NULL: none */
    uint64_t swap_position;
    bool is_over;                    /* the stop: one more batch goes on whatever is in flight */
    _Atomic uint64_t bytes, records; /* behind now */
    _Atomic uint64_t records_total;  /* that ever were */
};

static inline bool backlog_is_open(const struct backlog *b)
{
    return b->reader != NULL;
}
/* Takes a durable batch with records: dispatches it, or lets it wait in the journal. Where that has
 * no more room (journal.backlog) it returns when there is: the doors then run out of batches. */
void backlog_take(struct daemon *d, struct batch *b);
/* Gives the workers what they have room for. */
void backlog_feed(struct daemon *d);
/* From the record at `position` on `next` decides: at once, or when the workers get there. False,
 * and nothing taken: another one waits already. */
bool backlog_swap(struct daemon *d, uint64_t position, struct ruleset *next);
/* The stop: feeds for up to `most_ms`. */
void backlog_finish(struct daemon *d, uint64_t most_ms);
/* One more batch, where something is behind: the one that carries the last cut. */
void backlog_last(struct daemon *d);
/* The end: what is left is decided by the next start, from its last checkpoint. */
void backlog_forget(struct daemon *d);
/* Any thread: true where doors whose senders can wait should not be read now. */
bool backlog_is_long(const struct daemon *d);
