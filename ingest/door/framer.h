/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include "base/buffer.h"
#include "base/text.h"
#include <stdbool.h>
#include <stdint.h>

/*
 * Messages out of a byte stream (RFC 6587 and what else is sent): octet counting, or lines that end
 * with LF or NUL, told apart by the first bytes of the stream. Any split of the stream into reads
 * gives the same messages.
 *
 *   while (framer_next(&f, &chunk, &message, &flags))
 *       ...                       stop in between when there is no room: `chunk` says what is left
 *
 * A message longer than the limit is given cut, at once; the rest of its frame is skipped. A stream
 * of counted frames that loses its step is read as lines until "<count> <" shows the next frame.
 * One thread at a time.
 */
enum framer_flag {
    FRAMER_TRUNCATED = 1U << 0, /* longer than the limit, or the stream ended inside it */
    FRAMER_DAMAGED = 1U << 1,   /* not where a frame should be: resynchronised behind it */
};

enum framer_mode {
    FRAMER_UNKNOWN, /* nothing but a possible count so far */
    FRAMER_LINES,   /* LF or NUL: the first line's end will tell */
    FRAMER_LF,
    FRAMER_NUL,
    FRAMER_COUNT,  /* before or inside a count */
    FRAMER_BODY,   /* inside a counted frame */
    FRAMER_RESYNC, /* looking for the next counted frame */
};

struct framer {
    struct buffer partial; /* what earlier chunks gave of the frame that is open */
    size_t max_bytes;      /* most bytes of a message that are kept */
    enum framer_mode mode;
    bool is_given;                       /* `partial` was handed out by the last call */
    bool is_skipping;                    /* the open frame's message was given cut: drop the rest */
    bool has_space;                      /* RESYNC: the last byte was the space behind a count */
    uint32_t digits;                     /* digits just seen, of a count */
    uint64_t count;                      /* their value; BODY: bytes of the frame still to come */
    uint64_t frames, truncated, damaged; /* given so far */
    uint64_t skipped_bytes;              /* beyond the limit, dropped */
};

/* Messages of at most `max_bytes` (1..2^30). */
void framer_init(struct framer *f, size_t max_bytes);
void framer_fini(struct framer *f);
/*
 * Takes bytes from the front of *chunk until a message is whole. False: *chunk is used up. The
 * message is a view into the chunk or into `f`, good until the next call. Empty ones are left out.
 */
bool framer_next(struct framer *f, struct text *chunk, struct text *out, uint32_t *out_flags);
/*
 * The stream was quiet for a while (a second, say): a first message that ends in NUL is given now
 * instead of when the next byte shows that this NUL was the frame's end.
 */
bool framer_idle(struct framer *f, struct text *out, uint32_t *out_flags);
/* The stream ended: what is left, if anything. Afterwards `f` is ready for a new stream. */
bool framer_end(struct framer *f, struct text *out, uint32_t *out_flags);
