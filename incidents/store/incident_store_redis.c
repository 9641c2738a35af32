/* SPDX-License-Identifier: Apache-2.0 */
#include "base/timestamp.h"
#include "incidents/store/incident_store.h"
#include "incidents/store/incident_store_lua.h"
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>

enum {
    CONNECT_MS = 1000, /* for a connection that broke: decisions must go on meanwhile */
    CALL_MS = 10000,   /* for a calm command */
    SILENT_MS = 2000,  /* asked and no answer for this long: something is wrong */
    DEAF_MS = 30000,   /* effects out and no answer for this long: connect anew */
    RETRY_MS = 20,     /* between two tries to connect, doubled up to ... */
    RETRY_MAX_MS = 2000,
    TELL_BYTES = 512 << 10,   /* of checkpoint values in front of an effect */
    WINDOW_BYTES = 4 << 20,   /* bytes on the way at once; the rest waits in its effects */
    ANSWER_BYTES = 256 << 20, /* ceiling of one answer */
    MEMORY_CHECK_MS = 1000,
    MEMORY_FULL_PERCENT = 95,
};

/* What the next answer belongs to. */
enum asked_kind { ASKED_EFFECT, ASKED_TELL, ASKED_MEMORY };

struct incident_store_redis {
    struct incident_store base;
    struct redis *redis; /* NULL while away */
    char *socket, *url;
    char writer[24];
    struct effect *first, **last; /* not acknowledged, oldest first */
    struct effect *unsent;        /* the first of them that is not on the wire; NULL: none */
    unsigned char *asked;         /* ring of asked_kind, in order of sending */
    uint32_t asked_first, asked_count, asked_size;
    struct arena arena;
    struct buffer wire;
    uint64_t heard_ms, retry_ms, next_try_ms, next_memory_ms;
};

static struct incident_store_redis *self(struct incident_store *s)
{
    return CONTAINER_OF(s, struct incident_store_redis, base);
}

static void hang_up(struct incident_store_redis *s, uint64_t now_ms)
{
    redis_close(s->redis);
    s->redis = NULL;
    s->unsent = s->first;
    s->base.tell_failures += s->base.told - s->base.heard;
    s->base.heard = s->base.told;
    s->asked_count = s->asked_first = 0;
    s->base.is_connected = false;
    s->next_try_ms = now_ms + s->retry_ms;
    s->retry_ms = s->retry_ms * 2 > RETRY_MAX_MS ? RETRY_MAX_MS : s->retry_ms * 2;
}

static bool push_asked(struct incident_store_redis *s, enum asked_kind kind)
{
    if (s->asked_count == s->asked_size) {
        uint32_t size = s->asked_size ? s->asked_size * 2 : 1024;
        unsigned char *ring = malloc(size);
        if (!ring)
            return false;
        for (uint32_t i = 0; i < s->asked_count; i++)
            ring[i] = s->asked[(s->asked_first + i) % s->asked_size];
        free(s->asked);
        s->asked = ring;
        s->asked_size = size;
        s->asked_first = 0;
    }
    s->asked[(s->asked_first + s->asked_count++) % s->asked_size] = (unsigned char)kind;
    return true;
}

static enum asked_kind pop_asked(struct incident_store_redis *s)
{
    enum asked_kind kind = (enum asked_kind)s->asked[s->asked_first];
    s->asked_first = (s->asked_first + 1) % s->asked_size;
    s->asked_count--;
    return kind;
}

/* ---- connecting ---- */

static enum status call(struct incident_store_redis *s, const struct text *words, uint32_t count,
                        struct reply *out, struct error *err)
{
    arena_reset(&s->arena);
    enum status status = redis_call(s->redis, words, count, &s->arena, out, err);
    if (!status && out->kind == REPLY_ERROR)
        return error_set(err, STATUS_IO, 0, "Redis refused %.*s: %.*s", TEXT_ARG(words[0]),
                         TEXT_ARG(text_head(out->text, 120)));
    return status;
}

/* What a later program wrote may mean something else: nothing of it is touched. */
static enum status check_format(struct incident_store_redis *s, struct error *err)
{
    struct reply reply = {0};
    const struct text words[] = {TEXT("GET"), TEXT("tocsin:format")};
    int64_t format = 1;
    enum status status = call(s, words, 2, &reply, err);
    if (!status && reply.kind == REPLY_TEXT && !text_to_int64(reply.text, &format))
        return error_set(err, STATUS_INVALID, 0, "tocsin:format in Redis is no number");
    if (!status && format > INCIDENT_STORE_FORMAT)
        return error_set(err, STATUS_UNSUPPORTED, 0,
                         "the record in Redis was written by a later Tocsin (format %lld, this one "
                         "reads %d): start that one, or one that is newer still",
                         (long long)format, INCIDENT_STORE_FORMAT);
    return status;
}

/* FUNCTION LOAD is refused where memory is full, and then nothing could ever be closed again. */
static bool has_function(struct incident_store_redis *s)
{
    struct reply reply = {0};
    const struct text words[] = {TEXT("FUNCTION"), TEXT("LIST"), TEXT("LIBRARYNAME"),
                                 TEXT("tocsin"), TEXT("WITHCODE")};
    const struct text code = {incident_store_lua, incident_store_lua_len};
    if (call(s, words, 5, &reply, NULL) != STATUS_OK || reply.count != 1)
        return false;
    const struct reply *library = reply.items;
    for (uint32_t m = 0; m + 1 < library->count; m += 2)
        if (text_equal(library->items[m].text, TEXT("library_code")))
            return text_equal(library->items[m + 1].text, code);
    return false;
}

static enum status load_function(struct incident_store_redis *s, struct error *err)
{
    struct reply reply = {0};
    if (has_function(s))
        return STATUS_OK;
    const struct text words[] = {TEXT("FUNCTION"),
                                 TEXT("LOAD"),
                                 TEXT("REPLACE"),
                                 {incident_store_lua, incident_store_lua_len}};
    return call(s, words, 4, &reply, err);
}

static enum status read_epoch(struct incident_store_redis *s, uint64_t *out, struct error *err)
{
    struct reply reply = {0};
    const struct text words[] = {TEXT("GET"), TEXT("tocsin:epoch")};
    int64_t epoch = 0;
    enum status status = call(s, words, 2, &reply, err);
    if (!status && reply.kind == REPLY_TEXT && !text_to_int64(reply.text, &epoch))
        return error_set(err, STATUS_INVALID, 0, "tocsin:epoch in Redis is no number");
    *out = epoch > 0 ? (uint64_t)epoch : 0;
    return status;
}

static void pop_effect(struct incident_store_redis *s)
{
    struct effect *e = s->first;
    s->first = e->next;
    if (!s->first)
        s->last = &s->first;
    if (s->unsent == e)
        s->unsent = s->first;
    s->base.pending--;
    s->base.pending_bytes -= e->ids.len + e->words.len;
    if (e->number > s->base.acknowledged)
        s->base.acknowledged = e->number;
    effect_free(e);
}

/* Redis is behind what it acknowledged: what was decided since then must be decided again. */
static void lose(struct incident_store_redis *s)
{
    while (s->first)
        pop_effect(s);
    s->unsent = NULL;
    s->base.has_lost = true;
}

static void align(struct incident_store_redis *s, uint64_t epoch)
{
    if (epoch < s->base.acknowledged || epoch > s->base.submitted) {
        lose(s);
        return;
    }
    while (s->first && s->first->number <= epoch) {
        s->base.ledger = s->first->ledger;
        pop_effect(s);
    }
    s->unsent = s->first;
    s->base.resent += s->base.pending;
}

static enum status greet(struct incident_store_redis *s, uint64_t *out_epoch, struct error *err)
{
    enum status status = check_format(s, err);
    if (!status)
        status = load_function(s, err);
    return status ? status : read_epoch(s, out_epoch, err);
}

static void reconnect(struct incident_store_redis *s, uint64_t now_ms)
{
    uint64_t epoch = 0;
    if (s->base.is_fenced || now_ms < s->next_try_ms)
        return;
    if (redis_open(s->socket, s->url, CONNECT_MS, &s->redis, NULL) != STATUS_OK ||
        greet(s, &epoch, NULL) != STATUS_OK) {
        hang_up(s, timestamp_monotonic_ms());
        s->base.is_refusing = false; /* it is away, which is something else */
        return;
    }
    redis_set_timeout(s->redis, CALL_MS);
    if (!s->base.is_refusing)
        s->retry_ms = RETRY_MS;
    s->heard_ms = now_ms;
    s->base.is_connected = true;
    s->base.reconnects++;
    align(s, epoch);
}

/* ---- sending ---- */

static bool send_one(struct incident_store_redis *s, struct effect *e)
{
    buffer_clear(&s->wire);
    effect_encode(e, text_of(s->writer), &s->wire);
    return !s->wire.has_failed && redis_queue(s->redis, buffer_text(&s->wire)) == STATUS_OK &&
           push_asked(s, ASKED_EFFECT);
}

static void send_effects(struct incident_store_redis *s)
{
    while (s->unsent && redis_unsent(s->redis) < WINDOW_BYTES && send_one(s, s->unsent))
        s->unsent = s->unsent->next;
}

static void ask_memory(struct incident_store_redis *s, uint64_t now_ms)
{
    if (now_ms < s->next_memory_ms)
        return;
    s->next_memory_ms = now_ms + MEMORY_CHECK_MS;
    const struct text words[] = {TEXT("INFO"), TEXT("memory")};
    buffer_clear(&s->wire);
    redis_encode(&s->wire, words, 2);
    if (redis_queue(s->redis, buffer_text(&s->wire)) == STATUS_OK)
        (void)push_asked(s, ASKED_MEMORY);
}

/* ---- hearing ---- */

static int64_t info_number(struct text info, struct text name)
{
    struct text line;
    int64_t value = 0;
    while (text_split(&info, '\n', &line))
        if (text_starts(line, name) && text_to_int64(text_trim(text_skip(line, name.len)), &value))
            return value;
    return 0;
}

static void hear_memory(struct incident_store_redis *s, const struct reply *reply)
{
    int64_t used = info_number(reply->text, TEXT("used_memory:"));
    int64_t most = info_number(reply->text, TEXT("maxmemory:"));
    s->base.is_full = most > 0 && used / MEMORY_FULL_PERCENT >= most / 100;
}

static void hear_refusal(struct incident_store_redis *s, const struct reply *reply)
{
    s->base.is_refusing = true;
    (void)snprintf(s->base.detail, sizeof s->base.detail, "%.*s",
                   TEXT_ARG(text_head(reply->text, sizeof s->base.detail - 1)));
}

static void hear_taken(struct incident_store_redis *s)
{
    s->base.is_refusing = false;
    s->retry_ms = RETRY_MS;
}

static enum status hear_effect(struct incident_store_redis *s, const struct reply *reply)
{
    if (!s->first)
        return STATUS_IO;
    if (reply->kind == REPLY_TEXT) {
        s->base.ledger = s->first->ledger;
        pop_effect(s);
        hear_taken(s);
        return STATUS_OK;
    }
    hear_refusal(s, reply);
    if (text_starts(reply->text, TEXT("FENCED")))
        s->base.is_fenced = true;
    if (text_starts(reply->text, TEXT("GAP")) || text_starts(reply->text, TEXT("APPLIED"))) {
        s->base.is_refusing = false; /* it takes what is decided anew */
        lose(s);
    }
    return STATUS_IO; /* the effects behind it were refused too: connect and send again */
}

/* A value of a checkpoint. At the memory limit it is refused, effects are not. */
static void hear_tell(struct incident_store_redis *s, const struct reply *reply)
{
    s->base.heard++;
    if (reply->kind != REPLY_ERROR) {
        hear_taken(s);
        return;
    }
    s->base.tell_failures++;
    if (text_starts(reply->text, TEXT("OOM")))
        s->base.is_full = true;
    else
        hear_refusal(s, reply);
}

static enum status hear(struct incident_store_redis *s, const struct reply *reply)
{
    switch (pop_asked(s)) {
    case ASKED_EFFECT:
        return hear_effect(s, reply);
    case ASKED_TELL:
        hear_tell(s, reply);
        return STATUS_OK;
    case ASKED_MEMORY:
        hear_memory(s, reply);
        return STATUS_OK;
    }
    return STATUS_OK;
}

static enum status hear_all(struct incident_store_redis *s, uint64_t now_ms)
{
    struct reply reply = {0};
    enum status status = STATUS_OK;
    while (!status && s->asked_count) {
        arena_reset(&s->arena);
        status = redis_take(s->redis, &s->arena, &reply);
        if (status)
            break;
        s->heard_ms = now_ms;
        status = hear(s, &reply);
    }
    if (!s->asked_count)
        s->heard_ms = now_ms;
    return status == STATUS_AGAIN ? STATUS_OK : status;
}

static void poll_redis(struct incident_store *base, uint64_t timeout_ms)
{
    struct incident_store_redis *s = self(base);
    uint64_t now_ms = timestamp_monotonic_ms();
    if (!s->redis && now_ms < s->next_try_ms && timeout_ms) {
        uint64_t left_ms = s->next_try_ms - now_ms;
        (void)poll(NULL, 0, (int)(timeout_ms < left_ms ? timeout_ms : left_ms));
        now_ms = timestamp_monotonic_ms();
    }
    if (!s->redis)
        reconnect(s, now_ms);
    if (!s->redis)
        return;
    if (!s->asked_count)
        s->heard_ms = now_ms;
    send_effects(s);
    ask_memory(s, now_ms);
    if (redis_wait(s->redis, s->asked_count ? timeout_ms : 0) != STATUS_OK ||
        hear_all(s, timestamp_monotonic_ms()) != STATUS_OK || now_ms > s->heard_ms + DEAF_MS)
        hang_up(s, now_ms);
    s->base.is_silent = s->redis && now_ms > s->heard_ms + SILENT_MS;
}

static void submit(struct incident_store *base, struct effect *e)
{
    struct incident_store_redis *s = self(base);
    e->next = NULL;
    *s->last = e;
    s->last = &e->next;
    if (!s->unsent)
        s->unsent = e;
    base->submitted = e->number;
    base->pending++;
    base->pending_bytes += e->ids.len + e->words.len;
    if (s->redis)
        send_effects(s);
}

/* A checkpoint may be larger than what may wait: Redis sets the pace. */
static void make_room(struct incident_store_redis *s)
{
    uint64_t end_ms = timestamp_monotonic_ms() + CALL_MS;
    while (s->redis && redis_unsent(s->redis) > TELL_BYTES && timestamp_monotonic_ms() < end_ms)
        poll_redis(&s->base, RETRY_MS);
}

static enum status tell(struct incident_store *base, const struct text *words, uint32_t count)
{
    struct incident_store_redis *s = self(base);
    make_room(s);
    if (!s->redis)
        return STATUS_AGAIN;
    buffer_clear(&s->wire);
    redis_encode(&s->wire, words, count);
    enum status status =
        s->wire.has_failed ? STATUS_LIMIT : redis_queue(s->redis, buffer_text(&s->wire));
    if (!status && !push_asked(s, ASKED_TELL))
        status = STATUS_NOMEM;
    if (!status)
        base->told++;
    return status;
}

static enum status ask(struct incident_store *base, const struct text *words, uint32_t count,
                       struct arena *arena, struct reply *out)
{
    struct incident_store_redis *s = self(base);
    uint64_t end_ms = timestamp_monotonic_ms() + CALL_MS;
    while (s->redis && (s->asked_count || s->unsent)) {
        uint64_t now_ms = timestamp_monotonic_ms();
        if (now_ms >= end_ms)
            return STATUS_TIMEOUT;
        poll_redis(base, end_ms - now_ms);
    }
    if (!s->redis)
        return STATUS_IO;
    enum status status = redis_call(s->redis, words, count, arena, out, NULL);
    if (status)
        hang_up(s, timestamp_monotonic_ms());
    return status;
}

/* ---- life ---- */

static void close_redis(struct incident_store *base)
{
    struct incident_store_redis *s = self(base);
    redis_close(s->redis);
    while (s->first)
        pop_effect(s);
    arena_fini(&s->arena);
    buffer_fini(&s->wire);
    free(s->asked);
    free(s->socket);
    free(s->url);
    free(s);
}

/* Says what a crash of that server can cost. */
static void check_durability(struct incident_store_redis *s, struct buffer *out_warning)
{
    struct reply reply = {0};
    const struct text words[] = {TEXT("CONFIG"), TEXT("GET"), TEXT("appendfsync")};
    const struct text on[] = {TEXT("CONFIG"), TEXT("GET"), TEXT("appendonly")};
    if (!out_warning)
        return;
    if (call(s, on, 3, &reply, NULL) != STATUS_OK || reply.count < 2)
        buffer_append(out_warning, TEXT("Redis does not say how it keeps its data: after a crash "
                                        "of it, incidents may be decided again"));
    else if (!text_equal(reply.items[1].text, TEXT("yes")))
        buffer_append(out_warning, TEXT("Redis has appendonly off: a crash of it loses incidents, "
                                        "up to its last snapshot"));
    else if (call(s, words, 3, &reply, NULL) == STATUS_OK && reply.count == 2 &&
             !text_equal(reply.items[1].text, TEXT("always")))
        buffer_append(out_warning, TEXT("Redis does not have appendfsync always: a power cut can "
                                        "lose the last second; what the journal holds is decided "
                                        "again, what people did in it is not"));
}

static enum status take_over(struct incident_store_redis *s, struct error *err)
{
    struct reply reply = {0};
    /* a script, for a plain INCR is refused where memory is full */
    const struct text words[] = {TEXT("EVAL"),
                                 TEXT("#!lua flags=allow-oom\nreturn redis.call('INCR', KEYS[1])"),
                                 TEXT("1"), TEXT("tocsin:writer")};
    enum status status = call(s, words, 4, &reply, err);
    (void)snprintf(s->writer, sizeof s->writer, "%lld", (long long)reply.integer);
    return status;
}

enum status incident_store_redis_open(const char *socket, const char *url,
                                      struct incident_store **out, struct buffer *out_warning,
                                      struct error *err)
{
    static const struct incident_store_calls calls = {close_redis, submit, poll_redis, ask, tell};
    struct incident_store_redis *s = calloc(1, sizeof *s);
    if (!s)
        return error_set(err, STATUS_NOMEM, 0, "no memory for the record");
    s->base = (struct incident_store){.calls = &calls, .is_connected = true};
    s->last = &s->first;
    s->retry_ms = RETRY_MS;
    arena_init(&s->arena, ANSWER_BYTES);
    buffer_init(&s->wire, EFFECT_BYTES * 2 + 4096);
    s->socket = socket ? strdup(socket) : NULL;
    s->url = url ? strdup(url) : NULL;
    uint64_t epoch = 0;
    enum status status = redis_open(socket, url, CALL_MS, &s->redis, err);
    if (!status)
        status = check_format(s, err);
    /* First the writer, then the epoch: what a dead one left in a socket is refused from here on.
     */
    if (!status)
        status = take_over(s, err);
    if (!status)
        status = greet(s, &epoch, err);
    if (status) {
        close_redis(&s->base);
        return status;
    }
    s->base.submitted = s->base.acknowledged = epoch;
    s->heard_ms = timestamp_monotonic_ms();
    check_durability(s, out_warning);
    *out = &s->base;
    return STATUS_OK;
}
