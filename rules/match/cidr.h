/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include "base/text.h"
#include <stdbool.h>
#include <stdint.h>

/* Addresses and networks, IPv4 and IPv6. An IPv4-mapped IPv6 address is its IPv4 address. */

struct address {
    unsigned char bytes[16];
    uint8_t len; /* 4 or 16; 0: no address */
};

struct cidr {
    struct address base;
    uint8_t bits;
};

/* The whole text as an address; brackets around IPv6 and a zone ("%eth0") behind it are let
 * through. */
bool cidr_parse_address(struct text t, struct address *out);
/* "10.0.0.0/8", "fe80::/10", or an address alone (all of its bits). */
bool cidr_parse(struct text t, struct cidr *out);
bool cidr_holds(const struct cidr *c, const struct address *a);
bool cidr_is_loopback(const struct address *a);
/* All bits zero: 0.0.0.0 or ::. */
bool cidr_is_unspecified(const struct address *a);
/* "::ffff:192.0.2.1" (also in its hexadecimal form) as "192.0.2.1" in `room`; anything else comes
 * back as it was. */
struct text cidr_canonical(struct text t, char room[16]);
