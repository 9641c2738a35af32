/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/support/feeds.h"
#include "tests/support/table.h"

/* Ceilings, eviction, forgetting, gaps, first-seen and absence, seen through the public header. */

static const int64_t second = 1000000;

static uint64_t metric_value;
static void note(void *context, const struct metric *m)
{
    const char *name = context;
    if (strcmp(m->name, name) == 0)
        metric_value = (uint64_t)m->value;
}

static uint64_t metric(const struct feeds_run *run, const char *name)
{
    uint64_t sum = 0;
    char copy[64];
    (void)snprintf(copy, sizeof copy, "%s", name);
    for (uint32_t i = 0; i < run->shards; i++) {
        metric_value = 0;
        shard_metrics(run->shard[i], note, copy);
        sum += metric_value;
    }
    return sum;
}

static void push(struct feeds_run *run, int64_t at_s, enum record_kind kind, const char *group)
{
    struct feeds_event e = {at_s * second, at_s * second, kind, group != NULL, {{0}}};
    if (group)
        (void)snprintf(e.feeds[0].group, FEEDS_TEXT, "%s", group);
    feeds_push(run, &e, 1, false);
}

static void expect(const struct feeds_run *run, const char *want)
{
    struct text got = buffer_text(&run->out);
    if (!text_equal(got, text_of(want)))
        fail_msg("want\n%s\ngot\n%.*s", want, TEXT_ARG(got));
}

static void start(struct feeds_run *run, struct feeds_rules *rules, size_t max_bytes)
{
    feeds_open(run, rules, 1, max_bytes);
    run->has_ids = false;
}

static void test_evicts_the_least_recently_touched(void **state)
{
    (void)state;
    struct feeds_rules rules = {.count = 0};
    struct correlation *c = feeds_add_rule(&rules, CORRELATION_EVENT_COUNT, 60 * second);
    feeds_bound(c, BOUND_GTE, "2");
    c->max_groups = 3;
    struct feeds_run run;
    start(&run, &rules, 1 << 20);
    push(&run, 1, RECORD_EVENT, "a");
    push(&run, 2, RECORD_EVENT, "b");
    push(&run, 3, RECORD_EVENT, "c");
    push(&run, 4, RECORD_EVENT, "a"); /* fires; b is the oldest now */
    push(&run, 5, RECORD_EVENT, "d"); /* b goes */
    push(&run, 6, RECORD_EVENT, "c"); /* still there: fires */
    push(&run, 7, RECORD_EVENT, "b"); /* anew, a goes */
    push(&run, 8, RECORD_EVENT, "d"); /* still there: fires */
    expect(&run, "r00 a @4000000\nr00 c @6000000\nr00 d @8000000\n");
    assert_int_equal(metric(&run, "correlator_windows_evicted_total"), 2);
    assert_int_equal(metric(&run, "correlator_windows"), 3);
    feeds_close(&run);
}

/* A flood of keys stays below the ceiling of bytes, and the newest are those that stay. */
static void test_bytes_have_a_ceiling(void **state)
{
    (void)state;
    enum { CEILING = 1 << 20, KEYS = 50000 };
    struct feeds_rules rules = {.count = 0};
    struct correlation *c = feeds_add_rule(&rules, CORRELATION_EVENT_COUNT, 60 * second);
    feeds_bound(c, BOUND_GTE, "2");
    struct feeds_run run;
    start(&run, &rules, CEILING);
    struct feeds_event *events = calloc(1000, sizeof *events);
    for (uint32_t i = 0; i < KEYS; i += 1000) {
        for (uint32_t j = 0; j < 1000; j++) {
            int64_t at = (int64_t)(i + j);
            events[j] = (struct feeds_event){at, at, RECORD_EVENT, 1, {{0}}};
            (void)snprintf(events[j].feeds[0].group, FEEDS_TEXT, "%u", i + j);
        }
        feeds_push(&run, events, 1000, false);
        assert_true(metric(&run, "correlator_bytes") <= CEILING);
    }
    uint64_t windows = metric(&run, "correlator_windows");
    assert_true(windows > 2000 && windows < KEYS);
    assert_int_equal(windows + metric(&run, "correlator_windows_evicted_total"), KEYS);
    assert_int_equal(metric(&run, "correlator_refused_total"), 0);
    feeds_push(&run, &events[999], 1, false); /* the newest key is still known */
    expect(&run, "r00 49999 @49999\n");
    free(events);
    feeds_close(&run);
}

/* A flood on one key costs one window of a few hundred entries at most. */
static void test_a_flood_costs_one_window(void **state)
{
    (void)state;
    static const enum correlation_type types[] = {CORRELATION_EVENT_COUNT, CORRELATION_VALUE_COUNT,
                                                  CORRELATION_TEMPORAL,
                                                  CORRELATION_TEMPORAL_ORDERED};
    struct feeds_rules rules = {.count = 0};
    for (uint32_t i = 0; i < 4; i++) {
        struct correlation *c = feeds_add_rule(&rules, types[i], 3600 * second);
        c->input_count = i < 2 ? 1 : 3;
        if (i < 2)
            feeds_bound(c, BOUND_GTE, "5");
    }
    struct feeds_run run;
    start(&run, &rules, 1 << 22);
    struct feeds_event *events = calloc(1000, sizeof *events);
    for (uint32_t i = 0; i < 50; i++) {
        for (uint32_t j = 0; j < 1000; j++) {
            int64_t at = (int64_t)(i * 1000 + j) * 1000;
            events[j] = (struct feeds_event){at, at, RECORD_EVENT, 4, {{0, 0, "g", ""}}};
            events[j].feeds[1] = (struct feeds_one){1, 0, "g", ""};
            (void)snprintf(events[j].feeds[1].value, FEEDS_TEXT, "%u", i * 1000 + j);
            events[j].feeds[2] = (struct feeds_one){2, j % 2, "g", ""};
            events[j].feeds[3] = (struct feeds_one){3, i == 0 ? j % 2 : 1, "g", ""};
        }
        feeds_push(&run, events, 1000, false);
    }
    assert_true(metric(&run, "correlator_bytes") < 300000); /* one page of windows is 65 KB */
    assert_int_equal(metric(&run, "correlator_windows_cut_total"), 0);
    /* the one event of input 0 that began it, 49,000 events ago, is still part of the order */
    events[0].count = 1;
    events[0].feeds[0] = (struct feeds_one){3, 2, "g", ""};
    feeds_push(&run, events, 1, false);
    assert_true(text_find(buffer_text(&run.out), TEXT("r03 g @49000000")) < run.out.len);
    free(events);
    feeds_close(&run);
}

static void test_idle_windows_are_forgotten(void **state)
{
    (void)state;
    struct feeds_rules rules = {.count = 0};
    struct correlation *c = feeds_add_rule(&rules, CORRELATION_EVENT_COUNT, 60 * second);
    feeds_bound(c, BOUND_GTE, "1");
    struct feeds_run run;
    start(&run, &rules, 1 << 20);
    push(&run, 1000, RECORD_EVENT, "a");
    push(&run, 1050, RECORD_EVENT, "a"); /* stays true: nothing */
    push(&run, 1111, RECORD_EVENT, "a"); /* the window had emptied: fires */
    push(&run, 1471, RECORD_TICK, NULL);
    assert_int_equal(metric(&run, "correlator_windows"), 1);
    push(&run, 1472, RECORD_TICK, NULL);
    assert_int_equal(metric(&run, "correlator_windows"), 0);
    assert_int_equal(metric(&run, "correlator_windows_expired_total"), 1);
    push(&run, 1480, RECORD_EVENT, "a");
    expect(&run, "r00 a @1000000000\nr00 a @1111000000\nr00 a @1480000000\n");
    feeds_close(&run);
}

/* An hour that nobody listened is no idleness: four, a restart, a fifth. */
static void test_a_gap_forgets_nothing(void **state)
{
    (void)state;
    struct feeds_rules rules = {.count = 0};
    struct correlation *c = feeds_add_rule(&rules, CORRELATION_EVENT_COUNT, 60 * second);
    feeds_bound(c, BOUND_GTE, "5");
    struct feeds_run run;
    start(&run, &rules, 1 << 20);
    for (int64_t i = 0; i < 4; i++)
        push(&run, 100 + i, RECORD_EVENT, "a");
    push(&run, 3700, RECORD_GAP, NULL);
    struct feeds_event fifth = {110 * second, 3700 * second, RECORD_EVENT, 1, {{0, 0, "a", ""}}};
    feeds_push(&run, &fifth, 1, false);
    expect(&run, "r00 a @110000000\n");
    feeds_close(&run);
}

static void test_absence(void **state)
{
    (void)state;
    struct feeds_rules rules = {.count = 0};
    struct correlation *c = feeds_add_rule(&rules, CORRELATION_EVENT_COUNT, 60 * second);
    feeds_bound(c, BOUND_EQ, "0");
    c->is_absence = true;
    struct feeds_run run;
    start(&run, &rules, 1 << 20);
    push(&run, 1000, RECORD_EVENT, "a");
    push(&run, 1040, RECORD_EVENT, "b");
    push(&run, 1050, RECORD_EVENT, "a");
    push(&run, 1100, RECORD_TICK, NULL); /* b: 60 s, closed: not yet */
    expect(&run, "");
    push(&run, 1101, RECORD_TICK, NULL);
    expect(&run, "r00 b @1100000000\n");
    push(&run, 1110, RECORD_EVENT, "a"); /* exactly at its end: still heard */
    push(&run, 1120, RECORD_EVENT, "b"); /* heard again */
    push(&run, 5000, RECORD_GAP, NULL);  /* nobody listened */
    push(&run, 5049, RECORD_TICK, NULL);
    expect(&run, "r00 b @1100000000\n");
    push(&run, 5060, RECORD_TICK, NULL); /* a: 10 + 60 s of listening since 1110, b at 60 */
    expect(&run, "r00 b @1100000000\nr00 a @5050000000\n");
    push(&run, 5061, RECORD_TICK, NULL);
    push(&run, 6000, RECORD_TICK, NULL); /* once each */
    expect(&run, "r00 b @1100000000\nr00 a @5050000000\nr00 b @5060000000\n");
    feeds_close(&run);
}

static void test_first_seen(void **state)
{
    (void)state;
    struct feeds_rules rules = {.count = 0};
    struct correlation *c = feeds_add_rule(&rules, CORRELATION_EVENT_COUNT, 60 * second);
    feeds_bound(c, BOUND_GTE, "1");
    c->first_seen_learn_us = 1000 * second;
    c->first_seen_remember_us = 5000 * second;
    struct feeds_run run;
    start(&run, &rules, 1 << 20);
    push(&run, 100, RECORD_EVENT, "old");
    push(&run, 1000, RECORD_EVENT, "older");
    push(&run, 1100, RECORD_EVENT, "new"); /* 1000 s learned */
    push(&run, 1200, RECORD_EVENT, "new");
    push(&run, 1300, RECORD_EVENT, "old");
    push(&run, 6000, RECORD_EVENT, "older"); /* 5000 s later: still remembered */
    push(&run, 6301, RECORD_EVENT, "old");   /* 5001 s later: forgotten */
    expect(&run, "r00 new @1100000000\nr00 old @6301000000\n");
    feeds_close(&run);
}

/* Windows of a rule that stays live on; those of a changed one begin anew. */
static void test_swap_keeps_what_is_unchanged(void **state)
{
    (void)state;
    struct feeds_rules before = {.count = 0};
    struct feeds_rules after = {.count = 0};
    for (uint32_t i = 0; i < 2; i++)
        feeds_bound(feeds_add_rule(&before, CORRELATION_EVENT_COUNT, 60 * second), BOUND_GTE, "3");
    for (uint32_t i = 0; i < 3; i++)
        feeds_bound(feeds_add_rule(&after, CORRELATION_EVENT_COUNT, 60 * second), BOUND_GTE, "3");
    after.rules[0].content = (struct hash128){99, 99}; /* new */
    after.rules[1].content = (struct hash128){98, 98}; /* r01 changed */
    after.rules[2].content = before.rules[0].content;  /* r00, at another place now */
    struct feeds_run run;
    start(&run, &before, 1 << 20);
    struct feeds_event e = {second, second, RECORD_EVENT, 2, {{0, 0, "g", ""}, {1, 0, "g", ""}}};
    feeds_push(&run, &e, 1, false);
    feeds_push(&run, &e, 1, false);
    assert_int_equal(metric(&run, "correlator_windows"), 2);
    assert_int_equal(shard_swap(run.shard[0], after.correlations, after.count), STATUS_OK);
    assert_int_equal(metric(&run, "correlator_windows"), 2);
    run.rules = &after;
    struct feeds_event next = {2 * second,
                               2 * second,
                               RECORD_EVENT,
                               3,
                               {{0, 0, "g", ""}, {1, 0, "g", ""}, {2, 0, "g", ""}}};
    feeds_push(&run, &next, 1, false);
    expect(&run, "r02 g @2000000\n");
    feeds_push(&run, &next, 1, false);
    feeds_push(&run, &next, 1, false);
    expect(&run, "r02 g @2000000\nr00 g @2000000\nr01 g @2000000\n");
    feeds_close(&run);
}

/* What was held for the old rules is inserted under the new. */
static void test_swap_keeps_what_is_held(void **state)
{
    (void)state;
    struct feeds_rules *before = calloc(1, sizeof *before);
    struct feeds_rules after = {.count = 0};
    struct correlation *old = feeds_add_rule(before, CORRELATION_EVENT_COUNT, 60 * second);
    feeds_bound(old, BOUND_GTE, "2");
    old->lateness_us = 10 * second;
    feeds_bound(feeds_add_rule(&after, CORRELATION_EVENT_COUNT, 60 * second), BOUND_GTE, "9");
    struct correlation *same = feeds_add_rule(&after, CORRELATION_EVENT_COUNT, 60 * second);
    feeds_bound(same, BOUND_GTE, "2");
    same->lateness_us = 10 * second;
    after.rules[1].content = before->rules[0].content;
    after.rules[0].content = (struct hash128){5, 5};
    struct feeds_run run;
    start(&run, before, 1 << 20);
    push(&run, 100, RECORD_EVENT, "g");
    push(&run, 101, RECORD_EVENT, "g");
    assert_int_equal(shard_swap(run.shard[0], after.correlations, after.count), STATUS_OK);
    run.rules = &after;
    memset(before, 0xA5, sizeof *before); /* the old ruleset is gone */
    free(before);
    push(&run, 120, RECORD_TICK, NULL);
    expect(&run, "r01 g @101000000\n");
    feeds_close(&run);
}

static void test_explains(void **state)
{
    (void)state;
    struct feeds_rules rules = {.count = 0};
    struct correlation *c = feeds_add_rule(&rules, CORRELATION_EVENT_COUNT, 60 * second);
    feeds_bound(c, BOUND_GTE, "5");
    struct feeds_run run;
    start(&run, &rules, 1 << 20);
    push(&run, 36, RECORD_EVENT, "g");
    push(&run, 100, RECORD_EVENT, "g");
    push(&run, 101, RECORD_EVENT, "g");
    push(&run, 102, RECORD_EVENT, "g");
    struct feeds_event late = {39 * second, 103 * second, RECORD_EVENT, 1, {{0, 0, "g", ""}}};
    feeds_push(&run, &late, 1, false);
    struct text group = TEXT("g");
    struct buffer out;
    buffer_init(&out, 1 << 16);
    shard_explain(run.shard[0], c, correlation_key(c, &group, 1), &out);
    assert_string_equal(
        buffer_reserve(&out, 1) ? (out.at[out.len] = 0, out.at) : "",
        "{\"rule\":\"r00\",\"type\":\"event_count\",\"timespan_seconds\":60,\"needed\":{\"gte\":5},"
        "\"window\":{\"newest\":\"1970-01-01T00:01:42.000000Z\",\"idle\":false,\"seen\":3,"
        "\"holds\":false,\"has_fired\":false,\"events\":["
        "{\"time\":\"1970-01-01T00:01:40.000000Z\",\"position\":2},"
        "{\"time\":\"1970-01-01T00:01:41.000000Z\",\"position\":3},"
        "{\"time\":\"1970-01-01T00:01:42.000000Z\",\"position\":4}]},"
        "\"late\":[{\"time\":\"1970-01-01T00:00:39.000000Z\",\"position\":5,\"seconds_late\":3}]}");
    buffer_fini(&out);
    feeds_close(&run);
}

static void test_refuses_what_no_window_can_hold(void **state)
{
    (void)state;
    struct feeds_rules rules = {.count = 0};
    feeds_bound(feeds_add_rule(&rules, CORRELATION_EVENT_COUNT, second), BOUND_GTE, "2000000");
    struct shard_options options = {.count = 1,
                                    .correlations = rules.correlations,
                                    .correlation_count = 1,
                                    .max_bytes = 1 << 20};
    struct shard *shard = NULL;
    struct error err;
    assert_int_equal(shard_check(rules.correlations, 1, &err), STATUS_LIMIT);
    assert_non_null(strstr(err.text, "r00: a threshold"));
    assert_int_equal(shard_new(&options, &shard, &err), STATUS_LIMIT);
    assert_null(shard);
    rules.correlations[0].bounds[0].than = FIXED_ONE * 1000000;
    assert_int_equal(shard_check(rules.correlations, 1, &err), STATUS_OK);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_evicts_the_least_recently_touched),
        cmocka_unit_test(test_bytes_have_a_ceiling),
        cmocka_unit_test(test_a_flood_costs_one_window),
        cmocka_unit_test(test_idle_windows_are_forgotten),
        cmocka_unit_test(test_a_gap_forgets_nothing),
        cmocka_unit_test(test_absence),
        cmocka_unit_test(test_first_seen),
        cmocka_unit_test(test_swap_keeps_what_is_unchanged),
        cmocka_unit_test(test_swap_keeps_what_is_held),
        cmocka_unit_test(test_explains),
        cmocka_unit_test(test_refuses_what_no_window_can_hold),
    };
    return cmocka_run_group_tests_name("test_window_lru", tests, NULL, NULL);
}
