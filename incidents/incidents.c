/* SPDX-License-Identifier: Apache-2.0 */
#include "incidents/incidents.h"
#include "base/log.h"
#include "base/timestamp.h"
#include "incidents/incident_command.h"
#include "incidents/incident_detect.h"
#include "incidents/incidents_key.h"
#include "incidents/incidents_state.h"
#include "incidents/monitor_alert.h"
#include "incidents/outbox.h"
#include "incidents/persist.h"
#include "incidents/restraint.h"
#include "incidents/rule_verdict.h"
#include "incidents/state.h"
#include <stdlib.h>

enum {
    SCRATCH_BYTES = 16 << 20,
    TEXT_BYTES = 4 << 20,
    PENDING_BYTES = 256 << 20, /* effects held while Redis is away, whatever their number */
    COALESCED = 256,           /* detections in one effect at most */
    COALESCED_BYTES = 256 * 1024,
    QUEUE_SHORT = 32,  /* effects on the way that are no queue yet */
    COMMAND_MS = 1000, /* a command waits this long to be durable */
    POLL_MS = 50,
    SWEEP = 2000, /* candidates looked at per tick */
};

/* ---- the effect being filled -------------------------------------------------------------------
 */

struct effect *incidents_effect(struct incidents *i)
{
    if (!i->effect)
        i->effect = effect_new(i->store->is_memory);
    if (!i->effect)
        COUNT(i, no_memory);
    return i->effect;
}

void incidents_touch_candidate(struct incidents *i, struct candidate *c)
{
    if (c->is_dirty)
        return;
    c->is_dirty = true;
    c->next_dirty = i->dirty_candidates;
    i->dirty_candidates = c;
}

void incidents_touch_incident(struct incidents *i, struct incident *n)
{
    if (n->is_dirty)
        return;
    n->is_dirty = true;
    n->next_dirty = i->dirty_incidents;
    i->dirty_incidents = n;
}

static bool is_dirty(const struct incidents *i)
{
    return i->dirty_candidates || i->dirty_incidents || i->dirty_noise || i->is_meta_dirty ||
           (i->effect && !effect_is_empty(i->effect));
}

static void tell_sizes(struct incidents *i)
{
    atomic_store_explicit(&i->candidate_count, i->candidates.count, memory_order_relaxed);
    atomic_store_explicit(&i->incident_count, i->incidents.count, memory_order_relaxed);
    atomic_store_explicit(&i->entry_count, i->entries.count, memory_order_relaxed);
    atomic_store_explicit(&i->pending_count, i->store->pending, memory_order_relaxed);
    atomic_store_explicit(&i->is_memory_full, i->store->is_full, memory_order_relaxed);
}

void incidents_flush(struct incidents *i)
{
    i->is_urgent = false;
    if (!is_dirty(i))
        return;
    arena_reset(&i->scratch);
    persist_dirty(i);
    struct effect *e = MOVE(i->effect);
    if (!e)
        return;
    if (e->ids.has_failed || e->words.has_failed) {
        /* Half an effect must not go out: Redis' state stands, and what follows it is decided
         * again, as after a crash of our own. */
        COUNT(i, no_memory);
        i->store->has_lost = true;
        effect_free(e);
        return;
    }
    e->number = i->store->submitted + 1;
    i->store->calls->submit(i->store, e);
    COUNT(i, effects);
    tell_sizes(i);
}

/* ---- life ---- */

static void clear(struct incidents *i)
{
    size_t slot = 0;
    for (struct hash_link *at = hash_table_walk(&i->candidates, &slot, NULL), *next; at;
         at = next) {
        next = hash_table_walk(&i->candidates, &slot, at);
        candidate_free(CONTAINER_OF(at, struct candidate, link));
    }
    slot = 0;
    for (struct hash_link *at = hash_table_walk(&i->incidents, &slot, NULL), *next; at; at = next) {
        next = hash_table_walk(&i->incidents, &slot, at);
        incident_free(CONTAINER_OF(at, struct incident, link));
    }
    hash_table_fini(&i->candidates);
    hash_table_fini(&i->incidents);
    hash_table_fini(&i->keys);
    monitor_alert_clear(i);
    rule_verdict_clear(i);
    incidents_state_clear(i);
    restraint_clear(i);
    outbox_clear(i);
    for (int g = 0; g < 2; g++) {
        free(i->applied[g].slots);
        i->applied[g] = (struct applied){0};
    }
    effect_free(MOVE(i->effect));
    i->dirty_candidates = NULL;
    i->dirty_incidents = NULL;
    i->is_meta_dirty = i->is_urgent = i->is_storm = false;
    i->opening_count = i->digest_count = 0;
    i->digest_us = i->journal_us = TIMESTAMP_NONE;
    i->sweep_slot = 0;
    buffer_clear(&i->digest);
}

void incidents_close(struct incidents *i)
{
    if (!i)
        return;
    clear(i);
    if (i->store)
        i->store->calls->close(i->store);
    inventory_free(i->inventory);
    string_pool_fini(&i->words);
    arena_fini(&i->scratch);
    buffer_fini(&i->text);
    buffer_fini(&i->digest);
    free(i);
}

static enum status open_store(struct incidents *i, struct error *err)
{
    struct buffer warning;
    if (!i->options.socket && !i->options.url)
        return incident_store_memory_open(&i->store, err);
    buffer_init(&warning, 4096);
    enum status s =
        incident_store_redis_open(i->options.socket, i->options.url, &i->store, &warning, err);
    if (warning.len)
        log_line(LOG_WARNING, "%.*s", TEXT_ARG(buffer_text(&warning)));
    buffer_fini(&warning);
    return s;
}

enum status incidents_open(const struct incidents_options *options, struct incidents **out,
                           struct error *err)
{
    AUTO(incidents) i = calloc(1, sizeof *i);
    if (!i)
        return error_set(err, STATUS_NOMEM, 0, "no memory for the record");
    i->options = *options;
    i->threshold = options->threshold > 0 ? options->threshold : 65;
    i->half_life_us = options->half_life_us > 0 ? options->half_life_us : DAY_US;
    i->max_pending = options->max_pending ? options->max_pending : 100000;
    i->journal_us = i->digest_us = TIMESTAMP_NONE;
    i->last_entry = &i->first_entry;
    string_pool_init(&i->words);
    arena_init(&i->scratch, SCRATCH_BYTES);
    buffer_init(&i->text, TEXT_BYTES);
    buffer_init(&i->digest, 1 << 20);
    enum status s = inventory_new(options->entities, &i->inventory, err);
    if (s == STATUS_OK)
        s = open_store(i, err);
    if (s == STATUS_OK)
        s = persist_load(i, err);
    if (s != STATUS_OK)
        return s;
    tell_sizes(i);
    *out = MOVE(i);
    return STATUS_OK;
}

/* ---- in
 * -----------------------------------------------------------------------------------------------
 */

static bool is_stuck(const struct incidents *i)
{
    const struct incident_store *s = i->store;
    return s->pending >= i->max_pending || s->pending_bytes >= PENDING_BYTES || s->is_fenced ||
           s->has_lost;
}

/* At Redis' memory limit nothing comes in that would make it grow; closing, acknowledging and
 * forgetting go on. */
static bool is_full(const struct incidents *i)
{
    return is_stuck(i) || i->store->is_full;
}

static bool is_applied(const struct incidents *i, struct hash128 id)
{
    return incidents_key_is_applied(&i->applied[0], id) ||
           incidents_key_is_applied(&i->applied[1], id);
}

/* The elder generation is forgotten when the younger one is full: by then no restart comes back
 * that far. An effect's ids all go into one generation. */
static void turn_generation(struct incidents *i)
{
    incidents_flush(i);
    i->generation ^= 1;
    struct applied *a = &i->applied[i->generation];
    free(a->slots);
    *a = (struct applied){0};
    i->is_meta_dirty = true;
    struct effect *e = incidents_effect(i);
    if (e)
        EFFECT(e, TEXT("DEL"), i->generation ? TEXT("tocsin:applied:1") : TEXT("tocsin:applied:0"));
}

static void remember(struct incidents *i, struct hash128 id)
{
    if (i->applied[i->generation].count >= APPLIED_MAX)
        turn_generation(i);
    if (!incidents_key_remember(&i->applied[i->generation], id))
        COUNT(i, no_memory);
    struct effect *e = incidents_effect(i);
    if (!e)
        return;
    e->generation = i->generation;
    effect_id(e, id);
}

/* What is new goes at once. Where Redis is behind it would only stand in a longer queue: then what
 * comes meanwhile goes with it, in one step. */
static bool is_due(const struct incidents *i)
{
    const struct effect *e = i->effect;
    if (e && (e->id_count >= COALESCED || e->words.len >= COALESCED_BYTES))
        return true;
    return i->is_urgent && i->store->pending < QUEUE_SHORT;
}

enum status incidents_detect(struct incidents *i, const struct detection *d)
{
    if (is_applied(i, d->id)) {
        COUNT(i, redelivered);
        return STATUS_OK;
    }
    if (is_full(i))
        return STATUS_FULL;
    arena_reset(&i->scratch);
    COUNT(i, detections);
    if (d->journal_us > i->journal_us)
        i->journal_us = d->journal_us;
    remember(i, d->id);
    incident_detect_apply(i, d);
    if (is_due(i))
        incidents_flush(i);
    return STATUS_OK;
}

enum status incidents_alert(struct incidents *i, const struct event *alert)
{
    struct hash128 id = record_identity(alert->record);
    if (is_applied(i, id)) {
        COUNT(i, redelivered);
        return STATUS_OK;
    }
    if (is_full(i))
        return STATUS_FULL;
    arena_reset(&i->scratch);
    COUNT(i, alerts);
    if (alert->record->journal_us > i->journal_us)
        i->journal_us = alert->record->journal_us;
    remember(i, id);
    monitor_alert_apply(i, alert);
    if (is_due(i))
        incidents_flush(i);
    return STATUS_OK;
}

/* ---- time ---- */

static bool is_forgettable(const struct incidents *i, const struct candidate *c)
{
    if (c->incident || c->is_dirty)
        return false;
    if (c->last_incident[0] && i->journal_us - c->last_closed_us < 30 * DAY_US)
        return false;
    return !c->member_count || candidate_read(c, i->journal_us, i->half_life_us).score < 1;
}

/* Faded candidates go, some at a time. A detection that comes for one of them finds the same either
 * way: it would have started afresh. */
static void sweep(struct incidents *i)
{
    uint32_t looked = 0;
    if (i->sweep_slot >= i->candidates.size)
        i->sweep_slot = 0;
    struct hash_link *next = hash_table_walk(&i->candidates, &i->sweep_slot, NULL);
    while (next && looked++ < SWEEP) {
        struct candidate *c = CONTAINER_OF(next, struct candidate, link);
        next = hash_table_walk(&i->candidates, &i->sweep_slot, next);
        if (!is_forgettable(i, c))
            continue;
        persist_forget(i, c);
        hash_table_remove(&i->candidates, &c->link);
        candidate_free(c);
    }
}

static void drop_closed(struct incidents *i)
{
    size_t slot = 0;
    struct hash_link *next = hash_table_walk(&i->incidents, &slot, NULL);
    while (next) {
        struct incident *n = CONTAINER_OF(next, struct incident, link);
        next = hash_table_walk(&i->incidents, &slot, next);
        if (!i->store->is_memory && n->state == STATE_CLOSED && !n->is_dirty &&
            i->journal_us - n->times[TIME_CLOSED] > 8 * DAY_US)
            incidents_key_drop(i, n);
    }
}

enum status incidents_tick(struct incidents *i, int64_t journal_us)
{
    if (is_stuck(i))
        return STATUS_FULL;
    if (journal_us <= i->journal_us)
        return STATUS_OK;
    bool is_new_hour =
        i->journal_us == TIMESTAMP_NONE || journal_us / HOUR_US != i->journal_us / HOUR_US;
    i->journal_us = journal_us;
    arena_reset(&i->scratch);
    sweep(i);
    if (is_new_hour) {
        restraint_tick(i);
        drop_closed(i);
    }
    monitor_alert_tick(i);
    outbox_tick(i);
    if (is_due(i))
        incidents_flush(i);
    return STATUS_OK;
}

/* ---- out
 * -----------------------------------------------------------------------------------------------
 */

/* Redis lost what it had acknowledged: forget, and read again what it has. */
static void reload(struct incidents *i)
{
    struct error err = {0};
    clear(i);
    i->store->has_lost = false;
    int64_t epoch = 0;
    struct reply reply = {0};
    const struct text words[] = {TEXT("GET"), TEXT("tocsin:epoch")};
    enum status s = i->store->calls->ask(i->store, words, 2, &i->scratch, &reply);
    if (s == STATUS_OK && reply.kind == REPLY_TEXT && !text_to_int64(reply.text, &epoch))
        s = STATUS_INVALID;
    i->store->submitted = i->store->acknowledged = epoch > 0 ? (uint64_t)epoch : 0;
    if (s == STATUS_OK)
        s = persist_load(i, &err);
    if (s != STATUS_OK) {
        i->store->has_lost = true; /* again at the next poll */
        return;
    }
    COUNT(i, rollbacks);
    i->has_rolled_back = i->is_behind = true;
    log_line(LOG_ERROR, "Redis lost acknowledged effects: the record was read again, what the "
                        "journal holds is decided again");
}

static void tell_connection(const struct incident_store *s, bool was_connected)
{
    if (was_connected && !s->is_connected)
        log_line(LOG_WARNING, "the connection to Redis broke, effects wait pending=%u%s%s",
                 s->pending, s->detail[0] ? " reason=" : "", s->detail);
    if (!was_connected && s->is_connected)
        log_line(LOG_INFO, "connected to Redis again pending=%u", s->pending);
}

static bool is_quiet(const struct incidents *i)
{
    const struct incident_store *s = i->store;
    return s->acknowledged == s->submitted && s->heard == s->told && !is_dirty(i);
}

static void poll_once(struct incidents *i, uint64_t timeout_ms)
{
    struct incident_store *s = i->store;
    bool was_connected = s->is_connected;
    if (!is_stuck(i) && s->pending < QUEUE_SHORT)
        incidents_flush(i);
    if (s->is_connected)
        incidents_state_sweep(i);
    s->calls->poll(s, timeout_ms);
    tell_connection(s, was_connected);
    s->detail[0] = 0;
    arena_reset(&i->scratch);
    if (s->has_lost && s->is_connected)
        reload(i);
}

enum status incidents_poll(struct incidents *i, uint64_t timeout_ms)
{
    uint64_t now_ms = timestamp_monotonic_ms();
    uint64_t end_ms = now_ms + timeout_ms;
    do {
        poll_once(i, end_ms - now_ms);
        now_ms = timestamp_monotonic_ms();
    } while (now_ms < end_ms && !is_quiet(i) && !i->store->is_fenced);
    tell_sizes(i);
    if (i->store->is_fenced)
        return STATUS_CLOSED;
    return is_quiet(i) ? STATUS_OK : STATUS_AGAIN;
}

bool incidents_has_rolled_back(struct incidents *i)
{
    bool has = i->has_rolled_back;
    i->has_rolled_back = false;
    return has;
}

/* A person is told that it is done when it is: durable, not only decided. */
int incidents_command(struct incidents *i, struct text command, int64_t now_us,
                      struct buffer *reply)
{
    arena_reset(&i->scratch);
    int http = incident_command_run(i, command, now_us, reply);
    incidents_flush(i);
    uint64_t number = i->store->submitted;
    uint64_t end_ms = timestamp_monotonic_ms() + COMMAND_MS;
    while (i->store->acknowledged < number && !i->store->is_fenced && !i->store->has_lost &&
           timestamp_monotonic_ms() < end_ms)
        poll_once(i, POLL_MS);
    if (http >= 300 || i->store->acknowledged >= number)
        return http;
    return 202; /* accepted, and done when Redis is back */
}
