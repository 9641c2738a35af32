/* SPDX-License-Identifier: Apache-2.0 */
#include "sinks/pace.h"
#include "tests/support/table.h"
#include <stdio.h>

enum { SECOND = 1000000 };

static struct pace paced(double rate_per_s, double burst)
{
    struct pace p;
    pace_init(&p,
              &(struct pace_options){.rate_per_s = rate_per_s,
                                     .burst = burst,
                                     .retry_us = SECOND,
                                     .ceiling_us = 60 * SECOND,
                                     .breaker_after = 3,
                                     .breaker_pause_us = 10 * SECOND},
              0);
    return p;
}

static void test_no_rate_is_always_ready(void **state)
{
    (void)state;
    struct pace p = paced(0, 1);
    for (int i = 0; i < 100; i++)
        pace_take(&p, 5);
    assert_int_equal(pace_ready_us(&p, 5), 5);
}

static void test_bucket_empties_and_fills(void **state)
{
    (void)state;
    struct pace p = paced(2, 3); /* one token each half second */
    for (int i = 0; i < 3; i++) {
        assert_int_equal(pace_ready_us(&p, 0), 0);
        pace_take(&p, 0);
    }
    int64_t ready_us = pace_ready_us(&p, 0);
    assert_in_range(ready_us, SECOND / 2, SECOND / 2 + 2);
    assert_int_equal(pace_ready_us(&p, ready_us), ready_us);
    pace_take(&p, ready_us);
    assert_true(pace_ready_us(&p, ready_us) > ready_us);
    /* a long rest fills it no further than the burst */
    for (int i = 0; i < 3; i++)
        pace_take(&p, INT64_C(1000) * SECOND);
    assert_true(pace_ready_us(&p, INT64_C(1000) * SECOND) > INT64_C(1000) * SECOND);
}

static void test_clock_set_back_costs_no_token(void **state)
{
    (void)state;
    struct pace p = paced(1, 1);
    pace_take(&p, 100 * (int64_t)SECOND);
    assert_true(pace_ready_us(&p, 50 * (int64_t)SECOND) <= 52 * (int64_t)SECOND);
}

static void test_hold_is_obeyed_up_to_the_ceiling(void **state)
{
    (void)state;
    struct pace p = paced(0, 1);
    pace_hold(&p, 7 * SECOND, 100);
    assert_int_equal(pace_ready_us(&p, 100), 7 * SECOND + 100);
    pace_hold(&p, 2 * SECOND, 100); /* a shorter wish does not shorten it */
    assert_int_equal(pace_ready_us(&p, 100), 7 * SECOND + 100);
    pace_hold(&p, INT64_C(86400) * SECOND, 100);
    assert_int_equal(pace_ready_us(&p, 100), 60 * SECOND + 100);
}

static void test_breaker_opens_probes_and_closes(void **state)
{
    (void)state;
    struct pace p = paced(0, 1);
    pace_answer(&p, true, 0);
    pace_answer(&p, true, 0);
    assert_false(pace_is_open(&p));
    pace_answer(&p, true, 0);
    assert_true(pace_is_open(&p));
    assert_int_equal(pace_ready_us(&p, 0), 10 * SECOND);
    /* the probe fails: twice as long */
    pace_answer(&p, true, 10 * SECOND);
    assert_int_equal(pace_ready_us(&p, 10 * SECOND), 30 * SECOND);
    /* and never longer than the ceiling */
    for (int i = 0; i < 70; i++)
        pace_answer(&p, true, 0);
    assert_int_equal(pace_ready_us(&p, 0), 60 * SECOND);
    /* the probe succeeds */
    pace_answer(&p, false, 0);
    assert_false(pace_is_open(&p));
    assert_int_equal(pace_ready_us(&p, 1), 1);
    pace_answer(&p, true, 1); /* counts from nothing again */
    assert_false(pace_is_open(&p));
}

static void test_one_answer_between_keeps_it_closed(void **state)
{
    (void)state;
    struct pace p = paced(0, 1);
    for (int i = 0; i < 20; i++) {
        pace_answer(&p, true, i);
        pace_answer(&p, true, i);
        pace_answer(&p, false, i);
        assert_false(pace_is_open(&p));
    }
}

static void test_backoff_doubles_between_half_and_whole(void **state)
{
    (void)state;
    struct pace p = paced(0, 1);
    int64_t whole_us = SECOND;
    for (uint32_t attempt = 1; attempt < 40; attempt++) {
        int64_t wait_us = pace_backoff_us(&p, TEXT("dlv_a"), attempt);
        assert_in_range(wait_us, whole_us / 2, whole_us);
        whole_us = whole_us * 2 < 60 * SECOND ? whole_us * 2 : 60 * SECOND;
    }
}

static void test_jitter_spreads_deliveries(void **state)
{
    (void)state;
    struct pace p = paced(0, 1);
    int64_t least = INT64_MAX;
    int64_t most = 0;
    for (int i = 0; i < 64; i++) {
        char id[16];
        int len = snprintf(id, sizeof id, "dlv_%d", i);
        int64_t wait_us = pace_backoff_us(&p, (struct text){id, (size_t)len}, 1);
        least = wait_us < least ? wait_us : least;
        most = wait_us > most ? wait_us : most;
    }
    assert_true(most - least > SECOND / 4);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_no_rate_is_always_ready),
        cmocka_unit_test(test_bucket_empties_and_fills),
        cmocka_unit_test(test_clock_set_back_costs_no_token),
        cmocka_unit_test(test_hold_is_obeyed_up_to_the_ceiling),
        cmocka_unit_test(test_breaker_opens_probes_and_closes),
        cmocka_unit_test(test_one_answer_between_keeps_it_closed),
        cmocka_unit_test(test_backoff_doubles_between_half_and_whole),
        cmocka_unit_test(test_jitter_spreads_deliveries),
    };
    return cmocka_run_group_tests_name("test_pace", tests, NULL, NULL);
}
