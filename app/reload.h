/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include "app/config.h"
#include "base/buffer.h"
#include "base/error.h"
#include "base/hash.h"
#include "rules/rules.h"
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>

/*
 * The running program's rules: the first load, reloads that somebody asked for, and value lists and
 * overrides, which take effect by themselves. Each load is kept by its hash until a checkpoint has
 * passed its swap.
 */
struct daemon;

enum { RELOAD_KEPT = 64 };
struct reload {
    pthread_mutex_t lock;  /* one load at a time: the main thread and console's may both ask */
    struct config *config; /* whose rules decide; owned unless it is the program's own */
    struct hash128 seen;   /* the lists and overrides that were last read */
    struct hash128 last;   /* as they looked a moment ago: read once they rest */
    unsigned restless;     /* looks since then that found them changed once more */
    struct hash128 kept[RELOAD_KEPT]; /* rulesets swapped in, oldest first */
    uint32_t kept_count;
    struct buffer known; /* the errors of the rules that decide: "\nfile: message\n" of each */
    _Atomic uint64_t done, refused; /* swaps, and what was asked for in vain */
};
/* Loads what the configuration names. Then reload_ruleset for what the journal's tail asks for,
 * then reload_settle, which removes the copies that nobody needs. */
NODISCARD enum status reload_start(struct daemon *d, struct error *err);
void reload_settle(struct daemon *d);
void reload_end(struct daemon *d);
/* Reads configuration and rules again and has the writer swap them; an error keeps the old ones and
 * gives false. `out` is the answer as JSON. Any thread. */
bool reload_run(struct daemon *d, struct buffer *out);
/* A look at value lists and overrides, now and then; main thread. */
void reload_look(struct daemon *d);
/* The rules of a hash: the current ones, or a kept copy. Where neither is there the current ones
 * decide, and the log says so. Gives a reference. */
struct ruleset *reload_ruleset(struct daemon *d, struct hash128 hash);
/* The file as the configuration names it, also where a kept copy of it was read. `out` has
 * `size` bytes. */
struct text reload_file(struct daemon *d, struct text file, char *out, size_t size);
