/* SPDX-License-Identifier: Apache-2.0 */
#include "incidents/monitor_waiting.h"
#include "base/json_scan.h"
#include "base/json_write.h"
#include "base/timestamp.h"
#include "incidents/incidents_key.h"
#include <stdlib.h>

/* A warning fires this long before it opens. */
#define WARNING_US (INT64_C(120) * 1000000)

static struct text waiting_key(struct incidents *i, const struct monitor_alert *a)
{
    return monitor_alert_join(i, a->incident_key, a->member_key);
}

static struct waiting *find_waiting(const struct incidents *i, struct text key)
{
    for (struct hash_link *at = hash_table_first(&i->waiting, hash_table_hash(key, 0)); at;
         at = hash_table_next(at)) {
        struct waiting *w = CONTAINER_OF(at, struct waiting, link);
        if (text_equal(w->key, key))
            return w;
    }
    return NULL;
}

static struct waiting *put_waiting(struct incidents *i, struct text key, struct text document)
{
    struct waiting *w = calloc(1, sizeof *w + key.len + document.len + 2);
    if (!w)
        return NULL;
    memcpy(w->bytes, key.at, key.len);
    if (document.len)
        memcpy(w->bytes + key.len, document.at, document.len);
    w->key = (struct text){w->bytes, key.len};
    w->document = (struct text){w->bytes + key.len, document.len};
    if (hash_table_put(&i->waiting, &w->link, hash_table_hash(key, 0)) != STATUS_OK) {
        free(w);
        return NULL;
    }
    return w;
}

static void drop_waiting(struct incidents *i, struct waiting *w)
{
    struct effect *e = incidents_effect(i);
    if (e)
        EFFECT(e, TEXT("HDEL"), TEXT("tocsin:waiting"), w->key);
    hash_table_remove(&i->waiting, &w->link);
    free(w);
}

static void persist_waiting(struct incidents *i, const struct waiting *w)
{
    char hex[33];
    struct effect *e = incidents_effect(i);
    if (!e)
        return;
    hash_to_hex(w->id, hex);
    buffer_clear(&i->text);
    json_write_open(&i->text, NULL, '{');
    json_write_int(&i->text, "due", w->due_us);
    json_write_string(&i->text, "id", (struct text){hex, 32});
    json_write_string(&i->text, "alert", w->document);
    json_write_close(&i->text, '}');
    EFFECT(e, TEXT("HSET"), TEXT("tocsin:waiting"), w->key, buffer_text(&i->text));
}

bool monitor_waiting_load(struct incidents *i, struct text key, struct text value)
{
    struct arena arena;
    struct doc_tree t;
    bool is_ok = true;
    arena_init(&arena, 8 << 20);
    if (doc_tree_parse(value, &arena, &t, NULL) == STATUS_OK) {
        struct waiting *w = put_waiting(i, key, doc_tree_text(&t, "alert"));
        is_ok = w != NULL;
        if (w) {
            w->due_us = doc_tree_whole(&t, "due", 0);
            (void)hash_from_hex(doc_tree_text(&t, "id"), &w->id);
        }
    }
    arena_fini(&arena);
    return is_ok;
}

/* True while the alert must still wait; noted for later. */
bool monitor_waiting_must(struct incidents *i, const struct monitor_alert *a, struct text document)
{
    const struct incident *n = incidents_key_find_alert(i, a->incident_key);
    if (!a->has_severity || a->severity != SEVERITY_MEDIUM || (n && !incident_is_settled(n)))
        return false;
    int64_t since_us =
        a->starts_us == TIMESTAMP_NONE || a->starts_us > a->now_us ? a->now_us : a->starts_us;
    struct text key = waiting_key(i, a);
    struct waiting *w = find_waiting(i, key);
    if (w && a->now_us >= w->due_us) {
        drop_waiting(i, w);
        return false;
    }
    if (w)
        return true;
    if (a->now_us - since_us >= WARNING_US)
        return false;
    w = put_waiting(i, key, document);
    if (!w)
        return false;
    w->due_us = since_us + WARNING_US;
    w->id = a->id;
    persist_waiting(i, w);
    return true;
}

/* The stored alert is read as it was when it came, but for the time. */
static void open_waiting(struct incidents *i, struct waiting *w)
{
    struct record record = {.raw = w->document, .kind = RECORD_ALERT, .journal_us = i->journal_us};
    struct event event = {0};
    struct monitor_alert a;
    size_t at;
    event_reset(&event, &record);
    if (json_scan(w->document, NULL, &i->scratch, &event, &at) == STATUS_OK &&
        monitor_alert_read(i, &event, &a)) {
        a.id = w->id;
        monitor_alert_fire(i, &a);
    }
    event_fini(&event);
    drop_waiting(i, w);
}

static const struct waiting *waiting_of(const void *at)
{
    struct hash_link *const *link = at;
    return CONTAINER_OF(*link, struct waiting, link);
}

static bool is_due(const struct hash_link *at, const void *journal_us)
{
    return *(const int64_t *)journal_us >= waiting_of(&at)->due_us;
}

static int by_due(const void *a, const void *b)
{
    const struct waiting *x = waiting_of(a);
    const struct waiting *y = waiting_of(b);
    if (x->due_us != y->due_us)
        return x->due_us < y->due_us ? -1 : 1;
    return text_compare(x->key, y->key);
}

void monitor_waiting_tick(struct incidents *i)
{
    size_t count = 0;
    struct hash_link **due = hash_table_pick(&i->waiting, is_due, &i->journal_us, by_due, &count);
    for (size_t d = 0; d < count; d++)
        open_waiting(i, CONTAINER_OF(due[d], struct waiting, link));
    free(due);
}

void monitor_waiting_forget(struct incidents *i, const struct monitor_alert *a)
{
    struct waiting *w = find_waiting(i, waiting_key(i, a));
    if (w)
        drop_waiting(i, w);
}

void monitor_waiting_clear(struct incidents *i)
{
    size_t slot = 0;
    for (struct hash_link *at = hash_table_walk(&i->waiting, &slot, NULL), *next; at; at = next) {
        next = hash_table_walk(&i->waiting, &slot, at);
        free(CONTAINER_OF(at, struct waiting, link));
    }
    hash_table_fini(&i->waiting);
}
