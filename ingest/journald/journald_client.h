/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include "base/buffer.h"
#include "base/error.h"
#include "base/option.h"
#include "base/own.h"
#include "base/text.h"
#include <stdbool.h>
#include <stdint.h>

/* systemd's journal read through libsystemd: the one adapter of it. One thread at a time. */
struct journald_client;

struct journald_options {
    struct text directory;       /* empty: this machine's own journal */
    struct option_texts matches; /* "FIELD=value": those of one field are alternatives; "+" between
                                    groups; none: everything */
    size_t field_bytes;          /* more of a field need not be unpacked */
};

/* INVALID where a match is none; IO where it cannot be opened. */
NODISCARD enum status journald_client_open(const struct journald_options *options,
                                           struct journald_client **out, struct error *err);
void journald_client_free(struct journald_client *c);
AUTO_DEFINE(journald_client);
/* Of this machine's own journal: false where no file of it can be read now. */
bool journald_client_has_files(const struct journald_client *c);

/* The next entry is the first of all, or the first that comes from now on. */
NODISCARD enum status journald_client_seek(struct journald_client *c, bool is_end);
/* The next entry is the one behind `cursor`. *out_is_gone: the one at `cursor` is not there any
 * more, and maybe others behind it. */
NODISCARD enum status journald_client_seek_behind(struct journald_client *c, const char *cursor,
                                                  bool *out_is_gone);
/* Moves to the next entry. AGAIN: there is none now. IO: the journal is damaged here; the next call
 * goes on behind. */
NODISCARD enum status journald_client_next(struct journald_client *c);
/* Of the entry: one field after the other, "NAME=value", good until the next call. False: no more,
 * or (*out_is_damaged) they cannot be read. */
bool journald_client_field(struct journald_client *c, struct text *out, bool *out_is_damaged);
/* Of the entry: when journald received it, and its place, a text without blanks. */
NODISCARD enum status journald_client_place(struct journald_client *c, int64_t *out_realtime_us,
                                            struct buffer *out_cursor);
/* For poll(): -1 where there is nothing to wait on. After a wait, `look`. */
int journald_client_fd(const struct journald_client *c);
void journald_client_look(struct journald_client *c);
