/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include "incidents/decide/lifecycle.h"

/* Merging is a recorded edge between two incidents, which can be undone: nothing is rewritten. */
struct merge {
    struct text by, reason;
    int64_t now_us;
};

/* `from` closes as a duplicate; its entities go on in `into`. */
void merge_apply(const struct lifecycle *lifecycle, struct incident *from, struct incident *into,
                 const struct merge *merge);
/* `from` is open again with its own entities. */
void merge_undo(const struct lifecycle *lifecycle, struct incident *from, struct incident *into,
                const struct merge *merge);
