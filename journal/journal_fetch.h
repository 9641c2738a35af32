/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include "base/error.h"
#include "base/own.h"
#include "base/record.h"
#include "journal/journal_dir.h"
#include "journal/journal_walk.h"
#include "journal/journal_zip.h"
#include <stddef.h>
#include <stdint.h>

/* Single records by position: a few files stay open with a sparse index each, and the block that
 * was read last stays in memory, for evidence asks for neighbours. One thread. */
enum { JOURNAL_FETCH_FILES = 4 };

struct journal_fetch_mark {
    uint64_t offset, position;
};
struct journal_fetch_file {
    struct journal_walk walk; /* fd -1: free */
    uint64_t first_position;
    struct journal_fetch_mark *marks; /* ascending, about one each 256 KiB; owned */
    size_t count, size;
    uint64_t used; /* the least recently used one makes room */
};
struct journal_fetch {
    struct journal_fetch_file files[JOURNAL_FETCH_FILES];
    uint64_t uses;
    struct batch *block; /* owned; NULL before the first use */
};

void journal_fetch_init(struct journal_fetch *f);
void journal_fetch_fini(struct journal_fetch *f);
/* The record at `position`, its bytes copied into `arena`. NOTFOUND, NOMEM, LIMIT (arena), IO. */
NODISCARD enum status journal_fetch_record(struct journal_fetch *f, struct journal_dir *dir,
                                           struct journal_zip *zip, uint64_t position,
                                           struct arena *arena, struct record *out);
