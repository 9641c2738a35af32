/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include "ingest/door/source.h"
#include "ingest/door/source_stream.h"

/* Syslog over TLS (RFC 5425), framing told apart as over TCP. */
extern const struct source_type source_tls_type;

/* For streams whose `transport_context` is a struct tls. */
extern const struct stream_transport source_tls_transport;
