/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include "base/mailbox.h"
#include "incidents/incidents.h"
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

/* Where sinks settle in tests, and deliveries to send. Waits end with an outcome, not with time. */
struct outcomes {
    struct mailbox mailbox;
};

static inline bool outcomes_init(struct outcomes *o)
{
    return mailbox_init(&o->mailbox, 100000, NULL, NULL) == STATUS_OK;
}

static inline void outcomes_settle(void *context, struct outcome *each)
{
    struct outcomes *o = context;
    if (mailbox_send(&o->mailbox, &each->mail))
        outcome_free(each);
}

/* The next one, or NULL: none came in 20 s, which is a failure. */
static inline struct outcome *outcomes_take(struct outcomes *o)
{
    struct mail *m = mailbox_take(&o->mailbox, 20000);
    return m ? CONTAINER_OF(m, struct outcome, mail) : NULL;
}

static inline void outcomes_fini(struct outcomes *o)
{
    struct mail *m = mailbox_take_all(&o->mailbox);
    while (m) {
        struct mail *next = m->next;
        outcome_free(CONTAINER_OF(m, struct outcome, mail));
        m = next;
    }
    mailbox_fini(&o->mailbox);
}

/* The texts must outlive the delivery. It is one block, as the record makes it. */
static inline struct delivery *outcomes_delivery(const struct delivery *from)
{
    struct delivery *d = malloc(sizeof *d);
    if (d)
        *d = *from;
    return d;
}
