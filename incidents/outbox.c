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

void outbox_entry_free(struct outbox_entry *p)
{
    free(p->destination);
    free(p->document);
    free(p);
}

/* ---- writing ---- */

static void write_entry(const struct outbox_entry *p, struct buffer *out)
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

void outbox_persist(struct incidents *i, const struct outbox_entry *p, bool with_document)
{
    struct buffer text;
    struct effect *e = incidents_effect(i);
    if (!e)
        return;
    buffer_init(&text, 1 << 16);
    write_entry(p, &text);
    EFFECT(e, TEXT("HSET"), TEXT("tocsin:outbox"), text_of(p->id), buffer_text(&text));
    if (with_document)
        EFFECT(e, TEXT("HSET"), TEXT("tocsin:outbox:documents"), text_of(p->id),
               {p->document, p->document_len});
    buffer_fini(&text);
}

static void write_ledger(struct incidents *i, const struct outbox_entry *p, const char *kind,
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

static struct outbox_entry *make(const struct incidents *i, const struct notice *n,
                                 struct text destination, int64_t now_us)
{
    struct outbox_entry *p = calloc(1, sizeof *p);
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
        outbox_entry_free(p);
        return NULL;
    }
    memcpy(p->document, n->document.at, n->document.len);
    p->document_len = n->document.len;
    p->kind = n->kind;
    p->priority = n->priority;
    p->due_us = p->queued_us = now_us;
    return p;
}

void outbox_append(struct incidents *i, struct outbox_entry *p)
{
    p->next = NULL;
    *i->last_entry = p;
    i->last_entry = &p->next;
}

static void queue(struct incidents *i, const struct notice *n, struct text destination,
                  int64_t now_us)
{
    struct outbox_entry *p = make(i, n, destination, now_us);
    if (!p) {
        COUNT(i, no_memory);
        return;
    }
    if (i->entries.count >= OUTBOX_MAX ||
        hash_table_put(&i->entries, &p->link, hash_table_hash(text_of(p->id), 0)) != STATUS_OK) {
        COUNT(i, deliveries_refused);
        write_ledger(i, p, "delivery.expired", "the outbox is full", now_us);
        outbox_entry_free(p);
        return;
    }
    COUNT(i, deliveries);
    outbox_append(i, p);
    outbox_persist(i, p, true);
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
    struct outbox_entry *p = id.len == IDENT_LEN ? calloc(1, sizeof *p) : NULL;
    if (!p)
        return id.len != IDENT_LEN;
    memcpy(p->id, id.at, IDENT_LEN);
    if (incident.len == IDENT_LEN)
        memcpy(p->incident, incident.at, IDENT_LEN);
    p->document = malloc(document.len + 1);
    if (!p->document || !incident_set_text(&p->destination, doc_tree_text(t, "destination")) ||
        hash_table_put(&i->entries, &p->link, hash_table_hash(id, 0)) != STATUS_OK) {
        outbox_entry_free(p);
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
    outbox_append(i, p);
    return true;
}

void outbox_clear(struct incidents *i)
{
    size_t slot = 0;
    for (struct hash_link *at = hash_table_walk(&i->entries, &slot, NULL), *next; at; at = next) {
        next = hash_table_walk(&i->entries, &slot, at);
        outbox_entry_free(CONTAINER_OF(at, struct outbox_entry, link));
    }
    hash_table_fini(&i->entries);
    i->first_entry = NULL;
    i->last_entry = &i->first_entry;
}
