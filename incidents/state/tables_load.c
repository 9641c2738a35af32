/* SPDX-License-Identifier: Apache-2.0 */
#include "incidents/state/tables_load.h"
#include "base/timestamp.h"
#include "incidents/model/incident_document.h"
#include <string.h>

enum {
    LOAD_KEYS = 500, /* documents asked for at once */
    CLOSED_DAYS = 8, /* closed incidents that may still matter */
    DOCUMENT_BYTES = 8 << 20,
};

/* ---- one document ---- */

static enum status take_incident(struct tables *tables, const struct doc_tree *tree)
{
    struct incident *incident = NULL;
    enum status status = incident_document_read(tree, &tables->strings, &incident);
    if (!status)
        status = tables_adopt(tables, incident);
    return status == STATUS_INVALID ? STATUS_OK : status;
}

static enum status take_candidate(struct tables *tables, const struct doc_tree *tree)
{
    struct candidate *candidate = NULL;
    char incident[IDENT_LEN + 1];
    enum status status =
        incident_document_read_candidate(tree, &tables->strings, &candidate, incident);
    if (status)
        return status == STATUS_INVALID ? STATUS_OK : status;
    uint64_t hash = candidate_hash(candidate->kind, candidate->value);
    if (hash_table_put(&tables->candidates, &candidate->link, hash) != STATUS_OK) {
        candidate_free(candidate);
        return STATUS_NOMEM;
    }
    candidate->criticality =
        inventory_find(tables->inventory, candidate->kind, candidate->value)->criticality;
    candidate->incident = incident[0] ? tables_incident(tables, text_of(incident)) : NULL;
    if (!candidate->incident)
        weakest_put(&tables->weakest, candidate, tables->half_life_us);
    return STATUS_OK;
}

typedef enum status (*take_fn)(struct tables *tables, const struct doc_tree *tree);

static enum status take_all(struct tables *tables, const struct reply *documents, take_fn take)
{
    enum status status = STATUS_OK;
    for (uint32_t d = 0; !status && d < documents->count; d++) {
        struct doc_tree tree;
        struct arena arena;
        arena_init(&arena, DOCUMENT_BYTES);
        if (documents->items[d].kind == REPLY_TEXT &&
            doc_tree_parse(documents->items[d].text, &arena, &tree, NULL) == STATUS_OK)
            status = take(tables, &tree);
        arena_fini(&arena);
    }
    return status;
}

static uint32_t name_keys(struct arena *arena, const struct reply *names, uint32_t from,
                          const char *prefix, struct text *out)
{
    size_t len = strlen(prefix);
    uint32_t count = 0;
    for (uint32_t k = from; k < names->count && count < LOAD_KEYS; k++, count++) {
        struct text name = names->items[k].text;
        char *at = arena_bytes(arena, len + name.len + 1);
        if (!at)
            break;
        memcpy(at, prefix, len);
        memcpy(at + len, name.at, name.len);
        out[count] = (struct text){at, len + name.len};
    }
    return count;
}

/* Documents under `prefix` + each of the names, some hundred at a time. */
static enum status take_named(struct tables *tables, const struct reply *names, const char *prefix,
                              take_fn take, struct error *err)
{
    enum status status = STATUS_OK;
    struct arena arena;
    arena_init(&arena, INCIDENT_STORE_ANSWER);
    for (uint32_t from = 0; !status && from < names->count; from += LOAD_KEYS) {
        struct text words[LOAD_KEYS + 1] = {TEXT("MGET")};
        struct reply documents = {0};
        arena_reset(&arena);
        uint32_t count = name_keys(&arena, names, from, prefix, words + 1);
        status = incident_store_ask(tables->store, &arena, words, count + 1, &documents, err);
        if (!status)
            status = take_all(tables, &documents, take);
    }
    arena_fini(&arena);
    return status == STATUS_NOMEM ? error_set(err, status, 0, "no memory for the incidents")
                                  : status;
}

/* ---- all of them ---- */

static enum status load_incidents(struct tables *tables, int64_t now_us, struct error *err)
{
    struct arena arena;
    struct reply names = {0};
    char since[CHANGES_DIGITS];
    int64_t since_us = (now_us == TIMESTAMP_NONE ? 0 : now_us) - CLOSED_DAYS * DAY_US;
    arena_init(&arena, INCIDENT_STORE_ANSWER);
    enum status status = STORE_ASK(tables->store, &arena, &names, err, TEXT("ZRANGE"),
                                   TEXT("tocsin:open"), TEXT("0"), TEXT("-1"));
    if (!status)
        status = take_named(tables, &names, "tocsin:incident:", take_incident, err);
    if (!status)
        status = STORE_ASK(tables->store, &arena, &names, err, TEXT("ZRANGEBYSCORE"),
                           TEXT("tocsin:closed"), changes_digits(since_us, since), TEXT("+inf"));
    if (!status)
        status = take_named(tables, &names, "tocsin:incident:", take_incident, err);
    arena_fini(&arena);
    return status;
}

static enum status load_candidates(struct tables *tables, struct error *err)
{
    struct arena arena;
    struct reply names = {0};
    arena_init(&arena, INCIDENT_STORE_ANSWER);
    enum status status = STORE_ASK(tables->store, &arena, &names, err, TEXT("ZRANGE"),
                                   TEXT("tocsin:entities"), TEXT("0"), TEXT("-1"));
    if (!status)
        status = take_named(tables, &names, "tocsin:entity:", take_candidate, err);
    arena_fini(&arena);
    return status;
}

/* What was merged into an open one is closed, perhaps long since: its keys still lead there. */
static enum status load_merged(struct tables *tables, struct error *err)
{
    struct buffer ids;
    size_t slot = 0;
    enum status status = STATUS_OK;
    buffer_init(&ids, 64 << 20);
    for (struct hash_link *at = hash_table_walk(&tables->incidents, &slot, NULL); at;
         at = hash_table_walk(&tables->incidents, &slot, at)) {
        const struct incident *incident = CONTAINER_OF(at, struct incident, link);
        if (incident->state == STATE_CLOSED || !incident->merged.len)
            continue;
        buffer_append(&ids, buffer_text(&incident->merged));
        buffer_byte(&ids, ',');
    }
    struct text rest = buffer_text(&ids), piece;
    while (!status && text_split(&rest, ',', &piece)) {
        bool is_away = false;
        if (piece.len == IDENT_LEN + 2)
            (void)tables_load_incident(tables, text_head(text_skip(piece, 1), IDENT_LEN), &is_away);
        if (is_away)
            status = error_set(err, STATUS_IO, 0, "Redis does not give the merged incidents");
    }
    buffer_fini(&ids);
    return status;
}

enum status tables_load(struct tables *tables, int64_t now_us, struct error *err)
{
    enum status status = load_incidents(tables, now_us, err);
    if (!status)
        status = load_merged(tables, err);
    return status ? status : load_candidates(tables, err);
}

struct incident *tables_load_incident(struct tables *tables, struct text id, bool *out_is_away)
{
    *out_is_away = false;
    struct incident *incident = tables_incident(tables, id);
    if (incident || tables->store->is_memory || id.len != IDENT_LEN)
        return incident;
    struct reply name = {.kind = REPLY_TEXT, .text = id};
    struct reply names = {.kind = REPLY_ARRAY, .items = &name, .count = 1};
    enum status status = take_named(tables, &names, "tocsin:incident:", take_incident, NULL);
    *out_is_away = status != STATUS_OK;
    return tables_incident(tables, id);
}
