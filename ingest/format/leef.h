/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include "base/arena.h"
#include "base/event.h"
#include <stdbool.h>

/*
 * IBM's Log Event Extended Format: "LEEF:1.0|vendor|product|version|event|key=value<tab>...", and
 * 2.0 with its own delimiter as a sixth header ("^", "x5E", "0x5E", or left out). Adds leefVersion,
 * deviceVendor, deviceProduct, deviceVersion, deviceEventId and the attributes. False: the header
 * is broken, nothing was added.
 */
bool leef_read(struct text t, struct arena *arena, struct event *e);
/* Where "LEEF:" and a digit stand in the first bytes of `t`, or t.len. */
size_t leef_find(struct text t);
