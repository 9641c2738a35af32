/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include "base/error.h"
#include "base/own.h"
#include "journal/journal_dir.h"
#include <stddef.h>
#include <stdint.h>

/* The journal's files, oldest first, with what retention asks about. The last one is being written.
 * The journal's thread only. */
struct journal_stock_item {
    uint64_t first_position;
    uint64_t bytes;     /* on disk; of the last one 0: it still grows */
    int64_t journal_us; /* journal time at its start */
};
struct journal_stock {
    struct journal_stock_item *items; /* owned */
    size_t count, size;
    uint64_t bytes; /* of all but the last one */
};
struct journal_limits {
    uint64_t max_bytes; /* 0: none */
    int64_t max_age_us; /* 0: none */
    uint64_t removable; /* positions below may go */
};

void journal_stock_fini(struct journal_stock *s);
/* All files of the folder, as they stand after the repair. */
NODISCARD enum status journal_stock_load(struct journal_stock *s, const struct journal_dir *dir,
                                         struct error *err);
/* A new last one; the last one before has `last_bytes`. One of the same name is replaced. */
NODISCARD enum status journal_stock_add(struct journal_stock *s, uint64_t last_bytes,
                                        uint64_t first_position, int64_t journal_us);
/* Removes what is too old or too much, but never the last file nor what is not removable. Gives the
 * number of files that went. `active_bytes`: of the last file. */
size_t journal_stock_remove(struct journal_stock *s, const struct journal_dir *dir,
                            const struct journal_limits *limits, uint64_t active_bytes,
                            int64_t now_us);
