/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/support/streams.h"

/* State that went out and came back decides as if it had never been away. */

enum { EVENTS = 2500, MOST_CHUNKS = 100000 };

struct chunks {
    struct text at[MOST_CHUNKS]; /* owned */
    uint32_t count;
    uint64_t bytes;
    size_t longest;
};

static enum status keep(void *context, struct text chunk)
{
    struct chunks *c = context;
    assert_true(c->count < MOST_CHUNKS);
    char *copy = malloc(chunk.len);
    memcpy(copy, chunk.at, chunk.len);
    c->at[c->count++] = (struct text){copy, chunk.len};
    c->bytes += chunk.len;
    c->longest = chunk.len > c->longest ? chunk.len : c->longest;
    return STATUS_OK;
}

static void forget(struct chunks *c)
{
    for (uint32_t i = 0; i < c->count; i++)
        free((void *)(uintptr_t)c->at[i].at);
    c->count = 0;
}

static void shuffle(struct chunks *c, uint64_t *random)
{
    for (uint32_t i = 0; i + 1 < c->count; i++) {
        uint32_t other = i + feeds_below(random, c->count - i);
        struct text kept = c->at[i];
        c->at[i] = c->at[other];
        c->at[other] = kept;
    }
}

/* A checkpoint: the sequencer's state whole, the windows that changed. */
struct checkpoint {
    struct chunks windows, sequencer;
    uint32_t next; /* event to go on with */
    uint64_t number, position;
    size_t out_len;
};

static void take(struct checkpoint *c, struct feeds_run *run, uint32_t next, bool whole)
{
    forget(&c->sequencer);
    if (whole)
        forget(&c->windows);
    for (uint32_t i = 0; i < run->shards; i++)
        assert_int_equal(shard_freeze(run->shard[i], whole, keep, &c->windows), STATUS_OK);
    assert_int_equal(sequencer_freeze(run->sequencer, keep, &c->sequencer), STATUS_OK);
    c->next = next;
    c->number = run->number;
    c->position = run->position;
    c->out_len = run->out.len;
}

/* Killed and started again with other shards: what was decided since the checkpoint is forgotten
 * by the record, and comes again. */
static void crash(struct checkpoint *c, struct feeds_run *run, uint32_t shards, uint64_t *random)
{
    struct buffer out;
    buffer_init(&out, 1 << 30);
    buffer_append(&out, text_head(buffer_text(&run->out), c->out_len));
    const struct feeds_rules *rules = run->rules;
    feeds_close(run);
    feeds_open(run, rules, shards, 64 << 20);
    buffer_fini(&run->out);
    run->out = out;
    run->number = c->number;
    run->position = c->position;
    shuffle(&c->windows, random);
    shuffle(&c->sequencer, random);
    struct error err = {.text = ""};
    for (uint32_t i = 0; i < c->sequencer.count; i++)
        if (sequencer_restore(run->sequencer, c->sequencer.at[i], rules->correlations, rules->count,
                              &err))
            fail_msg("%s", err.text);
    for (uint32_t s = 0; s < shards; s++)
        for (uint32_t i = 0; i < c->windows.count; i++)
            if (shard_restore(run->shard[s], c->windows.at[i], &err))
                fail_msg("%s", err.text);
}

static void prepare(struct feeds_rules *rules, struct feeds_event *events, uint64_t *random)
{
    streams_mixed_rules(rules);
    streams_make_events(rules, events, EVENTS, 30, 4, random);
    for (uint32_t i = 0; i < EVENTS; i++)
        if (feeds_below(random, 200) == 0) {
            events[i].kind = RECORD_GAP;
            events[i].count = 0;
        }
}

static void test_crashes_change_nothing(void **state)
{
    (void)state;
    uint64_t random = feeds_seed();
    uint32_t all_crashes = 0;
    for (uint32_t round = 0; round < 6; round++) {
        struct feeds_rules rules = {.count = 0};
        struct feeds_event *events = calloc(EVENTS, sizeof *events);
        struct checkpoint *c = calloc(1, sizeof *c);
        prepare(&rules, events, &random);
        struct feeds_run calm;
        feeds_open(&calm, &rules, 1, 64 << 20);
        for (uint32_t i = 0; i < EVENTS; i += 500)
            feeds_push(&calm, events + i, 500, i + 500 == EVENTS);

        struct feeds_run run;
        feeds_open(&run, &rules, 2, 64 << 20);
        take(c, &run, 0, false);
        uint32_t crashes = 0;
        for (uint32_t i = 0; i < EVENTS;) {
            uint32_t n = 1 + feeds_below(&random, 60);
            n = n < EVENTS - i ? n : EVENTS - i;
            feeds_push(&run, events + i, n, i + n == EVENTS);
            i += n;
            if (feeds_below(&random, 4) == 0)
                take(c, &run, i, feeds_below(&random, 10) == 0);
            if (feeds_below(&random, 10) == 0 && crashes < 12) {
                crash(c, &run, 1 + feeds_below(&random, 4), &random);
                i = c->next;
                crashes++;
            }
        }
        all_crashes += crashes;
        streams_assert_same(buffer_text(&calm.out), buffer_text(&run.out), "after crashes");
        assert_true(c->windows.longest <= 64 * 1024);
        feeds_close(&calm);
        feeds_close(&run);
        forget(&c->windows);
        forget(&c->sequencer);
        free(c);
        free(events);
    }
    assert_true(all_crashes > 10);
}

/* Windows of more than a chunk holds come back whole. */
static void test_large_windows(void **state)
{
    (void)state;
    uint64_t random = feeds_seed();
    struct feeds_rules rules = {.count = 0};
    struct correlation *count = feeds_add_rule(&rules, CORRELATION_EVENT_COUNT, INT64_C(1) << 40);
    feeds_bound(count, BOUND_GTE, "20000");
    struct correlation *sum = feeds_add_rule(&rules, CORRELATION_VALUE_SUM, INT64_C(1) << 40);
    feeds_bound(sum, BOUND_GT, "149999");
    struct correlation *median = feeds_add_rule(&rules, CORRELATION_VALUE_MEDIAN, INT64_C(1) << 40);
    feeds_bound(median, BOUND_GTE, "5");
    struct checkpoint *c = calloc(1, sizeof *c);
    struct feeds_event *events = calloc(1000, sizeof *events);
    struct feeds_run run;
    feeds_open(&run, &rules, 2, 64 << 20);
    for (uint32_t batch = 0; batch < 20; batch++) {
        for (uint32_t i = 0; i < 1000; i++) {
            int64_t at = (int64_t)(batch * 1000 + i) * 1000;
            events[i] = (struct feeds_event){at, at, RECORD_EVENT, 3, {{0, 0, "g", ""}}};
            events[i].feeds[1] = (struct feeds_one){1, 0, "g", "7.5"};
            events[i].feeds[2] = (struct feeds_one){2, 0, "g", ""};
            (void)snprintf(events[i].feeds[2].value, FEEDS_TEXT, "%u", (batch * 1000 + i) % 10);
        }
        feeds_push(&run, events, 1000, false);
        if (batch % 3 == 0 || batch == 18) {
            take(c, &run, 0, false);
            crash(c, &run, 1 + batch % 4, &random);
        }
    }
    struct text out = buffer_text(&run.out);
    assert_true(text_find(out, TEXT("r00 g @19999000 p20000")) < out.len);
    assert_true(text_find(out, TEXT("r01 g @19999000 p20000")) < out.len);
    assert_int_equal(text_find(out, TEXT("r01 g @19999000 p20000")), text_find(out, TEXT("r01")));
    assert_true(text_find(out, TEXT("r02 g @19999000 p20000")) == out.len);
    feeds_close(&run);
    forget(&c->windows);
    forget(&c->sequencer);
    free(c);
    free(events);
}

/* A damaged chunk is refused whole, and what is there stays. */
static void test_refuses_damage(void **state)
{
    (void)state;
    uint64_t random = feeds_seed();
    struct feeds_rules rules = {.count = 0};
    struct feeds_event *events = calloc(EVENTS, sizeof *events);
    struct checkpoint *c = calloc(1, sizeof *c);
    prepare(&rules, events, &random);
    struct feeds_run run;
    feeds_open(&run, &rules, 1, 64 << 20);
    for (uint32_t i = 0; i < EVENTS; i += 500)
        feeds_push(&run, events + i, 500, false);
    take(c, &run, 0, true);
    feeds_close(&run);
    feeds_open(&run, &rules, 1, 64 << 20);
    struct text chunk = c->windows.at[0];
    char *bytes = (char *)(uintptr_t)chunk.at;
    struct error err;
    for (uint32_t i = 0; i < 300; i++) {
        size_t at = feeds_below(&random, (uint32_t)chunk.len);
        char mask = (char)(1 << feeds_below(&random, 8));
        bytes[at] = (char)(bytes[at] ^ mask);
        assert_int_equal(shard_restore(run.shard[0], chunk, &err), STATUS_SYNTAX);
        assert_int_equal(sequencer_restore(run.sequencer, chunk, NULL, 0, &err), STATUS_SYNTAX);
        bytes[at] = (char)(bytes[at] ^ mask);
    }
    for (size_t len = 0; len < chunk.len; len += 1 + len / 3)
        assert_int_equal(shard_restore(run.shard[0], text_head(chunk, len), &err), STATUS_SYNTAX);
    struct chunks *after = calloc(1, sizeof *after);
    assert_int_equal(shard_freeze(run.shard[0], true, keep, after), STATUS_OK);
    assert_int_equal(after->count, 1);
    assert_true(after->bytes < 1000); /* no window in it */
    assert_int_equal(shard_restore(run.shard[0], chunk, &err), STATUS_OK);
    feeds_close(&run);
    forget(after);
    forget(&c->windows);
    forget(&c->sequencer);
    free(after);
    free(c);
    free(events);
}

static enum status refuse(void *context, struct text chunk)
{
    (void)chunk;
    uint32_t *left = context;
    return (*left)-- ? STATUS_OK : STATUS_IO;
}

/* A freeze that failed half-way is made good by the next one. */
static void test_failed_freeze(void **state)
{
    (void)state;
    uint64_t random = feeds_seed();
    struct feeds_rules rules = {.count = 0};
    struct feeds_event *events = calloc(EVENTS, sizeof *events);
    prepare(&rules, events, &random);
    struct feeds_run run;
    feeds_open(&run, &rules, 1, 64 << 20);
    for (uint32_t i = 0; i < EVENTS; i += 500)
        feeds_push(&run, events + i, 500, false);
    struct chunks *whole = calloc(1, sizeof *whole);
    struct chunks *again = calloc(1, sizeof *again);
    uint32_t left = 0;
    assert_int_equal(shard_freeze(run.shard[0], false, refuse, &left), STATUS_IO);
    assert_int_equal(shard_freeze(run.shard[0], false, keep, again), STATUS_OK);
    assert_int_equal(shard_freeze(run.shard[0], true, keep, whole), STATUS_OK);
    assert_int_equal(again->bytes, whole->bytes);
    feeds_close(&run);
    forget(whole);
    forget(again);
    free(whole);
    free(again);
    free(events);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_crashes_change_nothing),
        cmocka_unit_test(test_large_windows),
        cmocka_unit_test(test_refuses_damage),
        cmocka_unit_test(test_failed_freeze),
    };
    return cmocka_run_group_tests_name("test_freezing", tests, NULL, NULL);
}
