/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/support/feeds.h"
#include "tests/support/table.h"

static const int64_t second = 1000000;

/* One correlation at once, one with 10 s of lateness. */
static void make_rules(struct feeds_rules *rules)
{
    feeds_bound(feeds_add_rule(rules, CORRELATION_EVENT_COUNT, 60 * second), BOUND_GTE, "1");
    struct correlation *held = feeds_add_rule(rules, CORRELATION_EVENT_COUNT, 60 * second);
    feeds_bound(held, BOUND_GTE, "1");
    held->lateness_us = 10 * second;
}

struct line {
    uint64_t position;
    int64_t event_s, journal_s;
    bool is_held;
};

static struct batch *make_batch(const struct feeds_rules *rules, uint64_t number,
                                const struct line *lines, uint32_t count)
{
    struct batch *b = batch_new();
    assert_non_null(b);
    b->number = number;
    b->feeds = arena_alloc(&b->arena, (count + 1) * sizeof *b->feeds);
    for (uint32_t i = 0; i < count; i++) {
        struct record *r = batch_add(b, TEXT("raw"));
        r->position = lines[i].position;
        r->journal_us = lines[i].journal_s * second;
        struct feeds_one one = {.correlation = lines[i].is_held, .group = "group", .value = "v"};
        if (lines[i].event_s >= 0)
            feeds_make(rules, &one, r, lines[i].event_s * second, &b->arena,
                       &b->feeds[b->feed_count++]);
    }
    return b;
}

static void assert_released(const struct batch *b, const uint64_t (*want)[2], uint32_t count)
{
    assert_int_equal(b->released_count, count);
    for (uint32_t i = 0; i < count; i++) {
        assert_int_equal(b->released[i].position, want[i][0]);
        assert_int_equal(b->released[i].released, want[i][1]);
    }
}

static void drop(struct batch *b)
{
    feeds_release(b);
    batch_free(b);
}

static void test_puts_batches_in_order(void **state)
{
    (void)state;
    struct feeds_rules rules = {.count = 0};
    make_rules(&rules);
    AUTO(sequencer) s = NULL;
    assert_int_equal(sequencer_new(100, &s, NULL), STATUS_OK);
    static const uint64_t order[] = {3, 1, 5, 4, 2};
    uint64_t next = 1;
    for (uint32_t i = 0; i < 5; i++) {
        struct line line = {order[i], (int64_t)order[i], (int64_t)order[i], false};
        sequencer_put(s, make_batch(&rules, order[i], &line, 1));
        for (struct batch *b = sequencer_next(s); b; b = sequencer_next(s)) {
            assert_int_equal(b->number, next++);
            assert_int_equal(b->feed_count, 1);
            assert_int_equal(b->feeds[0].released, b->feeds[0].position);
            drop(b);
        }
    }
    assert_int_equal(next, 6);
}

/* Released by the first record whose journal time passes event time + lateness, not by one that
 * only reaches it. */
static void test_holds_for_the_lateness(void **state)
{
    (void)state;
    struct feeds_rules rules = {.count = 0};
    make_rules(&rules);
    AUTO(sequencer) s = NULL;
    assert_int_equal(sequencer_new(100, &s, NULL), STATUS_OK);
    static const struct line first[] = {
        {1, 100, 100, true}, {2, 101, 101, false}, {3, 103, 103, true}, {4, 102, 103, true},
        {5, -1, 110, false}, {6, 111, 111, false}, {7, 95, 111, true}, /* came after its own
                                                                          lateness: at once */
    };
    sequencer_put(s, make_batch(&rules, 1, first, 7));
    struct batch *b = sequencer_next(s);
    assert_int_equal(b->feed_count, 2);
    assert_int_equal(b->feeds[0].position, 2);
    assert_int_equal(b->feeds[1].position, 6);
    static const uint64_t want[][2] = {{1, 6}, {7, 7}};
    assert_released(b, want, 2);
    assert_string_equal(b->released[0].correlation == &rules.correlations[1] ? "same" : "retired",
                        "retired");
    assert_true(hash_equal(b->released[0].correlation->rule->content, rules.rules[1].content));
    drop(b); /* what is still held does not view into it */

    static const struct line second_batch[] = {{8, -1, 200, false}};
    sequencer_put(s, make_batch(&rules, 2, second_batch, 1));
    b = sequencer_next(s);
    static const uint64_t rest[][2] = {{4, 8}, {3, 8}}; /* in event time */
    assert_released(b, rest, 2);
    assert_true(text_equal(b->released[0].subject->group[0], TEXT("group")));
    assert_true(text_equal(b->released[0].subject->entities[0].value, TEXT("group")));
    assert_true(text_equal(b->released[0].record->raw, TEXT("raw")));
    assert_int_equal(b->released[0].record->position, 4);
    drop(b);
}

static void test_flushes(void **state)
{
    (void)state;
    struct feeds_rules rules = {.count = 0};
    make_rules(&rules);
    AUTO(sequencer) s = NULL;
    assert_int_equal(sequencer_new(100, &s, NULL), STATUS_OK);
    static const struct line lines[] = {
        {1, 50, 50, true}, {2, 61, 61, true}, {3, 60, 61, true}, {4, 59, 61, true}};
    sequencer_put(s, make_batch(&rules, 1, lines, 4));
    struct batch *b = sequencer_next(s);
    sequencer_flush(s, b);
    static const uint64_t want[][2] = {{1, 2}, {4, 4}, {3, 4}, {2, 4}};
    assert_released(b, want, 4);
    drop(b);
    struct batch *empty = batch_new();
    sequencer_flush(s, empty);
    assert_int_equal(empty->released_count, 0);
    drop(empty);
}

/* At the ceiling the earliest is let go before its time: late, but not lost. */
static void test_has_a_ceiling(void **state)
{
    (void)state;
    struct feeds_rules rules = {.count = 0};
    make_rules(&rules);
    AUTO(sequencer) s = NULL;
    assert_int_equal(sequencer_new(2, &s, NULL), STATUS_OK);
    static const struct line lines[] = {
        {1, 52, 52, true}, {2, 51, 52, true}, {3, 53, 53, true}, {4, 54, 54, true}};
    sequencer_put(s, make_batch(&rules, 1, lines, 4));
    struct batch *b = sequencer_next(s);
    static const uint64_t want[][2] = {{2, 3}, {1, 4}};
    assert_released(b, want, 2);
    drop(b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_puts_batches_in_order),
        cmocka_unit_test(test_holds_for_the_lateness),
        cmocka_unit_test(test_flushes),
        cmocka_unit_test(test_has_a_ceiling),
    };
    return cmocka_run_group_tests_name("test_sequencer", tests, NULL, NULL);
}
