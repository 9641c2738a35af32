/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include "incidents/decide/lifecycle.h"

/* Merging is a recorded edge between two incidents, which can be undone: nothing is rewritten. */
struct merge {
    struct text by, reason;
    int64_t now_us;
};

/* `from` closes as a duplicate; its entities and alerts go on in `into`. False: that has no room
 * for the alerts, nothing was done. */
bool merge_apply(const struct lifecycle *lifecycle, struct incident *from, struct incident *into,
                 const struct merge *merge);
/* `from` is open again with its own entities and alerts. */
void merge_undo(const struct lifecycle *lifecycle, struct incident *from, struct incident *into,
                const struct merge *merge);
