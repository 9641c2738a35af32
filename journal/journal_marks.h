/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include "base/arena.h"
#include "base/buffer.h"
#include "base/error.h"
#include "base/own.h"
#include "base/record.h"
#include <stddef.h>
#include <stdint.h>

/*
 * What the journal knows of streams whose records are numbered by their sender: an origin
 * "kafka:<topic>:<partition>:<offset>" is number <offset> of stream "kafka:<topic>:<partition>". A
 * broker delivers a record again until its offset is committed, and the commit follows the journal:
 * so the journal itself is what knows which ones it has. Numbers of a stream rise, with holes.
 *
 *   mark       highest number in the journal: what is not above is a repetition, and dropped
 *   resume_at  a batch with this number was refused: what lies behind it in the same stream, sent
 *              before the sender heard of that, is refused too. Otherwise it would raise the mark,
 *              and the repetition of what was refused would be taken for known, and lost.
 *
 * The journal's thread only.
 */
struct journal_marks;

/* Is this an origin of a stream with numbers? Those of journald and of followed files are numbered
 * by their doors in the same way. */
bool journal_marks_own(struct text origin);

enum { JOURNAL_MARKS_MAX = 65536 }; /* streams beyond are not told apart: their repetitions stay */

NODISCARD enum status journal_marks_new(struct journal_marks **out);
void journal_marks_free(struct journal_marks *m);
AUTO_DEFINE(journal_marks);

/* Takes known records out of the batch; gives how many. */
uint32_t journal_marks_drop(const struct journal_marks *m, struct batch *b);
/* CONFLICT where a record lies behind one that was refused and does not say RECORD_RESUMED. */
NODISCARD enum status journal_marks_check(const struct journal_marks *m, const struct batch *b);
/* The batch was refused. */
void journal_marks_refuse(struct journal_marks *m, const struct batch *b);
/* These records are in the journal. */
void journal_marks_take(struct journal_marks *m, const struct record *records, uint32_t count);

/* The highest number of a stream, or -1. */
int64_t journal_marks_number(const struct journal_marks *m, struct text stream);
/* All marks as a line "<number> <stream>" each. LIMIT, NOMEM. */
NODISCARD enum status journal_marks_write(const struct journal_marks *m, struct buffer *out);
/* Raises the marks by such lines. SYNTAX, NOMEM. */
NODISCARD enum status journal_marks_read(struct journal_marks *m, struct text lines);
