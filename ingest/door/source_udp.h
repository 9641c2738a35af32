/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include "ingest/door/source.h"

/* Syslog over UDP (RFC 5426): a message a datagram. */
extern const struct source_type source_udp_type;
