/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include "base/correlation.h"
#include "base/mailbox.h"
#include "base/record.h"

/*
 * A feed that waits for its lateness, with copies of all it views: one heap block that begins with
 * its mail, so that whoever frees a batch's released blocks needs to know nothing else.
 */
struct held {
    struct mail mail;
    struct feed feed;
    struct record record;
    struct subject subject;
};

/* A copy of `f` whose correlation is `correlation`; NULL without memory. free() frees it. */
struct held *held_new(const struct feed *f, const struct correlation *correlation);

/* Those that wait: a binary heap by (deadline, event time, position, order of arrival). */
struct held_item {
    int64_t deadline_us;
    struct held *held;
};
struct held_heap {
    struct held_item *items;
    uint32_t count, max;
};

void held_heap_fini(struct held_heap *h);
/* Takes `held` on true; false without memory. */
bool held_heap_push(struct held_heap *h, int64_t deadline_us, struct held *held);
/* Gives the first to the caller; the heap is not empty. */
struct held *held_heap_pop(struct held_heap *h);
