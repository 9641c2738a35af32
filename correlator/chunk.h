/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include "base/buffer.h"
#include "base/hash.h"
#include "correlator/correlator.h"

/*
 * State as bytes: chunks of at most 64 KiB, each whole in itself.
 *
 *   "TOCK" | version u8 | kind u8 | 0 u16 | payload bytes u32 | 0 u32 | generation u64
 *   | check u64 over all before it and the payload | payload
 *
 * Fixed numbers are little endian, others varints of seven bits a byte, signed ones zigzag. A later
 * freeze has a higher generation, so chunks may come back in any order.
 */
enum { CHUNK_VERSION = 1, CHUNK_BYTES = 64 * 1024, CHUNK_HEAD = 32 };
enum chunk_kind { CHUNK_WINDOWS = 1, CHUNK_SEQUENCER = 2 };

struct chunk_writer {
    char *bytes; /* owned, CHUNK_BYTES of them; NULL without memory */
    size_t len;  /* 0: no chunk was begun */
    enum chunk_kind kind;
    uint64_t generation;
    checkpoint_fn put;
    void *context;
    enum status status; /* of the first failure; later writes do nothing */
};

void chunk_writer_init(struct chunk_writer *w, enum chunk_kind kind, uint64_t generation,
                       checkpoint_fn put, void *context);
void chunk_writer_fini(struct chunk_writer *w);
/* Bytes that still fit into the chunk begun; what does not fit is a failure with LIMIT. */
size_t chunk_writer_room(const struct chunk_writer *w);
/* Sends what was begun, if anything. */
void chunk_writer_send(struct chunk_writer *w);

void chunk_writer_byte(struct chunk_writer *w, uint8_t byte);
void chunk_writer_varint(struct chunk_writer *w, uint64_t value);
void chunk_writer_signed(struct chunk_writer *w, int64_t value);
void chunk_writer_bytes(struct chunk_writer *w, const void *at, size_t len);
/* Its length before it. */
void chunk_writer_text(struct chunk_writer *w, struct text t);

struct chunk_reader {
    const char *at, *end;
    uint64_t generation;
    bool is_bad; /* something was not there or too large: all that is read then is zero */
};

/* Checks head, length and check sum. SYNTAX says what is wrong. */
NODISCARD enum status chunk_reader_open(struct chunk_reader *r, struct text chunk,
                                        enum chunk_kind kind, struct error *err);
static inline bool chunk_reader_is_done(const struct chunk_reader *r)
{
    return r->is_bad || r->at == r->end;
}
uint8_t chunk_reader_byte(struct chunk_reader *r);
uint64_t chunk_reader_varint(struct chunk_reader *r);
int64_t chunk_reader_signed(struct chunk_reader *r);
/* A signed number that sums of times cannot overflow with. */
int64_t chunk_reader_time(struct chunk_reader *r);
void chunk_reader_bytes(struct chunk_reader *r, void *out, size_t len);
struct text chunk_reader_text(struct chunk_reader *r, size_t most);
