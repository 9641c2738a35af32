/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include "base/event.h"
#include <stdbool.h>

/* The words of RFC 3164 between time and text: the host and the tag, "program[pid]:". */

/* Could be a host's name or address. */
bool tag_is_host(struct text word);
/* "host tag: text" or "tag: text" with a host or tag that no other kind of line has here. */
bool tag_is_host_and_tag(struct text t);
/* The host from the front of *t, unless what stands there is a tag already or no name at all. */
void tag_take_host(struct text *t, struct event *e);
/* Program and pid from the front of *t, which then begins with the text. Without tag *t stays. */
void tag_take(struct text *t, struct event *e);
