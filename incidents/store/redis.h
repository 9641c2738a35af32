/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include "base/arena.h"
#include "base/buffer.h"
#include "base/error.h"
#include "base/own.h"
#include "base/text.h"
#include <stdbool.h>
#include <stdint.h>

/*
 * One connection to Redis: bytes out, replies in, nothing blocks but redis_call and redis_wait. The
 * one adapter of hiredis. Its owner's thread only.
 */
struct redis;

enum reply_kind {
    REPLY_NIL,
    REPLY_TEXT, /* bulk string or status */
    REPLY_INTEGER,
    REPLY_ARRAY,
    REPLY_ERROR, /* text is the message, "OOM command not allowed ..." */
};

struct reply {
    enum reply_kind kind;
    struct text text;
    int64_t integer;
    const struct reply *items;
    uint32_t count;
};

/*
 * Connects to a unix socket, or to "redis://[user:password@]host[:port][/db]" where `socket` is
 * NULL; authenticates and selects. IO where nobody listens or the answer takes over `timeout_ms`,
 * SYNTAX for a URL that is none.
 */
NODISCARD enum status redis_open(const char *socket, const char *url, int timeout_ms,
                                 struct redis **out, struct error *err);
void redis_close(struct redis *r);
static inline void redis_free(struct redis *r)
{
    redis_close(r);
}
AUTO_DEFINE(redis);

/* Of redis_call from here on. */
void redis_set_timeout(struct redis *r, int timeout_ms);

/* Appends one command in the wire format. */
void redis_encode(struct buffer *out, const struct text *args, uint32_t count);

/* Bytes that wait for the socket. */
size_t redis_unsent(const struct redis *r);
/* Queues bytes (whole commands). LIMIT: more than 64 MiB wait. */
NODISCARD enum status redis_queue(struct redis *r, struct text bytes);
/* Moves bytes both ways as far as the socket allows, after waiting up to `timeout_ms` for it. IO:
 * the connection is gone, close it. */
NODISCARD enum status redis_wait(struct redis *r, uint64_t timeout_ms);
/* The next reply, copied into `arena`. AGAIN: none is complete. IO: not Redis' language. */
NODISCARD enum status redis_take(struct redis *r, struct arena *arena, struct reply *out);

/* One command and its reply, for calm moments: nothing else may be in flight. An error reply is
 * OK with kind REPLY_ERROR. TIMEOUT after the timeout of redis_open. */
NODISCARD enum status redis_call(struct redis *r, const struct text *args, uint32_t count,
                                 struct arena *arena, struct reply *out, struct error *err);
