/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include "app/load.h"
#include "base/error.h"
#include "base/hash.h"
#include "base/path.h"

/*
 * Copies of the rule files that decided, below `folder`, one folder per ruleset hash: what the
 * journal holds behind a checkpoint must be decided again by the rules of that time, also when the
 * files were edited in between.
 */

/* Copies the files that `request` names (and what ships) to folder/HASH; nothing to do where it is
 * there. IO. */
NODISCARD enum status ruleset_archive_save(const char *folder, const struct load_request *request,
                                           struct hash128 hash, struct error *err);
/* Points `request` at the rules, decoders and share kept under that hash; its overrides and lists
 * stay. `paths` holds the names. NOTFOUND. */
struct ruleset_archive_paths {
    char rules[COMMAND_LIST][PATH_ROOM], decoders[COMMAND_LIST][PATH_ROOM];
    char share[PATH_ROOM];
};
NODISCARD enum status ruleset_archive_find(const char *folder, struct hash128 hash,
                                           struct load_request *request,
                                           struct ruleset_archive_paths *paths, struct error *err);
/* The ruleset kept under that hash, with the options of `request`. NOTFOUND; CONFLICT where the
 * copy no longer gives that hash. */
NODISCARD enum status ruleset_archive_load(const char *folder, const struct load_request *request,
                                           struct hash128 hash, struct ruleset **out,
                                           struct error *err);
/* What a file of a copy is a copy of: a view of `out`, or `file` where it is none. */
struct text ruleset_archive_original(const char *folder, const struct load_request *request,
                                     struct text file, char *out, size_t size);
/* Removes every copy but these. */
void ruleset_archive_prune(const char *folder, const struct hash128 *keep, uint32_t count);
