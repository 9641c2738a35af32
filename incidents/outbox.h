/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include "incidents/state.h"

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

enum { OUTBOX_MAX = 20000 };

/* Routes a notice about an incident and queues its deliveries; storm and backfill are held here. */
void outbox_notice(struct incidents *i, struct incident *n, enum notice_kind kind, int64_t now_us);
/* One about no single incident: `data` are the members of a JSON object, without braces. */
void outbox_general(struct incidents *i, enum notice_kind kind, const char *what, int priority,
                    struct text data, int64_t now_us);
/* Notes that an incident opened: storms are noticed here. */
void outbox_opened(struct incidents *i, struct incident *n, int64_t now_us);
void outbox_tick(struct incidents *i);
/* Shared with the giving out of deliveries. */
void outbox_persist(struct incidents *i, const struct outbox_entry *p, bool with_document);
/* At the end of those not given. */
void outbox_append(struct incidents *i, struct outbox_entry *p);
void outbox_entry_free(struct outbox_entry *p);
/* From Redis. False without memory. */
bool outbox_load(struct incidents *i, const struct doc_tree *t, struct text document);
void outbox_clear(struct incidents *i);
