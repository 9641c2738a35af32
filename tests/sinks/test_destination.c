/* SPDX-License-Identifier: Apache-2.0 */
#include "base/timestamp.h"
#include "base/wall_clock.h"
#include "sinks/destination.h"
#include "tests/support/outcomes.h"
#include "tests/support/table.h"
#include "tests/support/test_clock.h"
#include <pthread.h>
#include <stdio.h>
#include <string.h>

static const uint64_t hour_ms = 3600000;
static const int64_t hour_us = INT64_C(3600000000);

/* A kind of ours whose tries come out as the test says. */
struct fake {
    enum delivery_state script[16];
    size_t count, next;
    bool is_down, must_disable;
    int64_t retry_after_us;
    char order[512]; /* ids in the order of their tries */
    bool has_gate;   /* each try waits for a pass */
    pthread_mutex_t lock;
    pthread_cond_t passed;
    int passes, waiting;
    bool is_abandoned;
};

static void wait_for_pass(struct fake *f)
{
    (void)pthread_mutex_lock(&f->lock);
    f->waiting++;
    (void)pthread_cond_broadcast(&f->passed);
    while (!f->passes && !f->is_abandoned)
        (void)pthread_cond_wait(&f->passed, &f->lock);
    if (f->passes)
        f->passes--;
    f->waiting--;
    (void)pthread_mutex_unlock(&f->lock);
}

static void fake_attempt(void *sink, const struct delivery *d, int64_t now_us, struct attempt *out)
{
    (void)now_us;
    struct fake *f = sink;
    if (f->has_gate)
        wait_for_pass(f);
    size_t len = strlen(f->order);
    (void)snprintf(f->order + len, sizeof f->order - len, "%.*s ", TEXT_ARG(d->id));
    enum delivery_state state = f->next < f->count ? f->script[f->next++] : DELIVERY_DELIVERED;
    kind_tell(out, f->is_abandoned ? DELIVERY_UNKNOWN : state, "scripted");
    out->is_down = f->is_down && state == DELIVERY_FAILED_TEMP;
    out->must_disable = f->must_disable;
    out->retry_after_us = state == DELIVERY_FAILED_TEMP ? f->retry_after_us : 0;
}

static void fake_abandon(void *sink)
{
    struct fake *f = sink;
    (void)pthread_mutex_lock(&f->lock);
    f->is_abandoned = true;
    (void)pthread_cond_broadcast(&f->passed);
    (void)pthread_mutex_unlock(&f->lock);
}

static void fake_close(void *sink)
{
    (void)sink;
}

static const struct sink_kind fake_kind = {
    .name = "fake", .attempt = fake_attempt, .abandon = fake_abandon, .close = fake_close};

struct rig {
    struct fake fake;
    struct sink_common common;
    struct outcomes outcomes;
    struct destination *destination;
};

static void rig_open(struct rig *r)
{
    if (!r->common.queue)
        r->common.queue = 100;
    if (!r->common.give_up_us)
        r->common.give_up_us = hour_us;
    if (!r->common.retry_us)
        r->common.retry_us = 1;
    r->common.retry_ceiling_us = hour_us;
    (void)pthread_mutex_init(&r->fake.lock, NULL);
    (void)pthread_cond_init(&r->fake.passed, NULL);
    assert_true(outcomes_init(&r->outcomes));
    assert_int_equal(destination_new(&(struct destination_options){.kind = &fake_kind,
                                                                   .sink = &r->fake,
                                                                   .common = &r->common,
                                                                   .name = TEXT("fake"),
                                                                   .settle = outcomes_settle,
                                                                   .context = &r->outcomes},
                                     &r->destination, NULL),
                     STATUS_OK);
}

static void rig_start(struct rig *r)
{
    assert_int_equal(destination_start(r->destination, NULL), STATUS_OK);
}

static void rig_close(struct rig *r)
{
    destination_free(r->destination);
    outcomes_fini(&r->outcomes);
    (void)pthread_cond_destroy(&r->fake.passed);
    (void)pthread_mutex_destroy(&r->fake.lock);
}

static enum status send(struct rig *r, const char *id, const char *incident, int priority)
{
    struct delivery *d = outcomes_delivery(&(struct delivery){.id = text_of(id),
                                                              .destination = TEXT("fake"),
                                                              .incident = text_of(incident),
                                                              .priority = priority,
                                                              .queued_us = wall_clock_us()});
    assert_non_null(d);
    enum status status = destination_send(r->destination, d);
    if (status)
        delivery_free(d);
    return status;
}

static void expect(struct rig *r, const char *id, enum delivery_state state, uint32_t attempt,
                   bool is_again)
{
    AUTO(outcome) o = outcomes_take(&r->outcomes);
    assert_non_null(o);
    assert_true(text_equal(o->delivery, text_of(id)));
    assert_int_equal(o->state, state);
    assert_int_equal(o->attempt, attempt);
    assert_int_equal(o->next_us != 0, is_again);
}

static void test_temporary_failure_comes_again(void **state)
{
    (void)state;
    struct rig r = {
        .fake = {.script = {DELIVERY_FAILED_TEMP, DELIVERY_FAILED_TEMP, DELIVERY_DELIVERED},
                 .count = 3}};
    rig_open(&r);
    rig_start(&r);
    assert_int_equal(send(&r, "a", "i", 3), STATUS_OK);
    expect(&r, "a", DELIVERY_FAILED_TEMP, 1, true);
    expect(&r, "a", DELIVERY_FAILED_TEMP, 2, true);
    expect(&r, "a", DELIVERY_DELIVERED, 3, false);
    rig_close(&r);
}

static void test_permanent_failure_ends_it(void **state)
{
    (void)state;
    struct rig r = {.fake = {.script = {DELIVERY_FAILED_PERM}, .count = 1}};
    rig_open(&r);
    rig_start(&r);
    assert_int_equal(send(&r, "a", "i", 3), STATUS_OK);
    expect(&r, "a", DELIVERY_FAILED_PERM, 1, false);
    assert_int_equal(send(&r, "b", "i", 3), STATUS_OK);
    expect(&r, "b", DELIVERY_DELIVERED, 1, false);
    rig_close(&r);
}

static void test_unknown_is_tried_once_more(void **state)
{
    (void)state;
    struct rig r = {.fake = {.script = {DELIVERY_UNKNOWN, DELIVERY_UNKNOWN}, .count = 2}};
    rig_open(&r);
    rig_start(&r);
    assert_int_equal(send(&r, "a", "i", 3), STATUS_OK);
    expect(&r, "a", DELIVERY_UNKNOWN, 1, true);
    expect(&r, "a", DELIVERY_UNKNOWN, 2, false);
    rig_close(&r);
}

static void test_urgent_ones_go_first(void **state)
{
    (void)state;
    struct rig r = {0};
    rig_open(&r);
    assert_int_equal(send(&r, "p4", "i1", 4), STATUS_OK);
    assert_int_equal(send(&r, "p2", "i2", 2), STATUS_OK);
    assert_int_equal(send(&r, "p1", "i3", 1), STATUS_OK);
    assert_int_equal(send(&r, "p1b", "i4", 1), STATUS_OK);
    rig_start(&r);
    for (int i = 0; i < 4; i++)
        outcome_free(outcomes_take(&r.outcomes));
    assert_string_equal(r.fake.order, "p1 p1b p2 p4 ");
    rig_close(&r);
}

static void test_one_incident_stays_in_order(void **state)
{
    (void)state;
    struct rig r = {.fake = {.script = {DELIVERY_FAILED_TEMP}, .count = 1}};
    rig_open(&r);
    assert_int_equal(send(&r, "opened", "i1", 4), STATUS_OK);
    assert_int_equal(send(&r, "raised", "i1", 1), STATUS_OK); /* urgent, but not before opened */
    rig_start(&r);
    expect(&r, "opened", DELIVERY_FAILED_TEMP, 1, true);
    expect(&r, "opened", DELIVERY_DELIVERED, 2, false);
    expect(&r, "raised", DELIVERY_DELIVERED, 1, false);
    rig_close(&r);
}

static void test_other_incidents_pass_one_that_waits(void **state)
{
    (void)state;
    struct rig r = {.fake = {.script = {DELIVERY_FAILED_TEMP}, .count = 1},
                    .common = {.retry_us = INT64_C(3600000000)}};
    rig_open(&r);
    assert_int_equal(send(&r, "a", "i1", 1), STATUS_OK);
    assert_int_equal(send(&r, "b", "i2", 2), STATUS_OK);
    assert_int_equal(send(&r, "a2", "i1", 2), STATUS_OK);
    rig_start(&r);
    expect(&r, "a", DELIVERY_FAILED_TEMP, 1, true);
    expect(&r, "b", DELIVERY_DELIVERED, 1, false);
    destination_stop(r.destination, timestamp_monotonic_ms() + hour_ms);
    destination_join(r.destination, timestamp_monotonic_ms() + hour_ms);
    assert_string_equal(r.fake.order, "a b "); /* a waits, a2 behind it: both stay in the outbox */
    rig_close(&r);
}

static void test_not_before_it_is_due(void **state)
{
    (void)state;
    struct rig r = {0};
    rig_open(&r);
    int64_t now_us = wall_clock_us();
    struct delivery *later = outcomes_delivery(
        &(struct delivery){.id = TEXT("later"), .due_us = now_us + hour_us, .queued_us = now_us});
    assert_int_equal(destination_send(r.destination, later), STATUS_OK);
    assert_int_equal(send(&r, "now", "", 5), STATUS_OK);
    rig_start(&r);
    expect(&r, "now", DELIVERY_DELIVERED, 1, false);
    rig_close(&r);
    assert_string_equal(r.fake.order, "now ");
}

static void test_too_old_expires_without_a_try(void **state)
{
    (void)state;
    struct rig r = {0};
    rig_open(&r);
    struct delivery *old = outcomes_delivery(&(struct delivery){
        .id = TEXT("old"), .attempts = 7, .queued_us = wall_clock_us() - 2 * hour_us});
    assert_int_equal(destination_send(r.destination, old), STATUS_OK);
    rig_start(&r);
    expect(&r, "old", DELIVERY_EXPIRED, 7, false);
    rig_close(&r);
    assert_string_equal(r.fake.order, "");
}

static void test_disabled_is_called_no_more(void **state)
{
    (void)state;
    struct rig r = {.fake = {.script = {DELIVERY_FAILED_PERM}, .count = 1, .must_disable = true}};
    rig_open(&r);
    rig_start(&r);
    assert_int_equal(send(&r, "a", "i1", 3), STATUS_OK);
    expect(&r, "a", DELIVERY_FAILED_PERM, 1, false);
    assert_int_equal(send(&r, "b", "i2", 3), STATUS_OK);
    expect(&r, "b", DELIVERY_FAILED_PERM, 0, false);
    rig_close(&r);
    assert_string_equal(r.fake.order, "a ");
}

static void test_full_takes_nothing(void **state)
{
    (void)state;
    struct rig r = {.common = {.queue = 2}};
    rig_open(&r);
    assert_int_equal(send(&r, "a", "i", 3), STATUS_OK);
    assert_int_equal(send(&r, "b", "i", 3), STATUS_OK);
    assert_int_equal(send(&r, "c", "i", 3), STATUS_FULL);
    rig_start(&r);
    expect(&r, "a", DELIVERY_DELIVERED, 1, false);
    expect(&r, "b", DELIVERY_DELIVERED, 1, false);
    destination_stop(r.destination, timestamp_monotonic_ms() + hour_ms);
    assert_int_equal(send(&r, "d", "i", 3), STATUS_CLOSED);
    rig_close(&r);
}

/* What waits for its retry counts as held, so a dead destination cannot collect without end. */
static void test_waiting_ones_count_for_the_queue(void **state)
{
    (void)state;
    struct rig r = {.fake = {.script = {DELIVERY_FAILED_TEMP}, .count = 1},
                    .common = {.queue = 1, .retry_us = INT64_C(3600000000)}};
    rig_open(&r);
    rig_start(&r);
    assert_int_equal(send(&r, "a", "i", 3), STATUS_OK);
    expect(&r, "a", DELIVERY_FAILED_TEMP, 1, true);
    assert_int_equal(send(&r, "b", "i", 3), STATUS_FULL);
    rig_close(&r);
}

static void test_retry_after_holds_the_whole_destination(void **state)
{
    (void)state;
    struct rig r = {
        .fake = {.script = {DELIVERY_FAILED_TEMP}, .count = 1, .retry_after_us = 60000000}};
    rig_open(&r);
    assert_int_equal(send(&r, "a", "i1", 1), STATUS_OK);
    assert_int_equal(send(&r, "b", "i2", 2), STATUS_OK);
    rig_start(&r);
    AUTO(outcome) o = outcomes_take(&r.outcomes);
    assert_non_null(o);
    assert_true(o->next_us >= o->started_us + 60000000);
    destination_stop(r.destination, timestamp_monotonic_ms() + hour_ms);
    destination_join(r.destination, timestamp_monotonic_ms() + hour_ms);
    assert_string_equal(r.fake.order, "a ");
    rig_close(&r);
}

static void test_open_breaker_rests_the_destination(void **state)
{
    (void)state;
    struct rig r = {.fake = {.script = {DELIVERY_FAILED_TEMP, DELIVERY_FAILED_TEMP},
                             .count = 2,
                             .is_down = true},
                    .common = {.breaker_after = 2, .breaker_pause_us = INT64_C(3600000000)}};
    rig_open(&r);
    for (int i = 0; i < 5; i++)
        assert_int_equal(send(&r, "a", "", 3), STATUS_OK);
    rig_start(&r);
    expect(&r, "a", DELIVERY_FAILED_TEMP, 1, true);
    outcome_free(outcomes_take(&r.outcomes));
    destination_stop(r.destination, timestamp_monotonic_ms() + hour_ms);
    destination_join(r.destination, timestamp_monotonic_ms() + hour_ms);
    assert_string_equal(r.fake.order, "a a ");
    rig_close(&r);
}

static void test_stop_abandons_what_hangs(void **state)
{
    (void)state;
    struct rig r = {.fake = {.has_gate = true}};
    rig_open(&r);
    rig_start(&r);
    assert_int_equal(send(&r, "a", "i", 3), STATUS_OK);
    assert_int_equal(send(&r, "b", "i", 3), STATUS_OK);
    (void)pthread_mutex_lock(&r.fake.lock);
    while (!r.fake.waiting)
        (void)pthread_cond_wait(&r.fake.passed, &r.fake.lock);
    (void)pthread_mutex_unlock(&r.fake.lock);
    destination_stop(r.destination, timestamp_monotonic_ms());
    destination_join(r.destination, timestamp_monotonic_ms());
    expect(&r, "a", DELIVERY_UNKNOWN, 1, true);
    rig_close(&r);
    assert_string_equal(r.fake.order, "a ");
}

/* The wall clock may be set while a stop waits: what hangs is given its whole time. */
static void test_stop_is_measured_by_no_wall_clock(void **state)
{
    (void)state;
    NEED_TEST_CLOCK();
    struct rig r = {.fake = {.has_gate = true, .passes = 2},
                    .common = {.give_up_us = 100 * hour_us}};
    rig_open(&r);
    assert_int_equal(send(&r, "a", "i", 3), STATUS_OK);
    assert_int_equal(send(&r, "b", "i2", 3), STATUS_OK);
    test_clock_move(48 * hour_us);
    destination_stop(r.destination, timestamp_monotonic_ms() + hour_ms);
    test_clock_move(48 * hour_us);
    rig_start(&r);
    destination_join(r.destination, timestamp_monotonic_ms() + hour_ms);
    expect(&r, "a", DELIVERY_DELIVERED, 1, false);
    expect(&r, "b", DELIVERY_DELIVERED, 1, false);
    test_clock_reset();
    rig_close(&r);
}

/* A thread that sleeps until a time of the day sees within a second that the day has moved on. */
static void test_moved_clock_wakes_a_retry(void **state)
{
    (void)state;
    NEED_TEST_CLOCK();
    struct rig r = {.fake = {.script = {DELIVERY_FAILED_TEMP}, .count = 1},
                    .common = {.retry_us = hour_us, .give_up_us = 100 * hour_us}};
    rig_open(&r);
    rig_start(&r);
    assert_int_equal(send(&r, "a", "i", 3), STATUS_OK);
    AUTO(outcome) o = outcomes_take(&r.outcomes);
    assert_non_null(o);
    assert_int_equal(o->state, DELIVERY_FAILED_TEMP);
    test_clock_move(2 * hour_us);
    expect(&r, "a", DELIVERY_DELIVERED, 2, false);
    test_clock_reset();
    rig_close(&r);
}

/* How long a try took is no difference of two looks at a clock that is set. */
static void test_latency_is_not_what_the_clock_was_moved(void **state)
{
    (void)state;
    NEED_TEST_CLOCK();
    struct rig r = {.fake = {.has_gate = true}, .common = {.give_up_us = 100 * hour_us}};
    rig_open(&r);
    rig_start(&r);
    assert_int_equal(send(&r, "a", "i", 3), STATUS_OK);
    (void)pthread_mutex_lock(&r.fake.lock);
    while (!r.fake.waiting)
        (void)pthread_cond_wait(&r.fake.passed, &r.fake.lock);
    test_clock_move(48 * hour_us);
    r.fake.passes = 1;
    (void)pthread_cond_broadcast(&r.fake.passed);
    (void)pthread_mutex_unlock(&r.fake.lock);
    AUTO(outcome) o = outcomes_take(&r.outcomes);
    assert_non_null(o);
    assert_true(o->latency_us < 48 * hour_us);
    test_clock_reset();
    rig_close(&r);
}

struct tally {
    double delivered, queued;
};

static void tell(void *context, const struct metric *m)
{
    struct tally *t = context;
    if (strcmp(m->name, "sinks_queued") == 0)
        t->queued = m->value;
    if (strcmp(m->name, "sinks_attempts_total") == 0 && strstr(m->labels, "outcome=\"delivered\""))
        t->delivered = m->value;
}

static void test_metrics(void **state)
{
    (void)state;
    struct rig r = {0};
    rig_open(&r);
    rig_start(&r);
    for (int i = 0; i < 3; i++) {
        assert_int_equal(send(&r, "a", "i", 3), STATUS_OK);
        expect(&r, "a", DELIVERY_DELIVERED, 1, false);
    }
    destination_stop(r.destination, timestamp_monotonic_ms() + hour_ms);
    destination_join(r.destination, timestamp_monotonic_ms() + hour_ms);
    struct tally t = {0};
    destination_metrics(r.destination, tell, &t);
    assert_true(t.delivered == 3);
    assert_true(t.queued == 0);
    rig_close(&r);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_temporary_failure_comes_again),
        cmocka_unit_test(test_permanent_failure_ends_it),
        cmocka_unit_test(test_unknown_is_tried_once_more),
        cmocka_unit_test(test_urgent_ones_go_first),
        cmocka_unit_test(test_one_incident_stays_in_order),
        cmocka_unit_test(test_other_incidents_pass_one_that_waits),
        cmocka_unit_test(test_not_before_it_is_due),
        cmocka_unit_test(test_too_old_expires_without_a_try),
        cmocka_unit_test(test_disabled_is_called_no_more),
        cmocka_unit_test(test_full_takes_nothing),
        cmocka_unit_test(test_waiting_ones_count_for_the_queue),
        cmocka_unit_test(test_retry_after_holds_the_whole_destination),
        cmocka_unit_test(test_open_breaker_rests_the_destination),
        cmocka_unit_test(test_stop_abandons_what_hangs),
        cmocka_unit_test(test_stop_is_measured_by_no_wall_clock),
        cmocka_unit_test(test_moved_clock_wakes_a_retry),
        cmocka_unit_test(test_latency_is_not_what_the_clock_was_moved),
        cmocka_unit_test(test_metrics),
    };
    return cmocka_run_group_tests_name("test_destination", tests, NULL, NULL);
}
