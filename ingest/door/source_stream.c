/* SPDX-License-Identifier: Apache-2.0 */
#include "ingest/door/source_stream.h"
#include "base/timestamp.h"
#include "base/wall_clock.h"
#include "ingest/door/allow_list.h"
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <unistd.h>

enum { EVENTS = 256, ACCEPTS = 64, TICK_MS = 1000, DRAIN_MS = 300, OWED_MS = 5000 };

static ssize_t plain_read(struct stream_connection *c, char *at, size_t size)
{
    ssize_t n = recv(c->fd, at, size, 0);
    if (n >= 0)
        return n;
    return errno == EAGAIN || errno == EINTR ? STREAM_AGAIN : STREAM_BROKEN;
}

static ssize_t plain_write(struct stream_connection *c, const char *at, size_t size)
{
    ssize_t n = send(c->fd, at, size, MSG_NOSIGNAL);
    if (n >= 0)
        return n;
    return errno == EAGAIN || errno == EINTR ? STREAM_AGAIN : STREAM_BROKEN;
}

const struct stream_transport source_stream_plain = {.read = plain_read, .write = plain_write};

/* ---- the list by activity ---- */

static void unlink_connection(struct source_stream *t, struct stream_connection *c)
{
    *(c->older ? &c->older->newer : &t->oldest) = c->newer;
    *(c->newer ? &c->newer->older : &t->newest) = c->older;
}

static void link_newest(struct source_stream *t, struct stream_connection *c)
{
    c->older = t->newest;
    c->newer = NULL;
    *(t->newest ? &t->newest->newer : &t->oldest) = c;
    t->newest = c;
}

static void touch(struct source_stream *t, struct stream_connection *c)
{
    c->active_ms = t->now_ms;
    c->is_quiet = false;
    if (t->newest == c)
        return;
    unlink_connection(t, c);
    link_newest(t, c);
}

/* ---- ids ---- */

enum { SLOT_BITS = 24 };

struct stream_connection *source_stream_find(const struct source_stream *t, uint64_t id)
{
    uint64_t slot = id & ((1U << SLOT_BITS) - 1);
    struct stream_connection *c = slot < t->slot_count ? t->slots[slot] : NULL;
    return c && c->id == id ? c : NULL;
}

static bool grow_slots(struct source_stream *t)
{
    uint32_t count = t->slot_count ? t->slot_count * 2 : 64;
    struct stream_connection **slots = realloc(t->slots, count * sizeof *slots);
    if (!slots || count > 1U << SLOT_BITS)
        return false;
    memset(slots + t->slot_count, 0, (count - t->slot_count) * sizeof *slots);
    t->slots = slots;
    t->slot_count = count;
    return true;
}

static bool give_id(struct source_stream *t, struct stream_connection *c)
{
    while (t->free_slot < t->slot_count && t->slots[t->free_slot])
        t->free_slot++;
    if (t->free_slot == t->slot_count && !grow_slots(t))
        return false;
    c->id = (++t->next_id << SLOT_BITS) | t->free_slot;
    t->slots[t->free_slot++] = c;
    return true;
}

static void free_id(struct source_stream *t, const struct stream_connection *c)
{
    uint32_t slot = (uint32_t)(c->id & ((1U << SLOT_BITS) - 1));
    t->slots[slot] = NULL;
    if (slot < t->free_slot)
        t->free_slot = slot;
}

/* ---- connections ---- */

static void watch(struct stream_connection *c)
{
    /* a socket can nearly always be written to: so what is left inside comes up again at once */
    bool wants_out = c->out.len || c->wants_write || c->has_left;
    uint32_t events = EPOLLIN | (wants_out ? (uint32_t)EPOLLOUT : 0);
    if (events == c->events)
        return;
    struct epoll_event e = {.events = events, .data.ptr = c};
    (void)epoll_ctl(c->stream->epoll_fd, c->events ? EPOLL_CTL_MOD : EPOLL_CTL_ADD, c->fd, &e);
    c->events = events;
}

static void count_connections(struct source_stream *t, int64_t by)
{
    (void)atomic_fetch_add_explicit(&t->source->connections, by, memory_order_relaxed);
}

static void close_connection(struct stream_connection *c)
{
    struct source_stream *t = c->stream;
    t->protocol->close(c, wall_clock_us());
    unlink_connection(t, c);
    free_id(t, c);
    if (t->transport->close)
        t->transport->close(c);
    (void)close(c->fd);
    buffer_fini(&c->out);
    free(c);
    count_connections(t, -1);
}

void source_stream_flush(struct stream_connection *c)
{
    c->is_doomed |= c->out.has_failed;
    while (c->out.len && !c->is_doomed) {
        ssize_t n = c->stream->transport->write(c, c->out.at, c->out.len);
        if (n == STREAM_AGAIN)
            break;
        if (n <= 0)
            c->is_doomed = true;
        else
            buffer_drop(&c->out, (size_t)n);
    }
    watch(c);
}

void source_stream_close(struct stream_connection *c)
{
    close_connection(c);
}

static struct stream_connection *new_connection(struct source_stream *t, int fd,
                                                const struct endpoint *peer)
{
    struct stream_connection *c = calloc(1, sizeof *c + t->protocol->state_bytes);
    if (!c)
        return NULL;
    c->stream = t;
    c->fd = fd;
    c->is_ready = !t->transport->open;
    c->peer_len = (uint8_t)endpoint_peer(peer, c->peer).len;
    buffer_init(&c->out, STREAM_OUT_BYTES);
    bool is_fitted = !t->transport->open || t->transport->open(c);
    if (is_fitted && give_id(t, c))
        return c;
    if (is_fitted && t->transport->close)
        t->transport->close(c);
    free(c);
    return NULL;
}

/* Room for one more: the one silent longest goes, if it was silent long enough. */
static bool make_room(struct source_stream *t)
{
    struct stream_connection *c = t->oldest;
    if (!c || t->now_ms - c->active_ms < (uint64_t)t->source->evict_us / 1000)
        return false;
    counter_add(&t->source->connections_idle, 1);
    close_connection(c);
    return true;
}

static void note(const struct source_stream *t, struct text peer, enum drops_reason why)
{
    drops_count(t->source->intake.drops, t->source->index, peer, why, 1);
}

static bool may_enter(struct source_stream *t, const struct endpoint *peer)
{
    char name[ENDPOINT_PEER_LEN];
    if (!allow_list_has(t->source->allow, peer)) {
        note(t, endpoint_peer(peer, name), DROPS_BARRED);
        return false;
    }
    int64_t open = atomic_load_explicit(&t->source->connections, memory_order_relaxed);
    if (open < t->source->max_connections || make_room(t))
        return true;
    note(t, endpoint_peer(peer, name), DROPS_CROWDED);
    return false;
}

static void enter(struct source_stream *t, int fd, const struct endpoint *peer)
{
    int one = 1;
    struct stream_connection *c = may_enter(t, peer) ? new_connection(t, fd, peer) : NULL;
    if (!c) {
        counter_add(&t->source->connections_refused, 1);
        (void)close(fd);
        return;
    }
    (void)setsockopt(fd, SOL_SOCKET, SO_KEEPALIVE, &one, sizeof one);
    (void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one); /* acks at once */
    c->active_ms = t->now_ms;
    link_newest(t, c);
    count_connections(t, 1);
    counter_add(&t->source->connections_total, 1);
    t->protocol->open(c);
    watch(c);
}

static void listen_again(struct source_stream *t, bool is_on)
{
    struct epoll_event e = {.events = is_on ? (uint32_t)EPOLLIN : 0, .data.ptr = &t->listen_fd};
    (void)epoll_ctl(t->epoll_fd, EPOLL_CTL_MOD, t->listen_fd, &e);
    t->is_deaf = !is_on;
}

static void accept_some(struct source_stream *t)
{
    for (int i = 0; i < ACCEPTS; i++) {
        struct endpoint peer = {.len = sizeof peer.at};
        int fd = accept4(t->listen_fd, (struct sockaddr *)&peer.at, &peer.len,
                         SOCK_NONBLOCK | SOCK_CLOEXEC);
        if (fd >= 0) {
            enter(t, fd, &peer);
            continue;
        }
        if ((errno == EMFILE || errno == ENFILE) && !make_room(t))
            listen_again(t, false);
        if (errno == EAGAIN || t->is_deaf)
            return;
    }
}

/* ---- the loop ---- */

static void note_broken(struct stream_connection *c)
{
    counter_add(&c->stream->lane->broken, 1);
    note(c->stream, source_stream_peer(c), DROPS_BROKEN);
}

/* One read; true when more waits inside the transport. */
static bool read_once(struct source_stream *t, struct stream_connection *c, int64_t now_us)
{
    c->wants_write = false;
    ssize_t n = t->transport->read(c, t->chunk, STREAM_READ_BYTES);
    if (n == STREAM_AGAIN)
        return false;
    if (n <= 0) {
        if (n == STREAM_BROKEN && !c->is_ready)
            note_broken(c);
        c->is_doomed = true;
        return false;
    }
    touch(t, c);
    if (!t->protocol->take(c, (struct text){t->chunk, (size_t)n}, now_us)) {
        note_broken(c);
        c->is_doomed = true;
    }
    return !c->is_doomed && t->transport->has_more && t->transport->has_more(c);
}

static void serve(struct source_stream *t, struct stream_connection *c, uint32_t events,
                  int64_t now_us)
{
    if (events & EPOLLOUT)
        source_stream_flush(c);
    bool may_read = events & (EPOLLIN | EPOLLHUP | EPOLLERR) || c->wants_write || c->has_left;
    c->has_left = !c->is_doomed && !t->is_draining && may_read;
    for (int i = 0; c->has_left && i < STREAM_TURN; i++)
        c->has_left = read_once(t, c, now_us);
    if (c->is_doomed)
        close_connection(c);
    else
        watch(c);
}

static void sweep(struct source_stream *t)
{
    int64_t now_us = wall_clock_us();
    t->swept_ms = t->now_ms;
    if (t->is_deaf)
        listen_again(t, true);
    for (struct stream_connection *c = t->oldest, *next; c; c = next) {
        next = c->newer;
        uint64_t silent_ms = t->now_ms - c->active_ms;
        if (silent_ms < TICK_MS)
            break;
        uint64_t most_ms = c->is_ready ? (uint64_t)t->source->idle_us / 1000 : STREAM_HANDSHAKE_MS;
        if (silent_ms >= most_ms || c->is_doomed) {
            counter_add(&t->source->connections_idle, !c->is_doomed);
            close_connection(c);
        } else if (!c->is_quiet) {
            c->is_quiet = true;
            if (t->protocol->quiet)
                t->protocol->quiet(c, now_us);
        }
    }
}

static void drain_wake(struct source_stream *t)
{
    uint64_t count = 0;
    (void)!read(t->wake_fd, &count, sizeof count);
    if (t->protocol->wake)
        t->protocol->wake(t);
}

static void dispatch(struct source_stream *t, const struct epoll_event *events, int n)
{
    int64_t now_us = wall_clock_us();
    for (int i = 0; i < n; i++) {
        void *at = events[i].data.ptr;
        if (at == &t->listen_fd || at == &t->wake_fd || !at)
            continue;
        serve(t, at, events[i].events, now_us);
    }
    /* These may close connections that have an event of their own above, so they come last. */
    for (int i = 0; i < n; i++) {
        if (events[i].data.ptr == &t->listen_fd && !source_is_stopping(t->source))
            accept_some(t);
        if (events[i].data.ptr == &t->wake_fd)
            drain_wake(t);
    }
}

/* True when the batch was handed over, or there was nothing to hand over: time to wait. */
static bool rest(struct source_stream *t)
{
    bool is_filled = t->lane->batch && t->lane->batch->count;
    if (is_filled && lane_is_busy(t->lane)) {
        struct pollfd stop = {.fd = t->source->stop_fd, .events = POLLIN};
        const struct timespec a_step = {0, LANE_STEP_US * 1000};
        (void)ppoll(&stop, 1, &a_step, NULL);
        return false;
    }
    lane_put(t->lane);
    return true;
}

static int step(struct source_stream *t, int timeout_ms)
{
    struct epoll_event events[EVENTS];
    int n = epoll_wait(t->epoll_fd, events, EVENTS, timeout_ms);
    t->now_ms = timestamp_monotonic_ms();
    /* no batch: nothing is read, and TCP tells the senders */
    if (n > 0 && (t->is_draining || lane_ready(t->lane)))
        dispatch(t, events, n);
    if (t->now_ms - t->swept_ms >= TICK_MS)
        sweep(t);
    return n;
}

static void drain(struct source_stream *t)
{
    uint64_t end_ms = t->now_ms + DRAIN_MS;
    (void)epoll_ctl(t->epoll_fd, EPOLL_CTL_DEL, t->source->stop_fd, NULL);
    (void)epoll_ctl(t->epoll_fd, EPOLL_CTL_DEL, t->listen_fd, NULL);
    t->is_draining =
        t->protocol->is_owing != NULL; /* what was not read comes again, from its sender */
    while (!t->is_draining && t->now_ms < end_ms && step(t, 0) > 0)
        continue;
    lane_put(t->lane);
    end_ms = t->now_ms + OWED_MS;
    while (t->protocol->is_owing && t->protocol->is_owing(t) && t->now_ms < end_ms)
        (void)step(t, 50);
}

static void *run(void *context)
{
    struct source_stream *t = context;
    int timeout_ms = TICK_MS;
    sigset_t pipe; /* TLS writes with write(2): a sender that is gone must not end the program */
    (void)sigemptyset(&pipe);
    (void)sigaddset(&pipe, SIGPIPE);
    (void)pthread_sigmask(SIG_BLOCK, &pipe, NULL);
    while (!source_is_stopping(t->source)) {
        int n = step(t, timeout_ms);
        timeout_ms = 0;
        if (n > 0)
            continue;
        if (rest(t))
            timeout_ms = TICK_MS;
    }
    drain(t);
    while (t->oldest)
        close_connection(t->oldest);
    lane_fini(t->lane);
    return NULL;
}

static bool add_fd(struct source_stream *t, int fd, void *mark)
{
    struct epoll_event e = {.events = EPOLLIN, .data.ptr = mark};
    return epoll_ctl(t->epoll_fd, EPOLL_CTL_ADD, fd, &e) == 0;
}

enum status source_stream_init(struct source_stream *t, struct source *s, int listen_fd,
                               const struct stream_transport *transport,
                               const struct stream_protocol *protocol, struct error *err)
{
    *t = (struct source_stream){.source = s,
                                .transport = transport,
                                .protocol = protocol,
                                .lane = &s->lanes[0],
                                .listen_fd = listen_fd};
    t->epoll_fd = epoll_create1(EPOLL_CLOEXEC);
    t->wake_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    t->chunk = malloc(STREAM_READ_BYTES);
    if (t->epoll_fd < 0 || t->wake_fd < 0 || !t->chunk || !add_fd(t, listen_fd, &t->listen_fd) ||
        !add_fd(t, t->wake_fd, &t->wake_fd) || !add_fd(t, s->stop_fd, NULL))
        return error_set(err, STATUS_IO, 0, "no memory or file handle for a listener: %s",
                         strerrordesc_np(errno));
    return STATUS_OK;
}

enum status source_stream_start(struct source_stream *t, struct error *err)
{
    if (pthread_create(&t->thread, NULL, run, t))
        return error_set(err, STATUS_NOMEM, 0, "no memory for a reading thread");
    t->is_threaded = true;
    return STATUS_OK;
}

void source_stream_stop(struct source_stream *t)
{
    if (t->is_threaded)
        (void)pthread_join(t->thread, NULL);
    t->is_threaded = false;
}

void source_stream_fini(struct source_stream *t)
{
    if (!t->source)
        return;
    (void)close(t->listen_fd);
    if (t->epoll_fd >= 0)
        (void)close(t->epoll_fd);
    if (t->wake_fd >= 0)
        (void)close(t->wake_fd);
    free(t->chunk);
    free(t->slots);
    *t = (struct source_stream){0};
}
