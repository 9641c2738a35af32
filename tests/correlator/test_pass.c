/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/support/naive.h"
#include "tests/support/table.h"

/* Random streams: the shards against the plainest reading of the rules, and against themselves
 * with other shard counts and other cuts. */

enum { EVENTS = 3000, STREAMS = 6 };

static const int64_t second = 1000000;

struct row {
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

static const struct row rows[] = {
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

static void add_row(struct feeds_rules *rules, const struct row *row, enum fire_policy fire,
                    int64_t renew_us)
{
    struct correlation *c = feeds_add_rule(rules, row->type, 60 * second);
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
static void make_events(const struct feeds_rules *rules, struct feeds_event *events, uint32_t count,
                        uint32_t groups, uint32_t pace, uint64_t *random)
{
    int64_t journal_us = 1000 * second;
    for (uint32_t i = 0; i < count; i++) {
        uint32_t kind = feeds_below(random, 100);
        if (kind == 0)
            journal_us += (int64_t)feeds_below(random, 500) * second;
        else
            journal_us +=
                feeds_below(random, 3) ? 0 : (int64_t)feeds_below(random, 8) * second / pace;
        int64_t delay = 0;
        if (feeds_below(random, 5) == 0)
            delay = (int64_t)feeds_below(random, 20) * second;
        if (feeds_below(random, 50) == 0)
            delay = (int64_t)feeds_below(random, 100) * second;
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

static void run_shards(const struct feeds_rules *rules, const struct feeds_event *events,
                       uint32_t count, uint32_t shards, uint32_t most, bool has_ids,
                       uint64_t *random, struct buffer *out)
{
    struct feeds_run run;
    feeds_open(&run, rules, shards, 64 << 20);
    run.has_ids = has_ids;
    for (uint32_t i = 0; i < count;) {
        uint32_t n = 1 + feeds_below(random, most);
        n = n < count - i ? n : count - i;
        feeds_push(&run, events + i, n, i + n == count);
        i += n;
    }
    buffer_append(out, buffer_text(&run.out));
    feeds_close(&run);
}

static void assert_same(struct text want, struct text got, const char *what)
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

static int by_line(const void *a, const void *b)
{
    return text_compare(*(const struct text *)a, *(const struct text *)b);
}

static struct buffer sorted_lines(const struct buffer *from)
{
    struct text *lines = calloc(from->len + 1, sizeof *lines);
    uint32_t count = 0;
    struct text rest = buffer_text(from);
    struct text line;
    while (text_split(&rest, '\n', &line))
        lines[count++] = line;
    qsort(lines, count, sizeof *lines, by_line);
    struct buffer out;
    buffer_init(&out, 1 << 30);
    for (uint32_t i = 0; i < count; i++)
        buffer_printf(&out, "%.*s\n", TEXT_ARG(lines[i]));
    free(lines);
    return out;
}

/* Each type and policy as the naive reading has it. */
static void test_agrees_with_naive(void **state)
{
    const struct row *row = *state;
    uint64_t random = feeds_seed();
    uint64_t fired = 0;
    for (uint32_t i = 0; i < STREAMS; i++) {
        struct feeds_rules rules = {.count = 0};
        add_row(&rules, row, (enum fire_policy)(i % 3), i < 3 ? 0 : 30 * second);
        struct feeds_event *events = calloc(EVENTS, sizeof *events);
        make_events(&rules, events, EVENTS, 4, i % 2 ? 2 : 16, &random);
        struct naive n;
        naive_open(&n, &rules);
        for (uint32_t j = 0; j < EVENTS; j++)
            naive_push(&n, &events[j], j + 1);
        struct buffer out;
        buffer_init(&out, 1 << 30);
        run_shards(&rules, events, EVENTS, 1 + i % 3, 300, false, &random, &out);
        /* several groups that one event completes stand in the order of their names */
        struct buffer want = sorted_lines(&n.out);
        struct buffer got = sorted_lines(&out);
        assert_same(buffer_text(&want), buffer_text(&got), row->name);
        fired += out.len;
        buffer_fini(&want);
        buffer_fini(&got);
        buffer_fini(&out);
        naive_close(&n);
        free(events);
    }
    assert_true(fired > 0);
}

/* All types at once, with lateness and chains: the bytes do not depend on shards and batches. */
static void mixed_rules(struct feeds_rules *rules)
{
    static const uint32_t picked[] = {0, 8, 11, 16, 21, 24};
    for (uint32_t i = 0; i < sizeof picked / sizeof *picked; i++) {
        add_row(rules, &rows[picked[i]], (enum fire_policy)(i % 3), i % 2 ? 0 : 20 * second);
        rules->correlations[i].lateness_us = i % 3 == 2 ? 15 * second : 0;
    }
    struct correlation *child = feeds_add_rule(rules, CORRELATION_TEMPORAL_ORDERED, 200 * second);
    child->input_count = 2;
    child->depth = 2;
    child->fire = FIRE_LEVEL;
    struct correlation *grandchild = feeds_add_rule(rules, CORRELATION_EVENT_COUNT, 300 * second);
    grandchild->depth = 3;
    feeds_bound(grandchild, BOUND_GTE, "2");
    struct correlation *absence = feeds_add_rule(rules, CORRELATION_EVENT_COUNT, 20 * second);
    feeds_bound(absence, BOUND_EQ, "0");
    absence->is_absence = true;
    absence->renew_us = 45 * second;
    struct correlation *late_absence = feeds_add_rule(rules, CORRELATION_EVENT_COUNT, 9 * second);
    late_absence->is_absence = true;
    late_absence->lateness_us = 7 * second;
    struct correlation *first = feeds_add_rule(rules, CORRELATION_EVENT_COUNT, 60 * second);
    feeds_bound(first, BOUND_GTE, "2");
    first->first_seen_learn_us = 100 * second;
    first->first_seen_remember_us = 400 * second;
    struct chain_link to_child = {.correlation = 6, .input = 0, .group_from = {0}};
    struct chain_link to_grandchild = {.correlation = 7, .input = 0, .group_from = {0}};
    rules->links[0][rules->correlations[0].link_count++] = to_child;
    to_child.input = 1;
    rules->links[1][rules->correlations[1].link_count++] = to_child;
    rules->links[8][rules->correlations[8].link_count++] = to_child;
    rules->links[6][rules->correlations[6].link_count++] = to_grandchild;
}

static void test_is_the_same_for_any_shards(void **state)
{
    (void)state;
    uint64_t random = feeds_seed();
    for (uint32_t round = 0; round < 4; round++) {
        struct feeds_rules rules = {.count = 0};
        mixed_rules(&rules);
        struct feeds_event *events = calloc(EVENTS, sizeof *events);
        make_events(&rules, events, EVENTS, 40, 2, &random);
        for (uint32_t i = 0; i < EVENTS; i++) {
            if (feeds_below(&random, 10) == 0)
                events[i].kind = RECORD_TICK;
            if (feeds_below(&random, 300) == 0)
                events[i].kind = RECORD_GAP;
            if (events[i].kind != RECORD_EVENT)
                events[i].count = 0;
        }
        struct buffer want;
        buffer_init(&want, 1 << 30);
        run_shards(&rules, events, EVENTS, 1, 1000, true, &random, &want);
        static const uint32_t shards[] = {1, 2, 4, 7};
        static const uint32_t most[] = {1, 50, 333, 1000};
        for (uint32_t i = 0; i < 4; i++) {
            struct buffer got;
            buffer_init(&got, 1 << 30);
            run_shards(&rules, events, EVENTS, shards[i], most[(i + round) % 4], true, &random,
                       &got);
            assert_same(buffer_text(&want), buffer_text(&got), "shards");
            buffer_fini(&got);
        }
        for (uint32_t i = 0; i < rules.count; i++) /* every rule has its part in this */
            if (text_find(buffer_text(&want), text_of(rules.names[i])) == want.len)
                fail_msg("%s never fired", rules.names[i]);
        buffer_fini(&want);
        free(events);
    }
}

static int by_arrival(const void *a, const void *b)
{
    const struct feeds_event *x = a;
    const struct feeds_event *y = b;
    return x->journal_us < y->journal_us ? -1 : x->journal_us > y->journal_us;
}

/* The order of arrival does not matter as long as nothing comes later than the lateness. */
static void test_shuffles_within_the_lateness(void **state)
{
    (void)state;
    uint64_t random = feeds_seed();
    for (uint32_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct feeds_rules rules = {.count = 0};
        add_row(&rules, &rows[i], (enum fire_policy)(i % 3), 0);
        rules.correlations[0].lateness_us = 10 * second;
        struct buffer first = {0};
        struct feeds_event *events = calloc(EVENTS, sizeof *events);
        make_events(&rules, events, EVENTS, 5, 2, &random);
        for (uint32_t j = 0; j < EVENTS; j++) /* all times differ: ties have no order to keep */
            events[j].event_us = (int64_t)j * second / 3 + 1000 * second;
        for (uint32_t shuffle = 0; shuffle < 3; shuffle++) {
            for (uint32_t j = 0; j < EVENTS; j++) /* for a moment: when it arrives */
                events[j].journal_us =
                    events[j].event_us + (shuffle ? feeds_below(&random, 9000000) : 0);
            qsort(events, EVENTS, sizeof *events, by_arrival);
            int64_t journal_us = 0;
            for (uint32_t j = 0; j < EVENTS; j++) {
                journal_us = events[j].event_us > journal_us ? events[j].event_us : journal_us;
                events[j].journal_us = journal_us;
                assert_true(journal_us - events[j].event_us <= 10 * second);
            }
            struct buffer out;
            buffer_init(&out, 1 << 30);
            run_shards(&rules, events, EVENTS, 2, 200, false, &random, &out);
            struct buffer sorted = sorted_lines(&out);
            buffer_fini(&out);
            if (shuffle) {
                assert_same(buffer_text(&first), buffer_text(&sorted), rows[i].name);
                buffer_fini(&sorted);
            } else {
                first = sorted;
            }
        }
        buffer_fini(&first);
        free(events);
    }
}

int main(void)
{
    struct CMUnitTest tests[sizeof rows / sizeof *rows + 2];
    size_t n = 0;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        tests[n++] = ROW(test_agrees_with_naive, &rows[i]);
    tests[n++] = (struct CMUnitTest)cmocka_unit_test(test_is_the_same_for_any_shards);
    tests[n++] = (struct CMUnitTest)cmocka_unit_test(test_shuffles_within_the_lateness);
    return _cmocka_run_group_tests("test_pass", tests, n, NULL, NULL);
}
