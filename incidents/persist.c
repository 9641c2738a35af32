/* SPDX-License-Identifier: Apache-2.0 */
#include "incidents/persist.h"
#include "base/json_write.h"
#include "base/timestamp.h"
#include "incidents/incident_document.h"
#include "incidents/outbox.h"
#include "incidents/restraint.h"
#include <stdio.h>
#include <stdlib.h>

enum { DIGITS = 32, RECORD_BYTES = 1 << 20 };

static struct text join(struct incidents *i, const struct text *parts, size_t count)
{
    size_t len = 0;
    for (size_t p = 0; p < count; p++)
        len += parts[p].len;
    char *at = arena_bytes(&i->scratch, len + 1);
    if (!at)
        return TEXT_NONE;
    len = 0;
    for (size_t p = 0; p < count; p++) {
        if (parts[p].len)
            memcpy(at + len, parts[p].at, parts[p].len);
        len += parts[p].len;
    }
    return (struct text){at, len};
}

static struct text int_text(int64_t value, char out[DIGITS])
{
    int len = snprintf(out, DIGITS, "%lld", (long long)value);
    return (struct text){out, (size_t)len};
}

struct text persist_entity_key(struct incidents *i, const char *prefix, const struct candidate *c)
{
    const struct text parts[] = {text_of(prefix), text_of(correlation_entity_name(c->kind)),
                                 TEXT(":"), c->value};
    return join(i, parts, 4);
}

struct text persist_score_key(struct incidents *i, const struct candidate *c)
{
    char episode[DIGITS];
    const struct text parts[] = {TEXT("tocsin:score:"),
                                 text_of(correlation_entity_name(c->kind)),
                                 TEXT(":"),
                                 int_text(c->episode, episode),
                                 TEXT(":"),
                                 c->value};
    return join(i, parts, 6);
}

void persist_mark(struct incidents *i, const struct candidate *c, const struct member *m)
{
    char mark[DIGITS];
    struct effect *e = incidents_effect(i);
    if (!e || e->is_dry)
        return;
    /* As text: Lua would round the number. */
    int len = snprintf(mark, sizeof mark, "%.17g", m->mark);
    const struct text parts[] = {m->tactic, TEXT("|"), m->family};
    EFFECT(e, TEXT("ZADD"), persist_score_key(i, c), TEXT("GT"), {mark, (size_t)len},
           join(i, parts, 3));
}

void persist_ledger(struct incidents *i, const struct ledger_entry *entry)
{
    struct buffer record;
    char hex[LEDGER_HEX + 1], sequence[DIGITS];
    struct effect *e = incidents_effect(i);
    if (!e)
        return;
    buffer_init(&record, RECORD_BYTES);
    ledger_append(&i->ledger, entry, &record, hex);
    (void)snprintf(sequence, sizeof sequence, "%llu-0", (unsigned long long)i->ledger.sequence);
    EFFECT(e, TEXT("XADD"), TEXT("tocsin:ledger"), text_of(sequence), TEXT("r"),
           buffer_text(&record), TEXT("h"), {hex, LEDGER_HEX});
    if (entry->incident.len) {
        const struct text parts[] = {TEXT("tocsin:trail:"), entry->incident};
        EFFECT(e, TEXT("RPUSH"), join(i, parts, 2), text_of(sequence));
    }
    buffer_fini(&record);
    i->is_urgent = true;
}

/* ---- writing ---- */

static void write_candidate(struct incidents *i, struct effect *e, struct candidate *c)
{
    char last[DIGITS];
    buffer_clear(&i->text);
    incident_document_write_candidate(c, i->half_life_us, &i->text);
    if (i->text.has_failed) {
        COUNT(i, no_memory);
        return;
    }
    struct text name = persist_entity_key(i, "", c);
    struct text at = int_text(c->last_us == TIMESTAMP_NONE ? 0 : c->last_us, last);
    EFFECT(e, TEXT("SET"), persist_entity_key(i, "tocsin:entity:", c), buffer_text(&i->text));
    if (c->is_new)
        EFFECT(e, TEXT("ZADD"), TEXT("tocsin:entities"), at, name);
    c->is_new = false;
    if (c->incident || !c->member_count)
        EFFECT(e, TEXT("ZREM"), TEXT("tocsin:candidates"), name);
    else
        EFFECT(e, TEXT("ZADD"), TEXT("tocsin:candidates"), at, name);
}

static void write_incident(struct incidents *i, struct effect *e, struct incident *n)
{
    char opened[DIGITS], closed[DIGITS];
    struct text id = text_of(n->id);
    const struct text parts[] = {TEXT("tocsin:incident:"), id};
    buffer_clear(&i->text);
    incident_document_write(n, &i->text);
    if (i->text.has_failed) {
        COUNT(i, no_memory); /* its last whole document stands */
        return;
    }
    EFFECT(e, TEXT("SET"), join(i, parts, 2), buffer_text(&i->text));
    int_text(n->times[TIME_OPENED], opened);
    if (n->is_new)
        EFFECT(e, TEXT("ZADD"), TEXT("tocsin:index"), text_of(opened), id);
    n->is_new = false;
    if (n->state != STATE_CLOSED) {
        EFFECT(e, TEXT("ZADD"), TEXT("tocsin:open"), text_of(opened), id);
        EFFECT(e, TEXT("ZREM"), TEXT("tocsin:closed"), id);
        return;
    }
    EFFECT(e, TEXT("ZREM"), TEXT("tocsin:open"), id);
    EFFECT(e, TEXT("ZADD"), TEXT("tocsin:closed"), int_text(n->times[TIME_CLOSED], closed), id);
}

static void write_meta(struct incidents *i, struct effect *e)
{
    buffer_clear(&i->text);
    json_write_open(&i->text, NULL, '{');
    json_write_int(&i->text, "journal", i->journal_us);
    json_write_uint(&i->text, "generation", i->generation);
    json_write_bool(&i->text, "storm", i->is_storm);
    json_write_open(&i->text, "openings", '[');
    for (uint32_t o = 0; o < i->opening_count; o++)
        json_write_int(&i->text, NULL, i->openings_us[o]);
    json_write_close(&i->text, ']');
    json_write_int(&i->text, "digest_since", i->digest_us);
    json_write_open(&i->text, "digest", '[');
    json_write_raw(&i->text, NULL, buffer_text(&i->digest));
    json_write_close(&i->text, ']');
    json_write_close(&i->text, '}');
    EFFECT(e, TEXT("SET"), TEXT("tocsin:meta"), buffer_text(&i->text));
}

void persist_dirty(struct incidents *i)
{
    struct effect *e = incidents_effect(i);
    if (!e)
        return;
    while (i->dirty_candidates) {
        struct candidate *c = i->dirty_candidates;
        i->dirty_candidates = c->next_dirty;
        c->is_dirty = false;
        if (!e->is_dry)
            write_candidate(i, e, c);
    }
    while (i->dirty_incidents) {
        struct incident *n = i->dirty_incidents;
        i->dirty_incidents = n->next_dirty;
        n->is_dirty = false;
        if (!e->is_dry)
            write_incident(i, e, n);
    }
    while (i->dirty_noise) {
        struct noise *n = i->dirty_noise;
        i->dirty_noise = n->next_dirty;
        n->is_dirty = false;
        if (!e->is_dry)
            restraint_write_noise(i, n);
    }
    if (i->is_meta_dirty && !e->is_dry)
        write_meta(i, e);
    i->is_meta_dirty = false;
}

void persist_forget(struct incidents *i, const struct candidate *c)
{
    struct effect *e = incidents_effect(i);
    if (!e)
        return;
    struct text name = persist_entity_key(i, "", c);
    EFFECT(e, TEXT("DEL"), persist_entity_key(i, "tocsin:entity:", c), persist_score_key(i, c));
    EFFECT(e, TEXT("ZREM"), TEXT("tocsin:entities"), name);
    EFFECT(e, TEXT("ZREM"), TEXT("tocsin:candidates"), name);
}
