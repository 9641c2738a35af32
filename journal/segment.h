/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include "base/buffer.h"
#include "base/error.h"
#include "base/own.h"
#include "base/record.h"
#include "base/text.h"
#include <stdbool.h>
#include <stdint.h>

/*
 * The bytes of one journal file, in memory: no file is touched here. Little endian throughout.
 *
 *   file    header (64)  block  block  block ...            name: first position, 20 digits
 *   block   header (64)  payload (stored_bytes)
 *   payload table (count * 32)  bytes of the records in order: raw, peer, origin
 *
 * Each file has a random salt that each of its blocks repeats. A message that holds the bytes of a
 * block can therefore not pass for one when a reader looks for the next block behind a damage: its
 * sender does not know the salt. Header and payload have CRCs of their own, so that a damaged
 * payload costs only its block, whose extent stays known.
 */
enum {
    SEGMENT_HEADER_BYTES = 64,
    SEGMENT_BLOCK_BYTES = 64,
    SEGMENT_RECORD_BYTES = 32,
    SEGMENT_PAYLOAD_MAX = 48 << 20, /* below a batch's arena, so that each block can be read */
};

struct segment_header {
    uint64_t first_position; /* no record in the file is below */
    uint64_t salt;
    int64_t journal_us; /* journal time before the first record; TIMESTAMP_NONE: none yet */
    uint64_t instance;  /* whose positions these are; 0: written before there were instances */
    uint32_t epoch;
};

enum segment_kind {
    SEGMENT_RECORDS,
    SEGMENT_MARKS, /* highest numbers of the streams in the journal so far; holds no record */
};

struct segment_block {
    uint64_t salt;
    uint64_t first_position; /* of the first record; the others follow without a hole */
    int64_t journal_us;      /* journal time before the first record */
    uint32_t count;          /* records; at most BATCH_RECORDS */
    uint32_t epoch;
    uint64_t instance;     /* as in the file's header: a block speaks for itself */
    uint32_t stored_bytes; /* payload as it stands in the file */
    uint32_t plain_bytes;  /* payload decompressed */
    uint32_t payload_crc;  /* of the stored bytes */
    enum segment_kind kind;
    bool is_compressed;
};

void segment_write_header(const struct segment_header *h, uint8_t out[SEGMENT_HEADER_BYTES]);
/* SYNTAX: not such a header, or damaged. UNSUPPORTED: of a version that this program cannot read.
 */
NODISCARD enum status segment_read_header(const uint8_t in[SEGMENT_HEADER_BYTES],
                                          struct segment_header *out);

void segment_write_block(const struct segment_block *b, uint8_t out[SEGMENT_BLOCK_BYTES]);
/* SYNTAX: not such a header, damaged, or its numbers are out of range. The salt is not judged. */
NODISCARD enum status segment_read_block(const uint8_t in[SEGMENT_BLOCK_BYTES],
                                         struct segment_block *out);

/* Appends the batch's payload. LIMIT beyond SEGMENT_PAYLOAD_MAX, NOMEM; `out` is then unchanged. */
NODISCARD enum status segment_pack(const struct batch *b, struct buffer *out);
/*
 * The records of a decompressed payload, from position `from` on, into `out` (room for
 * block->count). Views point into `plain`. SYNTAX when table and bytes do not fit together.
 */
NODISCARD enum status segment_unpack(const struct segment_block *block, struct text plain,
                                     uint64_t from, struct record *out, uint32_t *out_count);
