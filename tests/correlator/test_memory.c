/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/support/streams.h"
#include "tests/support/table.h"

/*
 * Every allocation fails once. What cannot be made is refused and leaves nothing behind; what runs
 * goes on, counts, and decides as before when there is memory again.
 *
 * The allocator's own names are taken over here: glibc keeps the real ones under other names. Under
 * a sanitizer those belong to it, and the test is skipped.
 */
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define IS_SANITIZED 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
#define IS_SANITIZED 1
#endif
#endif

#ifdef IS_SANITIZED
static void test_skipped(void **state)
{
    (void)state;
    SKIP_BECAUSE("the sanitizer has the allocator");
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_skipped)};
    return cmocka_run_group_tests_name("test_memory", tests, NULL, NULL);
}
#else

void *__libc_malloc(size_t size);
void *__libc_calloc(size_t count, size_t size);
void *__libc_realloc(void *at, size_t size);
void *__libc_memalign(size_t align, size_t size);
void __libc_free(void *at);

static struct {
    uint64_t calls;   /* since armed */
    uint64_t fail_at; /* 0: never */
    int64_t live;     /* blocks */
} memory;

static bool fails(void)
{
    return ++memory.calls == memory.fail_at;
}

static void *counted(void *at)
{
    memory.live += at != NULL;
    return at;
}

void *malloc(size_t size)
{
    return fails() ? NULL : counted(__libc_malloc(size));
}

void *calloc(size_t count, size_t size)
{
    return fails() ? NULL : counted(__libc_calloc(count, size));
}

void *aligned_alloc(size_t align, size_t size)
{
    return fails() ? NULL : counted(__libc_memalign(align, size));
}

void *realloc(void *at, size_t size)
{
    if (fails())
        return NULL;
    return at ? __libc_realloc(at, size) : counted(__libc_malloc(size));
}

void free(void *at)
{
    memory.live -= at != NULL;
    __libc_free(at);
}

static void arm(uint64_t fail_at)
{
    memory.calls = 0;
    memory.fail_at = fail_at;
}

static void test_new_refuses(void **state)
{
    (void)state;
    struct feeds_rules rules = {.count = 0};
    streams_mixed_rules(&rules);
    struct shard_options options = {.count = 1,
                                    .correlations = rules.correlations,
                                    .correlation_count = rules.count,
                                    .max_bytes = 1 << 20};
    uint64_t failures = 0;
    enum status status = STATUS_NOMEM;
    for (uint64_t n = 1; status; n++) {
        struct shard *shard = NULL;
        int64_t live = memory.live;
        arm(n);
        status = shard_new(&options, &shard, NULL);
        arm(0);
        assert_true(status == STATUS_OK || status == STATUS_NOMEM);
        assert_int_equal(shard != NULL, status == STATUS_OK);
        shard_free(shard);
        assert_int_equal(memory.live, live);
        failures += status != STATUS_OK;
    }
    assert_true(failures > 4);

    struct sequencer *sequencer = NULL;
    arm(1);
    assert_int_equal(sequencer_new(1, &sequencer, NULL), STATUS_NOMEM);
    arm(0);
    assert_null(sequencer);
}

static void test_swap_changes_nothing_then(void **state)
{
    (void)state;
    struct feeds_rules rules = {.count = 0};
    streams_mixed_rules(&rules);
    struct feeds_run run;
    feeds_open(&run, &rules, 1, 1 << 20);
    enum status status = STATUS_NOMEM;
    for (uint64_t n = 1; status; n++) {
        int64_t live = memory.live;
        arm(n);
        status = shard_swap(run.shard[0], rules.correlations, 3);
        arm(0);
        if (status)
            assert_int_equal(memory.live, live);
        assert_int_equal(shard_depth(run.shard[0]), status ? 3 : 1);
    }
    feeds_close(&run);
}

static enum status count_chunk(void *context, struct text chunk)
{
    *(size_t *)context += chunk.len;
    return STATUS_OK;
}

/* Each allocation of a whole run fails in turn: it goes on, and nothing is lost but what was
 * counted. */
static void test_runs_on(void **state)
{
    (void)state;
    enum { EVENTS = 300, STEP = 7 };
    struct feeds_rules rules = {.count = 0};
    streams_mixed_rules(&rules);
    struct feeds_event *events = calloc(EVENTS, sizeof *events);
    uint64_t random = 5;
    streams_make_events(&rules, events, EVENTS, 20, 8, &random);
    uint64_t total = 2;
    for (uint64_t n = 1; n < total; n += STEP) {
        int64_t live = memory.live;
        struct feeds_run run;
        feeds_open(&run, &rules, 1, 1 << 24);
        for (uint32_t i = 0; i < EVENTS; i += 100) {
            struct batch *b = run.batch;
            feeds_fill(&run, events + i, 100);
            arm(n); /* counts on over all three batches of this run only where it has not failed */
            sequencer_put(run.sequencer, b);
            (void)sequencer_next(run.sequencer);
            shard_run(run.shard[0], b, 1, NULL, 0, run.replies[0]);
            shard_run(run.shard[0], b, 2, run.replies, 1, run.replies[1]);
            size_t bytes = 0;
            enum status status = shard_freeze(run.shard[0], false, count_chunk, &bytes);
            assert_true(status == STATUS_OK || status == STATUS_NOMEM);
            status = sequencer_freeze(run.sequencer, count_chunk, &bytes);
            assert_true(status == STATUS_OK || status == STATUS_NOMEM);
            total = memory.calls > total ? memory.calls : total;
            arm(0);
            shard_reply_reset(run.replies[0]);
            shard_reply_reset(run.replies[1]);
            feeds_release(b);
        }
        feeds_close(&run);
        assert_int_equal(memory.live, live);
    }
    assert_true(total > 100);
    free(events);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_new_refuses),
        cmocka_unit_test(test_swap_changes_nothing_then),
        cmocka_unit_test(test_runs_on),
    };
    return cmocka_run_group_tests_name("test_memory", tests, NULL, NULL);
}
#endif
