/* SPDX-License-Identifier: Apache-2.0 */
#include "correlator/chunk.h"
#include "tests/support/streams.h"

/*
 * Saved state from outside. The first byte says what the rest is: a whole chunk, or the payload of
 * one of windows or of the sequencer's, which then gets a head that is right. What is accepted must
 * go out and come back as the same bytes, and must not disturb events that follow.
 */

struct kept {
    struct buffer bytes; /* chunks one behind the other, heads left out */
    struct shard *into;  /* or NULL */
};

static enum status keep(void *context, struct text chunk)
{
    struct kept *k = context;
    buffer_append(&k->bytes, text_skip(chunk, CHUNK_HEAD));
    if (k->into && shard_restore(k->into, chunk, NULL))
        abort();
    return STATUS_OK;
}

/* Windows are written in the order of their numbers, which a restore gives anew in that order. */
static void assert_goes_round(const struct feeds_rules *rules, struct shard *from)
{
    struct shard_options options = {.count = 1,
                                    .correlations = rules->correlations,
                                    .correlation_count = rules->count,
                                    .max_bytes = 64 << 20};
    struct kept first = {.into = NULL};
    struct kept second = {.into = NULL};
    buffer_init(&first.bytes, 1 << 26);
    buffer_init(&second.bytes, 1 << 26);
    if (shard_new(&options, &first.into, NULL) || shard_freeze(from, true, keep, &first) ||
        shard_freeze(first.into, true, keep, &second))
        abort();
    if (!text_equal(buffer_text(&first.bytes), buffer_text(&second.bytes)))
        abort();
    shard_free(first.into);
    buffer_fini(&first.bytes);
    buffer_fini(&second.bytes);
}

static enum status restore_one(void *context, struct text chunk)
{
    struct feeds_run *run = context;
    (void)!shard_restore(run->shard[0], chunk, NULL);
    (void)!sequencer_restore(run->sequencer, chunk, run->rules->correlations, run->rules->count,
                             NULL);
    return STATUS_OK;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    enum { EVENTS = 64 };
    if (size < 1 || size > CHUNK_BYTES - CHUNK_HEAD)
        return 0;
    struct feeds_rules rules = {.count = 0};
    streams_mixed_rules(&rules);
    struct feeds_run run;
    feeds_open(&run, &rules, 1, 64 << 20);
    if (data[0] > 1) {
        (void)restore_one(&run, (struct text){(const char *)data + 1, size - 1});
    } else {
        struct chunk_writer w;
        chunk_writer_init(&w, data[0] ? CHUNK_SEQUENCER : CHUNK_WINDOWS, 5, restore_one, &run);
        chunk_writer_bytes(&w, data + 1, size - 1);
        chunk_writer_send(&w);
        chunk_writer_fini(&w);
    }
    assert_goes_round(&rules, run.shard[0]);

    struct feeds_event *events = calloc(EVENTS, sizeof *events);
    uint64_t random = 1;
    streams_make_events(&rules, events, EVENTS, 5, 4, &random);
    run.number = 0;
    struct batch *b = run.batch;
    feeds_fill(&run, events, EVENTS);
    feeds_decide(&run, b); /* past the sequencer, whose next number may be any now */
    sequencer_flush(run.sequencer, b);
    feeds_decide(&run, b);
    feeds_release(b);
    free(events);
    feeds_close(&run);
    return 0;
}
