/* SPDX-License-Identifier: Apache-2.0 */
#include "incidents/store/redis.h"
#include "base/timestamp.h"
#include "incidents/incidents.h"
#include <errno.h>
#include <hiredis/hiredis.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

enum { OUT_BYTES = 64 << 20, READ_BYTES = 64 * 1024, REPLY_DEPTH = 7 };

struct redis {
    redisContext *context;
    struct buffer out;
    size_t sent;    /* bytes of `out` that are gone */
    int timeout_ms; /* of redis_call */
};

void redis_close(struct redis *r)
{
    if (!r)
        return;
    if (r->context)
        redisFree(r->context);
    buffer_fini(&r->out);
    free(r);
}

void redis_set_timeout(struct redis *r, int timeout_ms)
{
    r->timeout_ms = timeout_ms;
}

void redis_encode(struct buffer *out, const struct text *args, uint32_t count)
{
    buffer_printf(out, "*%u\r\n", count);
    for (uint32_t i = 0; i < count; i++) {
        buffer_printf(out, "$%zu\r\n", args[i].len);
        buffer_append(out, args[i]);
        buffer_append(out, TEXT("\r\n"));
    }
}

size_t redis_unsent(const struct redis *r)
{
    return r->out.len - r->sent;
}

enum status redis_queue(struct redis *r, struct text bytes)
{
    if (r->sent && (r->sent == r->out.len || r->sent > OUT_BYTES / 2)) {
        buffer_drop(&r->out, r->sent);
        r->sent = 0;
    }
    buffer_append(&r->out, bytes);
    if (!r->out.has_failed)
        return STATUS_OK;
    r->out.has_failed = false;
    return STATUS_LIMIT;
}

/* hiredis writes with write(2), which raises SIGPIPE when the server died; send(2) can be told. */
static enum status push(struct redis *r)
{
    while (redis_unsent(r)) {
        ssize_t n =
            send(r->context->fd, r->out.at + r->sent, redis_unsent(r), MSG_NOSIGNAL | MSG_DONTWAIT);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return errno == EAGAIN ? STATUS_OK : STATUS_IO;
        r->sent += (size_t)n;
    }
    return STATUS_OK;
}

static enum status pull(struct redis *r)
{
    char bytes[READ_BYTES];
    for (;;) {
        ssize_t n = recv(r->context->fd, bytes, sizeof bytes, MSG_DONTWAIT);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return errno == EAGAIN ? STATUS_OK : STATUS_IO;
        if (n == 0)
            return STATUS_IO;
        if (redisReaderFeed(r->context->reader, bytes, (size_t)n) != REDIS_OK)
            return STATUS_IO;
        if ((size_t)n < sizeof bytes)
            return STATUS_OK;
    }
}

enum status redis_wait(struct redis *r, uint64_t timeout_ms)
{
    if (push(r) != STATUS_OK)
        return STATUS_IO;
    struct pollfd p = {.fd = r->context->fd, .events = POLLIN};
    if (redis_unsent(r))
        p.events |= POLLOUT;
    int n = poll(&p, 1, timeout_ms > 60000 ? 60000 : (int)timeout_ms);
    if (n <= 0)
        return n == 0 || errno == EINTR ? STATUS_OK : STATUS_IO;
    if ((p.revents & POLLOUT) && push(r) != STATUS_OK)
        return STATUS_IO;
    return p.revents & (POLLIN | POLLHUP | POLLERR) ? pull(r) : STATUS_OK;
}

static enum reply_kind kind_of(int type)
{
    switch (type) {
    case REDIS_REPLY_STRING:
    case REDIS_REPLY_STATUS:
        return REPLY_TEXT;
    case REDIS_REPLY_INTEGER:
        return REPLY_INTEGER;
    case REDIS_REPLY_ARRAY:
        return REPLY_ARRAY;
    case REDIS_REPLY_ERROR:
        return REPLY_ERROR;
    default:
        return REPLY_NIL;
    }
}

static bool convert(const redisReply *from, struct arena *arena, int depth, struct reply *to)
{
    *to = (struct reply){.kind = kind_of(from->type), .integer = from->integer};
    if (to->kind == REPLY_TEXT || to->kind == REPLY_ERROR) {
        to->text = arena_copy(arena, (struct text){from->str, (size_t)from->len});
        return to->text.at != NULL;
    }
    if (to->kind != REPLY_ARRAY || !from->elements)
        return true;
    struct reply *items = arena_zero(arena, from->elements * sizeof *items);
    if (!items || !depth)
        return false;
    for (size_t i = 0; i < from->elements; i++)
        if (!convert(from->element[i], arena, depth - 1, &items[i]))
            return false;
    to->items = items;
    to->count = (uint32_t)from->elements;
    return true;
}

enum status redis_take(struct redis *r, struct arena *arena, struct reply *out)
{
    void *got = NULL;
    if (redisReaderGetReply(r->context->reader, &got) != REDIS_OK)
        return STATUS_IO;
    if (!got)
        return STATUS_AGAIN;
    bool is_ok = convert(got, arena, REPLY_DEPTH, out);
    freeReplyObject(got);
    return is_ok ? STATUS_OK : STATUS_NOMEM;
}

/* Waits for the next reply of what was queued, as long as the timeout allows. */
static enum status await(struct redis *r, struct arena *arena, struct reply *out, struct error *err)
{
    uint64_t end_ms = timestamp_monotonic_ms() + (uint64_t)r->timeout_ms;
    for (;;) {
        enum status s = redis_take(r, arena, out);
        if (s == STATUS_NOMEM)
            return error_set(err, s, 0, "no memory for an answer of Redis");
        if (s == STATUS_OK)
            return STATUS_OK;
        uint64_t now_ms = timestamp_monotonic_ms();
        if (s == STATUS_AGAIN && now_ms >= end_ms)
            return error_set(err, STATUS_TIMEOUT, 0, "Redis gave no answer within %d ms",
                             r->timeout_ms);
        if (s != STATUS_AGAIN || redis_wait(r, end_ms - now_ms) != STATUS_OK)
            return error_set(err, STATUS_IO, 0, "the connection to Redis broke");
    }
}

enum status redis_call(struct redis *r, const struct text *args, uint32_t count,
                       struct arena *arena, struct reply *out, struct error *err)
{
    struct buffer command;
    buffer_init(&command, OUT_BYTES);
    redis_encode(&command, args, count);
    enum status s = command.has_failed ? STATUS_LIMIT : redis_queue(r, buffer_text(&command));
    buffer_fini(&command);
    if (s != STATUS_OK)
        return error_set(err, s, 0, "a command to Redis is too large");
    return await(r, arena, out, err);
}

struct address {
    char host[256];
    int port;
    struct text user, password, db;
};

static enum status read_url(const char *url, struct address *out, struct error *err)
{
    struct text rest = text_of(url);
    *out = (struct address){.port = 6379};
    if (text_starts(rest, TEXT("rediss://")))
        return error_set(
            err, STATUS_UNSUPPORTED, 0,
            "'rediss://': TLS to Redis is not built in: use a tunnel or a unix socket");
    if (!text_starts(rest, TEXT("redis://")))
        return error_set(err, STATUS_SYNTAX, 0, "'%.100s': want redis://host[:port][/db]", url);
    rest = text_skip(rest, 8);
    size_t at = text_find_byte(rest, '@');
    if (at < rest.len) {
        struct text login = text_head(rest, at);
        size_t colon = text_find_byte(login, ':');
        out->user = text_head(login, colon);
        out->password = text_skip(login, colon + 1);
        rest = text_skip(rest, at + 1);
    }
    size_t slash = text_find_byte(rest, '/');
    out->db = text_skip(rest, slash + 1);
    rest = text_head(rest, slash);
    size_t colon = rest.len;
    while (colon && rest.at[colon - 1] != ':' && rest.at[colon - 1] != ']')
        colon--;
    int64_t port = 6379;
    if (colon && rest.at[colon - 1] == ':') {
        if (!text_to_int64(text_skip(rest, colon), &port) || port < 1 || port > 65535)
            return error_set(err, STATUS_SYNTAX, 0, "'%.100s': the port is none", url);
        rest = text_head(rest, colon - 1);
    }
    if (rest.len >= 2 && rest.at[0] == '[')
        rest = text_head(text_skip(rest, 1), rest.len - 2);
    if (!rest.len || rest.len >= sizeof out->host)
        return error_set(err, STATUS_SYNTAX, 0, "'%.100s': want a host name", url);
    memcpy(out->host, rest.at, rest.len);
    out->port = (int)port;
    return STATUS_OK;
}

enum status incidents_check_url(const char *url, struct error *err)
{
    struct address ignored;
    return read_url(url, &ignored, err);
}

static enum status expect_ok(struct redis *r, const struct text *args, uint32_t count,
                             struct error *err)
{
    struct arena arena;
    arena_init(&arena, 1 << 20);
    struct reply reply = {0};
    enum status s = redis_call(r, args, count, &arena, &reply, err);
    if (s == STATUS_OK && reply.kind == REPLY_ERROR)
        s = error_set(err, STATUS_DENIED, 0, "Redis refused %.*s: %.*s", TEXT_ARG(args[0]),
                      TEXT_ARG(reply.text));
    arena_fini(&arena);
    return s;
}

static enum status greet(struct redis *r, const struct address *a, struct error *err)
{
    enum status s = STATUS_OK;
    if (a->password.len && a->user.len)
        s = expect_ok(r, (const struct text[]){TEXT("AUTH"), a->user, a->password}, 3, err);
    else if (a->password.len)
        s = expect_ok(r, (const struct text[]){TEXT("AUTH"), a->password}, 2, err);
    if (s == STATUS_OK && a->db.len)
        s = expect_ok(r, (const struct text[]){TEXT("SELECT"), a->db}, 2, err);
    return s;
}

enum status redis_open(const char *socket, const char *url, int timeout_ms, struct redis **out,
                       struct error *err)
{
    struct address address = {0};
    if (!socket) {
        enum status s = read_url(url, &address, err);
        if (s != STATUS_OK)
            return s;
    }
    AUTO(redis) r = calloc(1, sizeof *r);
    if (!r)
        return error_set(err, STATUS_NOMEM, 0, "no memory for a connection to Redis");
    buffer_init(&r->out, OUT_BYTES);
    r->timeout_ms = timeout_ms;
    struct timeval limit = {timeout_ms / 1000, timeout_ms % 1000 * 1000};
    r->context = socket ? redisConnectUnixWithTimeout(socket, limit)
                        : redisConnectWithTimeout(address.host, address.port, limit);
    if (!r->context)
        return error_set(err, STATUS_NOMEM, 0, "no memory for a connection to Redis");
    if (r->context->err)
        return error_set(err, STATUS_IO, 0, "cannot connect to Redis at %.120s: %s",
                         socket ? socket : address.host, r->context->errstr);
    enum status s = greet(r, &address, err);
    if (s != STATUS_OK)
        return s;
    *out = MOVE(r);
    return STATUS_OK;
}
