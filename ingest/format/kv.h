/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include "base/arena.h"
#include "base/event.h"
#include <stdbool.h>

/*
 * key=value pairs and logfmt: values bare, in "double" (with backslash escapes) or 'single' quotes;
 * between pairs spaces, tabs, or what stands behind the first value (',', ';', '|'). Words without
 * '=' are passed over.
 */

/* `t` begins with "key=". */
bool kv_is_start(struct text t);
/* Adds the pairs; false where there was none. */
bool kv_read(struct text t, struct arena *arena, struct event *e);
/* Check Point: [action:"Accept"; flags:"4096"; ...]. False, and nothing added, where it is not. */
bool kv_read_brackets(struct text t, struct arena *arena, struct event *e);
