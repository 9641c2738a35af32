/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include "base/path.h"
#include "ingest/door/bookmark.h"
#include "ingest/door/source.h"
#include "ingest/file/file_set.h"
#include <pthread.h>

#define FILE_COUNTERS(COUNTER)                                                                     \
    COUNTER(rotations, METRIC_COUNTER, "source_rotations_total",                                   \
            "Times another file took a file's place.")                                             \
    COUNTER(truncations, METRIC_COUNTER, "source_truncations_total",                               \
            "Times a file was truncated and what was unread in it was lost.")                      \
    COUNTER(recovered, METRIC_COUNTER, "source_truncations_recovered_total",                       \
            "Times a file was truncated and read to its end in the copy made before.")             \
    COUNTER(followed, METRIC_GAUGE, "source_files", "Files followed now.")                         \
    COUNTER(refused, METRIC_GAUGE, "source_files_refused",                                         \
            "Files found but not followed: more than max_files.")                                  \
    COUNTER(compressed, METRIC_COUNTER, "source_files_compressed_total",                           \
            "Files left alone because they are compressed.")

/*
 * The door that follows files, and what it remembers over restarts. Each message is numbered by
 * where it ends: "file:<door>:<slot>:<base + offset>". The journal knows the highest number that it
 * holds of each slot, so that with `state` (which file is in which slot, from which number on)
 * neither a stop nor a kill -9 loses or doubles a line. For that a new life in a slot is written
 * down before its first message is read.
 */
struct file_door {
    struct source source;
    struct option_texts paths; /* options */
    struct text state;
    int is_from_end, is_nul;
    int64_t max_files, max_open;
    char state_path[PATH_ROOM]; /* empty: nothing is remembered */
    char hash[SOURCE_HASH_LEN + 1];
    struct file_set set;
    uint64_t *ceilings; /* by slot: numbers given so far are below */
    struct bookmark *bookmark;
    pthread_t thread;
    bool is_threaded;
    char *chunk;
    struct file_past pasts[FILE_PASTS]; /* of files truncated lately, whose copy was not found */
    size_t next_past;
    bool has_past;  /* a state was read: files that are not in it came later */
    bool is_first;  /* scan */
    bool must_scan; /* soon */
    bool is_refused, is_changed, has_unnamed;
    uint64_t saved_ms, scanned_ms, now_ms;
    FILE_COUNTERS(COUNTER_FIELD)
};

/* Writes the state where something changed; the files in it may be numbered. */
void file_memory_save(struct file_door *d);
/*
 * Takes up the files of the state. `give_up`: what is there now is not what was remembered; the
 * file is out of its slot, and gone after the call.
 */
void file_memory_recall(struct file_door *d,
                        void (*give_up)(struct file_door *d, const struct followed *f));
/* A new life's numbers are above all that the slot ever had. */
void file_memory_raise(const struct file_door *d, struct followed *f);
