/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include "base/error.h"
#include "base/option.h"
#include "ingest/file/followed.h"
#include <stdbool.h>
#include <stdint.h>
#include <sys/stat.h>

/*
 * The files that one door follows: found by their patterns, told apart by device and inode, each in
 * a slot of its own until it is gone and done with. One thread.
 */
struct file_set {
    struct option_texts patterns;
    struct followed **files; /* by slot, NULL: free */
    uint32_t max_files, max_open, count;
    uint32_t refused; /* found by the last scan and not followed: too many */
    int inotify_fd;   /* -1: none, looking now and then must do */
    bool has_wildcards;
    bool may_hold_copies; /* of what is followed: more than one name is looked for */
};

/* What a file held before it was truncated: a copy of it says nothing new up to there. */
enum { FILE_PASTS = 16 };
struct file_past {
    struct followed_print head;
    struct followed_mark reached;
    uint64_t given_at;
    char *name; /* owned */
    uint64_t since_ms;
};

NODISCARD enum status file_set_init(struct file_set *s, struct option_texts patterns,
                                    uint32_t max_files, uint32_t max_open, struct error *err);
/* Also on one of all zeros. */
void file_set_fini(struct file_set *s);

/* Calls `adopt` for each file at a pattern that is not followed, and writes down of the others
 * whether they are at their path still, and at which. */
void file_set_scan(struct file_set *s,
                   void (*adopt)(void *context, const char *path, const struct stat *st),
                   void *context);
/* Takes the file into a free slot, or into `slot` (UINT32_MAX: any). FULL takes nothing. */
NODISCARD enum status file_set_add(struct file_set *s, struct followed *f, uint32_t slot);
/* Takes it out of its slot; it is the caller's again. */
void file_set_detach(struct file_set *s, struct followed *f);
void file_set_remove(struct file_set *s, struct followed *f);
struct followed *file_set_find(const struct file_set *s, const struct stat *st);
struct followed *file_set_find_path(const struct file_set *s, const char *path);

/* Opens the file, also under another name in its folder; where too many are open, closes one that
 * has nothing to say. False: it is gone, or (unless it must be) not now. */
bool file_set_open(struct file_set *s, struct followed *f, bool must);
/* Closes it again where more than max_open are: it is opened when it is read. */
void file_set_close_above(const struct file_set *s, struct followed *f);
/* The same for a new file of the set, where its copy is one by any name; NULL: none. */
struct followed *file_set_copy(struct file_set *s, const struct followed *f);
/* Whether `copy` (open) is of that past; *out_from: what stands behind was not read. */
bool file_set_is_past(const struct followed *copy, const struct file_past *past,
                      uint64_t *out_from);
/* How far a copy that stands beside its original, which goes on, says what that says. */
uint64_t file_set_common(const struct followed *copy, const struct followed *original);
/*
 * `copytruncate`: what the file held before it was truncated, kept beside it under a name that
 * begins alike. Its path into `out`, and what stat says of it; false: there is none.
 */
bool file_set_find_copy(const struct followed *f, char *out, size_t size, struct stat *out_st);
/* The file whose content stands in `copy` (open) up to the place where it is read, or NULL;
 * *out_alike: one that may be being copied still, or says too little to be sure; or NULL. */
struct followed *file_set_original(const struct file_set *s, const struct followed *copy,
                                   struct followed **out_alike);
/* Takes what inotify told: true where files came, went or were renamed. */
bool file_set_has_changed(struct file_set *s);
