/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include "base/buffer.h"
#include "base/correlation.h"
#include "base/hash.h"
#include "base/record.h"
#include "base/rule.h"
#include <stdbool.h>
#include <stdint.h>

/*
 * The fact that a rule or correlation fired. Views into the batch that carried the completing
 * event and into the shard's reply: whoever keeps one longer copies it.
 */
struct detection {
    struct hash128 id; /* detection_make_id: the same after a crash, on replay, anywhere */
    const struct rule *rule;
    int64_t event_us;   /* time of the completing event */
    int64_t journal_us; /* journal time at release */
    uint64_t position;  /* of the completing event */
    uint64_t released;  /* position that released it */
    int8_t turn;        /* enum release_turn */
    uint32_t depth;     /* 0 for a rule, else the correlation's */
    bool is_renewal;    /* edge: still true; refreshes the score, tells nobody, is not listed */
    const struct subject *subject;
    const struct record *record; /* the completing record; NULL for absence */
    const uint64_t *evidence;    /* positions, ascending, at most DETECTION_EVIDENCE */
    uint32_t evidence_count;
    uint64_t evidence_total; /* how many there were */
    int64_t lead_us;         /* how long before event_us the earliest evidence was; 0: it is that */
};

enum { DETECTION_EVIDENCE = 64 }; /* the first and the last half of that */

/* hash(rule content, group values, identity of the completing event, ordinal). */
struct hash128 detection_make_id(const struct rule *rule, const struct subject *subject,
                                 struct hash128 identity, uint32_t ordinal);
/* Output order: released, turn, event time, position, depth, rule key, group, id. <0, 0, >0. */
int detection_compare(const struct detection *a, const struct detection *b);
/* One JSON line with its newline, in the shape of `replay --detections`. `input` may be empty. */
void detection_write(const struct detection *d, struct text input, struct buffer *out);
