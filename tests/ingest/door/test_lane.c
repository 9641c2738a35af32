/* SPDX-License-Identifier: Apache-2.0 */
#include "ingest/door/source.h"
#include "tests/support/table.h"
#include <stdio.h>

/* What a door's message becomes: one record, or one for each event in it, all in one batch. */

struct pool {
    struct batch *given[4]; /* handed over, in order */
    uint32_t count;
};

static struct batch *take(void *context, uint64_t timeout_ms)
{
    (void)context, (void)timeout_ms;
    return batch_new();
}

static enum status put(void *context, struct batch *b)
{
    struct pool *p = context;
    assert_true(p->count < sizeof p->given / sizeof *p->given);
    p->given[p->count++] = b;
    return STATUS_OK;
}

static const struct source_type type = {.key = "test", .kind = "test"};

struct setup {
    struct source source;
    struct pool pool;
    struct lane *lane;
};

static void begin(struct setup *s)
{
    *s = (struct setup){.source = {.type = &type}};
    s->source.intake = (struct intake){.take = take, .put = put, .context = &s->pool};
    s->lane = &s->source.lanes[0];
    lane_init(s->lane, &s->source);
}

static void end(struct setup *s)
{
    lane_fini(s->lane);
    for (uint32_t i = 0; i < s->pool.count; i++)
        batch_free(s->pool.given[i]);
}

static void test_an_array_is_its_events(void **state)
{
    (void)state;
    struct setup s;
    begin(&s);
    const struct record *last =
        lane_add(s.lane, TEXT("[{\"n\":1},{\"n\":2}]"), TEXT("192.0.2.1"), 5, false);
    const struct batch *b = s.lane->batch;
    assert_int_equal(b->count, 2);
    assert_ptr_equal(last, &b->records[1]);
    assert_true(text_equal(b->records[0].raw, TEXT("{\"n\":1}")));
    assert_true(text_equal(b->records[1].raw, TEXT("{\"n\":2}")));
    assert_int_equal(b->records[0].receive_us, 5);
    assert_true(text_equal(b->records[1].peer, TEXT("192.0.2.1")));
    assert_true(lane_identify(s.lane, TEXT("kafka:t:0:7"), RECORD_RESUMED));
    assert_true(text_equal(b->records[0].origin, TEXT("kafka:t:0:7")));
    assert_true(text_equal(b->records[1].origin, TEXT("kafka:t:0:7")));
    assert_true(b->records[0].flags & b->records[1].flags & RECORD_RESUMED);
    assert_false(hash_equal(record_identity(&b->records[0]), record_identity(&b->records[1])));
    end(&s);
}

static void test_one_event_is_identified_alone(void **state)
{
    (void)state;
    struct setup s;
    begin(&s);
    assert_non_null(lane_add(s.lane, TEXT("[{\"n\":1},{\"n\":2}]"), TEXT(""), 5, false));
    assert_non_null(lane_add(s.lane, TEXT("{\"n\":3}"), TEXT(""), 5, false));
    assert_true(lane_identify(s.lane, TEXT("kafka:t:0:8"), 0));
    const struct batch *b = s.lane->batch;
    assert_int_equal(b->records[1].origin.len, 0);
    assert_int_equal(b->records[2].origin.len, 11);
    assert_int_equal(record_part(&b->records[2]), 0);
    end(&s);
}

/* A message that was cut is no document any more. */
static void test_a_cut_message_stays(void **state)
{
    (void)state;
    struct setup s;
    begin(&s);
    assert_non_null(lane_add(s.lane, TEXT("[{\"n\":1},{\"n\""), TEXT(""), 5, true));
    assert_int_equal(s.lane->batch->count, 1);
    end(&s);
}

static void test_events_of_one_message_share_a_batch(void **state)
{
    (void)state;
    enum { BEFORE = BATCH_RECORDS - 2, PARTS = RECORD_PARTS + 5 };
    struct setup s;
    struct buffer message;
    begin(&s);
    for (uint32_t i = 0; i < BEFORE; i++)
        assert_non_null(lane_add(s.lane, TEXT("{}"), TEXT(""), 5, false));
    assert_int_equal(lane_parts_of(s.lane, TEXT("[{},{},{}]")), 3);
    assert_non_null(lane_add(s.lane, TEXT("[{},{},{}]"), TEXT(""), 5, false));
    assert_int_equal(s.pool.count, 1);
    assert_int_equal(s.pool.given[0]->count, BEFORE);
    assert_int_equal(s.lane->batch->count, 3);
    buffer_init(&message, 1 << 20);
    buffer_append(&message, TEXT("[{}"));
    for (int i = 1; i < PARTS; i++)
        buffer_append(&message, TEXT(",{}"));
    buffer_byte(&message, ']');
    const struct record *last = lane_add(s.lane, buffer_text(&message), TEXT(""), 5, false);
    assert_non_null(last);
    assert_int_equal(s.lane->batch->count, 3 + RECORD_PARTS);
    assert_true(last->raw.len > 2); /* all that found no place of its own */
    assert_int_equal(record_part(last), RECORD_PARTS - 1);
    buffer_fini(&message);
    end(&s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_an_array_is_its_events),
        cmocka_unit_test(test_one_event_is_identified_alone),
        cmocka_unit_test(test_a_cut_message_stays),
        cmocka_unit_test(test_events_of_one_message_share_a_batch),
    };
    return cmocka_run_group_tests_name("test_lane", tests, NULL, NULL);
}
