/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/support/naive.h"
#include "tests/support/streams.h"

/* Floods in order, far longer than what a window keeps, against the reading that keeps all. */

enum { EVENTS = 2000 };

static const struct flood {
    const char *name;
    uint32_t inputs;
    const char *condition;
    uint32_t rare; /* of the inputs the first is as frequent as this many of the next, ... */
} floods[] = {
    {"three, the first frequent", 3, NULL, 30},
    {"two, the first frequent", 2, NULL, 200},
    {"four, evenly", 4, NULL, 1},
    {"a and (b or c)", 3, "abc|&", 30},
    {"a and c and not b", 3, "ac&b!&", 60},
    {"(a or b) and c and not d", 4, "ab|c&d!&", 12},
    {"five, ever rarer", 5, NULL, 4},
};

static uint32_t pick(const struct flood *f, bool is_reversed, uint64_t *random)
{
    uint32_t input = 0;
    while (input + 1 < f->inputs && feeds_below(random, f->rare + 1) == 0)
        input++;
    if (f->rare == 1)
        input = feeds_below(random, f->inputs);
    return is_reversed ? f->inputs - 1 - input : input;
}

static void make_rule(struct feeds_rules *rules, const struct flood *f, enum fire_policy fire)
{
    struct streams_row row = {f->name, CORRELATION_TEMPORAL_ORDERED, f->inputs, {{0}}, f->condition,
                              0};
    streams_add_row(rules, &row, fire, 0);
    rules->correlations[0].timespan_us = 850 * STREAMS_SECOND;
}

static void run_flood(const struct flood *f, enum fire_policy fire, bool is_reversed,
                      uint64_t *random)
{
    struct feeds_rules rules = {.count = 0};
    make_rule(&rules, f, fire);
    struct feeds_event *events = calloc(EVENTS, sizeof *events);
    struct naive n;
    naive_open(&n, &rules);
    for (uint32_t i = 0; i < EVENTS; i++) {
        int64_t at = (int64_t)(i / 2) * STREAMS_SECOND; /* pairs of one time */
        events[i] = (struct feeds_event){at, at, RECORD_EVENT, 1, {{0, 0, "g", ""}}};
        events[i].feeds[0].input = pick(f, is_reversed, random);
        naive_push(&n, &events[i], i + 1);
    }
    struct feeds_run run;
    feeds_open(&run, &rules, 1, 1 << 20);
    run.has_ids = false;
    for (uint32_t i = 0; i < EVENTS; i += 500)
        feeds_push(&run, events + i, 500, false);
    streams_assert_same(buffer_text(&n.out), buffer_text(&run.out), f->name);
    feeds_close(&run);
    naive_close(&n);
    free(events);
}

static void test_floods(void **state)
{
    uint64_t random = feeds_seed();
    for (uint32_t i = 0; i < 4; i++)
        run_flood(*state, i % 2 ? FIRE_LEVEL : FIRE_CONSUME, i / 2, &random);
}

int main(void)
{
    struct CMUnitTest tests[sizeof floods / sizeof *floods];
    for (size_t i = 0; i < sizeof floods / sizeof *floods; i++)
        tests[i] = ROW(test_floods, &floods[i]);
    return cmocka_run_group_tests_name("test_succession", tests, NULL, NULL);
}
