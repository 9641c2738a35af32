/* SPDX-License-Identifier: Apache-2.0 */
#include "ingest/door/source_tcp.h"
#include "ingest/door/framer.h"

static struct framer *framer_of(struct stream_connection *c)
{
    return (void *)c->state;
}

static void give(struct stream_connection *c, struct text message, uint32_t flags, int64_t now_us)
{
    if (flags & FRAMER_DAMAGED)
        counter_add(&c->stream->lane->damaged, 1);
    (void)lane_add(c->stream->lane, message, source_stream_peer(c), now_us,
                   flags & FRAMER_TRUNCATED);
}

static void open_framed(struct stream_connection *c)
{
    framer_init(framer_of(c), c->stream->source->max_message_bytes);
}

static bool take_framed(struct stream_connection *c, struct text chunk, int64_t now_us)
{
    struct text message;
    uint32_t flags = 0;
    while (framer_next(framer_of(c), &chunk, &message, &flags))
        give(c, message, flags, now_us);
    return true;
}

static void quiet_framed(struct stream_connection *c, int64_t now_us)
{
    struct text message;
    uint32_t flags = 0;
    if (framer_idle(framer_of(c), &message, &flags))
        give(c, message, flags, now_us);
}

static void close_framed(struct stream_connection *c, int64_t now_us)
{
    struct text message;
    uint32_t flags = 0;
    if (framer_end(framer_of(c), &message, &flags))
        give(c, message, flags, now_us);
    framer_fini(framer_of(c));
}

const struct stream_protocol source_tcp_framed = {
    .state_bytes = sizeof(struct framer),
    .open = open_framed,
    .take = take_framed,
    .quiet = quiet_framed,
    .close = close_framed,
};

struct tcp {
    struct source source;
    struct source_stream stream;
};

static enum status open_tcp(struct source *s, struct error *err)
{
    struct tcp *t = CONTAINER_OF(s, struct tcp, source);
    int fd = -1;
    enum status status = source_bind(s, SOCK_STREAM, false, &fd, err);
    if (status)
        return status;
    return source_stream_init(&t->stream, s, fd, &source_stream_plain, &source_tcp_framed, err);
}

static enum status start_tcp(struct source *s, struct error *err)
{
    return source_stream_start(&CONTAINER_OF(s, struct tcp, source)->stream, err);
}

static void stop_tcp(struct source *s)
{
    source_stream_stop(&CONTAINER_OF(s, struct tcp, source)->stream);
}

static void close_tcp(struct source *s)
{
    source_stream_fini(&CONTAINER_OF(s, struct tcp, source)->stream);
}

const struct source_type source_tcp_type = {
    .key = "syslog_tcp",
    .kind = "syslog-tcp",
    .help = "syslog over TCP, RFC 6587",
    .size_bytes = sizeof(struct tcp),
    .traits = SOURCE_NET | SOURCE_STREAM,
    .listen = "127.0.0.1:5514",
    .open = open_tcp,
    .start = start_tcp,
    .stop = stop_tcp,
    .close = close_tcp,
};
