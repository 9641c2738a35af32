/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include "incidents/model/incident.h"
#include "incidents/outbox/outbox_entry.h"
#include "incidents/outbox/storm.h"
#include "incidents/state/changes.h"

/* What must be told to whom: written with the decision, given to the sinks once it is durable. */
enum { OUTBOX_MAX = 20000 };

struct outbox {
    struct hash_table entries;                      /* by id */
    struct outbox_entry *first_entry, **last_entry; /* not yet given, oldest first */
    struct storm storm;
    /* Names the destinations of a notice; NULL: none. */
    uint32_t (*route)(void *context, const struct notice *notice, struct text *out_destinations);
    void *context;
};

void outbox_init(struct outbox *outbox);
void outbox_fini(struct outbox *outbox);
void outbox_clear(struct outbox *outbox);
/* Routes a notice about an incident and queues its deliveries; storm and backfill are held here. */
void outbox_notice(struct outbox *outbox, struct changes *changes, const struct incident *incident,
                   enum notice_kind kind, int64_t now_us);
/* One about no single incident. */
struct outbox_general {
    enum notice_kind kind;
    const char *what; /* "storm", as the ledger says it */
    int priority;
    struct text data; /* members of a JSON object, without braces */
};
void outbox_tell(struct outbox *outbox, struct changes *changes,
                 const struct outbox_general *general, int64_t now_us);
/* Notes that an incident opened: storms are noticed here. */
void outbox_opened(struct outbox *outbox, struct changes *changes, const struct incident *incident,
                   int64_t now_us);
void outbox_tick(struct outbox *outbox, struct changes *changes);
/* Writes what became of an entry. */
void outbox_save_entry(struct changes *changes, const struct outbox_entry *entry,
                       bool with_document);
/* At the end of those not given. */
void outbox_append(struct outbox *outbox, struct outbox_entry *entry);
NODISCARD enum status outbox_load(struct outbox *outbox, struct incident_store *store,
                                  struct error *err);
