/* SPDX-License-Identifier: Apache-2.0 */
#include "ingest/door/source_relp.h"
#include "ingest/door/relp.h"
#include "ingest/door/relp_acks.h"
#include "ingest/door/source_stream.h"
#include "ingest/door/source_tls.h"
#include "ingest/door/tls.h"
#include <stdlib.h>

struct relp_door {
    struct source source;
    struct tls_settings settings; /* options; without a certificate the door is plain */
    struct tls *tls;
    struct relp_acks *acks;
    struct source_stream stream;
};

/* One sender's session. */
struct session {
    struct relp relp;
    bool is_open;
};

static struct session *session_of(struct stream_connection *c)
{
    return (void *)c->state;
}

static void open_session(struct stream_connection *c)
{
    relp_init(&session_of(c)->relp, c->stream->source->max_message_bytes);
}

static void close_session(struct stream_connection *c, int64_t now_us)
{
    (void)now_us; /* an unfinished frame was not acknowledged: it comes again */
    relp_fini(&session_of(c)->relp);
}

static bool greet(struct stream_connection *c, const struct relp_frame *f)
{
    if (text_find(f->data, TEXT("relp_version=0")) == f->data.len) {
        relp_respond(&c->out, f->number, TEXT("500 only relp_version 0 is spoken here"));
        return false;
    }
    session_of(c)->is_open = true;
    relp_respond(&c->out, f->number,
                 TEXT("200 OK\nrelp_version=0\nrelp_software=tocsin\ncommands=syslog"));
    return true;
}

static bool store(struct stream_connection *c, const struct relp_frame *f, int64_t now_us)
{
    struct relp_acks *acks = c->stream->protocol_context;
    if (!session_of(c)->is_open)
        return false;
    /* Without a record there is no acknowledgement: the sender comes back with it. */
    if (!lane_add(c->stream->lane, f->data, source_stream_peer(c), now_us, f->is_truncated) ||
        !relp_acks_note(acks, c->id, f->number))
        c->is_doomed = true;
    return true;
}

static bool obey(struct stream_connection *c, const struct relp_frame *f, int64_t now_us)
{
    if (text_equal(f->command, TEXT("syslog")))
        return store(c, f, now_us);
    if (text_equal(f->command, TEXT("open")))
        return greet(c, f);
    if (text_equal(f->command, TEXT("close"))) {
        relp_respond(&c->out, f->number, TEXT_NONE);
        buffer_append(&c->out, TEXT("0 serverclose 0\n"));
        source_stream_flush(c);
        c->is_doomed = true;
        return true;
    }
    relp_respond(&c->out, f->number, TEXT("500 unknown command"));
    return true;
}

static bool take_frames(struct stream_connection *c, struct text chunk, int64_t now_us)
{
    struct relp_frame f;
    enum relp_result result = RELP_FRAME;
    bool is_sound = true;
    while (is_sound && !c->is_doomed &&
           (result = relp_next(&session_of(c)->relp, &chunk, &f)) == RELP_FRAME)
        is_sound = obey(c, &f, now_us);
    source_stream_flush(c);
    return is_sound && result != RELP_BROKEN;
}

static void acknowledge(struct source_stream *t, const struct relp_block *b)
{
    for (uint32_t i = 0; i < b->count; i++) {
        struct stream_connection *c = source_stream_find(t, b->items[i].connection);
        if (!c)
            continue; /* left without waiting */
        if (b->is_ok)
            relp_respond(&c->out, b->items[i].number, TEXT("200 OK"));
        else
            c->is_doomed = true; /* it connects again and sends again */
        bool is_last = i + 1 == b->count || b->items[i + 1].connection != c->id;
        if (is_last)
            source_stream_flush(c);
        if (is_last && c->is_doomed)
            source_stream_close(c);
    }
}

static void wake(struct source_stream *t)
{
    struct relp_acks *acks = t->protocol_context;
    for (struct relp_block *b = relp_acks_take(acks); b; b = relp_acks_take(acks)) {
        acknowledge(t, b);
        free(b);
    }
}

static bool is_owing(const struct source_stream *t)
{
    return relp_acks_owed(t->protocol_context) > 0;
}

static const struct stream_protocol protocol = {
    .state_bytes = sizeof(struct session),
    .open = open_session,
    .take = take_frames,
    .close = close_session,
    .wake = wake,
    .is_owing = is_owing,
};

static enum status check_relp(struct source *s, bool *has_proof, struct error *err)
{
    struct relp_door *d = CONTAINER_OF(s, struct relp_door, source);
    AUTO(tls) tls = NULL;
    if (!d->settings.certificate.len)
        return STATUS_OK;
    *has_proof = d->settings.client_ca.len > 0;
    return tls_open(&d->settings, &tls, err);
}

static enum status open_relp(struct source *s, struct error *err)
{
    struct relp_door *d = CONTAINER_OF(s, struct relp_door, source);
    bool is_tls = d->settings.certificate.len > 0;
    int fd = -1;
    enum status status = is_tls ? tls_open(&d->settings, &d->tls, err) : STATUS_OK;
    if (!status)
        status = source_bind(s, SOCK_STREAM, is_tls && d->settings.client_ca.len, &fd, err);
    if (!status)
        status = source_stream_init(&d->stream, s, fd,
                                    is_tls ? &source_tls_transport : &source_stream_plain,
                                    &protocol, err);
    if (status)
        return status;
    d->acks = relp_acks_new(d->stream.wake_fd);
    if (!d->acks)
        return error_set(err, STATUS_NOMEM, 0, "no memory for acknowledgements");
    d->stream.transport_context = d->tls;
    d->stream.protocol_context = d->acks;
    s->lanes[0].seal = relp_acks_seal;
    s->lanes[0].seal_context = d->acks;
    s->lanes[0].gather_us = LANE_STEP_US; /* a sender with a full window waits for us */
    return STATUS_OK;
}

static enum status start_relp(struct source *s, struct error *err)
{
    return source_stream_start(&CONTAINER_OF(s, struct relp_door, source)->stream, err);
}

static void stop_relp(struct source *s)
{
    source_stream_stop(&CONTAINER_OF(s, struct relp_door, source)->stream);
}

static void close_relp(struct source *s)
{
    struct relp_door *d = CONTAINER_OF(s, struct relp_door, source);
    source_stream_fini(&d->stream);
    relp_acks_free(d->acks);
    tls_close(d->tls);
}

static const struct option rows[] = {TLS_OPTIONS(struct relp_door, settings)};

const struct source_type source_relp_type = {
    .key = "relp",
    .kind = "relp",
    .help = "RELP, acknowledged when durable; over TLS with a certificate",
    .size_bytes = sizeof(struct relp_door),
    .traits = SOURCE_NET | SOURCE_STREAM,
    .listen = "127.0.0.1:2514",
    .options = rows,
    .option_count = sizeof rows / sizeof *rows,
    .open = open_relp,
    .check = check_relp,
    .start = start_relp,
    .stop = stop_relp,
    .close = close_relp,
};
