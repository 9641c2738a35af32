/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include "base/text.h"
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

/*
 * The partitions that a consumer has or had, by topic and number. Entries are added, never removed
 * or moved: the reading thread changes them, others read the atomic members for metrics.
 */
enum { KAFKA_TABLE_MAX = 4096, KAFKA_TOPIC_LEN = 256, KAFKA_STREAM_LEN = 320 };

struct kafka_partition {
    char topic[KAFKA_TOPIC_LEN];
    int32_t number;
    uint32_t generation;           /* how often the topic was made anew, as far as we saw */
    uint64_t claim;                /* raised by each assignment and each revocation */
    int64_t failed_at;             /* read on from here: a batch with it was refused; -1: none */
    uint32_t span;                 /* its place in the open flight ... */
    uint64_t span_flight;          /* ... of this number */
    bool is_first;                 /* no record came since it was assigned */
    char stream[KAFKA_STREAM_LEN]; /* "kafka:logs:3", after a remake "kafka:logs@1:3" */
    _Atomic bool is_owned;
    _Atomic int64_t next_offset; /* behind what was read; -1: nothing yet */
    _Atomic int64_t end_offset;  /* of the partition's log as last seen; -1: not yet */
};

struct kafka_table {
    struct kafka_partition *items[KAFKA_TABLE_MAX]; /* owned */
    uint16_t slots[2 * KAFKA_TABLE_MAX];            /* 1 + index in items, 0: free */
    _Atomic uint32_t count;
};

void kafka_table_init(struct kafka_table *t);
void kafka_table_fini(struct kafka_table *t);
/* NULL: not there. */
struct kafka_partition *kafka_table_find(const struct kafka_table *t, struct text topic,
                                         int32_t number);
/* The one there, or a new one. NULL: the table is full, or no memory. */
struct kafka_partition *kafka_table_add(struct kafka_table *t, struct text topic, int32_t number);
/* Writes `stream` for that generation of the topic. */
void kafka_table_set_generation(struct kafka_partition *p, uint32_t generation);
