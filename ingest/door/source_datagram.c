/* SPDX-License-Identifier: Apache-2.0 */
#include "ingest/door/source_datagram.h"
#include "base/log.h"
#include "base/wall_clock.h"
#include "ingest/door/peer_cache.h"
#include <errno.h>
#include <linux/sock_diag.h>
#include <poll.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <unistd.h>

enum { DATAGRAMS = 64, DRAIN_ROUNDS = 2000, DATAGRAM_NICE = -10 };

/* One thread's buffers, on the heap: they are larger than a stack likes. */
struct reader {
    struct lane *lane;
    struct source *source;
    int fd;
    uint64_t want_bytes, got_bytes; /* of the socket's buffer */
    size_t slot_bytes;
    char *bytes; /* DATAGRAMS slots */
    struct mmsghdr messages[DATAGRAMS];
    struct iovec views[DATAGRAMS];
    struct endpoint from[DATAGRAMS];
    struct peer_cache peers;
};

static void reader_free(struct reader *r)
{
    if (r)
        free(r->bytes);
    free(r);
}
AUTO_DEFINE(reader);

static struct reader *reader_new(struct source_datagram *d, uint32_t index)
{
    AUTO(reader) r = calloc(1, sizeof *r);
    if (!r)
        return NULL;
    r->source = d->source;
    r->lane = &d->source->lanes[index];
    r->fd = d->fds[index];
    r->want_bytes = d->buffer_bytes;
    r->got_bytes = (uint64_t)source_datagram_buffer(d) / 2; /* the kernel doubles what it is told */
    r->slot_bytes = d->source->max_message_bytes > 65536 ? 65536 : d->source->max_message_bytes;
    r->bytes = malloc(DATAGRAMS * r->slot_bytes);
    if (!r->bytes)
        return NULL;
    for (size_t i = 0; i < DATAGRAMS; i++) {
        r->views[i] = (struct iovec){r->bytes + i * r->slot_bytes, r->slot_bytes};
        r->messages[i].msg_hdr =
            (struct msghdr){.msg_name = &r->from[i].at, .msg_iov = &r->views[i], .msg_iovlen = 1};
    }
    return MOVE(r);
}

/* Line ends and NULs that senders put behind a datagram are no part of the message. */
static struct text trim_end(struct text t)
{
    while (t.len && (t.at[t.len - 1] == '\n' || t.at[t.len - 1] == '\0' || t.at[t.len - 1] == '\r'))
        t.len--;
    return t;
}

static int receive(struct reader *r)
{
    for (size_t i = 0; i < DATAGRAMS; i++)
        r->messages[i].msg_hdr.msg_namelen = sizeof r->from[i].at;
    int n = recvmmsg(r->fd, r->messages, DATAGRAMS, MSG_DONTWAIT, NULL);
    if (n <= 0)
        return 0;
    int64_t now_us = wall_clock_us();
    for (int i = 0; i < n; i++) {
        const struct mmsghdr *m = &r->messages[i];
        if (m->msg_hdr.msg_namelen == 0) /* a unix socket without a name */
            r->from[i].at.ss_family = AF_UNIX;
        struct text raw = trim_end((struct text){r->views[i].iov_base, m->msg_len});
        const struct peer_entry *peer = peer_cache_find(&r->peers, r->source->allow, &r->from[i]);
        struct text name = {peer->text, peer->len};
        if (!peer->is_allowed)
            lane_drop(r->lane, LANE_DROP_DENIED, raw, name);
        else if (!raw.len)
            lane_drop(r->lane, LANE_DROP_EMPTY, raw, name);
        else
            (void)lane_add(r->lane, raw, name, now_us, m->msg_hdr.msg_flags & MSG_TRUNC);
    }
    return n;
}

/* No more input now: hands over, then waits for more; a busy stream gathers a little first. */
static void rest(struct reader *r)
{
    struct pollfd waits[2] = {{.fd = r->source->stop_fd, .events = POLLIN},
                              {.fd = r->fd, .events = POLLIN}};
    bool is_filled = r->lane->batch && r->lane->batch->count;
    if (is_filled && lane_is_busy(r->lane)) {
        const struct timespec a_step = {0, LANE_STEP_US * 1000};
        (void)ppoll(waits, 1, &a_step, NULL);
        return;
    }
    lane_put(r->lane);
    (void)poll(waits, 2, -1);
}

static void *run(void *context)
{
    AUTO(reader) r = context;
    /* What this thread does not read in time is lost, so it goes first, where it may
     * (CAP_SYS_NICE). */
    if (r->source->type->kernel_drops)
        (void)setpriority(PRIO_PROCESS, 0, DATAGRAM_NICE);
    bool may_lose = r->source->type->kernel_drops && r->lane == &r->source->lanes[0];
    if (may_lose && r->got_bytes < r->want_bytes)
        log_line(
            LOG_WARNING,
            "the kernel gives a smaller receive buffer than asked for, so a burst may be lost: "
            "raise net.core.rmem_max or grant CAP_NET_ADMIN address=%s bytes=%llu asked=%llu",
            r->source->address, (unsigned long long)r->got_bytes,
            (unsigned long long)r->want_bytes);
    while (!source_is_stopping(r->source) && lane_ready(r->lane))
        if (receive(r) < DATAGRAMS)
            rest(r);
    /* what the kernel holds already was received: it goes on too, as long as there is room */
    for (int i = 0; i < DRAIN_ROUNDS && lane_ready(r->lane) && receive(r) > 0; i++)
        continue;
    lane_fini(r->lane);
    return NULL;
}

/* Of a socket that systemd opened the buffer is as its unit says (ReceiveBuffer=), which may be
 * more than we could ask for. */
static void set_buffer(const struct source *s, int fd, uint64_t bytes)
{
    int want = (int)bytes;
    if (setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &want, sizeof want) != 0 && !s->is_passed)
        (void)setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &want, sizeof want);
}

void source_datagram_add(struct source_datagram *d, struct source *s, int fd, uint64_t buffer_bytes)
{
    d->source = s;
    d->buffer_bytes = buffer_bytes;
    d->fds[d->fd_count++] = fd;
    s->lane_count = d->fd_count;
    set_buffer(s, fd, buffer_bytes);
}

enum status source_datagram_start(struct source_datagram *d, struct error *err)
{
    for (uint32_t i = 0; i < d->fd_count; i++) {
        AUTO(reader) r = reader_new(d, i);
        if (!r || pthread_create(&d->threads[i], NULL, run, r))
            return error_set(err, STATUS_NOMEM, 0, "no memory for a reading thread");
        (void)MOVE(r);
        d->thread_count++;
    }
    return STATUS_OK;
}

void source_datagram_stop(struct source_datagram *d)
{
    for (uint32_t i = 0; i < d->thread_count; i++)
        (void)pthread_join(d->threads[i], NULL);
    d->thread_count = 0;
}

void source_datagram_fini(struct source_datagram *d)
{
    for (uint32_t i = 0; i < d->fd_count; i++)
        (void)close(d->fds[i]);
    d->fd_count = 0;
}

/* SO_RXQ_OVFL tells the same count, but only with a next message. */
uint64_t source_datagram_drops(const struct source_datagram *d)
{
    uint64_t sum = 0;
    for (uint32_t i = 0; i < d->fd_count; i++) {
        uint32_t info[SK_MEMINFO_VARS] = {0};
        socklen_t len = sizeof info;
        if (getsockopt(d->fds[i], SOL_SOCKET, SO_MEMINFO, info, &len) == 0)
            sum += info[SK_MEMINFO_DROPS];
    }
    return sum;
}

double source_datagram_buffer(const struct source_datagram *d)
{
    int bytes = 0;
    socklen_t len = sizeof bytes;
    (void)getsockopt(d->fds[0], SOL_SOCKET, SO_RCVBUF, &bytes, &len);
    return (double)bytes;
}
