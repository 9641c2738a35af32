/* SPDX-License-Identifier: Apache-2.0 */
#include "incidents/outbox.h"
#include "base/json_write.h"
#include "base/timestamp.h"
#include "incidents/incident_document.h"
#include "incidents/incidents_key.h"
#include "incidents/persist.h"
#include <stdlib.h>

#define MINUTE_US  (INT64_C(60) * 1000000)
#define STORM_LONG (10 * MINUTE_US)

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

static struct posting *find(const struct incidents *i, struct text id)
{
    for (struct shelf_link *at = shelf_first(&i->postings, shelf_hash(id, 0)); at;
         at = shelf_next(at)) {
        struct posting *p = CONTAINER_OF(at, struct posting, link);
        if (text_equal(text_of(p->id), id))
            return p;
    }
    return NULL;
}

static void free_posting(struct posting *p)
{
    free(p->destination);
    free(p->document);
    free(p);
}

/* ---- writing ---- */

static void write_posting(const struct posting *p, struct buffer *out)
{
    json_write_open(out, NULL, '{');
    json_write_string(out, "id", text_of(p->id));
    json_write_string(out, "destination", text_of(p->destination));
    if (p->incident[0])
        json_write_string(out, "incident", text_of(p->incident));
    json_write_string(out, "kind", text_of(incidents_notice_name(p->kind)));
    json_write_int(out, "priority", p->priority);
    json_write_uint(out, "attempts", p->attempts);
    json_write_string(out, "state", text_of(delivery_state_name(p->state)));
    json_write_int(out, "due", p->due_us);
    json_write_int(out, "queued", p->queued_us);
    json_write_close(out, '}');
}

static void persist(struct incidents *i, const struct posting *p, bool with_document)
{
    struct buffer text;
    struct effect *e = incidents_effect(i);
    if (!e)
        return;
    buffer_init(&text, 1 << 16);
    write_posting(p, &text);
    EFFECT(e, TEXT("HSET"), TEXT("tocsin:outbox"), text_of(p->id), buffer_text(&text));
    if (with_document)
        EFFECT(e, TEXT("HSET"), TEXT("tocsin:outbox:documents"), text_of(p->id),
               {p->document, p->document_len});
    buffer_fini(&text);
}

static void write_ledger(struct incidents *i, const struct posting *p, const char *kind,
                         const char *why, int64_t now_us)
{
    struct buffer data;
    buffer_init(&data, 1 << 16);
    json_write_open(&data, NULL, '{');
    json_write_string(&data, "delivery", text_of(p->id));
    json_write_string(&data, "destination", text_of(p->destination));
    json_write_string(&data, "notice", text_of(incidents_notice_name(p->kind)));
    if (why)
        json_write_string(&data, "because", text_of(why));
    json_write_close(&data, '}');
    persist_ledger(i, &(struct ledger_entry){.kind = kind,
                                             .incident = text_of(p->incident),
                                             .time_us = now_us,
                                             .data = buffer_text(&data)});
    buffer_fini(&data);
}

/* ---- queueing ---- */

static struct posting *make(const struct incidents *i, const struct notice *n,
                            struct text destination, int64_t now_us)
{
    struct posting *p = calloc(1, sizeof *p);
    if (!p)
        return NULL;
    struct hasher h;
    hash_start(&h);
    hash_part_text(&h, n->incident);
    hash_part_u64(&h, i->ledger.sequence);
    hash_part_u64(&h, (uint64_t)n->kind);
    hash_part_text(&h, destination);
    ident_make("dlv_", now_us, hash_end(&h), p->id);
    if (n->incident.len == IDENT_LEN)
        memcpy(p->incident, n->incident.at, IDENT_LEN);
    p->document = malloc(n->document.len + 1);
    if (!p->document || !incident_set_text(&p->destination, destination)) {
        free_posting(p);
        return NULL;
    }
    memcpy(p->document, n->document.at, n->document.len);
    p->document_len = n->document.len;
    p->kind = n->kind;
    p->priority = n->priority;
    p->due_us = p->queued_us = now_us;
    return p;
}

static void append(struct incidents *i, struct posting *p)
{
    p->next = NULL;
    *i->last_posting = p;
    i->last_posting = &p->next;
}

static void queue(struct incidents *i, const struct notice *n, struct text destination,
                  int64_t now_us)
{
    struct posting *p = make(i, n, destination, now_us);
    if (!p) {
        COUNT(i, no_memory);
        return;
    }
    if (i->postings.count >= OUTBOX_MAX ||
        shelf_put(&i->postings, &p->link, shelf_hash(text_of(p->id), 0)) != STATUS_OK) {
        COUNT(i, deliveries_refused);
        write_ledger(i, p, "delivery.expired", "the outbox is full", now_us);
        free_posting(p);
        return;
    }
    COUNT(i, deliveries);
    append(i, p);
    persist(i, p, true);
    write_ledger(i, p, "delivery.queued", NULL, now_us);
}

static void route(struct incidents *i, const struct notice *n, int64_t now_us)
{
    struct text destinations[DELIVERY_DESTINATIONS];
    uint32_t count = i->options.route ? i->options.route(i->options.context, n, destinations) : 0;
    COUNT(i, notices);
    for (uint32_t d = 0; d < count && d < DELIVERY_DESTINATIONS; d++)
        queue(i, n, destinations[d], now_us);
}

static void suppress(struct incidents *i, const struct incident *n, enum notice_kind kind,
                     const char *why, int64_t now_us)
{
    struct buffer data;
    buffer_init(&data, 1 << 12);
    json_write_open(&data, NULL, '{');
    json_write_string(&data, "notice", text_of(incidents_notice_name(kind)));
    json_write_string(&data, "because", text_of(why));
    json_write_close(&data, '}');
    COUNT(i, notices);
    persist_ledger(i, &(struct ledger_entry){.kind = "notice.suppressed",
                                             .incident = text_of(n->id),
                                             .time_us = now_us,
                                             .data = buffer_text(&data)});
    buffer_fini(&data);
}

static void into_digest(struct incidents *i, const struct incident *n, int64_t now_us)
{
    json_write_string(&i->digest, NULL, text_of(n->id));
    i->digest.has_failed = false;
    if (!i->digest_count++)
        i->digest_us = now_us;
    i->is_meta_dirty = true;
}

void outbox_notice(struct incidents *i, struct incident *n, enum notice_kind kind, int64_t now_us)
{
    bool is_alone = n->priority == 1;
    if (kind == NOTICE_OPENED && n->is_backfill) {
        into_digest(i, n, now_us);
        suppress(i, n, kind, "backfill: told in a digest", now_us);
        return;
    }
    if (kind == NOTICE_OPENED && i->is_storm && !is_alone) {
        suppress(i, n, kind, "storm: told as one", now_us);
        return;
    }
    struct buffer document;
    buffer_init(&document, 4 << 20);
    incident_document_write(n, &document);
    const struct notice notice = {kind, text_of(n->id), n->priority, n->category,
                                  buffer_text(&document)};
    if (document.has_failed)
        COUNT(i, no_memory);
    else
        route(i, &notice, now_us);
    buffer_fini(&document);
}

void outbox_general(struct incidents *i, enum notice_kind kind, const char *what, int priority,
                    struct text data, int64_t now_us)
{
    struct buffer document;
    buffer_init(&document, 4 << 20);
    json_write_open(&document, NULL, '{');
    json_write_string(&document, "kind", text_of(what));
    json_write_time(&document, "time", now_us);
    buffer_printf(&document, ",\"priority\":\"P%d\"", priority);
    if (data.len) {
        buffer_byte(&document, ',');
        buffer_append(&document, data);
    }
    json_write_close(&document, '}');
    const struct notice notice = {kind, TEXT_NONE, priority, TEXT("operations"),
                                  buffer_text(&document)};
    persist_ledger(
        i, &(struct ledger_entry){.kind = what, .time_us = now_us, .data = buffer_text(&document)});
    route(i, &notice, now_us);
    buffer_fini(&document);
}

/* More than STORM_INCIDENTS openings within ten minutes: the ring holds exactly one more. */
void outbox_opened(struct incidents *i, struct incident *n, int64_t now_us)
{
    if (i->opening_count > STORM_INCIDENTS) {
        memmove(i->openings_us, i->openings_us + 1, STORM_INCIDENTS * sizeof i->openings_us[0]);
        i->opening_count = STORM_INCIDENTS;
    }
    i->openings_us[i->opening_count++] = now_us;
    bool was_storm = i->is_storm;
    i->is_storm = i->opening_count > STORM_INCIDENTS && now_us - i->openings_us[0] <= STORM_LONG;
    i->is_meta_dirty = true;
    if (!i->is_storm || was_storm)
        return;
    struct buffer data;
    buffer_init(&data, 1 << 12);
    json_write_int(&data, "incidents", STORM_INCIDENTS + 1);
    json_write_int(&data, "minutes", STORM_LONG / MINUTE_US);
    json_write_string(&data, "latest", text_of(n->id));
    outbox_general(i, NOTICE_STORM, "storm", 2, buffer_text(&data), now_us);
    buffer_fini(&data);
}

void outbox_tick(struct incidents *i)
{
    if (i->is_storm && i->opening_count &&
        i->journal_us - i->openings_us[i->opening_count - 1] > STORM_LONG) {
        i->is_storm = false;
        i->is_meta_dirty = true;
    }
    if (!i->digest_count || i->journal_us - i->digest_us < STORM_LONG)
        return;
    struct buffer data;
    buffer_init(&data, 4 << 20);
    json_write_uint(&data, "incidents", i->digest_count);
    json_write_open(&data, "ids", '[');
    json_write_raw(&data, NULL, buffer_text(&i->digest));
    json_write_close(&data, ']');
    outbox_general(i, NOTICE_DIGEST, "digest", 4, buffer_text(&data), i->journal_us);
    buffer_fini(&data);
    buffer_clear(&i->digest);
    i->digest_count = 0;
    i->digest_us = TIMESTAMP_NONE;
    i->is_meta_dirty = true;
}

/* ---- giving and settling ---- */

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

static struct delivery *deliver(const struct posting *p)
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
    for (struct posting *p = i->first_posting; p; p = p->next) {
        if (p->marked || p->due_us > now_us)
            continue;
        p->state = DELIVERY_SENDING;
        p->marked = i->store->submitted + 1;
        persist(i, p, false);
        is_any = true;
    }
    if (is_any)
        incidents_flush(i);
}

struct delivery *incidents_next_delivery(struct incidents *i, int64_t now_us)
{
    if (i->first_posting)
        mark_due(i, now_us);
    for (struct posting **at = &i->first_posting; *at; at = &(*at)->next) {
        struct posting *p = *at;
        if (!p->marked || p->marked > i->store->acknowledged)
            continue;
        struct delivery *d = deliver(p);
        if (!d)
            return NULL;
        *at = p->next;
        if (!p->next)
            i->last_posting = at;
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

static void write_attempt(const struct posting *p, const struct outcome *o, struct buffer *out)
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

static void record_attempt(struct incidents *i, const struct posting *p, const struct outcome *o)
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

static void note_time(struct incidents *i, const struct posting *p, const struct outcome *o)
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

static void unlist(struct incidents *i, const struct posting *p)
{
    struct posting **at = &i->first_posting;
    while (*at && *at != p)
        at = &(*at)->next;
    if (*at)
        *at = p->next;
    if (!*at)
        i->last_posting = at;
}

static void finish(struct incidents *i, struct posting *p)
{
    struct effect *e = incidents_effect(i);
    if (e) {
        EFFECT(e, TEXT("HDEL"), TEXT("tocsin:outbox"), text_of(p->id));
        EFFECT(e, TEXT("HDEL"), TEXT("tocsin:outbox:documents"), text_of(p->id));
    }
    COUNT(i, deliveries_settled);
    if (!p->is_given)
        unlist(i, p);
    shelf_remove(&i->postings, &p->link);
    free_posting(p);
}

/* No sink took it: it is given again when it is due. */
static void take_back(struct incidents *i, struct posting *p)
{
    p->marked = 0;
    if (!p->is_given)
        return;
    p->is_given = false;
    append(i, p);
}

enum status incidents_settle(struct incidents *i, const struct outcome *o)
{
    struct posting *p = find(i, o->delivery);
    if (!p)
        return STATUS_NOTFOUND;
    if (i->store->pending >= i->max_pending)
        return STATUS_FULL;
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
        persist(i, p, false);
    }
    incidents_flush(i);
    return STATUS_OK;
}

/* ---- start and end ---- */

static enum notice_kind read_kind(struct text name)
{
    for (int k = NOTICE_OPENED; k <= NOTICE_DIGEST; k++)
        if (text_equal(text_of(incidents_notice_name((enum notice_kind)k)), name))
            return (enum notice_kind)k;
    return NOTICE_OPENED;
}

bool outbox_load(struct incidents *i, const struct doc_tree *t, struct text document)
{
    struct text id = doc_tree_text(t, "id"), incident = doc_tree_text(t, "incident");
    struct posting *p = id.len == IDENT_LEN ? calloc(1, sizeof *p) : NULL;
    if (!p)
        return id.len != IDENT_LEN;
    memcpy(p->id, id.at, IDENT_LEN);
    if (incident.len == IDENT_LEN)
        memcpy(p->incident, incident.at, IDENT_LEN);
    p->document = malloc(document.len + 1);
    if (!p->document || !incident_set_text(&p->destination, doc_tree_text(t, "destination")) ||
        shelf_put(&i->postings, &p->link, shelf_hash(id, 0)) != STATUS_OK) {
        free_posting(p);
        return false;
    }
    if (document.len)
        memcpy(p->document, document.at, document.len);
    p->document_len = document.len;
    p->kind = read_kind(doc_tree_text(t, "kind"));
    p->priority = (int)doc_tree_whole(t, "priority", 5);
    p->attempts = (uint32_t)doc_tree_whole(t, "attempts", 0);
    p->due_us = doc_tree_whole(t, "due", 0);
    p->queued_us = doc_tree_whole(t, "queued", 0);
    p->may_be_duplicate = text_equal(doc_tree_text(t, "state"), TEXT("sending")) ||
                          text_equal(doc_tree_text(t, "state"), TEXT("unknown"));
    append(i, p);
    return true;
}

void outbox_clear(struct incidents *i)
{
    size_t slot = 0;
    for (struct shelf_link *at = shelf_walk(&i->postings, &slot, NULL), *next; at; at = next) {
        next = shelf_walk(&i->postings, &slot, at);
        free_posting(CONTAINER_OF(at, struct posting, link));
    }
    shelf_fini(&i->postings);
    i->first_posting = NULL;
    i->last_posting = &i->first_posting;
}
