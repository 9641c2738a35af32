/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include "base/metric.h"
#include "base/record.h"
#include <stdatomic.h>
#include <stdint.h>

/*
 * What became of each source's messages behind its door, so that nothing is dropped in silence:
 *
 *   received = put + dropped by reason                      (the door's own counters)
 *   put      = processed + repeated + refused by the journal + waiting
 *
 * and for all together (messages_*), the journal's refusals being one reason more:
 *
 *   received = processed + quarantined + dropped by reason + repeated + waiting
 *
 * of this process's life: what an earlier one left in the journal is decided, but not counted here.
 * Messages are events and alerts; ticks and other records of the program's own are none.
 */
struct daemon;

enum account_step {
    ACCOUNT_PUT,    /* webhooks alone: doors count their own */
    ACCOUNT_TURNED, /* webhooks alone: taken in, then told to come again */
    ACCOUNT_PROCESSED,
    ACCOUNT_REPEATED,
    ACCOUNT_REFUSED,
    ACCOUNT_STEPS,
};
enum { ACCOUNT_SOURCES = 65 }; /* 64 doors, and the webhooks as the last */

struct account {
    _Atomic uint64_t counts[ACCOUNT_SOURCES][ACCOUNT_STEPS];
    _Atomic uint32_t epoch; /* the journal's: records of earlier ones are not counted */
};

/* Any thread. `source` as in a record. */
void account_add(struct account *a, uint32_t source, enum account_step step, uint64_t n);
/* Messages among the records. */
uint32_t account_messages(const struct batch *b);
/* Each message of a decided batch. */
void account_decided(struct account *a, const struct batch *b);
void account_metrics(struct daemon *d, metric_fn tell, void *context);
