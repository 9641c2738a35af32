/* SPDX-License-Identifier: Apache-2.0 */
#include "incidents/monitor_heartbeat.h"
#include "base/json_write.h"
#include "base/timestamp.h"
#include <stdlib.h>

/* Longer silence is absence. */
#define HEARTBEAT_US (INT64_C(900) * 1000000)

/* ---- heartbeats
 * -----------------------------------------------------------------------------------------------------
 */

static struct heartbeat *put_heartbeat(struct incidents *i, struct text key)
{
    for (struct hash_link *at = hash_table_first(&i->heartbeats, hash_table_hash(key, 0)); at;
         at = hash_table_next(at)) {
        struct heartbeat *h = CONTAINER_OF(at, struct heartbeat, link);
        if (text_equal(h->key, key))
            return h;
    }
    struct heartbeat *h = calloc(1, sizeof *h + key.len + 1);
    if (!h)
        return NULL;
    memcpy(h->bytes, key.at, key.len);
    h->key = (struct text){h->bytes, key.len};
    if (hash_table_put(&i->heartbeats, &h->link, hash_table_hash(key, 0)) != STATUS_OK) {
        free(h);
        return NULL;
    }
    return h;
}

static void persist_heartbeat(struct incidents *i, const struct heartbeat *h)
{
    struct effect *e = incidents_effect(i);
    if (!e)
        return;
    buffer_clear(&i->text);
    json_write_open(&i->text, NULL, '{');
    json_write_int(&i->text, "last", h->last_us);
    json_write_bool(&i->text, "absent", h->is_absent);
    json_write_close(&i->text, '}');
    EFFECT(e, TEXT("HSET"), TEXT("tocsin:heartbeats"), h->key, buffer_text(&i->text));
}

bool monitor_heartbeat_load(struct incidents *i, struct text key, struct text value)
{
    struct arena arena;
    struct doc_tree t;
    struct heartbeat *h = put_heartbeat(i, key);
    if (!h)
        return false;
    arena_init(&arena, 1 << 16);
    if (doc_tree_parse(value, &arena, &t, NULL) == STATUS_OK) {
        h->last_us = doc_tree_whole(&t, "last", 0);
        h->is_absent = doc_tree_bool(&t, "absent");
    }
    arena_fini(&arena);
    return true;
}

/* Its absence is an alert of its own. */
static struct monitor_alert absence(struct incidents *i, const struct heartbeat *h)
{
    struct monitor_alert a = {.integration = TEXT("heartbeat"),
                              .key = h->key,
                              .group = h->key,
                              .title =
                                  TEXT("A heartbeat stopped: its monitoring system may be down"),
                              .name = TEXT("heartbeat absent"),
                              .severity = SEVERITY_CRITICAL,
                              .has_severity = true,
                              .is_firing = true,
                              .starts_us = h->last_us,
                              .ends_us = TIMESTAMP_NONE,
                              .expires_us = TIMESTAMP_NONE,
                              .now_us = i->journal_us,
                              .member_key = h->key};
    struct hasher hasher;
    hash_start(&hasher);
    hash_part_text(&hasher, h->key);
    hash_part_u64(&hasher, (uint64_t)h->last_us);
    a.id = hash_end(&hasher);
    a.incident_key = monitor_alert_join(i, a.integration, a.key);
    return a;
}

static void miss(struct incidents *i, struct heartbeat *h)
{
    struct monitor_alert a = absence(i, h);
    h->is_absent = true;
    persist_heartbeat(i, h);
    monitor_alert_fire(i, &a);
}

void monitor_heartbeat_beat(struct incidents *i, const struct monitor_alert *a)
{
    struct heartbeat *h = put_heartbeat(i, a->incident_key);
    if (!h) {
        COUNT(i, no_memory);
        return;
    }
    if (text_equal(a->status, TEXT("resolved"))) {
        if (!h->is_absent)
            miss(i, h);
        return;
    }
    if (h->is_absent) {
        struct monitor_alert gone = absence(i, h);
        monitor_alert_resolve(i, &gone);
    }
    h->is_absent = false;
    h->last_us = a->now_us;
    persist_heartbeat(i, h);
}

static const struct heartbeat *heartbeat_of(const void *at)
{
    struct hash_link *const *link = at;
    return CONTAINER_OF(*link, struct heartbeat, link);
}

static bool is_missed(const struct hash_link *at, const void *journal_us)
{
    const struct heartbeat *h = heartbeat_of(&at);
    return !h->is_absent && *(const int64_t *)journal_us - h->last_us > HEARTBEAT_US;
}

static int by_last(const void *a, const void *b)
{
    const struct heartbeat *x = heartbeat_of(a);
    const struct heartbeat *y = heartbeat_of(b);
    if (x->last_us != y->last_us)
        return x->last_us < y->last_us ? -1 : 1;
    return text_compare(x->key, y->key);
}

void monitor_heartbeat_tick(struct incidents *i)
{
    size_t count = 0;
    struct hash_link **missed =
        hash_table_pick(&i->heartbeats, is_missed, &i->journal_us, by_last, &count);
    for (size_t m = 0; m < count; m++)
        miss(i, CONTAINER_OF(missed[m], struct heartbeat, link));
    free(missed);
}

void monitor_heartbeat_clear(struct incidents *i)
{
    size_t slot = 0;
    for (struct hash_link *at = hash_table_walk(&i->heartbeats, &slot, NULL), *next; at;
         at = next) {
        next = hash_table_walk(&i->heartbeats, &slot, at);
        free(CONTAINER_OF(at, struct heartbeat, link));
    }
    hash_table_fini(&i->heartbeats);
}
