/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include "base/arena.h"
#include "base/event.h"
#include <stdbool.h>

/*
 * RFC 5424 structured data, "-" or "[id key="value"]...", from the front of *t into e's params.
 * Spaces more than needed pass. False: it is none, or broken: *t stays, whole elements before the
 * damage and the broken one's id were added. EVENT_HEADER_DAMAGED is set for what a strict reader
 * would refuse and this one understands: an id twice, "]" without its backslash, long names.
 */
bool structured_read(struct text *t, struct arena *arena, struct event *e);
