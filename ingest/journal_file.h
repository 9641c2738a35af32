/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include "base/error.h"
#include "base/own.h"
#include "base/text.h"
#include "ingest/segment.h"
#include <stdint.h>

/* The segment file that is being written. One thread. */
struct journal_file {
    int fd;                  /* -1: none */
    uint64_t first_position; /* its name */
    uint64_t offset;         /* end of what was appended */
    uint64_t allocated;      /* disk space that is taken ahead up to here */
    uint64_t salt;
    int64_t journal_us; /* journal time at its start */
};

/* Makes the file, whole and durable or not at all, in place of an empty one of the same name. Fills
 * the salt in `header`. FULL, IO. */
NODISCARD enum status journal_file_create(struct journal_file *f, int dir_fd,
                                          struct segment_header *header, struct error *err);
/* Writes at the end. FULL (no space), IO: then nothing was appended. */
NODISCARD enum status journal_file_append(struct journal_file *f, struct text bytes,
                                          struct error *err);
NODISCARD enum status journal_file_sync(struct journal_file *f, struct error *err);
/* Back to `offset`, which an append before ended at. */
NODISCARD enum status journal_file_cut(struct journal_file *f, uint64_t offset, struct error *err);
/* Also gives back the space that was taken ahead. */
void journal_file_close(struct journal_file *f);
