/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include "base/arena.h"
#include "base/text.h"
#include "incidents/hash_table.h"

/*
 * Texts that come again and again (rule keys, titles, tactics), each kept once for the life of its
 * owner: a detection's rule dies with its ruleset, its name in a score does not. Equal texts have
 * equal addresses. One thread.
 */
struct vocabulary {
    struct hash_table hash_table;
    struct arena arena;
};

void vocabulary_init(struct vocabulary *v);
void vocabulary_fini(struct vocabulary *v);
/* The kept copy; TEXT_NONE at its ceiling (32 MiB) or without memory. */
struct text vocabulary_keep(struct vocabulary *v, struct text t);
