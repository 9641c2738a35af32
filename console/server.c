/* SPDX-License-Identifier: Apache-2.0 */
#include "console/server.h"
#include "base/json_write.h"
#include "base/monotonic.h"
#include "base/timestamp.h"
#include "console/admission.h"
#include "console/connection_limit.h"
#include "console/listener.h"
#include <arpa/inet.h>
#include <malloc.h>
#include <microhttpd.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum {
    CONNECTIONS = 256,
    CONNECTIONS_PER_ADDRESS = 240, /* most callers are on one address: this machine */
    MANY = 160, /* from here on the longest waiting is let go; the rest is for those on their way */
    IDLE_S = 20,
    PATIENCE_MS = 20000,
    REQUEST_MS = 30000, /* from its first line to its last byte */
    DISCARD_BYTES = 4 << 20,
    CONNECTION_BYTES = 64 << 10, /* more than 32 KiB: pages of its own, see is_bad_length */
    STACK_BYTES = 512 << 10,
    CLOSE_MS = 12000,
    CLASSES = 6,             /* 1xx .. 5xx */
    SMALL_BYTES = 64 << 10,  /* of a body that counts as nothing */
    BODIES_BYTES = 64 << 20, /* of all larger bodies together, unpacked and as trees */
    TRIM_BYTES = 1 << 20,    /* held by a request behind which the heap is given back */
    PEM_BYTES = 64 << 10,
};

struct server {
    struct server_options options;
    struct MHD_Daemon *daemon;
    int fd; /* until the daemon has it: -1 */
    char address[LISTENER_ADDRESS_LEN];
    struct connection_limit *connections;
    /* requests that run, so that closing can wait for them */
    pthread_mutex_t lock;
    pthread_cond_t idle;
    uint32_t running;
    char *certificate, *key;     /* PEM; NULL: plain HTTP */
    _Atomic uint64_t body_bytes; /* of exchanges that took more than SMALL_BYTES */
    _Atomic uint64_t crowded;    /* requests told to come again: too many large bodies */
    _Atomic bool is_closing;     /* set by the closer, read by every connection; no order needed */
    _Atomic uint64_t answered[CLASSES];
    _Atomic uint64_t refused[ADMISSION_REASONS];
    _Atomic uint64_t cut_off;
};

/* One request on its way; lives from its first line to the end of its answer. */
struct exchange {
    struct server *server;
    struct MHD_Connection *connection;
    char *uri; /* raw, as it was sent */
    uint64_t started_ms;
    struct buffer body;
    size_t discarded;
    uint64_t held_bytes; /* of server.body_bytes */
    uint64_t most_bytes; /* of its body */
    bool was_heavy;
    bool is_begun, has_bad_line, is_crowded, is_too_long;
    bool must_close; /* its body had chunks, whose line ends the library does not check */
    char peer[INET6_ADDRSTRLEN];
};

static struct connection_limit_member *member_of(struct MHD_Connection *connection)
{
    const union MHD_ConnectionInfo *info =
        MHD_get_connection_info(connection, MHD_CONNECTION_INFO_SOCKET_CONTEXT);
    return info ? info->socket_context : NULL;
}

static void on_connection(void *context, struct MHD_Connection *connection, void **slot,
                          enum MHD_ConnectionNotificationCode what)
{
    struct server *s = context;
    if (what == MHD_CONNECTION_NOTIFY_CLOSED) {
        connection_limit_leave(s->connections, *slot);
        *slot = NULL;
        return;
    }
    const union MHD_ConnectionInfo *info =
        MHD_get_connection_info(connection, MHD_CONNECTION_INFO_CONNECTION_FD);
    if (info)
        *slot = connection_limit_enter(s->connections, info->connect_fd, timestamp_monotonic_ms());
}

static void count_running(struct server *s, int change)
{
    (void)pthread_mutex_lock(&s->lock);
    if (change > 0)
        s->running++;
    else if (--s->running == 0)
        (void)pthread_cond_broadcast(&s->idle);
    (void)pthread_mutex_unlock(&s->lock);
}

static void exchange_end(void *context, struct MHD_Connection *connection, void **slot,
                         enum MHD_RequestTerminationCode why)
{
    (void)context;
    (void)why;
    struct exchange *x = *slot;
    *slot = NULL;
    if (!x)
        return;
    connection_limit_wait(x->server->connections, member_of(connection), timestamp_monotonic_ms());
    (void)atomic_fetch_sub_explicit(&x->server->body_bytes, x->held_bytes, memory_order_relaxed);
    count_running(x->server, -1);
    bool was_heavy = x->was_heavy;
    buffer_fini(&x->body);
    free(x->uri);
    free(x);
    if (was_heavy) /* each connection's thread may have a heap of its own */
        (void)malloc_trim(0);
}

/*
 * libmicrohttpd before 1.0 takes a bare LF for the end of a line and offers no switch. It writes
 * NULs over the line's end in place: two for CRLF, one for LF. (Of the last header line this tells
 * nothing: the empty line behind it is NULs as well.) Later ones refuse such lines themselves.
 */
static bool is_bare_line(const char *last_piece)
{
#if MHD_VERSION < 0x01000000
    return last_piece && last_piece[strlen(last_piece) + 1] != '\0';
#else
    (void)last_piece;
    return false;
#endif
}

/* What stands where no Host does: the library's own refusal would begin twice, see is_bad_length.
 */
static const char no_host[] = "";

#if MHD_VERSION < 0x00097600
static bool is_bad_number(struct text value)
{
    enum { DIGITS = 18 };
    while (value.len && (value.at[0] == ' ' || value.at[0] == '\t')) /* as the library does */
        value = text_skip(value, 1);
    for (size_t i = 0; i < value.len; i++)
        if (value.at[i] < '0' || value.at[i] > '9')
            return true;
    return !value.len || value.len > DIGITS;
}

/*
 * libmicrohttpd 0.9.75 answers a Content-Length that is no number ("+2") by itself, and writes the
 * head of that answer twice: two answers, to a proxy. So the header is looked at before the library
 * does, and made one that it does not know; the refusal is ours then. `head` is in the library's
 * buffer, pages that begin zeroed: no more is read than the rest of its page, and nothing is done
 * unless the whole head stands there. (A head that comes in pieces is still answered the old way;
 * the connection ends then, too.)
 */
static bool is_bad_length(const char *head)
{
    const uintptr_t page = 4096;
    const struct text room = {head, page - (uintptr_t)head % page};
    struct text rest = text_head(room, text_find_byte(room, '\0'));
    const size_t end = text_find(rest, TEXT("\r\n\r\n"));
    struct text line;
    bool is_bad = false;
    if (end == rest.len)
        return false;
    rest = text_head(rest, end);
    while (text_split(&rest, '\n', &line)) {
        line = text_head(line, text_find_byte(line, '\r'));
        const size_t colon = text_find_byte(line, ':');
        if (!text_equal_nocase(text_head(line, colon), TEXT("content-length")) ||
            !is_bad_number(text_skip(line, colon + 1)))
            continue;
        *(char *)(uintptr_t)line.at = 'X';
        is_bad = true;
    }
    return is_bad;
}
#else
static bool is_bad_length(const char *head)
{
    (void)head;
    return false;
}
#endif

/* Called with the raw request target, before the library decodes it. */
static void *exchange_begin(void *context, const char *uri, struct MHD_Connection *connection)
{
    struct server *s = context;
    struct exchange *x = calloc(1, sizeof *x);
    if (!x)
        return NULL;
    x->uri = strdup(uri);
    if (!x->uri) {
        free(x);
        return NULL;
    }
    x->server = s;
    x->connection = connection;
    const char *version = uri + strlen(uri) + 1; /* "HTTP/1.1" stands behind it */
    x->has_bad_line = is_bare_line(version) || is_bad_length(version + strlen(version) + 2);
    (void)MHD_set_connection_value(connection, MHD_HEADER_KIND, "Host", no_host);
    x->started_ms = timestamp_monotonic_ms();
    buffer_init(&x->body, s->options.max_body_bytes);
    count_running(s, 1);
    return x;
}

static enum MHD_Result note_header(void *context, enum MHD_ValueKind kind, const char *name,
                                   const char *value)
{
    (void)kind;
    struct admission *a = context;
    if (value == no_host)
        return MHD_YES;
    a->has_bad_line |= is_bare_line(value);
    admission_header(a, text_of(name), text_of(value));
    return MHD_YES;
}

static struct text find_header(void *context, const char *name)
{
    const struct exchange *x = context;
    return text_of(MHD_lookup_connection_value(x->connection, MHD_HEADER_KIND, name));
}

static void add_headers(struct MHD_Response *response, const struct server_reply *reply)
{
    static const char *const fixed[][2] = {
        {"X-Content-Type-Options", "nosniff"},
        {"X-Frame-Options", "DENY"},
        {"Referrer-Policy", "no-referrer"},
        {"Cross-Origin-Resource-Policy", "same-origin"},
        {"Content-Security-Policy",
         "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'; base-uri 'none'; "
         "form-action 'none'"},
        {"Cache-Control", "no-store"},
    };
    for (size_t i = 0; i < sizeof fixed / sizeof *fixed; i++)
        (void)MHD_add_response_header(response, fixed[i][0], fixed[i][1]);
    (void)MHD_add_response_header(response, "Content-Type",
                                  reply->base.content_type ? reply->base.content_type
                                                           : "application/json");
    if (reply->allow)
        (void)MHD_add_response_header(response, "Allow", reply->allow);
    if (reply->location[0])
        (void)MHD_add_response_header(response, "Location", reply->location);
    char seconds[16];
    (void)snprintf(seconds, sizeof seconds, "%u", reply->base.retry_after_s);
    if (reply->base.product)
        (void)MHD_add_response_header(response, "X-Elastic-Product", reply->base.product);
    if (reply->base.retry_after_s)
        (void)MHD_add_response_header(response, "Retry-After", seconds);
}

/* Takes the reply's bytes. */
static enum MHD_Result send_reply(struct exchange *x, struct server_reply *reply, bool must_close)
{
    struct server *s = x->server;
    struct buffer *body = &reply->base.body;
    struct MHD_Response *response =
        MHD_create_response_from_buffer(body->len, body->at, MHD_RESPMEM_MUST_FREE);
    if (!response) {
        buffer_fini(body);
        return MHD_NO;
    }
    body->at = NULL;
    buffer_fini(body);
    add_headers(response, reply);
    if (must_close || atomic_load_explicit(&s->is_closing, memory_order_relaxed))
        (void)MHD_add_response_header(response, "Connection", "close");
    int status = reply->base.status;
    int class = status / 100;
    if (class > 0 && class < CLASSES)
        (void)atomic_fetch_add_explicit(&s->answered[class], 1, memory_order_relaxed);
    enum MHD_Result queued = MHD_queue_response(x->connection, (unsigned)status, response);
    MHD_destroy_response(response);
    return queued;
}

void server_refuse(struct server_reply *reply, int status, const char *words)
{
    buffer_clear(&reply->base.body);
    reply->base.status = status;
    reply->base.content_type = "application/json";
    json_write_open(&reply->base.body, NULL, '{');
    json_write_string(&reply->base.body, "error", text_of(words));
    json_write_close(&reply->base.body, '}');
    buffer_byte(&reply->base.body, '\n');
}

static enum MHD_Result refuse(struct exchange *x, enum admission_reason reason, int status,
                              const char *words)
{
    (void)atomic_fetch_add_explicit(&x->server->refused[reason], 1, memory_order_relaxed);
    struct server_reply reply = {0};
    buffer_init(&reply.base.body, SERVER_REPLY_BYTES);
    server_refuse(&reply, status, words);
    return send_reply(x, &reply, true);
}

static void describe_peer(struct exchange *x)
{
    const union MHD_ConnectionInfo *info =
        MHD_get_connection_info(x->connection, MHD_CONNECTION_INFO_CLIENT_ADDRESS);
    const struct sockaddr *a = info ? info->client_addr : NULL;
    struct sockaddr_in in4;
    struct sockaddr_in6 in6;
    if (a && a->sa_family == AF_INET) {
        memcpy(&in4, a, sizeof in4);
        (void)inet_ntop(AF_INET, &in4.sin_addr, x->peer, sizeof x->peer);
    } else if (a && a->sa_family == AF_INET6) {
        memcpy(&in6, a, sizeof in6);
        if (IN6_IS_ADDR_V4MAPPED(&in6.sin6_addr)) {
            (void)inet_ntop(AF_INET, &in6.sin6_addr.s6_addr[12], x->peer, sizeof x->peer);
            return;
        }
        (void)inet_ntop(AF_INET6, &in6.sin6_addr, x->peer, sizeof x->peer);
    }
}

/* Large bodies have a budget in common, so that many of them are no way to take all memory. */
static bool hold(void *context, int64_t bytes)
{
    struct exchange *x = context;
    _Atomic uint64_t *all = &x->server->body_bytes;
    const uint64_t size = (uint64_t)(bytes < 0 ? -bytes : bytes);
    if (bytes < 0) {
        (void)atomic_fetch_sub_explicit(all, size, memory_order_relaxed);
        x->held_bytes -= size;
        return true;
    }
    if (atomic_fetch_add_explicit(all, size, memory_order_relaxed) + size <= BODIES_BYTES) {
        x->held_bytes += size;
        x->was_heavy |= x->held_bytes > TRIM_BYTES;
        return true;
    }
    (void)atomic_fetch_sub_explicit(all, size, memory_order_relaxed);
    return false;
}

static bool may_hold(struct exchange *x, size_t size)
{
    x->is_crowded |= x->body.len + size > SMALL_BYTES && !hold(x, (int64_t)size);
    return !x->is_crowded;
}

static struct console_request request_of(struct exchange *x, const char *method)
{
    struct text uri = text_of(x->uri);
    size_t mark = text_find_byte(uri, '?');
    return (struct console_request){
        .method = text_of(method),
        .path = text_head(uri, mark),
        .query = text_skip(uri, mark + 1),
        .content_type = find_header(x, "Content-Type"),
        .authorization = find_header(x, "Authorization"),
        .body = buffer_text(&x->body),
        .peer = text_of(x->peer),
        .is_remote = x->server->options.is_open,
        .header = find_header,
        .header_context = x,
        .hold = hold,
        .hold_context = x,
    };
}

/* Whoever answers says what he thinks of the sender, and how much he would read of him. */
static enum MHD_Result ask(struct exchange *x, const char *method, const struct admission *a)
{
    const struct server_options *o = &x->server->options;
    struct server_reply reply = {0};
    int64_t length = 0;
    describe_peer(x);
    if (!o->admit)
        return MHD_YES;
    struct console_request head = request_of(x, method);
    buffer_init(&reply.base.body, SERVER_REPLY_BYTES);
    if (!o->admit(o->context, &head, &x->most_bytes, &reply))
        return send_reply(x, &reply, true);
    buffer_fini(&reply.base.body);
    if (a->lengths && text_to_int64(a->length, &length) && (uint64_t)length > x->most_bytes)
        return refuse(x, ADMISSION_SIZE, 413, "the body is larger than is taken");
    return MHD_YES;
}

/* The head is there, the body is not: the moment to refuse. */
static enum MHD_Result admit(struct exchange *x, const char *method, const char *version)
{
    uint64_t most_bytes = x->server->options.max_body_bytes;
    struct admission a = {.has_bad_line = x->has_bad_line,
                          .is_open = x->server->options.is_open,
                          .is_http_1_0 = strcmp(version, "HTTP/1.1") != 0};
    (void)MHD_get_connection_values(x->connection, MHD_HEADER_KIND, note_header, &a);
    int status = 0;
    const char *words = "";
    enum admission_reason reason = admission_check(&a, most_bytes, &status, &words);
    x->is_begun = true;
    x->must_close = a.encodings > 0;
    x->most_bytes = most_bytes;
    if (reason != ADMISSION_OK)
        return refuse(x, reason, status, words);
    return ask(x, method, &a);
}

static enum MHD_Result take_body(struct exchange *x, const char *at, size_t *size)
{
    bool is_slow = timestamp_monotonic_ms() - x->started_ms > REQUEST_MS;
    if (x->body.len + *size > x->most_bytes)
        x->is_too_long = true;
    if (!x->is_too_long && !x->is_crowded && !is_slow && may_hold(x, *size))
        buffer_append(&x->body, (struct text){at, *size});
    x->is_crowded |= x->body.has_failed; /* no memory now: to be sent again */
    if (x->is_too_long || x->is_crowded)
        x->discarded += *size; /* it is not taken: read on a while, so that the answer is read */
    *size = 0;
    if (!is_slow && x->discarded < DISCARD_BYTES)
        return MHD_YES;
    (void)atomic_fetch_add_explicit(&x->server->cut_off, 1, memory_order_relaxed);
    return MHD_NO;
}

static enum MHD_Result come_again(struct exchange *x)
{
    (void)atomic_fetch_add_explicit(&x->server->crowded, 1, memory_order_relaxed);
    struct server_reply reply = {.base.retry_after_s = 1};
    buffer_init(&reply.base.body, SERVER_REPLY_BYTES);
    server_refuse(&reply, 503, "too many long requests at once, come again");
    return send_reply(x, &reply, true);
}

static enum MHD_Result answer(struct exchange *x, const char *method)
{
    if (x->is_too_long)
        return refuse(x, ADMISSION_SIZE, 413, "the body is larger than is taken");
    if (x->is_crowded)
        return come_again(x);
    connection_limit_serve(x->server->connections, member_of(x->connection));
    struct console_request request = request_of(x, method);
    struct server_reply reply = {0};
    buffer_init(&reply.base.body, SERVER_REPLY_BYTES);
    x->server->options.handle(x->server->options.context, x->server, &request, &reply);
    if (reply.base.body.has_failed || reply.base.status < 200)
        server_refuse(&reply, 500, "the answer is larger than is sent, or there is no memory");
    return send_reply(x, &reply, x->must_close);
}

static enum MHD_Result on_request(void *context, struct MHD_Connection *connection, const char *url,
                                  const char *method, const char *version, const char *upload,
                                  size_t *upload_size, void **slot)
{
    (void)context;
    (void)connection;
    (void)url;
    struct exchange *x = *slot;
    if (!x)
        return MHD_NO;
    if (!x->is_begun)
        return admit(x, method, version);
    if (*upload_size)
        return take_body(x, upload, upload_size);
    return answer(x, method);
}

static bool start(struct server *s)
{
    char priorities[] = "NORMAL:-VERS-ALL:+VERS-TLS1.3:+VERS-TLS1.2";
    unsigned flags = MHD_USE_INTERNAL_POLLING_THREAD | MHD_USE_THREAD_PER_CONNECTION |
                     MHD_USE_POLL | MHD_USE_ITC | (s->key ? (unsigned)MHD_USE_TLS : 0);
    const struct MHD_OptionItem tls[] = {
        {MHD_OPTION_HTTPS_MEM_KEY, 0, s->key},
        {MHD_OPTION_HTTPS_MEM_CERT, 0, s->certificate},
        {MHD_OPTION_HTTPS_PRIORITIES, 0, priorities},
        {MHD_OPTION_END, 0, NULL},
    };
    /* the library's threads take this thread's mask: signals are main's */
    sigset_t all, before;
    (void)sigfillset(&all);
    (void)pthread_sigmask(SIG_SETMASK, &all, &before);
    s->daemon = MHD_start_daemon(
        flags, 0, NULL, NULL, on_request, s, MHD_OPTION_LISTEN_SOCKET, s->fd,
        MHD_OPTION_CONNECTION_LIMIT, (unsigned)CONNECTIONS, MHD_OPTION_PER_IP_CONNECTION_LIMIT,
        (unsigned)CONNECTIONS_PER_ADDRESS, MHD_OPTION_CONNECTION_TIMEOUT, (unsigned)IDLE_S,
        MHD_OPTION_CONNECTION_MEMORY_LIMIT, (size_t)CONNECTION_BYTES, MHD_OPTION_THREAD_STACK_SIZE,
        (size_t)STACK_BYTES, MHD_OPTION_URI_LOG_CALLBACK, exchange_begin, s,
        MHD_OPTION_NOTIFY_COMPLETED, exchange_end, s, MHD_OPTION_NOTIFY_CONNECTION, on_connection,
        s, MHD_OPTION_STRICT_FOR_CLIENT, 1, MHD_OPTION_ARRAY, s->key ? tls : tls + 3,
#if MHD_VERSION >= 0x01000000
        MHD_OPTION_CLIENT_DISCIPLINE_LVL, 2,
#endif
        MHD_OPTION_END);
    (void)pthread_sigmask(SIG_SETMASK, &before, NULL);
    return s->daemon != NULL;
}

static enum status read_pem(struct text path, char **out, struct error *err)
{
    char *pem = calloc(1, PEM_BYTES + 1);
    if (!pem)
        return error_set(err, STATUS_NOMEM, 0, "no memory for a certificate");
    *out = pem;
    FILE *f = fopen(path.at, "re");
    size_t n = f ? fread(pem, 1, PEM_BYTES, f) : 0;
    if (f)
        (void)fclose(f);
    return n && n < PEM_BYTES
               ? STATUS_OK
               : error_set(err, STATUS_IO, 0, "%.*s: no PEM file that can be read", TEXT_ARG(path));
}

static enum status read_tls(struct server *s, struct error *err)
{
    const struct server_options *o = &s->options;
    if (!o->certificate.len && !o->key.len)
        return STATUS_OK;
    if (!o->certificate.len || !o->key.len)
        return error_set(err, STATUS_INVALID, 0, "webhooks: `certificate` and `key` go together");
    if (MHD_is_feature_supported(MHD_FEATURE_SSL) != MHD_YES)
        return error_set(err, STATUS_INVALID, 0, "webhooks: this libmicrohttpd has no TLS");
    enum status status = read_pem(o->certificate, &s->certificate, err);
    return status ? status : read_pem(o->key, &s->key, err);
}

static void free_server(struct server *s)
{
    if (s->key)
        explicit_bzero(s->key, PEM_BYTES);
    free(s->key);
    free(s->certificate);
    free(s);
}

enum status server_open(const struct server_options *options, struct server **out,
                        struct error *err)
{
    struct server *s = calloc(1, sizeof *s);
    if (!s)
        return error_set(err, STATUS_NOMEM, 0, "no memory for the console");
    s->options = *options;
    enum status status = read_tls(s, err);
    if (!status)
        status = listener_open(options->listen, options->is_open, &s->fd, s->address, err);
    if (status) {
        free_server(s);
        return status;
    }
    if (monotonic_cond_init(&s->idle)) {
        (void)close(s->fd);
        free_server(s);
        return error_set(err, STATUS_NOMEM, 0, "no memory for the console");
    }
    (void)pthread_mutex_init(&s->lock, NULL);
    s->connections = connection_limit_new(MANY, PATIENCE_MS);
    if (s->connections && start(s)) {
        *out = s;
        return STATUS_OK;
    }
    (void)close(s->fd);
    connection_limit_free(s->connections);
    (void)pthread_cond_destroy(&s->idle);
    (void)pthread_mutex_destroy(&s->lock);
    bool has_tls = s->key != NULL;
    free_server(s);
    return error_set(err, STATUS_IO, 0, "libmicrohttpd did not start%s",
                     has_tls ? ": do webhooks.certificate and webhooks.key belong together?" : "");
}

static void wait_idle(struct server *s)
{
    struct timespec until = monotonic_deadline(CLOSE_MS);
    (void)pthread_mutex_lock(&s->lock);
    int failed = 0;
    while (s->running && !failed)
        failed = pthread_cond_timedwait(&s->idle, &s->lock, &until);
    (void)pthread_mutex_unlock(&s->lock);
}

void server_close(struct server *s)
{
    if (!s)
        return;
    atomic_store_explicit(&s->is_closing, true, memory_order_relaxed);
    int fd = MHD_quiesce_daemon(s->daemon);
    wait_idle(s);
    MHD_stop_daemon(s->daemon);
    if (fd >= 0)
        (void)close(fd);
    connection_limit_free(s->connections);
    (void)pthread_cond_destroy(&s->idle);
    (void)pthread_mutex_destroy(&s->lock);
    free_server(s);
}

const char *server_address(const struct server *s)
{
    return s->address;
}

/* `own` and the port's label, where there is one. */
static const char *label(const struct server *s, const char *own, char out[96])
{
    const char *port = s->options.port;
    (void)snprintf(out, 96, "%s%s%s%s%s", own, own[0] && port ? "," : "", port ? "port=\"" : "",
                   port ? port : "", port ? "\"" : "");
    return out[0] ? out : NULL;
}

void server_metrics(const struct server *s, metric_fn tell, void *context)
{
    char own[64];
    char labels[96];
    for (int class = 2; class < CLASSES; class ++) {
        (void)snprintf(own, sizeof own, "code=\"%dxx\"", class);
        tell(context, &(struct metric){
                          "console_requests_total", "HTTP requests answered.",
                          label(s, own, labels), METRIC_COUNTER,
                          (double)atomic_load_explicit(&s->answered[class], memory_order_relaxed)});
    }
    for (int reason = ADMISSION_OK + 1; reason < ADMISSION_REASONS; reason++) {
        (void)snprintf(own, sizeof own, "reason=\"%s\"",
                       admission_name((enum admission_reason)reason));
        tell(context,
             &(struct metric){
                 "console_refused_total", "HTTP requests refused before they were looked at.",
                 label(s, own, labels), METRIC_COUNTER,
                 (double)atomic_load_explicit(&s->refused[reason], memory_order_relaxed)});
    }
    const char *only = label(s, "", labels);
    const struct metric others[] = {
        {"console_cut_off_total", "HTTP requests whose body was too slow or went on too long.",
         only, METRIC_COUNTER, (double)atomic_load_explicit(&s->cut_off, memory_order_relaxed)},
        {"console_crowded_total",
         "HTTP requests told to come again because of too many long bodies at once.", only,
         METRIC_COUNTER, (double)atomic_load_explicit(&s->crowded, memory_order_relaxed)},
        {"console_sent_away_total", "HTTP connections ended because they kept others waiting.",
         only, METRIC_COUNTER, (double)connection_limit_sent_away(s->connections)},
        {"console_connections", "HTTP connections open now.", only, METRIC_GAUGE,
         (double)connection_limit_count(s->connections)},
    };
    for (size_t i = 0; i < sizeof others / sizeof *others; i++)
        tell(context, &others[i]);
}
