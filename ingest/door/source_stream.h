/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include "base/buffer.h"
#include "ingest/door/source.h"
#include <pthread.h>

/*
 * The loop behind every door that takes connections: one thread accepts, reads and closes. How
 * bytes cross the socket (plain, TLS) and what they mean (syslog frames, RELP) are two tables.
 *
 *   socket --transport--> chunk --protocol--> lane_add() ... lane_put() when nothing more is there
 *
 * A connection that is silent is closed after `idle`; when `max_connections` is reached the one
 * silent longest makes room, if it was silent for `evict`, else the new one is refused.
 */
struct source_stream;
struct stream_connection;

enum {
    STREAM_READ_BYTES = 256 * 1024, /* read at once, shared by all connections */
    STREAM_OUT_BYTES = 256 * 1024,  /* answers waiting for a sender that does not read them */
    STREAM_HANDSHAKE_MS = 30000,
    STREAM_TURN = 4, /* reads of one connection before the others have their turn */
};

/* What stream_transport.read answers beside a number of bytes. */
enum { STREAM_AGAIN = -1, STREAM_BROKEN = -2 };

struct stream_transport {
    /* Fits a new connection out; false: close it. May be NULL. */
    bool (*open)(struct stream_connection *c);
    void (*close)(struct stream_connection *c); /* may be NULL */
    /* Bytes read, 0 at the end, STREAM_AGAIN or STREAM_BROKEN. */
    ssize_t (*read)(struct stream_connection *c, char *at, size_t size);
    ssize_t (*write)(struct stream_connection *c, const char *at, size_t size);
    /* True while bytes wait that the socket's readiness does not show. May be NULL. */
    bool (*has_more)(const struct stream_connection *c);
};
extern const struct stream_transport source_stream_plain;

struct stream_protocol {
    size_t state_bytes; /* of stream_connection.state, zeroed at accept */
    void (*open)(struct stream_connection *c);
    /* False: this is not the protocol; the connection is closed and counted. */
    bool (*take)(struct stream_connection *c, struct text chunk, int64_t receive_us);
    /* Nothing came for a second. May be NULL. */
    void (*quiet)(struct stream_connection *c, int64_t receive_us);
    /* The connection ends: the last message may be added; then the state is given back. */
    void (*close)(struct stream_connection *c, int64_t receive_us);
    /* wake_fd was written to. May be NULL. */
    void (*wake)(struct source_stream *t);
    /* At the stop: true while answers are owed. May be NULL. */
    bool (*is_owing)(const struct source_stream *t);
};

struct stream_connection {
    struct source_stream *stream;
    struct stream_connection *older, *newer; /* by last activity */
    int fd;
    uint64_t id;        /* never used twice in a source */
    uint64_t active_ms; /* last byte in */
    uint32_t events;    /* what epoll watches */
    bool is_ready;      /* the transport's handshake is over */
    bool is_quiet;      /* quiet() was called since the last byte */
    bool is_doomed;     /* to be closed by the loop */
    bool wants_write;   /* the transport cannot read before it has written */
    bool has_left;      /* it has had its turn, and the transport holds more: next round */
    uint8_t peer_len;
    char peer[ENDPOINT_PEER_LEN];
    void *session;             /* the transport's */
    struct buffer out;         /* not yet written */
    _Alignas(16) char state[]; /* the protocol's */
};

struct source_stream {
    struct source *source;
    const struct stream_transport *transport;
    const struct stream_protocol *protocol;
    void *transport_context, *protocol_context;
    struct lane *lane;
    int listen_fd, epoll_fd, wake_fd;
    bool is_deaf; /* not accepting until the next second: no file handles left */
    bool is_threaded;
    pthread_t thread;
    struct stream_connection *oldest, *newest;
    struct stream_connection **slots; /* slot_count of them, NULL: free */
    uint32_t slot_count, free_slot;   /* the lowest slot that may be free */
    uint64_t next_id;
    bool is_draining; /* at the stop: answers are written, nothing is read */
    uint64_t now_ms, swept_ms;
    char *chunk; /* STREAM_READ_BYTES */
};

/* Takes `listen_fd` (closed by fini, also on failure). */
NODISCARD enum status source_stream_init(struct source_stream *t, struct source *s, int listen_fd,
                                         const struct stream_transport *transport,
                                         const struct stream_protocol *protocol, struct error *err);
NODISCARD enum status source_stream_start(struct source_stream *t, struct error *err);
/* Reads what the kernel already has (for a moment), waits for answers owed, joins. */
void source_stream_stop(struct source_stream *t);
/* Also on one of all zeros. */
void source_stream_fini(struct source_stream *t);

/* For protocols, on the loop's thread. Writes what is in c->out, as far as the socket takes it; a
 * sender that reads no answers is doomed. */
void source_stream_flush(struct stream_connection *c);
/* Closes at once. Only in `wake`: elsewhere is_doomed is the way. */
void source_stream_close(struct stream_connection *c);
/* The connection with that id, or NULL once it is gone. */
struct stream_connection *source_stream_find(const struct source_stream *t, uint64_t id);
static inline struct text source_stream_peer(const struct stream_connection *c)
{
    return (struct text){c->peer, c->peer_len};
}
