/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include "app/load.h"
#include "base/error.h"
#include "base/hash.h"

/*
 * Copies of the rule files that decided, below `folder`, one folder per ruleset hash: what the
 * journal holds behind a checkpoint must be decided again by the rules of that time, also when the
 * files were edited in between.
 */

/* Copies the files that `request` names (and what ships) to folder/HASH; nothing to do where it is
 * there. IO. */
NODISCARD enum status keep_save(const char *folder, const struct load_request *request,
                                struct hash128 hash, struct error *err);
/* Points `request` at the rules, decoders and share kept under that hash; its overrides and lists
 * stay. `paths` holds the names. NOTFOUND. */
enum { KEEP_PATH = 4096 };
struct keep_paths {
    char rules[COMMAND_LIST][KEEP_PATH], decoders[COMMAND_LIST][KEEP_PATH];
    char share[KEEP_PATH + 64];
};
NODISCARD enum status keep_find(const char *folder, struct hash128 hash,
                                struct load_request *request, struct keep_paths *paths,
                                struct error *err);
/* The ruleset kept under that hash, with the options of `request`. NOTFOUND; CONFLICT where the
 * copy no longer gives that hash. */
NODISCARD enum status keep_load(const char *folder, const struct load_request *request,
                                struct hash128 hash, struct ruleset **out, struct error *err);
/* What a file of a copy is a copy of: a view of `out`, or `file` where it is none. */
struct text keep_original(const char *folder, const struct load_request *request, struct text file,
                          char *out, size_t size);
/* Removes every copy but these. */
void keep_prune(const char *folder, const struct hash128 *keep, uint32_t count);
