/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include "base/buffer.h"
#include "base/option.h"
#include "base/text.h"
#include <stdbool.h>
#include <stdint.h>

/*
 * One entry of systemd's journal as the RFC 5424 message that a syslog sender would have made of
 * it, so that decoders and rules see the same program, pid and text whichever way it came:
 *
 *   <PRIORITY>1 time _HOSTNAME SYSLOG_IDENTIFIER _PID MESSAGE_ID [journald _UID="0" ...] MESSAGE
 *
 * An entry without MESSAGE is told by all its fields, as pairs.
 */
enum journald_role {
    JOURNALD_MESSAGE,
    JOURNALD_IDENTIFIER,
    JOURNALD_COMM,
    JOURNALD_HOSTNAME,
    JOURNALD_PID,
    JOURNALD_SYSLOG_PID,
    JOURNALD_PRIORITY,
    JOURNALD_FACILITY,
    JOURNALD_MESSAGE_ID,
    JOURNALD_TRANSPORT,
    JOURNALD_ROLES,
};

/* Of an entry, and of each but its message; what is more is left out. */
enum { JOURNALD_FIELDS = 256, JOURNALD_FIELD_BYTES = 4096 };

struct journald_entry {
    struct option_texts wanted; /* fields shown beside the header; "*": all of them */
    struct buffer bytes;        /* copies of all fields */
    size_t message_bytes;
    struct {
        size_t at, name_len, len; /* NAME=value in `bytes` */
        bool is_cut;
    } fields[JOURNALD_FIELDS];
    uint32_t count;
    int roles[JOURNALD_ROLES]; /* index in fields, or -1 */
};

/* At most `message_bytes` of a MESSAGE are kept. */
void journald_entry_init(struct journald_entry *e, struct option_texts wanted,
                         size_t message_bytes);
void journald_entry_fini(struct journald_entry *e);
/* Ready for the next entry. */
void journald_entry_reset(struct journald_entry *e);
/* Takes a copy of one field, "NAME=value"; of several with a header's name the first counts. */
void journald_entry_add(struct journald_entry *e, struct text field);
/* The message in `out` (cleared before), at most `max_bytes`: true where it had to be cut. */
bool journald_entry_write(const struct journald_entry *e, int64_t realtime_us, size_t max_bytes,
                          struct buffer *out);
