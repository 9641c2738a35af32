/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include "base/error.h"
#include "incidents/model/ident.h"
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * The one index of what falls due by the wall clock: a heap, so that nothing is walked to find the
 * next one. Who waits embeds a `struct due` and says by its kind who is to be called. What falls
 * due at the same moment comes in the order in which it was put. Not kept: its owners put what they
 * have loaded at a start, and what fell due meanwhile comes at once. One thread.
 */
enum due_kind {
    DUE_DELIVERY,    /* a delivery's next try: the outbox */
    DUE_DESTINATION, /* a destination that took no more: the outbox */
    DUE_OVERRIDE,    /* a severity that a person set until then */
    DUE_FLAPPING,    /* an incident that opened and resolved again and again */
};

struct due {
    int64_t at_us;
    uint64_t order;
    size_t place; /* in the heap, from 1; 0: it waits for nothing */
    enum due_kind kind;
};

/* One of an incident, by its id: it may be gone, or think otherwise by then. */
struct due_incident {
    struct due due;
    char id[IDENT_LEN + 1];
};

struct due_index {
    struct due **heap; /* [0] is the earliest */
    size_t count, size;
    uint64_t order;
    int64_t now_us; /* the latest time that was asked for: it never goes back */
};

void due_init(struct due_index *index);
/* Frees the entries of incidents, too; the others are their owners'. */
void due_fini(struct due_index *index);
/* Puts it, or moves it where it waits already. NOMEM: unchanged. */
NODISCARD enum status due_put(struct due_index *index, struct due *due, int64_t at_us);
/* An entry of its own for that incident; who takes it frees it. NOMEM. */
NODISCARD enum status due_put_incident(struct due_index *index, enum due_kind kind, const char *id,
                                       int64_t at_us);
/* It waits no more; nothing where it did not. */
void due_remove(struct due_index *index, struct due *due);
/* Takes the earliest that is due at `now_us`, or at a later time that was asked for before; NULL:
 * none. */
struct due *due_take(struct due_index *index, int64_t now_us);
