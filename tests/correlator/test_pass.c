/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/support/naive.h"
#include "tests/support/streams.h"
#include "tests/support/table.h"

/* Random streams: the shards against the plainest reading of the rules, and against themselves
 * with other shard counts and other cuts. */

enum { EVENTS = 3000, STREAMS = 6 };

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
    const struct streams_row *row = *state;
    uint64_t random = feeds_seed();
    uint64_t fired = 0;
    for (uint32_t i = 0; i < STREAMS; i++) {
        struct feeds_rules rules = {.count = 0};
        streams_add_row(&rules, row, (enum fire_policy)(i % 3), i < 3 ? 0 : 30 * STREAMS_SECOND);
        struct feeds_event *events = calloc(EVENTS, sizeof *events);
        streams_make_events(&rules, events, EVENTS, 4, i % 2 ? 2 : 16, &random);
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
        streams_assert_same(buffer_text(&want), buffer_text(&got), row->name);
        fired += out.len;
        buffer_fini(&want);
        buffer_fini(&got);
        buffer_fini(&out);
        naive_close(&n);
        free(events);
    }
    assert_true(fired > 0);
}

static void test_is_the_same_for_any_shards(void **state)
{
    (void)state;
    uint64_t random = feeds_seed();
    for (uint32_t round = 0; round < 4; round++) {
        struct feeds_rules rules = {.count = 0};
        streams_mixed_rules(&rules);
        struct feeds_event *events = calloc(EVENTS, sizeof *events);
        streams_make_events(&rules, events, EVENTS, 40, 2, &random);
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
            streams_assert_same(buffer_text(&want), buffer_text(&got), "shards");
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
static void assert_shuffles(const struct feeds_rules *rules, uint64_t *random, const char *name)
{
    struct buffer first = {0};
    struct feeds_event *events = calloc(EVENTS, sizeof *events);
    streams_make_events(rules, events, EVENTS, 5, 2, random);
    events[0].count = 0;                  /* the first record dates the rules */
    for (uint32_t i = 0; i < EVENTS; i++) /* all times differ: ties have no order to keep */
        events[i].event_us = (int64_t)i * STREAMS_SECOND / 3 + 1000 * STREAMS_SECOND;
    for (uint32_t shuffle = 0; shuffle < 3; shuffle++) {
        for (uint32_t i = 0; i < EVENTS; i++) /* for a moment: when it arrives */
            events[i].journal_us =
                events[i].event_us + (shuffle && i ? feeds_below(random, 9000000) : 0);
        qsort(events, EVENTS, sizeof *events, by_arrival);
        int64_t journal_us = 0;
        for (uint32_t i = 0; i < EVENTS; i++) {
            journal_us = events[i].event_us > journal_us ? events[i].event_us : journal_us;
            events[i].journal_us = journal_us;
            assert_true(journal_us - events[i].event_us <= 10 * STREAMS_SECOND);
        }
        struct buffer out;
        buffer_init(&out, 1 << 30);
        run_shards(rules, events, EVENTS, 2, 200, false, random, &out);
        struct buffer sorted = sorted_lines(&out);
        buffer_fini(&out);
        if (shuffle) {
            streams_assert_same(buffer_text(&first), buffer_text(&sorted), name);
            buffer_fini(&sorted);
        } else {
            first = sorted;
        }
    }
    buffer_fini(&first);
    free(events);
}

static void test_shuffles_within_the_lateness(void **state)
{
    (void)state;
    uint64_t random = feeds_seed();
    for (uint32_t i = 0; i < sizeof streams_rows / sizeof *streams_rows; i++) {
        struct feeds_rules rules = {.count = 0};
        streams_add_row(&rules, &streams_rows[i], (enum fire_policy)(i % 3), 0);
        rules.correlations[0].lateness_us = 10 * STREAMS_SECOND;
        assert_shuffles(&rules, &random, streams_rows[i].name);
    }
}

/* Chains, silences and first sights too, where all links have one lateness. */
static void test_shuffles_through_chains(void **state)
{
    (void)state;
    uint64_t random = feeds_seed();
    for (uint32_t round = 0; round < 4; round++) {
        struct feeds_rules rules = {.count = 0};
        streams_mixed_rules(&rules);
        for (uint32_t i = 0; i < rules.count; i++)
            rules.correlations[i].lateness_us = 10 * STREAMS_SECOND;
        assert_shuffles(&rules, &random, "chains");
    }
}

/* What matches nothing only moves time: the answers are those of the stream without it. */
static void test_unmatched_traffic_changes_nothing(void **state)
{
    (void)state;
    uint64_t random = feeds_seed();
    for (uint32_t i = 0; i < sizeof streams_rows / sizeof *streams_rows; i++) {
        struct feeds_rules rules = {.count = 0};
        streams_add_row(&rules, &streams_rows[i], (enum fire_policy)(i % 3), 0);
        rules.correlations[0].lateness_us = 4 * STREAMS_SECOND;
        struct feeds_event *events = calloc(EVENTS, sizeof *events);
        struct feeds_event *mixed = calloc(3 * (size_t)EVENTS, sizeof *mixed);
        streams_make_events(&rules, events, EVENTS, 4, 2, &random);
        uint32_t count = 0;
        for (uint32_t j = 0; j < EVENTS; j++) {
            mixed[count++] = events[j];
            int64_t now_us = events[j].journal_us;
            int64_t gap_us = j + 1 < EVENTS ? events[j + 1].journal_us - now_us : 0;
            for (uint32_t k = feeds_below(&random, 3); k > 0; k--) {
                now_us +=
                    gap_us > 0 ? (int64_t)feeds_below(&random, (uint32_t)(gap_us / 2) + 1) : 0;
                now_us =
                    now_us > events[j].journal_us + gap_us ? events[j].journal_us + gap_us : now_us;
                mixed[count++] = (struct feeds_event){now_us, now_us, RECORD_EVENT, 0, {{0}}};
            }
        }
        struct buffer want;
        struct buffer got;
        buffer_init(&want, 1 << 30);
        buffer_init(&got, 1 << 30);
        run_shards(&rules, events, EVENTS, 2, 300, false, &random, &want);
        run_shards(&rules, mixed, count, 2, 300, false, &random, &got);
        streams_assert_same(buffer_text(&want), buffer_text(&got), streams_rows[i].name);
        buffer_fini(&want);
        buffer_fini(&got);
        free(events);
        free(mixed);
    }
}

int main(void)
{
    struct CMUnitTest tests[sizeof streams_rows / sizeof *streams_rows + 4];
    size_t n = 0;
    for (size_t i = 0; i < sizeof streams_rows / sizeof *streams_rows; i++)
        tests[n++] = ROW(test_agrees_with_naive, &streams_rows[i]);
    tests[n++] = (struct CMUnitTest)cmocka_unit_test(test_is_the_same_for_any_shards);
    tests[n++] = (struct CMUnitTest)cmocka_unit_test(test_shuffles_within_the_lateness);
    tests[n++] = (struct CMUnitTest)cmocka_unit_test(test_unmatched_traffic_changes_nothing);
    tests[n++] = (struct CMUnitTest)cmocka_unit_test(test_shuffles_through_chains);
    return _cmocka_run_group_tests("test_pass", tests, n, NULL, NULL);
}
