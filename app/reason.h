/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include "base/buffer.h"
#include "rules/rules.h"
#include <stdbool.h>

/* Why a rule did not fire over a timeline's events, in lines for people: the log source decision,
 * the first predicate that was false with the field's value, and of correlations what their
 * windows held and what was missing. */

struct reason_options {
    struct ruleset *ruleset;
    /* The events: fills a reset batch, false at the end; event time is the record's receive_us. */
    bool (*next)(void *context, struct batch *b);
    void (*rewind)(void *context); /* the next one is the first again */
    void *context;
    int64_t start_us; /* offsets are told from here */
};

void reason_write(const struct reason_options *o, const struct rule *rule, struct buffer *out);
