/* SPDX-License-Identifier: Apache-2.0 */
#include "incidents/alert/heartbeats.h"
#include "base/json_write.h"
#include "base/timestamp.h"
#include "incidents/model/doc_tree.h"
#include <stdlib.h>

/* Longer silence is absence. */
#define HEARTBEAT_US (INT64_C(900) * 1000000)

struct heartbeat {
    struct hash_link link;
    struct text key;
    int64_t last_us;
    bool is_absent;
    char bytes[];
};

static struct heartbeat *put_heartbeat(struct heartbeats *heartbeats, struct text key)
{
    for (struct hash_link *at = hash_table_first(&heartbeats->alerts, hash_table_hash(key, 0)); at;
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
    if (hash_table_put(&heartbeats->alerts, &h->link, hash_table_hash(key, 0)) != STATUS_OK) {
        free(h);
        return NULL;
    }
    return h;
}

static void save_heartbeat(struct changes *changes, const struct heartbeat *h)
{
    struct effect *effect = changes_effect(changes);
    if (!effect)
        return;
    buffer_clear(&changes->text);
    json_write_open(&changes->text, NULL, '{');
    json_write_int(&changes->text, "last", h->last_us);
    json_write_bool(&changes->text, "absent", h->is_absent);
    json_write_close(&changes->text, '}');
    EFFECT(effect, TEXT("HSET"), TEXT("tocsin:heartbeats"), h->key, buffer_text(&changes->text));
}

/* Its absence is an alert of its own. */
static struct alert absence(struct changes *changes, const struct heartbeat *h)
{
    struct alert alert = {.integration = TEXT("heartbeat"),
                          .key = h->key,
                          .group = h->key,
                          .title = TEXT("A heartbeat stopped: its monitoring system may be down"),
                          .name = TEXT("heartbeat absent"),
                          .severity = SEVERITY_CRITICAL,
                          .has_severity = true,
                          .is_firing = true,
                          .starts_us = h->last_us,
                          .ends_us = TIMESTAMP_NONE,
                          .expires_us = TIMESTAMP_NONE,
                          .now_us = changes->journal_us};
    struct hasher hasher;
    hash_start(&hasher);
    hash_part_text(&hasher, h->key);
    hash_part_u64(&hasher, (uint64_t)h->last_us);
    alert.id = hash_end(&hasher);
    alert.incident_key = CHANGES_JOIN(changes, alert.integration, TEXT("/"), alert.key);
    return alert;
}

static void miss(const struct alert_incidents *incidents, struct heartbeat *h)
{
    struct changes *changes = incidents->lifecycle->changes;
    struct alert alert = absence(changes, h);
    h->is_absent = true;
    save_heartbeat(changes, h);
    alert_incident_fire(incidents, &alert);
}

void heartbeats_beat(struct heartbeats *heartbeats, const struct alert_incidents *incidents,
                     const struct alert *alert)
{
    struct changes *changes = incidents->lifecycle->changes;
    struct heartbeat *h = put_heartbeat(heartbeats, alert->incident_key);
    if (!h) {
        COUNT(changes->counters, no_memory);
        return;
    }
    if (text_equal(alert->status, TEXT("resolved"))) {
        if (!h->is_absent)
            miss(incidents, h);
        return;
    }
    if (h->is_absent) {
        struct alert gone = absence(changes, h);
        alert_incident_resolve(incidents, &gone);
    }
    h->is_absent = false;
    h->last_us = alert->now_us;
    save_heartbeat(changes, h);
}

static const struct heartbeat *heartbeat_of(const void *at)
{
    struct hash_link *const *link = at;
    return CONTAINER_OF(*link, struct heartbeat, link);
}

static bool is_missed(const struct hash_link *at, const void *now_us)
{
    const struct heartbeat *h = heartbeat_of(&at);
    return !h->is_absent && *(const int64_t *)now_us - h->last_us > HEARTBEAT_US;
}

static int by_last(const void *a, const void *b)
{
    const struct heartbeat *x = heartbeat_of(a);
    const struct heartbeat *y = heartbeat_of(b);
    if (x->last_us != y->last_us)
        return x->last_us < y->last_us ? -1 : 1;
    return text_compare(x->key, y->key);
}

void heartbeats_tick(struct heartbeats *heartbeats, const struct alert_incidents *incidents)
{
    size_t count = 0;
    struct hash_link **missed =
        hash_table_pick(&heartbeats->alerts, is_missed, &incidents->lifecycle->changes->journal_us,
                        by_last, &count);
    for (size_t m = 0; m < count; m++)
        miss(incidents, CONTAINER_OF(missed[m], struct heartbeat, link));
    free(missed);
}

static enum status load(void *context, struct text field, struct text value)
{
    struct arena arena;
    struct doc_tree tree;
    struct heartbeat *h = put_heartbeat(context, field);
    if (!h)
        return STATUS_NOMEM;
    arena_init(&arena, 1 << 16);
    if (doc_tree_parse(value, &arena, &tree, NULL) == STATUS_OK) {
        h->last_us = doc_tree_whole(&tree, "last", 0);
        h->is_absent = doc_tree_bool(&tree, "absent");
    }
    arena_fini(&arena);
    return STATUS_OK;
}

enum status heartbeats_load(struct heartbeats *heartbeats, struct incident_store *store,
                            struct error *err)
{
    return incident_store_read_hash(store, TEXT("tocsin:heartbeats"), load, heartbeats, err);
}

void heartbeats_clear(struct heartbeats *heartbeats)
{
    size_t slot = 0;
    struct hash_link *next = hash_table_walk(&heartbeats->alerts, &slot, NULL);
    while (next) {
        struct heartbeat *h = CONTAINER_OF(next, struct heartbeat, link);
        next = hash_table_walk(&heartbeats->alerts, &slot, next);
        free(h);
    }
    hash_table_fini(&heartbeats->alerts);
}
