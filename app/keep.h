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
/* The ruleset kept under that hash, with the options of `request`. NOTFOUND; CONFLICT where the
 * copy no longer gives that hash. */
NODISCARD enum status keep_load(const char *folder, const struct load_request *request,
                                struct hash128 hash, struct ruleset **out, struct error *err);
/* Removes every copy but these two. */
void keep_prune(const char *folder, struct hash128 one, struct hash128 other);
