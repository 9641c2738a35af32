/* SPDX-License-Identifier: Apache-2.0 */
#include "ingest/door/relp_acks.h"
#include <fcntl.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <unistd.h>

struct relp_acks {
    struct mailbox box;
    _Atomic uint64_t refs; /* the door, and each block that is out */
    int wake_fd;
    struct relp_block *open; /* being filled, NULL: none */
    struct mail *taken;      /* detached from the box, not yet given */
    uint64_t owed;
};

static void wake(void *context)
{
    const struct relp_acks *a = context;
    uint64_t one = 1;
    (void)!write(a->wake_fd, &one, sizeof one);
}

static void unref(struct relp_acks *a)
{
    /* acq_rel: the last one sees all that the others did */
    if (atomic_fetch_sub_explicit(&a->refs, 1, memory_order_acq_rel) != 1)
        return;
    mailbox_fini(&a->box);
    (void)close(a->wake_fd);
    free(a);
}

struct relp_acks *relp_acks_new(int wake_fd)
{
    struct relp_acks *a = calloc(1, sizeof *a);
    if (!a)
        return NULL;
    a->wake_fd = fcntl(wake_fd, F_DUPFD_CLOEXEC, 0);
    if (a->wake_fd < 0 || mailbox_init(&a->box, SIZE_MAX, wake, a) != STATUS_OK) {
        if (a->wake_fd >= 0)
            (void)close(a->wake_fd);
        free(a);
        return NULL;
    }
    atomic_store_explicit(&a->refs, 1, memory_order_relaxed);
    return a;
}

void relp_acks_free(struct relp_acks *a)
{
    if (!a)
        return;
    mailbox_close(&a->box);
    for (struct relp_block *b = relp_acks_take(a); b; b = relp_acks_take(a))
        free(b);
    free(a->open);
    unref(a);
}

bool relp_acks_note(struct relp_acks *a, uint64_t connection, uint32_t number)
{
    if (!a->open) {
        a->open = malloc(sizeof *a->open);
        if (!a->open)
            return false;
        a->open->count = 0;
        a->open->acks = a;
    }
    if (a->open->count == BATCH_RECORDS)
        return false;
    a->open->items[a->open->count++] = (struct relp_ack){connection, number};
    return true;
}

/* On the journal's thread. */
static void reached(void *context, uint64_t token, bool is_ok)
{
    struct relp_block *b = context;
    struct relp_acks *a = b->acks;
    (void)token;
    b->is_ok = is_ok;
    if (mailbox_send(&a->box, &b->mail) != STATUS_OK)
        free(b); /* the door is gone */
    unref(a);
}

void relp_acks_seal(void *acks, struct batch *b)
{
    struct relp_acks *a = acks;
    if (!a->open)
        return;
    b->durable = reached;
    b->durable_context = MOVE(a->open);
    (void)atomic_fetch_add_explicit(&a->refs, 1, memory_order_relaxed);
    a->owed++;
}

struct relp_block *relp_acks_take(struct relp_acks *a)
{
    if (!a->taken)
        a->taken = mailbox_take_all(&a->box);
    if (!a->taken)
        return NULL;
    struct mail *mail = a->taken;
    a->taken = mail->next;
    a->owed--;
    return CONTAINER_OF(mail, struct relp_block, mail);
}

uint64_t relp_acks_owed(const struct relp_acks *a)
{
    return a->owed;
}
