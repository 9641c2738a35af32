/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include "base/buffer.h"
#include "base/text.h"
#include <stdbool.h>
#include <stdint.h>

/*
 * Frames of the Reliable Event Logging Protocol out of a byte stream:
 *
 *   "2 syslog 11 hello world\n"      number, command, length of the data, data
 *   "3 close 0\n"                    no data: no space either
 *
 * Any split of the stream into reads gives the same frames. One thread at a time.
 */
enum relp_result {
    RELP_MORE,   /* the chunk is used up */
    RELP_FRAME,  /* one more frame */
    RELP_BROKEN, /* this is not RELP: nothing sensible can follow */
};

enum { RELP_COMMAND_LEN = 32, RELP_NUMBER_MAX = 999999999 };

struct relp_frame {
    uint32_t number;
    struct text command, data; /* good until the next call */
    bool is_truncated;         /* data was longer than the limit: its head */
};

enum relp_mode { RELP_NUMBER, RELP_COMMAND, RELP_LENGTH, RELP_DATA, RELP_TRAILER };

struct relp {
    struct buffer partial; /* data that earlier chunks gave */
    size_t max_bytes;      /* most bytes of data that are kept */
    enum relp_mode mode;
    bool is_given; /* the last call gave a frame: start anew */
    uint32_t digits;
    uint32_t number;
    uint32_t length; /* of the data, as announced */
    uint32_t left;   /* bytes of it still to come */
    uint32_t command_len;
    char command[RELP_COMMAND_LEN];
};

void relp_init(struct relp *r, size_t max_bytes);
void relp_fini(struct relp *r);
enum relp_result relp_next(struct relp *r, struct text *chunk, struct relp_frame *out);
/* "<number> rsp <length> <data>\n" behind what `out` holds. */
void relp_respond(struct buffer *out, uint32_t number, struct text data);
