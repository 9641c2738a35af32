/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include "base/record.h"
#include <stdbool.h>
#include <stdint.h>

/*
 * From the barrier back to the senders: which frames of which connections a batch holds, until the
 * journal's thread says that the batch is durable (or never will be), and then, through a mailbox,
 * back on the door's thread.
 *
 *   door: relp_acks_note() for each record ... relp_acks_seal() before the batch is handed over
 *   journal: batch->durable
 *   door: wake fd readable, relp_acks_take() until NULL
 */
struct relp_acks;

struct relp_ack {
    uint64_t connection;
    uint32_t number;
};
struct relp_block {
    struct mail mail;
    struct relp_acks *acks;
    bool is_ok;
    uint32_t count;
    struct relp_ack items[BATCH_RECORDS];
};

/* `wake_fd` (an eventfd) is duplicated. NULL without memory or handles. */
struct relp_acks *relp_acks_new(int wake_fd);
/* Blocks that are still out find nobody and are freed when their barrier comes. */
void relp_acks_free(struct relp_acks *a);
AUTO_DEFINE(relp_acks);

/* The record just added to the open batch came from there. False without memory: not noted. */
bool relp_acks_note(struct relp_acks *a, uint64_t connection, uint32_t number);
/* For lane.seal: ties what was noted to the batch. */
void relp_acks_seal(void *acks, struct batch *b);
/* What the barrier was called for, oldest first; the caller frees each block. NULL: no more. */
struct relp_block *relp_acks_take(struct relp_acks *a);
/* Blocks that are out. Door's thread. */
uint64_t relp_acks_owed(const struct relp_acks *a);
