/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include "base/arena.h"
#include "base/buffer.h"
#include "base/error.h"
#include "base/own.h"
#include "journal/journal_zip.h"
#include "journal/segment.h"
#include <stdbool.h>
#include <stdint.h>

/*
 * A walk over the blocks of one segment file, also while it is written. It never gives bytes whose
 * CRC does not fit. One thread.
 */
struct journal_walk {
    int fd;        /* -1: no file */
    bool has_salt; /* false until the header, or else the first block, told it */
    bool is_header_damaged;
    struct segment_header header;
    uint64_t offset;         /* of the next block */
    uint64_t next_position;  /* at least what the next block's first record has */
    uint64_t ceiling;        /* blocks from this position on stand in the next file: end here */
    struct journal_zip *zip; /* borrowed */
    struct buffer stored;    /* a compressed payload as it stands in the file */
};

/* Bytes that are no block, and the positions that are missing there (from == to: none). */
struct journal_damage {
    uint64_t from_byte, to_byte;
    uint64_t from_position, to_position;
};

/* Opens the file whose first position this is. NOTFOUND, IO, UNSUPPORTED (format version). A
 * damaged header is no failure: blocks speak for themselves. */
NODISCARD enum status journal_walk_open(struct journal_walk *w, int dir_fd, uint64_t first_position,
                                        struct journal_zip *zip, struct error *err);
void journal_walk_close(struct journal_walk *w);
/* False once the file was removed, or replaced by another one of its name. */
bool journal_walk_has_name(const struct journal_walk *w);
/*
 * The next block. With `arena`, its payload is read, checked, decompressed and given in *out_plain
 * (inside the arena); without, the payload is passed over unseen.
 * SYNTAX: something is damaged; `damage` tells what and the walk is behind it: call again.
 * AGAIN: no whole block here or further on; `damage` tells what stands there (nothing: the end).
 */
NODISCARD enum status journal_walk_next(struct journal_walk *w, struct arena *arena,
                                        struct segment_block *out, struct text *out_plain,
                                        struct journal_damage *damage);
