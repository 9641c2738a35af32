/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include "base/error.h"
#include "base/own.h"
#include "base/text.h"
#include "journal/segment.h"
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* The segment file that is being written. One thread. */
struct journal_file {
    int fd;                  /* -1: none */
    uint64_t first_position; /* its name */
    uint64_t offset;         /* end of what was appended */
    uint64_t empty_bytes;    /* offset before the first record */
    uint64_t allocated;      /* disk space that is taken ahead up to here */
    uint64_t ahead_bytes;    /* taken at a time; set by the caller, 0: as much as is written */
    uint64_t salt;
    int64_t journal_us; /* journal time at its start */
};

/*
 * Makes a file under a name that no reader looks at, and draws the salt unless `header` has one.
 * It may be appended to at once. Then either publish it: whole and durable under its own name, in
 * place of another one of that name; or abandon it. FULL, IO.
 */
NODISCARD enum status journal_file_create(struct journal_file *f, int dir_fd,
                                          struct segment_header *header, struct error *err);
NODISCARD enum status journal_file_publish(struct journal_file *f, int dir_fd, struct error *err);
void journal_file_abandon(struct journal_file *f, int dir_fd);
/* Exactly `len` bytes, or false. */
bool journal_file_read(const struct journal_file *f, uint64_t offset, void *out, size_t len);
/* Writes at the end. FULL (no space), IO: then nothing was appended. */
NODISCARD enum status journal_file_append(struct journal_file *f, struct text bytes,
                                          struct error *err);
NODISCARD enum status journal_file_sync(struct journal_file *f, struct error *err);
/* Back to `offset`, which an append before ended at. */
NODISCARD enum status journal_file_cut(struct journal_file *f, uint64_t offset, struct error *err);
/* Also gives back the space that was taken ahead. */
void journal_file_close(struct journal_file *f);
