/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include <stdbool.h>
#include <sys/socket.h>

/*
 * Which addresses an outbound connection may reach. Asked with the address that is about to be
 * connected to, after any name was resolved, so that a name that changes its answer gains nothing.
 */

/* True for a global unicast address: not loopback, private, link-local, shared (100.64/10),
 * multicast, reserved, metadata, documentation, nor an IPv6 form that embeds such an IPv4 one. */
bool guard_is_public(const struct sockaddr *address);
