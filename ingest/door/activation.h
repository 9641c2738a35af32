/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include "base/text.h"
#include <stdbool.h>
#include <sys/socket.h>

/*
 * Sockets that systemd (or systemd-socket-activate) opened and passed: LISTEN_PID, LISTEN_FDS and
 * LISTEN_FDNAMES, descriptors from 3 on. A door takes the one that is bound to its own address or
 * path, so that its configuration is the same with and without; or the one of a name, as
 * `listen: "fd:NAME"`. A socket is taken once: from then on it has FD_CLOEXEC. At start-up only.
 */

/* The socket of that type bound to `at`, non-blocking, or -1. It is closed like one's own. */
int activation_take(const struct sockaddr_storage *at, socklen_t len, int type);
/* The same by its name (without "fd:"). */
int activation_take_named(struct text name, int type);
/* Passed sockets that no door took. */
int activation_left(void);
/* Before the program executes itself anew: it finds them again. */
void activation_keep(void);
