/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include "ingest/door/source.h"
#include "ingest/door/source_stream.h"

/* Syslog over TCP (RFC 6587): octet counting, LF or NUL, told apart for each connection. */
extern const struct source_type source_tcp_type;

/* Framed messages of a stream, whatever carries it. */
extern const struct stream_protocol source_tcp_framed;
