/* SPDX-License-Identifier: Apache-2.0 */
#include "incidents/alert/alert_waiting.h"
#include "base/json_scan.h"
#include "base/json_write.h"
#include "base/timestamp.h"
#include "incidents/model/doc_tree.h"
#include <stdlib.h>

/* A warning fires this long before it opens. */
#define WARNING_US (INT64_C(120) * 1000000)

struct waiting_alert {
    struct hash_link link;
    struct text key;
    int64_t due_us;
    struct text document; /* the alert as ingest wrote it */
    struct hash128 id;    /* of its record */
    char bytes[];
};

static struct text waiting_key(struct changes *changes, const struct alert *alert)
{
    return CHANGES_JOIN(changes, alert->incident_key, TEXT("/"), alert->key);
}

static struct waiting_alert *find_waiting(const struct alert_waiting *waiting, struct text alert,
                                          struct text key)
{
    for (struct hash_link *at = hash_table_first(&waiting->alerts, hash_table_hash(alert, 0)); at;
         at = hash_table_next(at)) {
        struct waiting_alert *w = CONTAINER_OF(at, struct waiting_alert, link);
        if (text_equal(w->key, key))
            return w;
    }
    return NULL;
}

static struct waiting_alert *put_waiting(struct alert_waiting *waiting, struct text alert,
                                         struct text key, struct text document)
{
    struct waiting_alert *w = calloc(1, sizeof *w + key.len + document.len + 2);
    if (!w)
        return NULL;
    memcpy(w->bytes, key.at, key.len);
    if (document.len)
        memcpy(w->bytes + key.len, document.at, document.len);
    w->key = (struct text){w->bytes, key.len};
    w->document = (struct text){w->bytes + key.len, document.len};
    if (hash_table_put(&waiting->alerts, &w->link, hash_table_hash(alert, 0)) != STATUS_OK) {
        free(w);
        return NULL;
    }
    return w;
}

static void drop_waiting(struct alert_waiting *waiting, struct changes *changes,
                         struct waiting_alert *w)
{
    struct effect *effect = changes_effect(changes);
    if (effect)
        EFFECT(effect, TEXT("HDEL"), TEXT("tocsin:waiting"), w->key);
    hash_table_remove(&waiting->alerts, &w->link);
    free(w);
}

static void save_waiting(struct changes *changes, const struct waiting_alert *w)
{
    char hex[33];
    struct effect *effect = changes_effect(changes);
    if (!effect)
        return;
    hash_to_hex(w->id, hex);
    buffer_clear(&changes->text);
    json_write_open(&changes->text, NULL, '{');
    json_write_int(&changes->text, "due", w->due_us);
    json_write_string(&changes->text, "id", (struct text){hex, 32});
    json_write_string(&changes->text, "alert", w->document);
    json_write_close(&changes->text, '}');
    EFFECT(effect, TEXT("HSET"), TEXT("tocsin:waiting"), w->key, buffer_text(&changes->text));
}

bool alert_waiting_must(struct alert_waiting *waiting, const struct alert_incidents *incidents,
                        const struct alert *alert, struct text document)
{
    struct changes *changes = incidents->lifecycle->changes;
    if (!alert->has_severity || alert->severity != SEVERITY_MEDIUM ||
        alert_incident_open(incidents, alert))
        return false;
    int64_t since_us = alert->starts_us == TIMESTAMP_NONE || alert->starts_us > alert->now_us
                           ? alert->now_us
                           : alert->starts_us;
    struct text key = waiting_key(changes, alert);
    struct waiting_alert *w = find_waiting(waiting, alert->key, key);
    if (w && alert->now_us >= w->due_us) {
        drop_waiting(waiting, changes, w);
        return false;
    }
    if (w)
        return true;
    if (alert->now_us - since_us >= WARNING_US)
        return false;
    w = put_waiting(waiting, alert->key, key, document);
    if (!w)
        return false;
    w->due_us = since_us + WARNING_US;
    w->id = alert->id;
    save_waiting(changes, w);
    return true;
}

/* The stored alert is read as it was when it came, but for the time. */
static void open_waiting(struct alert_waiting *waiting, const struct alert_incidents *incidents,
                         struct waiting_alert *w)
{
    struct changes *changes = incidents->lifecycle->changes;
    struct record record = {
        .raw = w->document, .kind = RECORD_ALERT, .journal_us = changes->journal_us};
    struct event event = {0};
    struct alert alert;
    size_t at;
    event_reset(&event, &record);
    if (json_scan(w->document, NULL, &changes->scratch, &event, &at) == STATUS_OK &&
        alert_read(changes, &event, &alert)) {
        alert.id = w->id;
        alert_incident_fire(incidents, &alert);
    }
    event_fini(&event);
    drop_waiting(waiting, changes, w);
}

static const struct waiting_alert *waiting_of(const void *at)
{
    struct hash_link *const *link = at;
    return CONTAINER_OF(*link, struct waiting_alert, link);
}

static bool is_due(const struct hash_link *at, const void *now_us)
{
    return *(const int64_t *)now_us >= waiting_of(&at)->due_us;
}

static int by_due(const void *a, const void *b)
{
    const struct waiting_alert *x = waiting_of(a);
    const struct waiting_alert *y = waiting_of(b);
    if (x->due_us != y->due_us)
        return x->due_us < y->due_us ? -1 : 1;
    return text_compare(x->key, y->key);
}

void alert_waiting_tick(struct alert_waiting *waiting, const struct alert_incidents *incidents)
{
    size_t count = 0;
    struct hash_link **due = hash_table_pick(
        &waiting->alerts, is_due, &incidents->lifecycle->changes->journal_us, by_due, &count);
    for (size_t d = 0; d < count; d++)
        open_waiting(waiting, incidents, CONTAINER_OF(due[d], struct waiting_alert, link));
    free(due);
}

/* By its sender, or by its start: the group may have another name by now. */
static bool is_of(const struct waiting_alert *w, const struct alert *alert)
{
    size_t tail = alert->key.len + 1;
    if (w->key.len < tail || !text_ends(w->key, alert->key))
        return false;
    struct text incident_key = text_head(w->key, w->key.len - tail);
    bool has_same_start = alert->starts_us == w->due_us - WARNING_US;
    bool has_same_sender = text_equal(alert_scope(incident_key), alert_scope(alert->incident_key));
    size_t integration = text_find_byte(incident_key, '/');
    return text_equal(text_head(incident_key, integration), alert->integration) &&
           (has_same_start || has_same_sender);
}

void alert_waiting_forget(struct alert_waiting *waiting, struct changes *changes,
                          const struct alert *alert)
{
    struct hash_link *next = hash_table_first(&waiting->alerts, hash_table_hash(alert->key, 0));
    while (next) {
        struct waiting_alert *w = CONTAINER_OF(next, struct waiting_alert, link);
        next = hash_table_next(next);
        if (is_of(w, alert))
            drop_waiting(waiting, changes, w);
    }
}

static struct text key_of(struct text document, struct arena *arena)
{
    struct doc_tree alert;
    return doc_tree_parse(document, arena, &alert, NULL) == STATUS_OK ? doc_tree_text(&alert, "key")
                                                                      : TEXT_NONE;
}

static enum status load(void *context, struct text field, struct text value)
{
    struct alert_waiting *waiting = context;
    struct arena arena;
    struct doc_tree tree;
    enum status status = STATUS_OK;
    arena_init(&arena, 8 << 20);
    if (doc_tree_parse(value, &arena, &tree, NULL) == STATUS_OK) {
        struct text document = doc_tree_text(&tree, "alert");
        struct waiting_alert *w = put_waiting(waiting, key_of(document, &arena), field, document);
        status = w ? STATUS_OK : STATUS_NOMEM;
        if (w) {
            w->due_us = doc_tree_whole(&tree, "due", 0);
            (void)hash_from_hex(doc_tree_text(&tree, "id"), &w->id);
        }
    }
    arena_fini(&arena);
    return status;
}

enum status alert_waiting_load(struct alert_waiting *waiting, struct incident_store *store,
                               struct error *err)
{
    return incident_store_read_hash(store, TEXT("tocsin:waiting"), load, waiting, err);
}

void alert_waiting_clear(struct alert_waiting *waiting)
{
    size_t slot = 0;
    struct hash_link *next = hash_table_walk(&waiting->alerts, &slot, NULL);
    while (next) {
        struct waiting_alert *w = CONTAINER_OF(next, struct waiting_alert, link);
        next = hash_table_walk(&waiting->alerts, &slot, next);
        free(w);
    }
    hash_table_fini(&waiting->alerts);
}
