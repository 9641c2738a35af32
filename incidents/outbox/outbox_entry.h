/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include "incidents/incidents.h"
#include "incidents/model/doc_tree.h"
#include "incidents/model/hash_table.h"
#include "incidents/model/ident.h"

/* What must be told to whom: written with the decision, given to the sinks once it is durable. */
struct outbox_entry {
    struct hash_link link;
    struct outbox_entry *next; /* in the list of those not given */
    char id[IDENT_LEN + 1];    /* "dlv_..." */
    char incident[IDENT_LEN + 1];
    char *destination;
    char *document;
    size_t document_len;
    enum notice_kind kind;
    int priority;
    uint32_t attempts;
    enum delivery_state state;
    bool may_be_duplicate;
    bool is_given;
    uint64_t marked; /* effect that says "sending"; 0: none yet */
    int64_t due_us, queued_us;
};

/* Copies both. NULL without memory. */
struct outbox_entry *outbox_entry_new(struct text document, struct text destination);
void outbox_entry_free(struct outbox_entry *entry);
/* As it is kept, without its document, and back again (its id is IDENT_LEN long). */
void outbox_entry_write(const struct outbox_entry *entry, struct buffer *out);
struct outbox_entry *outbox_entry_read(const struct doc_tree *tree, struct text document);
/* What a sink is given of it. NULL without memory. */
struct delivery *delivery_new(const struct outbox_entry *entry);
