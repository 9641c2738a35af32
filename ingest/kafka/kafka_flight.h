/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include "base/error.h"
#include "base/mailbox.h"
#include "base/own.h"
#include "ingest/kafka/kafka_table.h"
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

/*
 * A batch on its way to the barrier, and which offsets it covers. Flights land in the order in
 * which they left. The journal's thread answers through a mailbox that outlives its reader: it goes
 * with the last flight, so a late answer finds it there.
 */
struct kafka_barrier {
    struct mailbox landed;
    _Atomic uint32_t refs; /* the source, and each flight that left */
};

struct kafka_span {
    struct kafka_partition *partition;
    uint64_t claim;      /* of the partition when this was read */
    int64_t first, next; /* offsets: first one, and behind the last one */
};

struct kafka_flight {
    struct mail mail;          /* first: back through the mailbox */
    struct kafka_flight *next; /* the one that left after it; the source's list */
    struct kafka_barrier *barrier;
    struct kafka_span *spans; /* owned */
    uint32_t count, size;
    uint64_t number;
    bool has_landed, is_ok;
    bool must_fail; /* a dead letter of it was refused: all of it is read again */
};

NODISCARD enum status kafka_flight_open_barrier(struct kafka_barrier **out);
/* The source's part: what lands from now on frees itself. */
void kafka_flight_close_barrier(struct kafka_barrier *b);

/* NULL without memory. */
struct kafka_flight *kafka_flight_new(struct kafka_barrier *b, uint64_t number);
void kafka_flight_free(struct kafka_flight *f);
/* One more record, taken or not, that the flight covers. False without memory. */
bool kafka_flight_note(struct kafka_flight *f, struct kafka_partition *p, int64_t offset);
/* It leaves with a batch, whose barrier it is: kafka_flight_land and the flight as context. */
void kafka_flight_leave(struct kafka_flight *f);
void kafka_flight_land(void *flight, uint64_t token, bool is_ok);
