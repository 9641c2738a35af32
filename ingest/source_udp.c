/* SPDX-License-Identifier: Apache-2.0 */
#include "ingest/source_udp.h"
#include "base/timestamp.h"
#include "ingest/peer_cache.h"
#include <errno.h>
#include <linux/sock_diag.h>
#include <poll.h>
#include <pthread.h>
#include <stdlib.h>
#include <unistd.h>

enum { DATAGRAMS = 64, DRAIN_ROUNDS = 2000 };

struct udp {
    struct source source;
    int64_t sockets;       /* option */
    uint64_t buffer_bytes; /* option */
    int fds[SOURCE_LANES];
    pthread_t threads[SOURCE_LANES];
    uint32_t thread_count;
};

/* One thread's buffers, on the heap: they are larger than a stack likes. */
struct reader {
    struct lane *lane;
    struct source *source;
    int fd;
    bool has_lingered;
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

static struct reader *reader_new(struct udp *u, uint32_t index)
{
    AUTO(reader) r = calloc(1, sizeof *r);
    if (!r)
        return NULL;
    r->source = &u->source;
    r->lane = &u->source.lanes[index];
    r->fd = u->fds[index];
    r->slot_bytes = u->source.max_message_bytes > 65536 ? 65536 : u->source.max_message_bytes;
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
    int64_t now_us = timestamp_now_us();
    for (int i = 0; i < n; i++) {
        const struct mmsghdr *m = &r->messages[i];
        struct text raw = trim_end((struct text){r->views[i].iov_base, m->msg_len});
        const struct peer_entry *peer = peer_cache_find(&r->peers, r->source->allow, &r->from[i]);
        if (!peer->is_allowed)
            lane_drop(r->lane, LANE_DROP_DENIED, raw);
        else if (raw.len)
            (void)lane_add(r->lane, raw, (struct text){peer->text, peer->len}, now_us,
                           m->msg_hdr.msg_flags & MSG_TRUNC);
    }
    return n;
}

/* No more input now: hands over, then waits for more. A busy stream gets one short wait before, so
 * that a flood does not travel in batches of one. */
static void rest(struct reader *r)
{
    struct pollfd waits[2] = {{.fd = r->source->stop_fd, .events = POLLIN},
                              {.fd = r->fd, .events = POLLIN}};
    if (r->lane->batch && r->lane->batch->count) {
        if (!r->has_lingered && lane_is_busy(r->lane)) {
            const struct timespec linger = {0, LANE_LINGER_US * 1000};
            r->has_lingered = true;
            (void)ppoll(waits, 1, &linger, NULL);
            return;
        }
        lane_put(r->lane);
    }
    r->has_lingered = false;
    (void)poll(waits, 2, -1);
}

static void *run(void *context)
{
    AUTO(reader) r = context;
    while (!source_is_stopping(r->source) && lane_ready(r->lane))
        if (receive(r) < DATAGRAMS)
            rest(r);
    /* what the kernel holds already was received: it goes on too, as long as there is room */
    for (int i = 0; i < DRAIN_ROUNDS && lane_ready(r->lane) && receive(r) > 0; i++)
        continue;
    lane_fini(r->lane);
    return NULL;
}

static void set_buffer(int fd, uint64_t bytes)
{
    int want = (int)bytes;
    if (setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &want, sizeof want) != 0)
        (void)setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &want, sizeof want);
}

static enum status open_udp(struct source *s, struct error *err)
{
    struct udp *u = CONTAINER_OF(s, struct udp, source);
    for (size_t i = 0; i < SOURCE_LANES; i++)
        u->fds[i] = -1;
    enum status status = source_bind(s, SOCK_DGRAM, false, &u->fds[0], err);
    struct endpoint same = {.len = sizeof same.at};
    int one = 1;
    if (status)
        return status;
    /* The first socket is bound without SO_REUSEPORT, so that a port that another program holds is
     * noticed; the others then join it. */
    (void)setsockopt(u->fds[0], SOL_SOCKET, SO_REUSEPORT, &one, sizeof one);
    (void)getsockname(u->fds[0], (struct sockaddr *)&same.at, &same.len);
    for (int64_t i = 1; i < u->sockets; i++) {
        int fd = socket(same.at.ss_family, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
        u->fds[i] = fd;
        if (fd < 0 || setsockopt(fd, SOL_SOCKET, SO_REUSEPORT, &one, sizeof one) ||
            bind(fd, (const struct sockaddr *)&same.at, same.len))
            return error_set(err, STATUS_IO, 0, "socket %d of %s: %s", (int)i + 1, s->address,
                             strerror(errno));
    }
    s->lane_count = (uint32_t)u->sockets;
    for (uint32_t i = 0; i < s->lane_count; i++)
        set_buffer(u->fds[i], u->buffer_bytes);
    return STATUS_OK;
}

static enum status start_udp(struct source *s, struct error *err)
{
    struct udp *u = CONTAINER_OF(s, struct udp, source);
    for (uint32_t i = 0; i < s->lane_count; i++) {
        AUTO(reader) r = reader_new(u, i);
        if (!r || pthread_create(&u->threads[i], NULL, run, r))
            return error_set(err, STATUS_NOMEM, 0, "no memory for a reading thread");
        (void)MOVE(r);
        u->thread_count++;
    }
    return STATUS_OK;
}

static void stop_udp(struct source *s)
{
    struct udp *u = CONTAINER_OF(s, struct udp, source);
    for (uint32_t i = 0; i < u->thread_count; i++)
        (void)pthread_join(u->threads[i], NULL);
    u->thread_count = 0;
}

static void close_udp(struct source *s)
{
    struct udp *u = CONTAINER_OF(s, struct udp, source);
    for (size_t i = 0; i < SOURCE_LANES; i++)
        if (u->fds[i] >= 0)
            (void)close(u->fds[i]);
}

/* The socket's own count, which SO_RXQ_OVFL would give only with a next message. */
static uint64_t kernel_drops(const struct source *s)
{
    const struct udp *u = (const void *)s;
    uint64_t sum = 0;
    for (uint32_t i = 0; i < s->lane_count; i++) {
        uint32_t info[SK_MEMINFO_VARS] = {0};
        socklen_t len = sizeof info;
        if (getsockopt(u->fds[i], SOL_SOCKET, SO_MEMINFO, info, &len) == 0)
            sum += info[SK_MEMINFO_DROPS];
    }
    return sum;
}

static void udp_metrics(const struct source *s, metric_fn tell, void *context)
{
    const struct udp *u = (const void *)s;
    int bytes = 0;
    socklen_t len = sizeof bytes;
    (void)getsockopt(u->fds[0], SOL_SOCKET, SO_RCVBUF, &bytes, &len);
    tell(context, &(struct metric){"source_receive_buffer_bytes",
                                   "What the kernel gave to each socket's buffer.", s->labels,
                                   METRIC_GAUGE, (double)bytes});
}

static const struct option rows[] = {
    {"receive_buffer", OPTION_SIZE, offsetof(struct udp, buffer_bytes), "32MiB", 4096, 1 << 30,
     NULL, "the kernel's buffer for each socket"},
    {"sockets", OPTION_INT, offsetof(struct udp, sockets), "2", 1, SOURCE_LANES, NULL,
     "sockets on the port, each with a thread; the kernel spreads senders over them"},
};

const struct source_type source_udp_type = {
    .key = "syslog_udp",
    .kind = "syslog-udp",
    .help = "syslog over UDP, RFC 5426",
    .size_bytes = sizeof(struct udp),
    .traits = SOURCE_NET,
    .listen = "127.0.0.1:5514",
    .options = rows,
    .option_count = 2,
    .open = open_udp,
    .start = start_udp,
    .stop = stop_udp,
    .close = close_udp,
    .metrics = udp_metrics,
    .kernel_drops = kernel_drops,
};
