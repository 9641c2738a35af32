/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include "tests/support/feeds.h"
#include "tests/support/table.h"

/* Random streams of events and correlations of every kind for them. */

#define STREAMS_SECOND INT64_C(1000000)

struct streams_row {
    const char *name;
    enum correlation_type type;
    uint32_t inputs;
    struct {
        enum bound_operator operator;
        const char *than;
    } bounds[2];
    const char *condition; /* postfix: letters are inputs, ! & | */
    double percentile;
};

static const struct streams_row streams_rows[] = {
    {"event_count gte", CORRELATION_EVENT_COUNT, 1, {{BOUND_GTE, "5"}}, NULL, 0},
    {"event_count gte, two rules", CORRELATION_EVENT_COUNT, 2, {{BOUND_GTE, "4"}}, NULL, 0},
    {"event_count gte 100", CORRELATION_EVENT_COUNT, 1, {{BOUND_GTE, "100"}}, NULL, 0},
    {"event_count range", CORRELATION_EVENT_COUNT, 1, {{BOUND_GT, "2"}, {BOUND_LTE, "4"}}, NULL, 0},
    {"event_count eq", CORRELATION_EVENT_COUNT, 1, {{BOUND_EQ, "3"}}, NULL, 0},
    {"event_count neq", CORRELATION_EVENT_COUNT, 1, {{BOUND_NEQ, "2"}}, NULL, 0},
    {"event_count lt", CORRELATION_EVENT_COUNT, 1, {{BOUND_LT, "3"}}, NULL, 0},
    {"event_count fraction", CORRELATION_EVENT_COUNT, 1, {{BOUND_GTE, "2.5"}}, NULL, 0},
    {"value_count gte", CORRELATION_VALUE_COUNT, 1, {{BOUND_GTE, "4"}}, NULL, 0},
    {"value_count eq, two rules", CORRELATION_VALUE_COUNT, 2, {{BOUND_EQ, "3"}}, NULL, 0},
    {"value_count many", CORRELATION_VALUE_COUNT, 1, {{BOUND_GT, "9"}}, NULL, 0},
    {"temporal", CORRELATION_TEMPORAL, 3, {{0}}, NULL, 0},
    {"temporal gte 2", CORRELATION_TEMPORAL, 4, {{BOUND_GTE, "2"}}, NULL, 0},
    {"temporal lte 2", CORRELATION_TEMPORAL, 4, {{BOUND_LTE, "2"}}, NULL, 0},
    {"temporal and not", CORRELATION_TEMPORAL, 3, {{0}}, "ab&c!&", 0},
    {"temporal or", CORRELATION_TEMPORAL, 3, {{0}}, "abc|&", 0},
    {"temporal_ordered", CORRELATION_TEMPORAL_ORDERED, 3, {{0}}, NULL, 0},
    {"temporal_ordered of two", CORRELATION_TEMPORAL_ORDERED, 2, {{0}}, NULL, 0},
    {"temporal_ordered gte 3 of 4", CORRELATION_TEMPORAL_ORDERED, 4, {{BOUND_GTE, "3"}}, NULL, 0},
    {"temporal_ordered or", CORRELATION_TEMPORAL_ORDERED, 3, {{0}}, "abc|&", 0},
    {"temporal_ordered and not", CORRELATION_TEMPORAL_ORDERED, 3, {{0}}, "ac&b!&", 0},
    {"value_sum", CORRELATION_VALUE_SUM, 1, {{BOUND_GT, "20"}}, NULL, 0},
    {"value_sum negative", CORRELATION_VALUE_SUM, 2, {{BOUND_LT, "-3.5"}}, NULL, 0},
    {"value_avg", CORRELATION_VALUE_AVG, 1, {{BOUND_GTE, "2.25"}, {BOUND_LT, "4"}}, NULL, 0},
    {"value_median", CORRELATION_VALUE_MEDIAN, 1, {{BOUND_GTE, "1.5"}}, NULL, 0},
    {"value_median eq", CORRELATION_VALUE_MEDIAN, 1, {{BOUND_EQ, "1.5"}}, NULL, 0},
    {"value_percentile 90", CORRELATION_VALUE_PERCENTILE, 1, {{BOUND_GT, "6"}}, NULL, 90},
    {"value_percentile 0", CORRELATION_VALUE_PERCENTILE, 1, {{BOUND_LT, "-2"}}, NULL, 0},
    {"value_percentile 100", CORRELATION_VALUE_PERCENTILE, 1, {{BOUND_GTE, "8"}}, NULL, 100},
    {"value_percentile 37.5", CORRELATION_VALUE_PERCENTILE, 1, {{BOUND_LTE, "1"}}, NULL, 37.5},
};

static inline void streams_add_row(struct feeds_rules *rules, const struct streams_row *row,
                                   enum fire_policy fire, int64_t renew_us)
{
    struct correlation *c = feeds_add_rule(rules, row->type, 60 * STREAMS_SECOND);
    c->input_count = row->inputs;
    c->fire = fire;
    c->renew_us = renew_us;
    c->percentile = row->percentile;
    for (uint32_t i = 0; i < 2; i++)
        if (row->bounds[i].than)
            feeds_bound(c, row->bounds[i].operator, row->bounds[i].than);
    for (const char *at = row->condition; at && *at; at++) {
        struct step *s = &c->steps[c->step_count++];
        *s = (struct step){*at == '!'   ? STEP_NOT
                           : *at == '&' ? STEP_AND
                           : *at == '|' ? STEP_OR
                                        : STEP_INPUT,
                           *at >= 'a' ? (uint32_t)(*at - 'a') : 0};
    }
}

/* Times in steps of a second and less, some late, some far too late, now and then a long pause. */
static inline void streams_make_events(const struct feeds_rules *rules, struct feeds_event *events,
                                       uint32_t count, uint32_t groups, uint32_t pace,
                                       uint64_t *random)
{
    int64_t journal_us = 1000 * STREAMS_SECOND;
    for (uint32_t i = 0; i < count; i++) {
        uint32_t kind = feeds_below(random, 100);
        if (kind == 0)
            journal_us += (int64_t)feeds_below(random, 500) * STREAMS_SECOND;
        else
            journal_us += feeds_below(random, 3)
                              ? 0
                              : (int64_t)feeds_below(random, 8) * STREAMS_SECOND / pace;
        int64_t delay = 0;
        if (feeds_below(random, 5) == 0)
            delay = (int64_t)feeds_below(random, 20) * STREAMS_SECOND;
        if (feeds_below(random, 50) == 0)
            delay = (int64_t)feeds_below(random, 100) * STREAMS_SECOND;
        struct feeds_event *e = &events[i];
        *e = (struct feeds_event){journal_us - delay, journal_us, RECORD_EVENT, 0, {{0}}};
        for (uint32_t c = 0; c < rules->count; c++) {
            if (rules->count > 1 && feeds_below(random, 2))
                continue;
            uint32_t feeds = feeds_below(random, 8) ? 1 : 2;
            uint32_t first = feeds_below(random, rules->correlations[c].input_count);
            for (uint32_t f = 0; f < feeds && e->count < FEEDS_PER_EVENT; f++) {
                uint32_t input = first + f;
                if (input >= rules->correlations[c].input_count)
                    break;
                struct feeds_one *one = &e->feeds[e->count++];
                *one = (struct feeds_one){.correlation = c, .input = input};
                (void)snprintf(one->group, FEEDS_TEXT, "g%u",
                               feeds_below(random, 4) ? feeds_below(random, groups) : 0);
                if (feeds_below(random, 10))
                    (void)snprintf(one->value, FEEDS_TEXT, "%s%u.%u",
                                   feeds_below(random, 3) ? "" : "-", feeds_below(random, 10),
                                   5 * feeds_below(random, 2));
            }
        }
    }
}

/* All types at once, with lateness and chains: the bytes do not depend on shards and batches. */
static inline void streams_mixed_rules(struct feeds_rules *rules)
{
    static const uint32_t picked[] = {0, 8, 11, 16, 21, 24};
    for (uint32_t i = 0; i < sizeof picked / sizeof *picked; i++) {
        streams_add_row(rules, &streams_rows[picked[i]], (enum fire_policy)(i % 3),
                        i % 2 ? 0 : 20 * STREAMS_SECOND);
        rules->correlations[i].lateness_us = i % 3 == 2 ? 15 * STREAMS_SECOND : 0;
    }
    struct correlation *child =
        feeds_add_rule(rules, CORRELATION_TEMPORAL_ORDERED, 200 * STREAMS_SECOND);
    child->input_count = 2;
    child->depth = 2;
    child->fire = FIRE_LEVEL;
    struct correlation *grandchild =
        feeds_add_rule(rules, CORRELATION_EVENT_COUNT, 300 * STREAMS_SECOND);
    grandchild->depth = 3;
    feeds_bound(grandchild, BOUND_GTE, "2");
    struct correlation *absence =
        feeds_add_rule(rules, CORRELATION_EVENT_COUNT, 20 * STREAMS_SECOND);
    feeds_bound(absence, BOUND_EQ, "0");
    absence->is_absence = true;
    absence->renew_us = 45 * STREAMS_SECOND;
    struct correlation *late_absence =
        feeds_add_rule(rules, CORRELATION_EVENT_COUNT, 9 * STREAMS_SECOND);
    late_absence->is_absence = true;
    late_absence->lateness_us = 7 * STREAMS_SECOND;
    struct correlation *first = feeds_add_rule(rules, CORRELATION_EVENT_COUNT, 60 * STREAMS_SECOND);
    feeds_bound(first, BOUND_GTE, "2");
    first->first_seen_learn_us = 100 * STREAMS_SECOND;
    first->first_seen_remember_us = 400 * STREAMS_SECOND;
    struct chain_link to_child = {.correlation = 6, .input = 0, .group_from = {0}};
    struct chain_link to_grandchild = {.correlation = 7, .input = 0, .group_from = {0}};
    rules->links[0][rules->correlations[0].link_count++] = to_child;
    to_child.input = 1;
    rules->links[1][rules->correlations[1].link_count++] = to_child;
    rules->links[8][rules->correlations[8].link_count++] = to_child;
    rules->links[6][rules->correlations[6].link_count++] = to_grandchild;
}

static inline void streams_assert_same(struct text want, struct text got, const char *what)
{
    if (text_equal(want, got))
        return;
    size_t i = 0;
    while (i < want.len && i < got.len && want.at[i] == got.at[i])
        i++;
    i = i > 200 ? i - 200 : 0;
    fail_msg("%s: from byte %zu of %zu and %zu on\nwant\n%.400s\ngot\n%.400s", what, i, want.len,
             got.len, i < want.len ? want.at + i : "", i < got.len ? got.at + i : "");
}
