/* SPDX-License-Identifier: Apache-2.0 */
#include "ingest/door/source_tls.h"
#include "base/log.h"
#include "ingest/door/source_tcp.h"
#include "ingest/door/tls.h"

static bool open_session(struct stream_connection *c)
{
    struct error err;
    struct tls *tls = c->stream->transport_context;
    if (tls_refresh(tls, &err) != STATUS_OK)
        log_line(LOG_WARNING, "the changed TLS files are not used: %s address=%s", err.text,
                 c->stream->source->address);
    c->session = tls_accept(tls, c->fd);
    return c->session != NULL;
}

static void close_session(struct stream_connection *c)
{
    tls_end(c->session);
}

static ssize_t result(struct stream_connection *c, ssize_t n)
{
    c->is_ready = tls_is_ready(c->session);
    c->wants_write |= n == TLS_AGAIN_WRITE;
    if (n == TLS_BROKEN)
        return STREAM_BROKEN;
    return n < 0 ? STREAM_AGAIN : n;
}

static ssize_t read_session(struct stream_connection *c, char *at, size_t size)
{
    return result(c, tls_read(c->session, at, size));
}

static ssize_t write_session(struct stream_connection *c, const char *at, size_t size)
{
    return result(c, tls_write(c->session, at, size));
}

static bool has_more(const struct stream_connection *c)
{
    return tls_has_more(c->session);
}

const struct stream_transport source_tls_transport = {
    .open = open_session,
    .close = close_session,
    .read = read_session,
    .write = write_session,
    .has_more = has_more,
};

struct tls_door {
    struct source source;
    struct tls_settings settings; /* options */
    struct tls *tls;
    struct source_stream stream;
};

static enum status check_tls(struct source *s, bool *has_proof, struct error *err)
{
    struct tls_door *d = CONTAINER_OF(s, struct tls_door, source);
    AUTO(tls) tls = NULL;
    *has_proof = d->settings.client_ca.len > 0;
    return tls_open(&d->settings, &tls, err);
}

static enum status open_tls(struct source *s, struct error *err)
{
    struct tls_door *t = CONTAINER_OF(s, struct tls_door, source);
    int fd = -1;
    enum status status = tls_open(&t->settings, &t->tls, err);
    if (!status)
        status = source_bind(s, SOCK_STREAM, t->settings.client_ca.len > 0, &fd, err);
    if (!status)
        status =
            source_stream_init(&t->stream, s, fd, &source_tls_transport, &source_tcp_framed, err);
    t->stream.transport_context = t->tls;
    return status;
}

static enum status start_tls(struct source *s, struct error *err)
{
    return source_stream_start(&CONTAINER_OF(s, struct tls_door, source)->stream, err);
}

static void stop_tls(struct source *s)
{
    source_stream_stop(&CONTAINER_OF(s, struct tls_door, source)->stream);
}

static void close_tls(struct source *s)
{
    struct tls_door *t = CONTAINER_OF(s, struct tls_door, source);
    source_stream_fini(&t->stream);
    tls_close(t->tls);
}

static const struct option rows[] = {TLS_OPTIONS(struct tls_door, settings)};

const struct source_type source_tls_type = {
    .key = "syslog_tls",
    .kind = "syslog-tls",
    .help = "syslog over TLS 1.2 and 1.3, RFC 5425",
    .size_bytes = sizeof(struct tls_door),
    .traits = SOURCE_NET | SOURCE_STREAM,
    .listen = "127.0.0.1:6514",
    .options = rows,
    .option_count = sizeof rows / sizeof *rows,
    .open = open_tls,
    .check = check_tls,
    .start = start_tls,
    .stop = stop_tls,
    .close = close_tls,
};
