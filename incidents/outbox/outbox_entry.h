/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include "incidents/incidents.h"
#include "incidents/model/doc_tree.h"
#include "incidents/model/hash_table.h"
#include "incidents/model/ident.h"
#include "incidents/state/due.h"

struct outbox_queue;

/* Where an entry is on its way out. */
enum outbox_place {
    PLACE_LATER,  /* not due: in the index of due times */
    PLACE_READY,  /* in a lane of its destination */
    PLACE_MARKED, /* said to be sent, and that may not be durable yet */
    PLACE_GIVEN,  /* with its sink */
};

/* What must be told to whom: written with the decision, given to the sinks once it is durable. */
struct outbox_entry {
    struct hash_link link;    /* by id */
    struct hash_link subject; /* by incident and destination, while it waits */
    bool has_subject;
    enum outbox_place place;
    struct outbox_queue *queue;
    struct outbox_entry *before, *next; /* in its list */
    struct due due;                     /* PLACE_LATER */
    uint64_t order;                     /* of coming; lanes keep it for one incident */
    int lane;                           /* 1..5: as urgent as it goes out */
    char id[IDENT_LEN + 1];             /* "dlv_..." */
    char incident[IDENT_LEN + 1];
    char *document;
    size_t document_len;
    char *settled; /* recipients that have their outcome, a line each; NULL: none */
    enum notice_kind kind;
    int priority;
    uint32_t attempts;
    enum delivery_state state;
    bool may_be_duplicate;
    uint64_t marked; /* effect that says "sending"; 0: none yet */
    int64_t due_us, queued_us;
};

/* Copies the document; the entry is of no queue yet. NULL without memory. */
struct outbox_entry *outbox_entry_new(struct text document);
void outbox_entry_free(struct outbox_entry *entry);
/* That recipient has its outcome. */
void outbox_entry_settle(struct outbox_entry *entry, struct text recipient);
/* As it is kept, without its document, and back again (its id is IDENT_LEN long, its queue the
 * caller's). */
void outbox_entry_write(const struct outbox_entry *entry, struct buffer *out);
struct outbox_entry *outbox_entry_read(const struct doc_tree *tree, struct text document);
/* What a sink is given of it. NULL without memory. */
struct delivery *delivery_new(const struct outbox_entry *entry);
