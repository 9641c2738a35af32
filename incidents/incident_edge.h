/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include "incidents/state.h"

/* Merging is a recorded edge between two incidents, which can be undone: nothing is rewritten. */
struct incident_edge {
    struct text by, reason;
    int64_t now_us;
};

/* `from` closes as a duplicate; its entities go on in `into`. */
void incident_edge_merge(struct incidents *i, struct incident *from, struct incident *into,
                         const struct incident_edge *e);
/* Undoes it: `from` is open again with its own entities. */
void incident_edge_split(struct incidents *i, struct incident *from, struct incident *into,
                         const struct incident_edge *e);
