/* SPDX-License-Identifier: Apache-2.0 */
#include "ingest/source_kinds.h"
#include "ingest/door/source_relp.h"
#include "ingest/door/source_stdin.h"
#include "ingest/door/source_tcp.h"
#include "ingest/door/source_tls.h"
#include "ingest/door/source_udp.h"
#include "ingest/door/source_unix.h"
#include "ingest/file/source_file.h"
#include "ingest/journald/source_journald.h"
#include "ingest/kafka/kafka.h"

const struct source_type *const source_kinds[SOURCE_KINDS] = {
    &source_udp_type,  &source_tcp_type,   &kafka_type,
    &source_tls_type,  &source_relp_type,  &source_unix_type,
    &source_file_type, &source_stdin_type, &source_journald_type,
};
