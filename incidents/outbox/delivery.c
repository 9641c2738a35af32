/* SPDX-License-Identifier: Apache-2.0 */
/* What the outbox and the sinks hand to each other: blocks that own their texts. */
#include "incidents/incidents.h"
#include "incidents/outbox/outbox_entry.h"
#include "incidents/outbox/outbox_queue.h"
#include <stdlib.h>
#include <string.h>

const char *incidents_notice_name(enum notice_kind kind)
{
    static const char *const names[] = {"opened",       "raised",   "recurred",
                                        "acknowledged", "resolved", "closed",
                                        "reopened",     "storm",    "digest"};
    return names[kind];
}

const char *delivery_state_name(enum delivery_state state)
{
    static const char *const names[] = {"queued",    "sending",     "accepted",
                                        "delivered", "failed_temp", "failed_perm",
                                        "unknown",   "suppressed",  "expired"};
    return names[state];
}

static struct text put(char **at, struct text t)
{
    struct text copy = {*at, t.len};
    if (t.len)
        memcpy(*at, t.at, t.len);
    (*at)[t.len] = 0;
    *at += t.len + 1;
    return copy;
}

struct delivery *delivery_new(const struct outbox_entry *entry)
{
    struct text id = text_of(entry->id), destination = text_of(entry->queue->name);
    struct text incident = text_of(entry->incident),
                document = {entry->document, entry->document_len},
                settled = entry->settled ? text_of(entry->settled) : TEXT_NONE;
    struct delivery *delivery = malloc(sizeof *delivery + id.len + destination.len + incident.len +
                                       document.len + settled.len + 5);
    if (!delivery)
        return NULL;
    char *at = (char *)(delivery + 1);
    *delivery = (struct delivery){.kind = entry->kind,
                                  .priority = entry->priority,
                                  .attempts = entry->attempts,
                                  .may_be_duplicate = entry->may_be_duplicate,
                                  .due_us = entry->due_us,
                                  .queued_us = entry->queued_us};
    delivery->id = put(&at, id);
    delivery->destination = put(&at, destination);
    delivery->incident = put(&at, incident);
    delivery->document = put(&at, document);
    delivery->settled = put(&at, settled);
    return delivery;
}

void delivery_free(struct delivery *d)
{
    free(d);
}

struct outcome *outcome_new(const struct outcome *from)
{
    struct outcome *o = malloc(sizeof *o + from->delivery.len + from->destination.len +
                               from->incident.len + from->recipient.len + from->detail.len + 5);
    if (!o)
        return NULL;
    char *at = (char *)(o + 1);
    *o = *from;
    o->delivery = put(&at, from->delivery);
    o->destination = put(&at, from->destination);
    o->incident = put(&at, from->incident);
    o->recipient = put(&at, from->recipient);
    o->detail = put(&at, from->detail);
    return o;
}

void outcome_free(struct outcome *o)
{
    free(o);
}
