/* SPDX-License-Identifier: Apache-2.0 */
#include "ingest/door/source_udp.h"
#include "ingest/door/activation.h"
#include "ingest/door/source_datagram.h"
#include <errno.h>
#include <string.h>
#include <unistd.h>

struct udp {
    struct source source;
    int64_t sockets;       /* option */
    uint64_t buffer_bytes; /* option */
    struct source_datagram datagram;
};

/* One more socket on the port that the first one holds. */
static enum status join_port(struct udp *u, const struct endpoint *same, struct error *err)
{
    int one = 1;
    int fd = socket(same->at.ss_family, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (fd >= 0 && setsockopt(fd, SOL_SOCKET, SO_REUSEPORT, &one, sizeof one) == 0 &&
        bind(fd, (const struct sockaddr *)&same->at, same->len) == 0) {
        source_datagram_add(&u->datagram, &u->source, fd, u->buffer_bytes);
        return STATUS_OK;
    }
    int code = errno;
    if (fd >= 0)
        (void)close(fd);
    return error_set(err, STATUS_IO, 0, "another socket on %s: %s", u->source.address,
                     strerrordesc_np(code));
}

static enum status open_udp(struct source *s, struct error *err)
{
    struct udp *u = CONTAINER_OF(s, struct udp, source);
    int fd = -1;
    int one = 1;
    enum status status = source_bind(s, SOCK_DGRAM, false, &fd, err);
    if (status)
        return status;
    source_datagram_add(&u->datagram, s, fd, u->buffer_bytes);
    /* The first socket is bound without SO_REUSEPORT, so that a port that another program holds is
     * noticed; the others then join it. */
    (void)setsockopt(fd, SOL_SOCKET, SO_REUSEPORT, &one, sizeof one);
    struct endpoint same = {.len = sizeof same.at};
    (void)getsockname(fd, (struct sockaddr *)&same.at, &same.len);
    /* of a port that systemd holds there are as many sockets as it passes: none can join it */
    for (int64_t i = 1; i < u->sockets && !status; i++) {
        int passed = s->is_passed ? activation_take(&same.at, same.len, SOCK_DGRAM) : -1;
        if (passed >= 0)
            source_datagram_add(&u->datagram, s, passed, u->buffer_bytes);
        else if (!s->is_passed)
            status = join_port(u, &same, err);
    }
    return status;
}

static enum status start_udp(struct source *s, struct error *err)
{
    return source_datagram_start(&CONTAINER_OF(s, struct udp, source)->datagram, err);
}

static void stop_udp(struct source *s)
{
    source_datagram_stop(&CONTAINER_OF(s, struct udp, source)->datagram);
}

static void close_udp(struct source *s)
{
    source_datagram_fini(&CONTAINER_OF(s, struct udp, source)->datagram);
}

static uint64_t kernel_drops(const struct source *s)
{
    return source_datagram_drops(&((const struct udp *)(const void *)s)->datagram);
}

static void udp_metrics(const struct source *s, metric_fn tell, void *context)
{
    const struct udp *u = (const void *)s;
    tell(context, &(struct metric){"source_receive_buffer_bytes",
                                   "What the kernel gave to each socket's buffer.", s->labels,
                                   METRIC_GAUGE, source_datagram_buffer(&u->datagram)});
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
