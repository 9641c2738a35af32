/* SPDX-License-Identifier: Apache-2.0 */
#include "incidents/incidents.h"
#include "base/log.h"
#include "base/timestamp.h"
#include "incidents/decide/incident_command.h"
#include "incidents/incidents_parts.h"
#include "incidents/outbox/digest.h"
#include "incidents/state/tables_sweep.h"
#include <stdlib.h>

enum {
    PENDING_BYTES = 256 << 20, /* effects held while Redis is away, whatever their number */
    COALESCED = 256,           /* detections in one effect at most */
    COALESCED_BYTES = 256 * 1024,
    QUEUE_SHORT = 32,  /* effects on the way that are no queue yet */
    COMMAND_MS = 1000, /* a command waits this long to be durable */
    POLL_MS = 50,
    PATIENCE_MS = 10000, /* a Redis that is away for less is not worth a refusal */
    BLIND_MS = 5000,     /* the decider looks far more often than this */
    HTTP_AWAY = 503,
};

/* ---- life ---- */

void incidents_close(struct incidents *incidents)
{
    if (!incidents)
        return;
    if (incidents->store) {
        incidents_parts_fini(incidents);
        incidents->store->calls->close(incidents->store);
    }
    (void)pthread_mutex_destroy(&incidents->head_lock);
    free(incidents);
}

static enum status open_store(const struct incidents_options *options, struct incident_store **out,
                              struct error *err)
{
    struct buffer warning;
    if (!options->socket && !options->url)
        return incident_store_memory_open(out, err);
    buffer_init(&warning, 4096);
    enum status status =
        incident_store_redis_open(options->socket, options->url, out, &warning, err);
    if (warning.len)
        log_line(LOG_WARNING, "%.*s", TEXT_ARG(buffer_text(&warning)));
    buffer_fini(&warning);
    return status;
}

enum status incidents_open(const struct incidents_options *options, struct incidents **out,
                           struct error *err)
{
    AUTO(inventory) inventory = NULL;
    AUTO(incidents) incidents = calloc(1, sizeof *incidents);
    if (!incidents)
        return error_set(err, STATUS_NOMEM, 0, "no memory for the incidents");
    (void)pthread_mutex_init(&incidents->head_lock, NULL); /* Linux: never fails */
    enum status status = inventory_new(options->entities, &inventory, err);
    if (!status)
        status = open_store(options, &incidents->store, err);
    if (status)
        return status;
    incidents_parts_init(incidents, options, MOVE(inventory));
    status = incidents_parts_load(incidents, err);
    if (status)
        return status;
    incidents_parts_tell_sizes(incidents);
    *out = MOVE(incidents);
    return STATUS_OK;
}

/* ---- in ---- */

static bool is_stuck(const struct incidents *incidents)
{
    const struct incident_store *store = incidents->store;
    return store->pending >= incidents->max_pending || store->pending_bytes >= PENDING_BYTES ||
           store->is_fenced || store->has_lost;
}

/* At Redis' memory limit nothing comes in that would make it grow; closing, acknowledging and
 * forgetting go on. */
static bool is_full(const struct incidents *incidents)
{
    return is_stuck(incidents) || incidents->store->is_full;
}

static void remember(struct incidents *incidents, struct hash128 id)
{
    if (applied_is_full(&incidents->applied)) {
        incidents_parts_flush(incidents);
        applied_turn(&incidents->applied, &incidents->changes);
    }
    applied_add(&incidents->applied, &incidents->changes, id);
}

/* What is new goes at once. Where Redis is behind it would only stand in a longer queue: then what
 * comes meanwhile goes with it, in one step. */
static bool is_due(const struct incidents *incidents)
{
    const struct effect *e = incidents->changes.effect;
    if (e && (e->id_count >= COALESCED || e->words.len >= COALESCED_BYTES))
        return true;
    return incidents->changes.is_urgent && incidents->store->pending < QUEUE_SHORT;
}

enum status incidents_detect(struct incidents *incidents, const struct detection *detection)
{
    if (applied_has(&incidents->applied, detection->id)) {
        COUNT(&incidents->counters, redelivered);
        return STATUS_OK;
    }
    if (is_full(incidents))
        return STATUS_FULL;
    arena_reset(&incidents->changes.scratch);
    COUNT(&incidents->counters, detections);
    if (detection->journal_us > incidents->changes.journal_us)
        incidents->changes.journal_us = detection->journal_us;
    remember(incidents, detection->id);
    detect_apply(&incidents->detector, detection);
    if (is_due(incidents))
        incidents_parts_flush(incidents);
    return STATUS_OK;
}

enum status incidents_alert(struct incidents *incidents, const struct event *alert)
{
    struct hash128 id = record_identity(alert->record);
    if (applied_has(&incidents->applied, id)) {
        COUNT(&incidents->counters, redelivered);
        return STATUS_OK;
    }
    if (is_full(incidents))
        return STATUS_FULL;
    arena_reset(&incidents->changes.scratch);
    COUNT(&incidents->counters, alerts);
    if (alert->record->journal_us > incidents->changes.journal_us)
        incidents->changes.journal_us = alert->record->journal_us;
    remember(incidents, id);
    alerts_apply(&incidents->alerts, alert);
    if (is_due(incidents))
        incidents_parts_flush(incidents);
    return STATUS_OK;
}

/* ---- time ---- */

enum status incidents_tick(struct incidents *incidents, int64_t journal_us)
{
    if (is_stuck(incidents))
        return STATUS_FULL;
    if (journal_us <= incidents->changes.journal_us)
        return STATUS_OK;
    bool is_new_hour = incidents->changes.journal_us == TIMESTAMP_NONE ||
                       journal_us / HOUR_US != incidents->changes.journal_us / HOUR_US;
    incidents->changes.journal_us = journal_us;
    arena_reset(&incidents->changes.scratch);
    tables_sweep_candidates(&incidents->tables, &incidents->changes);
    if (is_new_hour) {
        restraints_tick(&incidents->restraints, &incidents->changes,
                        incidents->tables.half_life_us);
        tables_sweep_incidents(&incidents->tables, journal_us);
    }
    alerts_tick(&incidents->alerts, journal_us);
    digest_tick(&incidents->outbox, &incidents->changes, &incidents->tables);
    if (is_due(incidents))
        incidents_parts_flush(incidents);
    return STATUS_OK;
}

/* ---- out ---- */

/* Redis lost what it had acknowledged: forget, and read again what it has. */
static void reload(struct incidents *incidents)
{
    struct error err = {0};
    incidents_parts_clear(incidents);
    incidents->store->has_lost = false;
    int64_t epoch = 0;
    struct reply reply = {0};
    const struct text words[] = {TEXT("GET"), TEXT("tocsin:epoch")};
    enum status s = incidents->store->calls->ask(incidents->store, words, 2,
                                                 &incidents->changes.scratch, &reply);
    if (s == STATUS_OK && reply.kind == REPLY_TEXT && !text_to_int64(reply.text, &epoch))
        s = STATUS_INVALID;
    incidents->store->submitted = incidents->store->acknowledged = epoch > 0 ? (uint64_t)epoch : 0;
    if (s == STATUS_OK)
        s = incidents_parts_load(incidents, &err);
    if (s != STATUS_OK) {
        incidents->store->has_lost = true; /* again at the next poll */
        return;
    }
    COUNT(&incidents->counters, rollbacks);
    incidents->has_rolled_back = incidents->is_behind = true;
    log_line(LOG_ERROR, "Redis lost acknowledged effects: the record was read again, what the "
                        "journal holds is decided again");
}

/* ---- is it well? ---- */

static enum incidents_health look(const struct incidents *incidents)
{
    const struct incident_store *store = incidents->store;
    if (store->is_fenced)
        return INCIDENTS_FENCED;
    if (store->pending >= incidents->max_pending || store->pending_bytes >= PENDING_BYTES)
        return INCIDENTS_STUCK;
    if (store->is_refusing)
        return INCIDENTS_REFUSING;
    if (!store->is_connected || store->has_lost)
        return INCIDENTS_AWAY;
    if (store->is_silent)
        return INCIDENTS_SILENT;
    return store->is_full ? INCIDENTS_FULL : INCIDENTS_WELL;
}

/* Said when it changes, not each time that it is met. */
static void tell_health(struct incidents *incidents)
{
    struct incident_store *store = incidents->store;
    enum incidents_health before = (enum incidents_health)atomic_load(&incidents->health);
    enum incidents_health now = look(incidents);
    uint64_t now_ms = timestamp_monotonic_ms();
    atomic_store(&incidents->looked_ms, now_ms);
    if (now == before)
        return;
    atomic_store(&incidents->health_ms, now_ms);
    atomic_store(&incidents->health, (int)now);
    if (now == INCIDENTS_WELL)
        log_line(LOG_INFO, "the record takes effects again pending=%u", store->pending);
    else
        log_line(LOG_WARNING, "%s pending=%u%s%s", incidents_health_words(now), store->pending,
                 store->detail[0] ? " reason=" : "", store->detail);
}

const char *incidents_health_words(enum incidents_health health)
{
    static const char *const words[] = {
        [INCIDENTS_WELL] = "the record is well",
        [INCIDENTS_AWAY] = "there is no connection to Redis: what is decided waits",
        [INCIDENTS_SILENT] = "Redis does not answer: what is decided waits",
        [INCIDENTS_REFUSING] = "Redis refuses to write, its log says why: what is decided waits",
        [INCIDENTS_FULL] = "Redis is at its memory limit (maxmemory): nothing is opened until it "
                           "has room; closing goes on",
        [INCIDENTS_STUCK] = "too much waits for Redis: nothing is decided until it answers",
        [INCIDENTS_FENCED] = "another tocsin took over this Redis: this one stops",
    };
    return words[health];
}

enum incidents_health incidents_health(const struct incidents *incidents, uint64_t *out_for_ms)
{
    enum incidents_health health = (enum incidents_health)atomic_load(&incidents->health);
    uint64_t since_ms = atomic_load(&incidents->health_ms);
    uint64_t looked_ms = atomic_load(&incidents->looked_ms);
    uint64_t now_ms = timestamp_monotonic_ms();
    /* who waits for an answer cannot say that there is none */
    if (health == INCIDENTS_WELL && looked_ms && now_ms > looked_ms + BLIND_MS &&
        !incidents->store->is_memory) {
        health = INCIDENTS_SILENT;
        since_ms = looked_ms;
    }
    if (out_for_ms)
        *out_for_ms = now_ms > since_ms ? now_ms - since_ms : 0;
    return health;
}

void incidents_head(const struct incidents *incidents, struct incidents_head *out)
{
    /* the lock is what changes here */
    pthread_mutex_t *lock = (pthread_mutex_t *)(uintptr_t)&incidents->head_lock;
    (void)pthread_mutex_lock(lock);
    struct ledger head = incidents->head;
    (void)pthread_mutex_unlock(lock);
    out->sequence = head.sequence;
    ledger_to_hex(head.head, out->hash);
}

bool incidents_must_turn_away(const struct incidents *incidents)
{
    uint64_t for_ms;
    switch (incidents_health(incidents, &for_ms)) {
    case INCIDENTS_WELL:
        return false;
    case INCIDENTS_AWAY:
    case INCIDENTS_SILENT:
        return for_ms > PATIENCE_MS; /* a restart: the journal has it, it is decided in a moment */
    case INCIDENTS_REFUSING:
    case INCIDENTS_FULL:
    case INCIDENTS_STUCK:
    case INCIDENTS_FENCED:
        return true;
    }
    return true;
}

static bool is_quiet(const struct incidents *incidents)
{
    const struct incident_store *store = incidents->store;
    return store->acknowledged == store->submitted && store->heard == store->told &&
           !incidents_parts_are_dirty(incidents);
}

static void poll_once(struct incidents *incidents, uint64_t timeout_ms)
{
    struct incident_store *store = incidents->store;
    if (!is_stuck(incidents) && store->pending < QUEUE_SHORT)
        incidents_parts_flush(incidents);
    if (store->is_connected)
        chunks_sweep(&incidents->chunks, store);
    store->calls->poll(store, timeout_ms);
    tell_health(incidents);
    store->detail[0] = 0;
    arena_reset(&incidents->changes.scratch);
    if (store->has_lost && store->is_connected)
        reload(incidents);
}

enum status incidents_poll(struct incidents *incidents, uint64_t timeout_ms)
{
    uint64_t now_ms = timestamp_monotonic_ms();
    uint64_t end_ms = now_ms + timeout_ms;
    do {
        poll_once(incidents, end_ms - now_ms);
        now_ms = timestamp_monotonic_ms();
    } while (now_ms < end_ms && !is_quiet(incidents) && !incidents->store->is_fenced);
    incidents_parts_tell_sizes(incidents);
    if (incidents->store->is_fenced)
        return STATUS_CLOSED;
    return is_quiet(incidents) ? STATUS_OK : STATUS_AGAIN;
}

bool incidents_has_rolled_back(struct incidents *incidents)
{
    bool has = incidents->has_rolled_back;
    incidents->has_rolled_back = false;
    return has;
}

/* A person is told that it is done when it is: durable, not only decided. */
static bool waits_until_durable(struct incidents *incidents)
{
    const struct incident_store *store = incidents->store;
    uint64_t rollbacks = atomic_load(&incidents->counters.rollbacks);
    uint64_t number = store->submitted;
    uint64_t end_ms = timestamp_monotonic_ms() + COMMAND_MS;
    while (store->acknowledged < number && !store->is_fenced && !store->has_lost &&
           timestamp_monotonic_ms() < end_ms)
        poll_once(incidents, POLL_MS);
    return store->acknowledged >= number && !store->has_lost &&
           rollbacks == atomic_load(&incidents->counters.rollbacks);
}

/* What cannot become durable is not begun: closing works at the memory limit, but not without
 * Redis. */
static bool is_out_of_reach(const struct incidents *incidents)
{
    switch (look(incidents)) {
    case INCIDENTS_WELL:
    case INCIDENTS_FULL:
        return false;
    case INCIDENTS_AWAY:
    case INCIDENTS_SILENT:
    case INCIDENTS_REFUSING:
    case INCIDENTS_STUCK:
    case INCIDENTS_FENCED:
        return true;
    }
    return true;
}

int incidents_command(struct incidents *incidents, struct text command, int64_t now_us,
                      struct buffer *reply)
{
    if (is_out_of_reach(incidents))
        return incident_command_refuse(reply, HTTP_AWAY, incidents_health_words(look(incidents)),
                                       TEXT_NONE);
    arena_reset(&incidents->changes.scratch);
    int http = incident_command_run(&incidents->lifecycle, command, now_us, reply);
    incidents_parts_flush(incidents);
    if (waits_until_durable(incidents) || http >= 300)
        return http;
    return incident_command_refuse(reply, HTTP_AWAY,
                                   "Redis did not confirm it: it may take effect later, look "
                                   "before you say it again",
                                   TEXT_NONE);
}

void incidents_verdicts(const struct incidents *incidents, struct buffer *out)
{
    verdicts_write(&incidents->verdicts, out);
}

enum status incidents_learn(struct incidents *incidents, struct text generation)
{
    return verdicts_learn(&incidents->verdicts, &incidents->changes, generation);
}
