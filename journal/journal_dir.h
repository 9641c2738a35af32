/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include "base/error.h"
#include "base/own.h"
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* The journal's folder: which segment files it has. A file is known by its first position. */

enum { JOURNAL_DIR_NAME = 32 };

struct journal_dir {
    int fd;          /* of the folder; -1 before it is open */
    uint64_t *items; /* first positions, ascending; owned */
    size_t count, size;
};

/* Opens the folder; with `is_made` it is made first where it is missing (mode 0700). IO, NOTFOUND.
 */
NODISCARD enum status journal_dir_open(const char *path, bool is_made, struct journal_dir *out,
                                       struct error *err);
void journal_dir_close(struct journal_dir *d);
/* Reads the folder again: other programs' files are passed over. IO, NOMEM. */
NODISCARD enum status journal_dir_list(struct journal_dir *d, struct error *err);
/* Index of the last file whose first position is at most `position`; 0 where there is none. */
size_t journal_dir_find(const struct journal_dir *d, uint64_t position);
void journal_dir_name(uint64_t position, char out[JOURNAL_DIR_NAME]);
