/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include "correlator/window.h"

/* One way to satisfy an ordered correlation: these inputs, in the order of their numbers, while
 * none of those is in the window. */
struct succession {
    uint64_t needed, forbidden; /* bit i: input i */
};

/* The window holds the needed inputs in order; equal times count in either order. */
bool succession_holds(const struct window *w, const struct window_shape *shape,
                      struct succession want);
/* The most inputs, in ascending order, that the window holds one after the other. */
uint32_t succession_longest(const struct window *w, const struct window_shape *shape);

/* Entries that a window keeps at most for those ways. */
uint32_t succession_retain(const struct succession *ways, uint32_t count);
/*
 * Makes room: keeps the newest 256 entries, and of the older ones the newest of each input and
 * those that can still begin or be a way: for each k the chain over its first k inputs that starts
 * latest, for it stays in the window longest. Nothing that comes in order is missed by this.
 * Without ways (bounds on the longest) nothing is known to be needless, and nothing is done.
 */
void succession_thin(struct window *w, const struct window_shape *shape,
                     const struct succession *ways, uint32_t count);
