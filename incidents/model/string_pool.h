/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include "base/arena.h"
#include "base/text.h"
#include "incidents/model/hash_table.h"

/*
 * Texts that come again and again (rule keys, titles, tactics), each kept once for the life of its
 * owner: a detection's rule dies with its ruleset, its name in a score does not. Equal texts have
 * equal addresses. One thread.
 */
struct string_pool {
    struct hash_table hash_table;
    struct arena arena;
};

void string_pool_init(struct string_pool *v);
void string_pool_fini(struct string_pool *v);
/* The kept copy; TEXT_NONE at its ceiling (32 MiB) or without memory. */
struct text string_pool_keep(struct string_pool *v, struct text t);
