/* SPDX-License-Identifier: Apache-2.0 */
#include "ingest/webhook/webhook.h"
#include "base/digit.h"
#include "base/json_weight.h"
#include "base/json_write.h"
#include "base/timestamp.h"
#include <stdio.h>
#include <string.h>
#include <sys/random.h>

static void count(_Atomic uint64_t *c, uint64_t n)
{
    if (n)
        (void)atomic_fetch_add_explicit(c, n, memory_order_relaxed);
}

void webhook_count(struct webhook_call *call)
{
    uint64_t alerts = 0;
    for (uint32_t i = 0; i < call->out->count; i++)
        alerts += call->out->records[i].kind == RECORD_ALERT;
    count(&call->counts->alerts, alerts);
    count(&call->counts->events, call->out->count - alerts);
}

static struct text idempotency(struct webhook_call *call)
{
    const struct webhook_request *q = call->request;
    if (!q->header)
        return TEXT_NONE;
    struct text key = q->header(q->header_context, "Idempotency-Key");
    if (!key.len)
        return TEXT_NONE;
    char number[24];
    (void)snprintf(number, sizeof number, "%u", call->index);
    return webhook_join(call, webhook_join(call, TEXT("idempotency"), ":", text_head(key, 255)),
                        ":", text_of(number));
}

struct text webhook_decode(struct arena *arena, struct text t)
{
    char *out = arena_bytes(arena, t.len + 1);
    size_t len = 0;
    for (size_t i = 0; out && i < t.len; i++) {
        int high = t.at[i] == '%' && t.len - i > 2 ? digit_of_hex(t.at[i + 1]) : -1;
        int low = high >= 0 ? digit_of_hex(t.at[i + 2]) : -1;
        out[len++] = low >= 0 ? (char)(high * 16 + low) : t.at[i];
        i += low >= 0 ? 2 : 0;
    }
    return (struct text){out, len};
}

struct text webhook_query(struct webhook_call *call, const char *name)
{
    struct text rest = call->request->query;
    struct text pair;
    while (text_split(&rest, '&', &pair)) {
        if (pair.len && pair.at[0] == '?')
            pair = text_skip(pair, 1);
        const size_t is = text_find_byte(pair, '=');
        if (text_equal(text_head(pair, is), text_of(name)))
            return webhook_decode(call->arena, text_skip(pair, is + 1));
    }
    return TEXT_NONE;
}

/* A full batch goes on its way where it may. */
static bool make_room(struct webhook_call *call)
{
    const struct webhook_request *q = call->request;
    if (call->out->count < BATCH_RECORDS && call->out->raw_bytes < BATCH_BYTES)
        return true;
    if (call->is_whole || !q->flush)
        return call->out->count < BATCH_RECORDS;
    uint32_t source = call->out->source;
    webhook_count(call);
    call->is_overloaded = !q->flush(q->flush_context, call->out);
    call->out->source = source;
    return !call->is_overloaded;
}

static struct record *next_record(struct webhook_call *call, struct text raw)
{
    if (call->is_overloaded)
        return NULL;
    struct record *r = make_room(call) ? batch_add(call->out, raw) : NULL;
    call->refused += !r && !call->is_overloaded;
    return r;
}

static bool add(struct webhook_call *call, struct text raw, enum record_kind kind,
                enum format format, struct text origin, bool counts_always)
{
    if (call->is_trial) {
        bool is_room = call->tried++ < WEBHOOK_RECORDS;
        call->refused += !is_room;
        return is_room;
    }
    struct record *r = next_record(call, raw);
    if (!r)
        return false;
    struct arena *arena = &call->out->arena;
    struct text stated = counts_always ? TEXT_NONE : idempotency(call);
    struct text said = stated.len ? stated : origin;
    call->index++;
    r->kind = kind;
    r->format = format;
    r->receive_us = call->now_us;
    r->peer = call->out->count > 1 ? r[-1].peer : arena_copy(arena, call->request->peer);
    r->origin = said.len ? arena_copy(arena, said) : TEXT_NONE;
    return true;
}

static void empty(struct webhook_call *call)
{
    uint32_t source = call->out->source;
    batch_reset(call->out);
    call->out->source = source;
    call->index = 0;
}

bool webhook_hold(struct webhook_call *call, uint64_t bytes)
{
    const struct webhook_request *q = call->request;
    bool is_held = !q->hold || q->hold(q->hold_context, (int64_t)bytes);
    call->is_overloaded |= !is_held;
    return is_held;
}

void webhook_release(struct webhook_call *call, uint64_t bytes)
{
    const struct webhook_request *q = call->request;
    if (q->hold && bytes)
        (void)q->hold(q->hold_context, -(int64_t)bytes);
}

enum status webhook_parse(struct webhook_call *call, struct text source, struct json_tree **out,
                          uint64_t *out_held, struct error *err)
{
    const uint64_t bytes = json_weight_of(source).bytes;
    *out_held = 0;
    if (bytes <= JSON_TREE_BYTES) { /* what is more is refused below */
        if (!webhook_hold(call, bytes))
            return error_set(err, STATUS_FULL, 0, "overloaded");
        *out_held = bytes;
    }
    enum status status = json_tree_parse(source, out, err);
    call->is_overloaded |= status == STATUS_NOMEM;
    if (status) {
        webhook_release(call, *out_held);
        *out_held = 0;
    }
    return status;
}

const char *webhook_too_many(const struct webhook_call *call)
{
    return call->request->flush ? "more than 65536 events in one request: nothing was taken"
                                : "more than 1024 events in one request: nothing was taken";
}

int webhook_parse_status(enum status why, int status)
{
    return why == STATUS_LIMIT ? 413 : status;
}

bool webhook_add_whole(struct webhook_call *call, bool (*add_all)(struct webhook_call *call))
{
    call->is_whole = true;
    bool is_added = add_all(call);
    bool is_long = !is_added && call->refused && call->request->flush;
    if (!is_added)
        empty(call);
    if (!is_long)
        return is_added;
    call->refused = 0;
    call->is_trial = true;
    is_added = add_all(call);
    call->is_trial = call->is_whole = false;
    if (is_added && !add_all(call)) { /* overload: what went on its way comes again */
        empty(call);
        is_added = false;
    }
    return is_added;
}

static void write_object(struct buffer *b, const char *name, const struct json_node *n)
{
    if (!json_tree_is_object(n) || !json_tree_count(n))
        return;
    json_write_name(b, text_of(name));
    json_tree_write(n, b);
}

static void write_some(struct buffer *b, const char *name, struct text value)
{
    if (value.len)
        json_write_string(b, name, value);
}

static void write_time(struct buffer *b, const char *name, int64_t us)
{
    if (us != TIMESTAMP_NONE)
        json_write_time(b, name, us);
}

static void write_alert(struct buffer *b, const struct webhook_alert *a)
{
    static const char *const statuses[] = {"firing", "acknowledged", "resolved"};
    json_write_open(b, NULL, '{');
    json_write_string(b, "integration", a->integration);
    json_write_string(b, "key", a->key);
    json_write_string(b, "group", a->group.len ? a->group : a->key);
    json_write_string(b, "status", text_of(statuses[a->status]));
    json_write_string(b, "severity", a->severity);
    json_write_bool(b, "is_heartbeat", a->is_heartbeat);
    write_some(b, "title", a->title);
    write_some(b, "description", a->description);
    write_some(b, "source", a->source);
    write_some(b, "host", a->host);
    write_some(b, "service", a->service);
    write_some(b, "name", a->name);
    write_time(b, "starts_at", a->starts_us);
    write_time(b, "ends_at", a->ends_us);
    write_time(b, "expires_at", a->expires_us);
    write_some(b, "url", a->url);
    write_some(b, "receiver", a->receiver);
    if (a->truncated > 0)
        json_write_int(b, "truncated", a->truncated);
    write_object(b, "labels", a->labels);
    write_object(b, "annotations", a->annotations);
    write_object(b, "details", a->details);
    json_write_close(b, '}');
}

bool webhook_add_alert(struct webhook_call *call, const struct webhook_alert *alert)
{
    buffer_clear(&call->scratch);
    write_alert(&call->scratch, alert);
    if (call->scratch.has_failed) {
        call->refused++;
        return false;
    }
    return add(call, buffer_text(&call->scratch), RECORD_ALERT, FORMAT_JSON, TEXT_NONE,
               alert->is_heartbeat);
}

bool webhook_add_event(struct webhook_call *call, struct text raw, enum format format,
                       struct text origin)
{
    return add(call, raw, RECORD_EVENT, format, origin, false);
}

void webhook_add_unread(struct webhook_call *call, const struct json_node *part,
                        enum webhook_unread why)
{
    buffer_clear(&call->scratch);
    json_tree_write(part, &call->scratch);
    if (call->scratch.has_failed)
        call->refused++;
    else if (add(call, buffer_text(&call->scratch), RECORD_EVENT,
                 json_tree_is_object(part) ? FORMAT_JSON : FORMAT_RAW, TEXT_NONE, false))
        call->unread[why]++;
}

void webhook_answer(struct webhook_call *call, int status, struct text json)
{
    call->reply->status = status;
    call->reply->content_type = "application/json";
    buffer_clear(&call->reply->body);
    buffer_append(&call->reply->body, json);
}

/* A token that is none is answered with 403 and not with 401, as Splunk does. */
static void reject_splunk(struct webhook_call *call, int status, const char *why)
{
    struct buffer *b = &call->reply->body;
    const bool is_wrong = status == 401 && call->request->authorization.len;
    const char *text = is_wrong ? "Invalid token" : status == 401 ? "Token is required" : why;
    const int code = is_wrong || status == 403 ? 4 : status == 401 ? 2 : status == 405 ? 404 : 6;
    if (is_wrong)
        call->reply->status = 403;
    json_write_string(b, "text", text_of(text));
    json_write_int(b, "code", code);
}

static void reject_elastic(struct buffer *b, int status, const char *why)
{
    const bool is_sender = status == 401 || status == 403;
    json_write_open(b, "error", '{');
    json_write_string(b, "type",
                      text_of(is_sender ? "security_exception" : "illegal_argument_exception"));
    json_write_string(b, "reason", text_of(why));
    json_write_close(b, '}');
    json_write_int(b, "status", status);
}

void webhook_reject(struct webhook_call *call, enum webhook_style style, int status,
                    const char *why)
{
    struct buffer *b = &call->reply->body;
    webhook_answer(call, status, TEXT_NONE);
    json_write_open(b, NULL, '{');
    switch (style) {
    case WEBHOOK_PAGERDUTY_V2:
    case WEBHOOK_PAGERDUTY_V1:
        json_write_string(b, "status", TEXT("invalid event"));
        json_write_string(b, "message", TEXT("Event object is invalid"));
        json_write_open(b, "errors", '[');
        json_write_string(b, NULL, text_of(why));
        json_write_close(b, ']');
        break;
    case WEBHOOK_OPSGENIE:
        json_write_string(b, "message", text_of(why));
        json_write_double(b, "took", 0.001);
        json_write_string(b, "requestId", webhook_uuid(call));
        break;
    case WEBHOOK_SPLUNK:
        reject_splunk(call, status, why);
        break;
    case WEBHOOK_OTLP:
        json_write_int(b, "code", status == 401 ? 16 : status == 403 ? 7 : 3);
        json_write_string(b, "message", text_of(why));
        break;
    case WEBHOOK_ELASTIC:
        reject_elastic(b, status, why);
        break;
    case WEBHOOK_PLAIN:
        json_write_string(b, "error", text_of(why));
        break;
    }
    json_write_close(b, '}');
}

struct text webhook_severity(struct text word)
{
    static const struct {
        const char *word, *severity;
    } words[] = {
        {"critical", "critical"}, {"crit", "critical"},     {"fatal", "critical"},
        {"page", "critical"},     {"disaster", "critical"}, {"emergency", "critical"},
        {"emerg", "critical"},    {"alert", "critical"},    {"p1", "critical"},
        {"sev1", "critical"},     {"error", "error"},       {"err", "error"},
        {"high", "error"},        {"major", "error"},       {"p2", "error"},
        {"sev2", "error"},        {"warning", "warning"},   {"warn", "warning"},
        {"medium", "warning"},    {"average", "warning"},   {"minor", "warning"},
        {"moderate", "warning"},  {"low", "warning"},       {"p3", "warning"},
        {"p4", "warning"},        {"sev3", "warning"},      {"sev4", "warning"},
        {"info", "info"},         {"information", "info"},  {"informational", "info"},
        {"notice", "info"},       {"none", "info"},         {"ok", "info"},
        {"debug", "info"},        {"p5", "info"},           {"sev5", "info"},
    };
    for (size_t i = 0; i < sizeof words / sizeof *words; i++)
        if (text_equal_nocase(word, text_of(words[i].word)))
            return text_of(words[i].severity);
    return TEXT_NONE;
}

/* Letters, digits, '.', '-', '_'; with colons only what an IPv6 address may hold. */
static bool is_host(struct text t)
{
    bool has_colon = text_find_byte(t, ':') < t.len;
    for (size_t i = 0; i < t.len; i++) {
        char c = (char)(t.at[i] | 0x20);
        bool is_digit = t.at[i] >= '0' && t.at[i] <= '9';
        bool is_letter = c >= 'a' && c <= (has_colon ? 'f' : 'z');
        bool is_mark =
            t.at[i] == '.' || (has_colon ? t.at[i] == ':' : strchr("-_", t.at[i]) != NULL);
        if (!is_digit && !is_letter && !(is_mark && t.at[i]))
            return false;
    }
    return t.len > 0;
}

static struct text without_port(struct text t)
{
    if (t.len && t.at[0] == '[')
        return text_head(text_skip(t, 1), text_find_byte(text_skip(t, 1), ']'));
    size_t colon = text_find_byte(t, ':');
    bool has_one =
        colon < t.len && text_find_byte(text_skip(t, colon + 1), ':') == t.len - colon - 1;
    return has_one ? text_head(t, colon) : t;
}

struct text webhook_host(struct text instance)
{
    size_t scheme = text_find(instance, TEXT("://"));
    struct text t = scheme < instance.len ? text_skip(instance, scheme + 3) : instance;
    struct text host = without_port(text_head(t, text_find_byte(t, '/')));
    return is_host(host) ? host : TEXT_NONE;
}

bool webhook_label(struct webhook_call *call, const char *name, struct text *out)
{
    const struct json_node *n = json_tree_get(call->body, name);
    *out = json_tree_text(n);
    if (json_tree_is_object(n) || json_tree_is_array(n))
        return false;
    if (!n || json_tree_is_null(n) || out->at)
        return true;
    *out = arena_copy(call->arena, json_weight_bare(call->request->body, text_of(name)));
    if (out->len)
        return true;
    buffer_clear(&call->scratch); /* its name is written with escapes */
    json_tree_write(n, &call->scratch);
    *out = arena_copy(call->arena, buffer_text(&call->scratch));
    return true;
}

int64_t webhook_time(const struct json_node *parent, const char *name)
{
    int64_t us = TIMESTAMP_NONE;
    struct text t = json_tree_member(parent, name);
    if (!t.len || text_starts(t, TEXT("0001-")) || !timestamp_parse(t, 0, &us, NULL))
        return TIMESTAMP_NONE;
    return us;
}

struct text webhook_join(struct webhook_call *call, struct text a, const char *separator,
                         struct text b)
{
    size_t middle = strlen(separator);
    char *at = arena_bytes(call->arena, a.len + middle + b.len);
    if (!at)
        return TEXT_NONE;
    if (a.len)
        memcpy(at, a.at, a.len);
    memcpy(at + a.len, separator, middle);
    if (b.len)
        memcpy(at + a.len + middle, b.at, b.len);
    return (struct text){at, a.len + middle + b.len};
}

struct text webhook_digest(struct webhook_call *call, struct text t)
{
    struct hasher h;
    char hex[33];
    hash_start(&h);
    hash_part_text(&h, t);
    hash_to_hex(hash_end(&h), hex);
    return arena_copy(call->arena, (struct text){hex, 16});
}

struct text webhook_uuid(struct webhook_call *call)
{
    unsigned char r[16];
    char text[37];
    if (getrandom(r, sizeof r, 0) != (ssize_t)sizeof r)
        memset(r, 0, sizeof r);
    r[6] = (unsigned char)((r[6] & 0x0F) | 0x40);
    r[8] = (unsigned char)((r[8] & 0x3F) | 0x80);
    (void)snprintf(text, sizeof text,
                   "%02x%02x%02x%02x-%02x%02x-%02x%02x-%02x%02x-%02x%02x%02x%02x%02x%02x", r[0],
                   r[1], r[2], r[3], r[4], r[5], r[6], r[7], r[8], r[9], r[10], r[11], r[12], r[13],
                   r[14], r[15]);
    return arena_copy(call->arena, (struct text){text, 36});
}
