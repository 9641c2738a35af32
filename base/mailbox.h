/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include "base/error.h"
#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* What travels between threads embeds this. Owned by the sender until mailbox_send says OK. */
struct mail {
    struct mail *next;
};

/*
 * A bounded queue with many senders and one taker: the one lock on the event path. A taker either
 * blocks in mailbox_wait or is woken through the `wake` function it gave (a libuv loop, say).
 */
struct mailbox {
    pthread_mutex_t lock;
    pthread_cond_t filled, drained;
    struct mail *first, **last;
    size_t count, max_count;
    bool is_closed, has_waiting_sender, is_nudged;
    void (*wake)(void *context); /* may be NULL; called outside the lock, on empty -> non-empty */
    void *context;
};

NODISCARD enum status mailbox_init(struct mailbox *m, size_t max_count, void (*wake)(void *),
                                   void *context);
/* The mailbox must be empty: what is still inside is the caller's to take first. */
void mailbox_fini(struct mailbox *m);

/* Takes `mail` on OK. FULL and CLOSED take nothing. Any thread. */
NODISCARD enum status mailbox_send(struct mailbox *m, struct mail *mail);
/* The same, but it will be the first one taken: of a pool, the one whose memory is still in the
 * cache. */
NODISCARD enum status mailbox_return(struct mailbox *m, struct mail *mail);
/* mailbox_send, but waits for room. CLOSED takes nothing. Any thread but the taker's. */
NODISCARD enum status mailbox_send_wait(struct mailbox *m, struct mail *mail);
/* Detaches everything at once, oldest first, or NULL. The taker's thread only. */
struct mail *mailbox_take_all(struct mailbox *m);
/* Waits until there is mail, the box is closed, or `timeout_ms` (UINT64_MAX: for ever) passed. */
struct mail *mailbox_wait(struct mailbox *m, uint64_t timeout_ms);
/* Detaches the oldest alone, waiting up to `timeout_ms` for one. Several takers may share a mailbox
 * through this call (a pool of empty batches). NULL: nothing came, or closed and empty. */
struct mail *mailbox_take(struct mailbox *m, uint64_t timeout_ms);
/* Lets a waiting taker return with nothing, once: there is something to do beside the mail. Any
 * thread. */
void mailbox_nudge(struct mailbox *m);
/* Senders get CLOSED from now on; the taker still takes what is inside. Any thread. */
void mailbox_close(struct mailbox *m);
bool mailbox_is_closed(struct mailbox *m);
