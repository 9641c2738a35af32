/* SPDX-License-Identifier: Apache-2.0 */
/* Entries on their way out: given to the sinks once that is on record, and settled. */
#include "base/json_write.h"
#include "base/timestamp.h"
#include "incidents/incidents_key.h"
#include "incidents/outbox.h"
#include "incidents/persist.h"
#include <stdlib.h>

const char *delivery_state_name(enum delivery_state state)
{
    static const char *const names[] = {"queued",    "sending",     "accepted",
                                        "delivered", "failed_temp", "failed_perm",
                                        "unknown",   "suppressed",  "expired"};
    return names[state];
}

static struct outbox_entry *find(const struct incidents *i, struct text id)
{
    for (struct hash_link *at = hash_table_first(&i->entries, hash_table_hash(id, 0)); at;
         at = hash_table_next(at)) {
        struct outbox_entry *p = CONTAINER_OF(at, struct outbox_entry, link);
        if (text_equal(text_of(p->id), id))
            return p;
    }
    return NULL;
}

void delivery_free(struct delivery *d)
{
    free(d);
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

static struct delivery *deliver(const struct outbox_entry *p)
{
    struct text id = text_of(p->id), destination = text_of(p->destination);
    struct text incident = text_of(p->incident), document = {p->document, p->document_len};
    struct delivery *d =
        malloc(sizeof *d + id.len + destination.len + incident.len + document.len + 4);
    if (!d)
        return NULL;
    char *at = (char *)(d + 1);
    *d = (struct delivery){.kind = p->kind,
                           .priority = p->priority,
                           .attempts = p->attempts,
                           .may_be_duplicate = p->may_be_duplicate,
                           .due_us = p->due_us,
                           .queued_us = p->queued_us};
    d->id = put(&at, id);
    d->destination = put(&at, destination);
    d->incident = put(&at, incident);
    d->document = put(&at, document);
    return d;
}

/* Says on record that it is about to be sent; nothing goes out before that is durable. */
static void mark_due(struct incidents *i, int64_t now_us)
{
    bool is_any = false;
    for (struct outbox_entry *p = i->first_entry; p; p = p->next) {
        if (p->marked || p->due_us > now_us)
            continue;
        p->state = DELIVERY_SENDING;
        p->marked = i->store->submitted + 1;
        outbox_persist(i, p, false);
        is_any = true;
    }
    if (is_any)
        incidents_flush(i);
}

struct delivery *incidents_next_delivery(struct incidents *i, int64_t now_us)
{
    if (i->first_entry)
        mark_due(i, now_us);
    for (struct outbox_entry **at = &i->first_entry; *at; at = &(*at)->next) {
        struct outbox_entry *p = *at;
        if (!p->marked || p->marked > i->store->acknowledged)
            continue;
        struct delivery *d = deliver(p);
        if (!d)
            return NULL;
        *at = p->next;
        if (!p->next)
            i->last_entry = at;
        p->next = NULL;
        p->is_given = true;
        return d;
    }
    return NULL;
}

struct outcome *outcome_new(const struct outcome *from)
{
    struct outcome *o = malloc(sizeof *o + from->delivery.len + from->destination.len +
                               from->incident.len + from->detail.len + 4);
    if (!o)
        return NULL;
    char *at = (char *)(o + 1);
    *o = *from;
    o->delivery = put(&at, from->delivery);
    o->destination = put(&at, from->destination);
    o->incident = put(&at, from->incident);
    o->detail = put(&at, from->detail);
    return o;
}

void outcome_free(struct outcome *o)
{
    free(o);
}

static bool is_final(const struct outcome *o)
{
    switch (o->state) {
    case DELIVERY_QUEUED:
    case DELIVERY_SENDING:
    case DELIVERY_FAILED_TEMP:
        return false;
    case DELIVERY_UNKNOWN:
        return o->next_us <= 0;
    case DELIVERY_ACCEPTED:
    case DELIVERY_DELIVERED:
    case DELIVERY_FAILED_PERM:
    case DELIVERY_SUPPRESSED:
    case DELIVERY_EXPIRED:
        return true;
    }
    return true;
}

static void write_attempt(const struct outbox_entry *p, const struct outcome *o, struct buffer *out)
{
    json_write_open(out, NULL, '{');
    json_write_string(out, "delivery", text_of(p->id));
    json_write_string(out, "destination", text_of(p->destination));
    json_write_string(out, "notice", text_of(incidents_notice_name(p->kind)));
    json_write_string(out, "state", text_of(delivery_state_name(o->state)));
    json_write_uint(out, "attempt", o->attempt);
    json_write_time(out, "started", o->started_us);
    json_write_int(out, "latency_us", o->latency_us);
    if (o->http_status)
        json_write_int(out, "http_status", o->http_status);
    if (o->next_us > 0)
        json_write_time(out, "next", o->next_us);
    if (p->may_be_duplicate)
        json_write_bool(out, "may_be_duplicate", true);
    if (o->detail.len)
        json_write_string(out, "detail", text_head(o->detail, 2000));
    json_write_close(out, '}');
}

static void record_attempt(struct incidents *i, const struct outbox_entry *p,
                           const struct outcome *o)
{
    struct buffer data, kind, key;
    buffer_init(&data, 1 << 16);
    buffer_init(&kind, 64);
    buffer_init(&key, 128);
    write_attempt(p, o, &data);
    buffer_printf(&kind, "delivery.%s", delivery_state_name(o->state));
    buffer_printf(&key, "tocsin:attempts:%s", p->incident);
    struct effect *e = incidents_effect(i);
    if (e && p->incident[0])
        EFFECT(e, TEXT("RPUSH"), buffer_text(&key), buffer_text(&data));
    buffer_byte(&kind, 0);
    if (!kind.has_failed)
        persist_ledger(i, &(struct ledger_entry){.kind = kind.at,
                                                 .incident = text_of(p->incident),
                                                 .time_us = o->started_us + o->latency_us,
                                                 .data = buffer_text(&data)});
    if (e && o->state == DELIVERY_FAILED_PERM)
        EFFECT(e, TEXT("HSET"), TEXT("tocsin:dead"), text_of(p->id), buffer_text(&data));
    buffer_fini(&data);
    buffer_fini(&kind);
    buffer_fini(&key);
}

static void note_time(struct incidents *i, const struct outbox_entry *p, const struct outcome *o)
{
    struct incident *n = incidents_key_find(i, text_of(p->incident));
    bool is_delivered = o->state == DELIVERY_DELIVERED;
    if (!n || (!is_delivered && o->state != DELIVERY_ACCEPTED))
        return;
    int64_t at_us = o->started_us + o->latency_us;
    if (n->times[TIME_NOTIFIED] == TIMESTAMP_NONE)
        n->times[TIME_NOTIFIED] = at_us;
    if (is_delivered && n->times[TIME_DELIVERED] == TIMESTAMP_NONE)
        n->times[TIME_DELIVERED] = at_us;
    incidents_touch_incident(i, n);
}

static void unlist(struct incidents *i, const struct outbox_entry *p)
{
    struct outbox_entry **at = &i->first_entry;
    while (*at && *at != p)
        at = &(*at)->next;
    if (*at)
        *at = p->next;
    if (!*at)
        i->last_entry = at;
}

static void finish(struct incidents *i, struct outbox_entry *p)
{
    struct effect *e = incidents_effect(i);
    if (e) {
        EFFECT(e, TEXT("HDEL"), TEXT("tocsin:outbox"), text_of(p->id));
        EFFECT(e, TEXT("HDEL"), TEXT("tocsin:outbox:documents"), text_of(p->id));
    }
    COUNT(i, deliveries_settled);
    if (!p->is_given)
        unlist(i, p);
    hash_table_remove(&i->entries, &p->link);
    outbox_entry_free(p);
}

/* No sink took it: it is given again when it is due. */
static void take_back(struct incidents *i, struct outbox_entry *p)
{
    p->marked = 0;
    if (!p->is_given)
        return;
    p->is_given = false;
    outbox_append(i, p);
}

enum status incidents_settle(struct incidents *i, const struct outcome *o)
{
    struct outbox_entry *p = find(i, o->delivery);
    if (!p)
        return STATUS_NOTFOUND;
    /* Never refused for want of room: the outbox bounds them, and an outcome that is lost is a
     * message sent twice. */
    arena_reset(&i->scratch);
    p->attempts = o->attempt;
    p->state = o->state;
    p->due_us = o->next_us > 0 ? o->next_us : p->due_us;
    record_attempt(i, p, o);
    note_time(i, p, o);
    if (is_final(o)) {
        finish(i, p);
    } else {
        if (o->state == DELIVERY_QUEUED)
            take_back(i, p);
        outbox_persist(i, p, false);
    }
    incidents_flush(i);
    return STATUS_OK;
}
