/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include "ingest/door/source.h"
#include <pthread.h>

/* The loop behind every door of datagrams: a socket and a thread for each lane of the source, a
 * message a datagram. */
struct source_datagram {
    struct source *source;
    int fds[SOURCE_LANES]; /* lane_count of them */
    uint32_t fd_count;
    uint64_t buffer_bytes; /* asked for each */
    pthread_t threads[SOURCE_LANES];
    uint32_t thread_count;
};

/* Takes one more bound, non-blocking socket (closed by fini) and raises the source's lane_count. */
void source_datagram_add(struct source_datagram *d, struct source *s, int fd,
                         uint64_t buffer_bytes);
NODISCARD enum status source_datagram_start(struct source_datagram *d, struct error *err);
/* Reads on what the kernel holds already, then joins. */
void source_datagram_stop(struct source_datagram *d);
void source_datagram_fini(struct source_datagram *d);
/* What the sockets' own counters say. */
uint64_t source_datagram_drops(const struct source_datagram *d);
/* What the kernel gave to the first socket's buffer. */
double source_datagram_buffer(const struct source_datagram *d);
