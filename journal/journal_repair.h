/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include "base/error.h"
#include "base/own.h"
#include "journal/journal_dir.h"
#include "journal/journal_marks.h"
#include "journal/journal_walk.h"
#include "journal/journal_zip.h"

/* What a journal's folder says at a start. */
struct journal_past {
    uint64_t next_position; /* behind the last whole record; 1 in an empty folder */
    int64_t time_us;        /* highest receive_us, TIMESTAMP_NONE: none */
    uint32_t epoch;         /* highest so far, 0 in an empty folder */
    uint64_t instance;      /* the latest told, 0: none was */
};

/*
 * Walks the last file, cuts off what is torn at its end, tells what is damaged before that in log
 * lines, and fills `marks`. The caller holds the folder's lock.
 */
NODISCARD enum status journal_repair(struct journal_dir *dir, struct journal_zip *zip,
                                     struct journal_marks *marks, struct journal_past *out,
                                     struct error *err);
/* The log line about a damage, in journal file `first_position`. */
void journal_repair_tell(uint64_t first_position, const struct journal_damage *damage);
