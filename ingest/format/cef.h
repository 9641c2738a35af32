/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include "base/arena.h"
#include "base/event.h"
#include <stdbool.h>

/*
 * ArcSight's Common Event Format: "CEF:0|vendor|product|version|class|name|severity|key=value ...".
 * Adds cefVersion, deviceVendor, deviceProduct, deviceVersion, deviceEventClassId, name, severity,
 * and each extension under the key as sent and under its full name ("src", "sourceAddress").
 * False: the header is broken, nothing was added.
 */
bool cef_read(struct text t, struct arena *arena, struct event *e);
/* key=value pairs as in CEF's extension: a value ends where " key=" begins. */
void cef_read_pairs(struct text t, struct arena *arena, struct event *e);
/*
 * 0 where `t` begins as a format's header does whose name a relay took for the program and cut off:
 * "0|vendor|product|...|key=value". `versions` are the first bytes it may have, `headers` the count
 * of '|'. Otherwise t.len.
 */
size_t cef_headless(struct text t, struct text versions, int headers);
/* Where "CEF:" and a digit stand in the first bytes of `t`, or t.len. */
size_t cef_find(struct text t);
