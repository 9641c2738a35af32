/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include "base/event.h"
#include "base/own.h"
#include "base/text.h"
#include <stdint.h>

/*
 * Says of most events, from their raw bytes alone, that no keyword of a log source stands anywhere
 * in them: without unescaping, folding or even splitting them into values. Keywords are folded
 * literals. Immutable once built, any thread.
 */
struct gate;
/* NULL without memory, or where a keyword has no four characters in a row that JSON leaves alone:
 * then every event has to be searched. */
struct gate *gate_new(const struct text *keywords, uint32_t count);
void gate_free(struct gate *g);
AUTO_DEFINE(gate);
/* Whether it costs a small part of what a search costs. */
bool gate_has_sieve(const struct gate *g);
/* False: none of the keywords is in this value, whose bytes may be JSON's. `is_plain`: they are
 * ASCII without \u. */
bool gate_admits(const struct gate *g, struct text value, bool is_plain);
/* False: none of the keywords is in any value of the event, nor in its line. */
bool gate_is_open(const struct gate *g, const struct event *e);
