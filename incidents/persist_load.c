/* SPDX-License-Identifier: Apache-2.0 */
#include "base/timestamp.h"
#include "incidents/incident_document.h"
#include "incidents/incidents_key.h"
#include "incidents/incidents_state.h"
#include "incidents/monitor_heartbeat.h"
#include "incidents/monitor_waiting.h"
#include "incidents/outbox.h"
#include "incidents/persist.h"
#include "incidents/restraint.h"
#include "incidents/rule_verdict.h"
#include <stdio.h>
#include <stdlib.h>

enum {
    LOAD_BYTES = 256 << 20, /* of answers at once */
    LOAD_KEYS = 500,        /* documents asked for at once */
    CLOSED_DAYS = 8,        /* closed incidents that may still matter */
};

static enum status ask(struct incidents *i, struct arena *arena, const struct text *words,
                       uint32_t count, struct reply *out, struct error *err)
{
    enum status s = i->store->calls->ask(i->store, words, count, arena, out);
    if (s != STATUS_OK)
        return error_set(err, s, 0, "Redis did not answer while the record was read");
    if (out->kind == REPLY_ERROR)
        return error_set(err, STATUS_IO, 0, "Redis refused %.*s: %.*s", TEXT_ARG(words[0]),
                         TEXT_ARG(text_head(out->text, 120)));
    return STATUS_OK;
}

#define ASK(i, arena, out, err, ...)                                                               \
    ask((i), (arena), (const struct text[]){__VA_ARGS__},                                          \
        sizeof((const struct text[]){__VA_ARGS__}) / sizeof(struct text), (out), (err))

/* ---- one document ---- */

static enum status take_incident(struct incidents *i, const struct doc_tree *t)
{
    struct incident *n = NULL;
    enum status s = incident_document_read(t, &i->words, &n);
    if (s == STATUS_OK)
        s = incidents_key_adopt(i, n);
    return s == STATUS_INVALID ? STATUS_OK : s;
}

static enum status take_candidate(struct incidents *i, const struct doc_tree *t)
{
    struct candidate *c = NULL;
    char incident[IDENT_LEN + 1];
    enum status s = incident_document_read_candidate(t, &i->words, &c, incident);
    if (s != STATUS_OK)
        return s == STATUS_INVALID ? STATUS_OK : s;
    if (hash_table_put(&i->candidates, &c->link, candidate_hash(c->kind, c->value)) != STATUS_OK) {
        candidate_free(c);
        return STATUS_NOMEM;
    }
    c->criticality = inventory_find(i->inventory, c->kind, c->value)->criticality;
    c->incident = incident[0] ? incidents_key_find(i, text_of(incident)) : NULL;
    return STATUS_OK;
}

typedef enum status (*take_fn)(struct incidents *i, const struct doc_tree *t);

static enum status take_all(struct incidents *i, const struct reply *documents, take_fn take)
{
    enum status s = STATUS_OK;
    for (uint32_t d = 0; s == STATUS_OK && d < documents->count; d++) {
        struct doc_tree tree;
        struct arena arena;
        arena_init(&arena, 8 << 20);
        if (documents->items[d].kind == REPLY_TEXT &&
            doc_tree_parse(documents->items[d].text, &arena, &tree, NULL) == STATUS_OK)
            s = take(i, &tree);
        arena_fini(&arena);
    }
    return s;
}

/* Documents under `prefix` + each of the names, some hundred at a time. */
static enum status take_named(struct incidents *i, const struct reply *names, const char *prefix,
                              take_fn take, struct error *err)
{
    enum status s = STATUS_OK;
    struct arena arena;
    arena_init(&arena, LOAD_BYTES);
    for (uint32_t from = 0; s == STATUS_OK && from < names->count; from += LOAD_KEYS) {
        struct text words[LOAD_KEYS + 1] = {TEXT("MGET")};
        uint32_t count = 1;
        struct reply documents = {0};
        arena_reset(&arena);
        for (uint32_t k = from; k < names->count && count <= LOAD_KEYS; k++, count++) {
            struct text name = names->items[k].text;
            size_t len = strlen(prefix);
            char *at = arena_bytes(&arena, len + name.len + 1);
            if (!at)
                break;
            memcpy(at, prefix, len);
            memcpy(at + len, name.at, name.len);
            words[count] = (struct text){at, len + name.len};
        }
        s = ask(i, &arena, words, count, &documents, err);
        if (s == STATUS_OK)
            s = take_all(i, &documents, take);
    }
    arena_fini(&arena);
    return s == STATUS_NOMEM ? error_set(err, s, 0, "no memory for the record") : s;
}

/* ---- the parts ---- */

static enum status load_incidents(struct incidents *i, struct error *err)
{
    struct arena arena;
    struct reply names = {0};
    char since[32];
    arena_init(&arena, LOAD_BYTES);
    enum status s =
        ASK(i, &arena, &names, err, TEXT("ZRANGE"), TEXT("tocsin:open"), TEXT("0"), TEXT("-1"));
    if (s == STATUS_OK)
        s = take_named(i, &names, "tocsin:incident:", take_incident, err);
    int64_t now_us = i->journal_us == TIMESTAMP_NONE ? 0 : i->journal_us;
    (void)snprintf(since, sizeof since, "%lld", (long long)(now_us - CLOSED_DAYS * DAY_US));
    if (s == STATUS_OK)
        s = ASK(i, &arena, &names, err, TEXT("ZRANGEBYSCORE"), TEXT("tocsin:closed"),
                text_of(since), TEXT("+inf"));
    if (s == STATUS_OK)
        s = take_named(i, &names, "tocsin:incident:", take_incident, err);
    arena_fini(&arena);
    return s;
}

static enum status load_candidates(struct incidents *i, struct error *err)
{
    struct arena arena;
    struct reply names = {0};
    arena_init(&arena, LOAD_BYTES);
    enum status s =
        ASK(i, &arena, &names, err, TEXT("ZRANGE"), TEXT("tocsin:entities"), TEXT("0"), TEXT("-1"));
    if (s == STATUS_OK)
        s = take_named(i, &names, "tocsin:entity:", take_candidate, err);
    arena_fini(&arena);
    return s;
}

static enum status load_ledger(struct incidents *i, struct error *err)
{
    struct arena arena;
    struct reply last = {0};
    arena_init(&arena, 8 << 20);
    i->ledger = (struct ledger){0};
    enum status s = ASK(i, &arena, &last, err, TEXT("XREVRANGE"), TEXT("tocsin:ledger"), TEXT("+"),
                        TEXT("-"), TEXT("COUNT"), TEXT("1"));
    if (s == STATUS_OK && last.count == 1 && last.items[0].count == 2) {
        const struct reply *fields = &last.items[0].items[1];
        struct text id = last.items[0].items[0].text;
        int64_t sequence = 0;
        if (fields->count != 4 || !ledger_from_hex(fields->items[3].text, i->ledger.head) ||
            !text_to_int64(text_head(id, text_find_byte(id, '-')), &sequence))
            s = error_set(err, STATUS_INVALID, 0, "the ledger's last record is damaged");
        i->ledger.sequence = (uint64_t)sequence;
    }
    arena_fini(&arena);
    return s;
}

static enum status load_meta(struct incidents *i, struct error *err)
{
    struct arena arena;
    struct reply reply = {0};
    struct doc_tree t = {0};
    arena_init(&arena, 8 << 20);
    enum status s = ASK(i, &arena, &reply, err, TEXT("GET"), TEXT("tocsin:meta"));
    if (s == STATUS_OK && reply.kind == REPLY_TEXT)
        s = doc_tree_parse(reply.text, &arena, &t, err);
    if (s == STATUS_OK && reply.kind == REPLY_TEXT) {
        i->journal_us = doc_tree_whole(&t, "journal", TIMESTAMP_NONE);
        i->generation = (uint32_t)doc_tree_whole(&t, "generation", 0) & 1;
        i->is_storm = doc_tree_bool(&t, "storm");
        i->digest_us = doc_tree_whole(&t, "digest_since", TIMESTAMP_NONE);
        const struct doc_tree *openings = doc_tree_get(&t, "openings");
        for (uint32_t o = 0; o < openings->count && o <= STORM_INCIDENTS; o++)
            i->openings_us[i->opening_count++] = openings->items[o].whole;
        i->digest_count = doc_tree_get(&t, "digest")->count;
        doc_tree_write_items(doc_tree_get(&t, "digest"), &i->digest);
    }
    arena_fini(&arena);
    return s;
}

static enum status load_applied(struct incidents *i, uint32_t generation, struct error *err)
{
    struct arena arena;
    struct reply ids = {0};
    arena_init(&arena, LOAD_BYTES);
    enum status s = ASK(i, &arena, &ids, err, TEXT("SMEMBERS"),
                        generation ? TEXT("tocsin:applied:1") : TEXT("tocsin:applied:0"));
    for (uint32_t k = 0; s == STATUS_OK && k < ids.count; k++) {
        struct hash128 id;
        if (ids.items[k].text.len != sizeof id)
            continue;
        memcpy(&id, ids.items[k].text.at, sizeof id);
        if (!incidents_key_remember(&i->applied[generation], id))
            s = error_set(err, STATUS_NOMEM, 0, "no memory for the record");
    }
    arena_fini(&arena);
    return s;
}

static struct text noise_key(struct arena *arena, struct text rule)
{
    struct buffer key;
    buffer_init(&key, 1 << 16);
    buffer_append(&key, TEXT("tocsin:noise:"));
    buffer_append(&key, rule);
    struct text copy = arena_copy(arena, buffer_text(&key));
    buffer_fini(&key);
    return copy;
}

static enum status load_restraints(struct incidents *i, struct error *err)
{
    struct arena arena;
    struct reply all = {0};
    struct doc_tree t;
    bool is_ok = true;
    arena_init(&arena, LOAD_BYTES);
    enum status s = ASK(i, &arena, &all, err, TEXT("HGETALL"), TEXT("tocsin:suppress"));
    for (uint32_t k = 0; s == STATUS_OK && k + 1 < all.count; k += 2)
        is_ok &= restraint_load_suppression(i, all.items[k].text, all.items[k + 1].text);
    if (s == STATUS_OK)
        s = ASK(i, &arena, &all, err, TEXT("HGETALL"), TEXT("tocsin:exceptions"));
    for (uint32_t k = 0; s == STATUS_OK && k + 1 < all.count; k += 2)
        if (doc_tree_parse(all.items[k + 1].text, &arena, &t, NULL) == STATUS_OK)
            is_ok &= restraint_load_exception(i, all.items[k].text, doc_tree_time(&t, "until"));
    if (s == STATUS_OK)
        s = ASK(i, &arena, &all, err, TEXT("HGETALL"), TEXT("tocsin:noise"));
    for (uint32_t k = 0; s == STATUS_OK && k + 1 < all.count; k += 2) {
        struct reply seen = {0};
        s = ASK(i, &arena, &seen, err, TEXT("HGETALL"), noise_key(&arena, all.items[k].text));
        if (s == STATUS_OK && doc_tree_parse(all.items[k + 1].text, &arena, &t, NULL) == STATUS_OK)
            is_ok &= restraint_load_noise(i, all.items[k].text, &t, &seen);
    }
    if (s == STATUS_OK)
        s = ASK(i, &arena, &all, err, TEXT("HGETALL"), TEXT("tocsin:verdicts"));
    for (uint32_t k = 0; s == STATUS_OK && k + 1 < all.count; k += 2)
        if (doc_tree_parse(all.items[k + 1].text, &arena, &t, NULL) == STATUS_OK)
            is_ok &= rule_verdict_load(i, all.items[k].text, &t);
    arena_fini(&arena);
    return s == STATUS_OK && !is_ok ? error_set(err, STATUS_NOMEM, 0, "no memory") : s;
}

static int by_name(const void *a, const void *b)
{
    return text_compare(*(const struct text *)a, *(const struct text *)b);
}

static enum status load_entry(struct incidents *i, struct text id, struct error *err)
{
    struct arena arena;
    struct reply head = {0}, document = {0};
    struct doc_tree t;
    arena_init(&arena, LOAD_BYTES);
    enum status s = ASK(i, &arena, &head, err, TEXT("HGET"), TEXT("tocsin:outbox"), id);
    if (s == STATUS_OK)
        s = ASK(i, &arena, &document, err, TEXT("HGET"), TEXT("tocsin:outbox:documents"), id);
    if (s == STATUS_OK && doc_tree_parse(head.text, &arena, &t, NULL) == STATUS_OK &&
        !outbox_load(i, &t, document.text))
        s = error_set(err, STATUS_NOMEM, 0, "no memory for the outbox");
    arena_fini(&arena);
    return s;
}

/* In the order of their ids, which is the order of time: Redis gives them in none. */
static enum status load_outbox(struct incidents *i, struct error *err)
{
    struct arena arena;
    struct reply ids = {0};
    arena_init(&arena, LOAD_BYTES);
    enum status s = ASK(i, &arena, &ids, err, TEXT("HKEYS"), TEXT("tocsin:outbox"));
    struct text *names = arena_zero(&arena, (ids.count + 1) * sizeof *names);
    if (s == STATUS_OK && !names)
        s = error_set(err, STATUS_NOMEM, 0, "no memory for the outbox");
    for (uint32_t k = 0; s == STATUS_OK && k < ids.count; k++)
        names[k] = ids.items[k].text;
    if (s == STATUS_OK && ids.count)
        qsort(names, ids.count, sizeof *names, by_name);
    for (uint32_t k = 0; s == STATUS_OK && k < ids.count; k++)
        s = load_entry(i, names[k], err);
    arena_fini(&arena);
    return s;
}

static enum status load_alerts(struct incidents *i, struct error *err)
{
    struct arena arena;
    struct reply all = {0};
    bool is_ok = true;
    arena_init(&arena, LOAD_BYTES);
    enum status s = ASK(i, &arena, &all, err, TEXT("HGETALL"), TEXT("tocsin:waiting"));
    for (uint32_t k = 0; s == STATUS_OK && k + 1 < all.count; k += 2)
        is_ok &= monitor_waiting_load(i, all.items[k].text, all.items[k + 1].text);
    if (s == STATUS_OK)
        s = ASK(i, &arena, &all, err, TEXT("HGETALL"), TEXT("tocsin:heartbeats"));
    for (uint32_t k = 0; s == STATUS_OK && k + 1 < all.count; k += 2)
        is_ok &= monitor_heartbeat_load(i, all.items[k].text, all.items[k + 1].text);
    arena_fini(&arena);
    return s == STATUS_OK && !is_ok ? error_set(err, STATUS_NOMEM, 0, "no memory") : s;
}

enum status persist_load(struct incidents *i, struct error *err)
{
    if (i->store->is_memory)
        return STATUS_OK;
    enum status s = load_meta(i, err);
    if (s == STATUS_OK)
        s = load_ledger(i, err);
    if (s == STATUS_OK)
        s = load_incidents(i, err);
    if (s == STATUS_OK)
        s = load_candidates(i, err);
    if (s == STATUS_OK)
        s = load_restraints(i, err);
    if (s == STATUS_OK)
        s = load_applied(i, 0, err);
    if (s == STATUS_OK)
        s = load_applied(i, 1, err);
    if (s == STATUS_OK)
        s = load_outbox(i, err);
    if (s == STATUS_OK)
        s = load_alerts(i, err);
    return s == STATUS_OK ? incidents_state_load(i, err) : s;
}

struct incident *persist_fetch(struct incidents *i, struct text id, bool *out_is_away)
{
    *out_is_away = false;
    if (i->store->is_memory || id.len != IDENT_LEN)
        return NULL;
    struct reply name = {.kind = REPLY_TEXT, .text = id};
    struct reply names = {.kind = REPLY_ARRAY, .items = &name, .count = 1};
    enum status s = take_named(i, &names, "tocsin:incident:", take_incident, NULL);
    *out_is_away = s != STATUS_OK;
    return incidents_key_find(i, id);
}
