/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include "incidents/model/candidate.h"

/*
 * Candidates that belong to no incident, the one that weighs least first: it gives way where there
 * is no room for another one. All fade alike, so that the order never changes by itself.
 */
struct weakest {
    struct candidate **heap;
    uint32_t count, room;
};

/* In, or to its place after it changed; without memory it is left out, and stays. */
void weakest_put(struct weakest *weakest, struct candidate *candidate, int64_t half_life_us);
/* Out, if it is in. */
void weakest_remove(struct weakest *weakest, struct candidate *candidate);
/* NULL: none. */
struct candidate *weakest_first(const struct weakest *weakest);
void weakest_fini(struct weakest *weakest);
