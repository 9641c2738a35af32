/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include "base/path.h"
#include "ingest/door/bookmark.h"
#include "ingest/door/source.h"
#include "ingest/file/file_set.h"
#include <pthread.h>

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
    bool has_past;  /* a state was read: files that are not in it came later */
    bool is_first;  /* scan */
    bool must_scan; /* soon */
    bool is_refused, is_changed, has_unnamed;
    uint64_t saved_ms, scanned_ms, now_ms;
    lane_count rotations, truncations, recovered, compressed, refused;
    _Atomic int64_t followed;
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
