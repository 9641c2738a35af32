/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include "base/arena.h"
#include "base/error.h"
#include "base/metric.h"
#include "base/own.h"
#include "base/record.h"
#include "base/text.h"
#include <stdbool.h>
#include <stdint.h>

/* The one order of everything that enters: appended, made durable, read again. */

struct journal;
struct journal_options {
    const char *dir;        /* made where it is missing, mode 0700 */
    uint64_t max_bytes;     /* retention by size; 0: none */
    int64_t max_age_us;     /* retention by age of receipt; 0: none */
    uint64_t segment_bytes; /* a new file about every so much */
    uint64_t reserve_bytes; /* free disk space that stays for Redis: appends answer FULL below */
    bool is_compressed;     /* zstd blocks */
};
/*
 * Opens for appending: repairs a torn tail, reports torn middles (through log lines), begins a new
 * epoch and continues the sequence. One thread appends; readers have handles of their own.
 * CONFLICT: another process writes there. The caller then appends a RECORD_GAP with the time of
 * the start, so that journal time jumps over the time in which nobody listened.
 */
NODISCARD enum status journal_open(const struct journal_options *options, struct journal **out,
                                   struct error *err);
void journal_close(struct journal *j);
static inline void journal_free(struct journal *j)
{
    journal_close(j);
}
AUTO_DEFINE(journal);
/*
 * Gives each record position, epoch and journal_us, and appends them all as one block. Not durable
 * before journal_sync. FULL: below the reserve, or no space: nothing was appended, no position
 * given; may be tried again, as may IO. Records with an origin "kafka:topic:partition:offset" that
 * are in the journal already are taken out of the batch first and counted: it may be empty after.
 * CONFLICT: a Kafka record before these was refused, and these must not overtake it: their source
 * reads them again, with those.
 */
NODISCARD enum status journal_append(struct journal *j, struct batch *b, struct error *err);
/* Makes durable what was appended. After a failure the next call writes it all anew, into a file of
 * its own: positions stay, and OK means what it says. */
NODISCARD enum status journal_sync(struct journal *j, struct error *err);
/* The next position is at least this one: for a state that was ahead of a journal whose end was
 * lost, so that no position is given twice. Before the first append. */
void journal_skip_to(struct journal *j, uint64_t position);
/* The highest number of a stream ("kafka:topic:partition") in the journal when it was opened, or
 * -1. Any thread. */
int64_t journal_mark(const struct journal *j, struct text stream);
uint64_t journal_next_position(const struct journal *j);
uint32_t journal_epoch(const struct journal *j);
/* 64 random bits, made with the journal: what tells its positions from another machine's. */
uint64_t journal_instance(const struct journal *j);
int64_t journal_time_us(const struct journal *j);
/* Everything below `position` may go when retention asks for it: never more than this. */
void journal_allow_removal(struct journal *j, uint64_t position);
void journal_metrics(const struct journal *j, metric_fn tell, void *context);

struct journal_reader;
/* Reads on a folder, also while it is written. Starts at the first record with position >=
 * `position` and receive time >= `since_us` (TIMESTAMP_NONE: any). */
NODISCARD enum status journal_reader_open(const char *dir, uint64_t position, int64_t since_us,
                                          struct journal_reader **out, struct error *err);
void journal_reader_free(struct journal_reader *r);
AUTO_DEFINE(journal_reader);
/* Fills `out` (reset before) with the next records, all of one epoch. AGAIN: no more now. */
NODISCARD enum status journal_reader_next(struct journal_reader *r, struct batch *out,
                                          struct error *err);
/* The record at `position` into `out` (raw copied into `arena`). NOTFOUND once it was removed. */
NODISCARD enum status journal_reader_fetch(struct journal_reader *r, uint64_t position,
                                           struct arena *arena, struct record *out);

/* ---- repeats: what a sender sent twice ---- */

/*
 * The identities (record.origin, Kafka's aside: the journal knows those) of the last 10 minutes.
 * The journal's thread asks it about each batch before it appends it:
 *
 *   repeats_drop(r, b);                     the batch may be empty after: its barrier is then the
 *                                           next sync, for what it repeats may not be durable yet
 *   journal_append(...)                     what is not stored after all: repeats_forget(r, b)
 *   journal_sync(...); repeats_save(r, false);
 *
 * so that a repetition is no second event, also over a restart.
 */
struct repeats;
enum { REPEATS_MAX = 1 << 18 }; /* origins; beyond, the oldest is forgotten and counted */
/* Reads the file at `path` (may be missing) and, from where it ends, the journal in `journal_dir`.
 * A damaged file is as none. */
NODISCARD enum status repeats_open(const char *path, const char *journal_dir, struct repeats **out,
                                   struct error *err);
/* Does not save. */
void repeats_free(struct repeats *r);
AUTO_DEFINE(repeats);
/* Takes the records out that came before; the rest is remembered. */
void repeats_drop(struct repeats *r, struct batch *b);
void repeats_forget(struct repeats *r, const struct batch *b);
/* Writes the file where 10 s passed or `must` is true; all that was remembered must be durable. */
void repeats_save(struct repeats *r, bool must);
void repeats_metrics(const struct repeats *r, metric_fn tell, void *context);
