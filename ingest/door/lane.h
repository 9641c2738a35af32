/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include "base/buffer.h"
#include "base/counter.h"
#include "base/record.h"
#include "base/text.h"
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

struct source;

/* Why a message that was received did not reach the journal. */
enum lane_drop {
    LANE_DROP_KERNEL,      /* the socket's buffer was full */
    LANE_DROP_DENIED,      /* the sender's address is not in `allow` */
    LANE_DROP_STOPPED,     /* read, but the program was already stopping */
    LANE_DROP_MEMORY,      /* a batch had no room for it, or there was no memory */
    LANE_DROP_EMPTY,       /* a datagram of nothing, or of line ends and NULs */
    LANE_DROP_QUARANTINED, /* Kafka: sent to the dead letter topic instead */
    LANE_DROPS,
};

/*
 * One reading thread's way into the program: the batch it fills and what it counted. Its own
 * thread only, but for reading the counters. read = put + dropped (kernel drops aside, which were
 * never read) + what the open batch holds.
 */
struct lane {
    struct source *source;
    struct batch *batch; /* owned; NULL: none taken */
    struct text peer;    /* the last record's, in the batch's arena */
    uint64_t put_ns;     /* monotonic time of the last hand-over */
    uint64_t gather_us;  /* see lane_is_busy */
    void (*seal)(void *context,
                 struct batch *b); /* before a hand-over: sets the barrier; or NULL */
    void *seal_context;
    struct buffer scratch; /* for events that were built out of a message */
    uint32_t parts;        /* records that the last message became */
    counter read;          /* messages read, also those dropped afterwards */
    counter bytes;         /* of these messages, without frames */
    counter put;           /* records handed over */
    counter truncated;
    counter damaged; /* messages found by resynchronising */
    counter broken;  /* bytes that were no frame: connections closed for that */
    counter dropped[LANE_DROPS];
};

void lane_init(struct lane *l, struct source *s);
/* Takes a batch where there is none and waits for it. False: stopping, and none is to be had.
 * A source that does not read while this waits is how backpressure reaches the sender. */
bool lane_ready(struct lane *l);
/*
 * One message: counted, copied into the batch, handed over when the batch is full (then waits for
 * the next one). A JSON document of several events becomes a record each, all in one batch; beyond
 * RECORD_PARTS the rest is one. The last record added, or NULL where one was dropped (and
 * counted).
 */
struct record *lane_add(struct lane *l, struct text raw, struct text peer, int64_t receive_us,
                        bool is_truncated);
/* How many records a message will be: a door that must know whether the batch has room asks. */
uint32_t lane_parts_of(struct lane *l, struct text raw);
/* The sender's own identity of the message that lane_add took last, and flags that its records get
 * besides. False without memory: some of them are without. */
bool lane_identify(struct lane *l, struct text origin, uint32_t flags);
/* A message of `peer` that was read but is not let in. */
void lane_drop(struct lane *l, enum lane_drop why, struct text raw, struct text peer);
/* Hands over what the batch holds; an empty one goes back into the pool, so that a door where
 * nothing comes holds none. */
void lane_put(struct lane *l);
/*
 * True where something was handed over less than `gather_us` ago: more is then gathered, in steps
 * of LANE_STEP_US, before the next hand-over. A lone message is never held; a flood does not travel
 * in batches of one, which would cost every stage behind and use up the pool while the group fsync
 * (5 ms too) runs.
 */
enum { LANE_STEP_US = 500, LANE_GATHER_US = 5000, LANE_HOLD_MS = 50 };
bool lane_is_busy(const struct lane *l);
/* Hands over or gives back the batch: at the end of the thread. */
void lane_fini(struct lane *l);
