/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include "ingest/ingest.h"
#include "tests/support/collector.h"
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <sys/socket.h>
#include <unistd.h>

/* A source opened from a line of YAML, with a collector behind it, and sockets to talk to it. */
struct door {
    struct collector collector;
    struct source *source;
    struct drops *drops; /* who lost what there */
    struct arena arena;
    struct error error;
};

static inline enum status door_open(struct door *d, const char *yaml)
{
    struct yaml_file file;
    collector_init(&d->collector);
    arena_init(&d->arena, 1 << 20);
    d->source = NULL;
    d->error = (struct error){0};
    enum status status = yaml_parse(text_of(yaml), &d->arena, &file, &d->error);
    assert(status == STATUS_OK);
    struct intake intake = collector_intake(&d->collector);
    d->drops = drops_new();
    intake.drops = d->drops;
    status = source_open(file.documents[0], 7, &intake, &d->source, &d->error);
    if (!status)
        status = source_start(d->source, &d->error);
    return status;
}

static inline void door_close(struct door *d)
{
    source_close(d->source);
    d->source = NULL;
    drops_free(d->drops);
    d->drops = NULL;
    collector_fini(&d->collector);
    arena_fini(&d->arena);
}

static inline int door_connect_text(const char *address, int type)
{
    const char *colon = strrchr(address, ':');
    struct sockaddr_in at = {.sin_family = AF_INET,
                             .sin_port = htons((uint16_t)strtoul(colon + 1, NULL, 10)),
                             .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    int fd = socket(AF_INET, type | SOCK_CLOEXEC, 0);
    assert(fd >= 0);
    if (connect(fd, (const struct sockaddr *)&at, sizeof at) != 0) {
        (void)close(fd);
        return -1;
    }
    return fd;
}

static inline int door_connect(const struct door *d, int type)
{
    return door_connect_text(source_address(d->source), type);
}

static inline void door_send(int fd, struct text bytes)
{
    while (bytes.len) {
        ssize_t n = send(fd, bytes.at, bytes.len, MSG_NOSIGNAL);
        assert(n > 0);
        bytes = text_skip(bytes, (size_t)n);
    }
}

/* Waits until the other side closed (true), at most a minute. */
static inline bool door_is_closed(int fd)
{
    char byte[256];
    struct timeval most = {60, 0};
    (void)setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &most, sizeof most);
    ssize_t n = 1;
    while (n > 0)
        n = recv(fd, byte, sizeof byte, 0);
    return n == 0 || errno == ECONNRESET;
}

struct door_number {
    const char *name, *label;
    double value;
    bool is_found;
};
static inline void door_look(void *context, const struct metric *m)
{
    struct door_number *n = context;
    if (strcmp(m->name, n->name) == 0 &&
        (!n->label || (m->labels && strstr(m->labels, n->label)))) {
        n->value += m->value;
        n->is_found = true;
    }
}
/* One of the source's numbers; `label` (may be NULL) must be part of its labels. */
static inline double door_metric(const struct door *d, const char *name, const char *label)
{
    struct door_number n = {name, label, 0, false};
    source_metrics(d->source, door_look, &n);
    assert(n.is_found);
    return n.value;
}
