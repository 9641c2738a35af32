/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include "base/error.h"
#include "base/text.h"
#include <stdbool.h>
#include <sys/socket.h>

/* An address and port of this machine or of a sender, IPv4 and IPv6. */
struct endpoint {
    struct sockaddr_storage at;
    socklen_t len;
};

enum { ENDPOINT_PEER_LEN = 64, ENDPOINT_TEXT_LEN = 72 };

/* "127.0.0.1:514", "[::1]:514", "localhost:514", "*:514" (both families). */
NODISCARD enum status endpoint_parse(struct text t, struct endpoint *out, struct error *err);
bool endpoint_is_loopback(const struct endpoint *e);
/* Address and port as they are parsed, with a NUL. */
void endpoint_print(const struct endpoint *e, char out[ENDPOINT_TEXT_LEN]);
/* The address alone into `out`, IPv4-mapped IPv6 as IPv4, of a unix socket this machine's name; a
 * view of it. */
struct text endpoint_peer(const struct endpoint *e, char out[ENDPOINT_PEER_LEN]);
/*
 * A bound, non-blocking socket of SOCK_DGRAM or SOCK_STREAM (listening); `e` gets the real port.
 * IO where the port is taken or not ours to take: the text says what to do.
 */
NODISCARD enum status endpoint_bind(struct endpoint *e, int type, int *out_fd, struct error *err);
