/* SPDX-License-Identifier: Apache-2.0 */
#include "ingest/door/lane.h"
#include "ingest/door/source.h"
#include "tests/support/table.h"
#include <stdlib.h>
#include <string.h>

/* A reading thread's batch: read = put + dropped + what it holds, whatever happens. */

struct pool {
    struct batch *free_batch; /* NULL: there is none now */
    uint32_t puts, records;
    bool is_closed;
};

static struct batch *take(void *context, uint64_t timeout_ms)
{
    struct pool *p = context;
    (void)timeout_ms;
    struct batch *b = p->free_batch;
    p->free_batch = NULL;
    return b;
}

static enum status put(void *context, struct batch *b)
{
    struct pool *p = context;
    if (p->is_closed)
        return STATUS_CLOSED;
    p->puts += b->count > 0;
    p->records += b->count;
    batch_reset(b);
    p->free_batch = b;
    return STATUS_OK;
}

struct bench {
    struct pool pool;
    struct source source;
    struct lane lane;
};
static const struct source_type type = {.key = "test", .kind = "test"};

static int set_up(void **state)
{
    struct bench *b = calloc(1, sizeof *b);
    b->pool.free_batch = batch_new();
    b->source.type = &type;
    b->source.index = 7;
    b->source.stop_fd = -1;
    b->source.intake = (struct intake){.context = &b->pool, .take = take, .put = put};
    lane_init(&b->lane, &b->source);
    *state = b;
    return b->pool.free_batch ? 0 : -1;
}

static int tear_down(void **state)
{
    struct bench *b = *state;
    lane_fini(&b->lane);
    batch_free(b->pool.free_batch);
    free(b);
    return 0;
}

static void assert_account(const struct bench *b)
{
    uint64_t dropped = 0;
    for (int i = 0; i < LANE_DROPS; i++)
        dropped += counter_get(&b->lane.dropped[i]);
    uint64_t held = b->lane.batch ? b->lane.batch->count : 0;
    assert_int_equal(counter_get(&b->lane.read), counter_get(&b->lane.put) + dropped + held);
}

static void test_fills_and_hands_over(void **state)
{
    struct bench *b = *state;
    for (uint32_t i = 0; i < BATCH_RECORDS; i++) {
        struct record *r = lane_add(&b->lane, TEXT("a line"), TEXT("192.0.2.7"), 1000 + i, false);
        assert_non_null(r);
        assert_true(text_equal(r->peer, TEXT("192.0.2.7")));
        assert_int_equal(r->receive_us, 1000 + i);
    }
    assert_int_equal(b->pool.puts, 0);
    assert_int_equal(b->lane.batch->source, 7);
    assert_account(b);
    assert_non_null(lane_add(&b->lane, TEXT("one more"), TEXT_NONE, 0, false));
    assert_int_equal(b->pool.puts, 1);
    assert_int_equal(b->pool.records, BATCH_RECORDS);
    assert_account(b);
    lane_put(&b->lane);
    assert_int_equal(b->pool.records, BATCH_RECORDS + 1);
    assert_account(b);
}

static void test_an_empty_batch_goes_back(void **state)
{
    struct bench *b = *state;
    assert_true(lane_ready(&b->lane));
    assert_null(b->pool.free_batch);
    lane_put(&b->lane);
    assert_non_null(b->pool.free_batch);
    assert_int_equal(b->pool.puts, 0);
}

static void test_flags_what_was_cut(void **state)
{
    struct bench *b = *state;
    b->source.durability = DURABILITY_NONE;
    const struct record *r = lane_add(&b->lane, TEXT("cut"), TEXT_NONE, 0, true);
    assert_int_equal(r->flags & RECORD_TRUNCATED, RECORD_TRUNCATED);
    assert_int_equal(r->flags & RECORD_EXEMPT, RECORD_EXEMPT);
    assert_int_equal(counter_get(&b->lane.truncated), 1);
}

/* While the program stops there is no batch: the message is counted, not lost in silence. */
static void test_counts_what_it_cannot_take(void **state)
{
    struct bench *b = *state;
    struct batch *away = b->pool.free_batch;
    b->pool.free_batch = NULL;
    atomic_store(&b->source.is_stopping, true);
    assert_null(lane_add(&b->lane, TEXT("late"), TEXT("192.0.2.7"), 0, false));
    assert_int_equal(counter_get(&b->lane.dropped[LANE_DROP_STOPPED]), 1);
    lane_drop(&b->lane, LANE_DROP_DENIED, TEXT("no"), TEXT("192.0.2.8"));
    assert_int_equal(counter_get(&b->lane.dropped[LANE_DROP_DENIED]), 1);
    assert_account(b);
    b->pool.free_batch = away;
}

static void seal(void *context, struct batch *b)
{
    *(uint32_t *)context = b->count;
}

static void test_seals_before_a_hand_over(void **state)
{
    struct bench *b = *state;
    uint32_t sealed = 0;
    b->lane.seal = seal;
    b->lane.seal_context = &sealed;
    (void)lane_add(&b->lane, TEXT("a"), TEXT_NONE, 0, false);
    (void)lane_add(&b->lane, TEXT("b"), TEXT_NONE, 0, false);
    assert_true(lane_identify(&b->lane, TEXT("test:1"), RECORD_RESUMED));
    assert_true(text_equal(b->lane.batch->records[1].origin, TEXT("test:1")));
    lane_put(&b->lane);
    assert_int_equal(sealed, 2);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_fills_and_hands_over, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_an_empty_batch_goes_back, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_flags_what_was_cut, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_counts_what_it_cannot_take, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_seals_before_a_hand_over, set_up, tear_down),
    };
    return cmocka_run_group_tests_name("test_lane", tests, NULL, NULL);
}
