/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include "incidents/model/incident.h"
#include "incidents/outbox/outbox_queue.h"
#include "incidents/outbox/storm.h"
#include "incidents/state/changes.h"

/*
 * What must be told to whom: written with the decision, given to the sinks once it is durable. What
 * waits does so silently, in a queue of its destination, found by its due time: nothing is walked.
 */
struct outbox {
    struct hash_table entries;  /* by id */
    struct hash_table subjects; /* those that wait, by incident and destination */
    struct outbox_queue **queues;
    uint32_t queue_count, queue_size;
    uint32_t turn; /* the queue that is asked first */
    struct due_index *due;
    struct storm storm;
    /* Names the destinations of a notice; NULL: none. */
    uint32_t (*route)(void *context, const struct notice *notice, struct text *out_destinations);
    /* Whether anybody asked for that kind there; NULL: all. */
    bool (*wants)(void *context, struct text destination, enum notice_kind kind);
    /* How many deliveries that destination takes now; NULL: any number. */
    uint32_t (*room)(void *context, struct text destination);
    void *context;
};

/* Borrows the index of due times. */
void outbox_init(struct outbox *outbox, struct due_index *due);
void outbox_fini(struct outbox *outbox);
void outbox_clear(struct outbox *outbox);
/* Routes a notice about an incident and queues its deliveries; storm and backfill are held here. */
void outbox_notice(struct outbox *outbox, struct changes *changes, struct incident *incident,
                   enum notice_kind kind, int64_t now_us);
/* It was quiet for long enough: what was held is told as one, its end as an end. */
void outbox_end_flapping(struct outbox *outbox, struct changes *changes, struct incident *incident,
                         int64_t now_us);
/* One for that destination, at journal time. NULL: refused, or no memory; counted. */
struct outbox_entry *outbox_queue_notice(struct outbox *outbox, struct changes *changes,
                                         const struct notice *notice, struct text destination);
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
/* Writes what became of an entry. */
void outbox_save_entry(struct changes *changes, const struct outbox_entry *entry,
                       bool with_document);
/* A delivery is due: into its destination's lane. Or a destination that was full is asked again. */
void outbox_wake(struct due *due);
/* It waits no more: nothing that comes later can be behind it. */
void outbox_forget_subject(struct outbox *outbox, struct outbox_entry *entry);
/* Out of every list and index, and freed. */
void outbox_remove(struct outbox *outbox, struct outbox_entry *entry);
NODISCARD enum status outbox_load(struct outbox *outbox, struct incident_store *store,
                                  struct error *err);
