/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include "rules/match/evaluation.h"
#include "rules/match/memo.h"
#include "rules/match/ruleset_state.h"

enum {
    MATCHER_ROUTES = 64,      /* remembered log sources */
    MATCHER_ROUTE_BYTES = 96, /* longer names are looked up each time */
    MATCHER_PARTITIONS = 8,   /* of one log source: with and without category, product, service */
    MATCHER_REACHED = MATCHER_PARTITIONS * EVENT_LOGSOURCES + 1,
};

/* Which partitions a log source leads to; the names are copied, for the event's may move. */
struct route {
    char bytes[MATCHER_ROUTE_BYTES];
    uint8_t lengths[3];
    uint8_t count;
    bool is_known;
    const struct partition *partitions[MATCHER_PARTITIONS];
};

enum matcher_total {
    TOTAL_EVENTS,
    TOTAL_CANDIDATES,
    TOTAL_DECODED,
    TOTAL_UNDECODED,
    TOTAL_TIMES_UNREADABLE,
    TOTAL_GROUPS_WITHOUT_FIELD,
    TOTAL_CUT_VALUES,
    TOTAL_UNREAD_VALUES,
    TOTAL_RULE_LIMITS,
    TOTAL_DECODER_LIMITS,
    MATCHER_TOTALS,
};

/* Scratch of one worker. */
struct matcher {
    struct ruleset *ruleset; /* one reference */
    struct fieldview *view;
    struct memo *memo;
    struct evaluation evaluation;
    struct decoder_scratch *decoding;
    const struct event *decoded;   /* the event that matcher_decode saw last, and */
    const struct decoder *decoder; /* the decoder that read it */
    struct route routes[MATCHER_ROUTES];

    uint32_t *seen;      /* by rule: generation of the event in whose shortlist it is */
    uint32_t *shortlist; /* rules of this event */
    uint32_t shortlist_count;
    uint32_t *atoms_seen; /* by atom of the partition at hand: so that none is taken twice */
    uint32_t atom_max;
    uint32_t atom_generation;

    struct feed *feeds; /* the arrays that results show, kept between batches */
    struct detection **detections;
    uint32_t feed_max, detection_max;
    struct rule_cost *costs; /* by rule->index */
    uint64_t evaluations;    /* every 64th is timed */
    uint64_t events, candidates_total, groups_without_field, times_unreadable;
    uint64_t before[MATCHER_TOTALS]; /* what matchers counted whose rules were swapped out */
    uint64_t unread_values;          /* above what a mapping's `decode` reads of one field */
};

/* Fills m->shortlist: every rule that could match the event in the view, ascending. */
void shortlist_find(struct matcher *m, const struct event *e);
/* The partitions the event's log sources lead to, each once. */
uint32_t shortlist_route(struct matcher *m, const struct event *e,
                         const struct partition *out[MATCHER_REACHED]);
