/* SPDX-License-Identifier: Apache-2.0 */
#include "base/buffer.h"
#include "base/timestamp.h"
#include "rules/decode/decoder_parts.h"
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

/* Running the samples that stand inside decoder files. */

struct trial {
    const struct decoder *decoder;
    const struct decoder_sample *sample;
    diagnostic_fn tell;
    void *context;
    uint32_t failures;
};

__attribute__((format(printf, 2, 3))) static void fail(struct trial *t, const char *format, ...)
{
    t->failures++;
    if (!t->tell)
        return;
    char message[512];
    va_list list;
    va_start(list, format);
    (void)vsnprintf(message, sizeof message, format, list);
    va_end(list);
    const struct diagnostic f = {.file = t->decoder->file,
                                 .line = t->sample->line,
                                 .column = t->sample->column,
                                 .severity = DIAGNOSTIC_ERROR,
                                 .code = "sample-failed",
                                 .message = text_of(message),
                                 .rule = t->decoder->name};
    t->tell(t->context, &f);
}

static void check_field(struct trial *t, const struct event *event, const struct field *wanted)
{
    const struct field *got = event_field(event, wanted->name);
    if (wanted->type == VALUE_NULL) {
        if (got)
            fail(t, "'%.*s' should not be there, but is '%.*s'", TEXT_ARG(wanted->name),
                 TEXT_ARG(got->value));
    } else if (!got) {
        fail(t, "'%.*s' should be '%.*s', but is not there", TEXT_ARG(wanted->name),
             TEXT_ARG(wanted->value));
    } else if (!text_equal(got->value, wanted->value)) {
        fail(t, "'%.*s' should be '%.*s', but is '%.*s'", TEXT_ARG(wanted->name),
             TEXT_ARG(wanted->value), TEXT_ARG(got->value));
    }
}

static void check_time(struct trial *t, const struct event *event)
{
    char wanted[TIMESTAMP_LEN + 1];
    char got[TIMESTAMP_LEN + 1];
    if (!t->sample->has_time || event->event_us == t->sample->time_us)
        return;
    timestamp_format(t->sample->time_us, wanted);
    timestamp_format(event->event_us, got);
    fail(t, "the time should be %s, but is %s", wanted,
         event->event_us == TIMESTAMP_NONE ? "not found" : got);
}

static void check_match(struct trial *t, const struct decoder_pattern *matched,
                        const struct event *event)
{
    const struct decoder_sample *sample = t->sample;
    if (sample->is_undecoded) {
        if (matched)
            fail(t, "no pattern should match, but '%.*s' does", TEXT_ARG(matched->name));
        return;
    }
    if (!matched) {
        fail(t, "no pattern matches");
        return;
    }
    if (sample->pattern.len && !text_equal(sample->pattern, matched->name))
        fail(t, "pattern '%.*s' should match first, but '%.*s' does", TEXT_ARG(sample->pattern),
             TEXT_ARG(matched->name));
    for (uint32_t i = 0; i < sample->field_count; i++)
        check_field(t, event, &sample->fields[i]);
    check_time(t, event);
}

static void run(struct trial *t, struct decoder_scratch *c, struct arena *arena)
{
    struct event event = {.message = t->sample->log,
                          .program = t->sample->program,
                          .near_us = t->sample->time_us,
                          .event_us = TIMESTAMP_NONE};
    check_match(t, decoder_try(t->decoder, c, &event, arena), &event);
    event_fini(&event);
}

uint32_t decoder_check_samples(const struct decoder_set *s, diagnostic_fn tell, void *context)
{
    AUTO(decoder_scratch) c = NULL;
    if (decoder_scratch_new(&c, NULL))
        return 1;
    struct arena arena;
    arena_init(&arena, 1 << 20);
    uint32_t failures = 0;
    for (uint32_t i = 0; i < s->count; i++)
        for (uint32_t j = 0; j < s->decoders[i]->sample_count; j++) {
            struct trial t = {.decoder = s->decoders[i],
                              .sample = &s->decoders[i]->samples[j],
                              .tell = tell,
                              .context = context};
            run(&t, c, &arena);
            arena_reset(&arena);
            failures += t.failures;
        }
    arena_fini(&arena);
    return failures;
}
