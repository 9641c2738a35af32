/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include "base/buffer.h"
#include "base/error.h"
#include "base/own.h"
#include "base/record.h"
#include "journal/journal_marks.h"
#include "journal/journal_zip.h"
#include "journal/segment.h"

/* The block that is about to be written: header and payload as they will stand in the file. The
 * journal's thread only. */
struct journal_block {
    struct buffer bytes; /* the whole block */
    struct buffer plain; /* what is to be compressed */
};

void journal_block_init(struct journal_block *b);
void journal_block_fini(struct journal_block *b);
/* Gives memory back that an uncommonly large block took. */
void journal_block_shrink(struct journal_block *b);
/* The records of a batch, compressed with `zip` where that is not NULL and helps. Fills what `head`
 * lacks. LIMIT: too much for one block. NOMEM. */
NODISCARD enum status journal_block_pack(struct journal_block *b, struct journal_zip *zip,
                                         const struct batch *batch, struct segment_block *head);
NODISCARD enum status journal_block_pack_marks(struct journal_block *b,
                                               const struct journal_marks *marks,
                                               struct segment_block *head);
