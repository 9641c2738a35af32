/* SPDX-License-Identifier: Apache-2.0 */
#include "app/rerun.h"
#include "app/pipeline_costs.h"
#include "base/timestamp.h"
#include "journal/journal.h"
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

enum { HELD_MAX = 4 << 20 };
#define WINDOW_BYTES ((size_t)2 << 30)

struct run {
    const struct rerun_options *options;
    struct pipeline *pipeline;
    struct incidents *incidents;
    uint64_t *bases;     /* position before the first record of each file */
    uint32_t file_count; /* files begun; grows before their first batch is dispatched */
    struct rerun_totals totals;
    uint64_t *fired; /* by rule->index */
    bool has_failed;
    uint64_t drawn_ms;
};

/* ---- decider's side ---- */

/* Positions run on over all files; what is shown counts from 1 in each. */
static uint32_t file_of(const struct run *run, uint64_t position)
{
    uint32_t file = run->file_count ? run->file_count - 1 : 0;
    while (file > 0 && run->bases[file] >= position)
        file--;
    return file;
}

static struct text input_of(const struct run *run, uint64_t position)
{
    if (run->options->journal || !run->options->file_count)
        return TEXT_NONE;
    return text_of(run->options->files[file_of(run, position)]);
}

static void show(struct run *run, const struct detection *d)
{
    struct detection shown = *d;
    uint64_t lines[DETECTION_EVIDENCE];
    struct text input = input_of(run, d->position);
    if (input.at) {
        shown.position -= run->bases[file_of(run, d->position)];
        for (uint32_t i = 0; i < d->evidence_count && i < DETECTION_EVIDENCE; i++)
            lines[i] = d->evidence[i] - run->bases[file_of(run, d->evidence[i])];
        shown.evidence = lines;
    }
    run->options->detected(run->options->context, &shown, input);
}

/* A generation of confidences stands alone in its batch. */
static void learn(struct run *run, const struct batch *b)
{
    if (run->incidents && b->count == 1 && b->records[0].kind == RECORD_CONFIDENCE &&
        incidents_learn(run->incidents, b->records[0].raw))
        run->has_failed = true;
}

static void decided(void *context, const struct pipeline_result *result)
{
    struct run *run = context;
    learn(run, result->batch);
    if (run->options->batch)
        run->options->batch(run->options->context, result->batch);
    for (uint32_t i = 0; i < result->count; i++) {
        const struct detection *d = result->detections[i];
        if (run->options->is_wanted && !run->options->is_wanted(run->options->context, d->rule))
            continue;
        if (run->incidents && incidents_detect(run->incidents, d))
            run->has_failed = true;
        if (d->is_renewal)
            continue;
        run->totals.detections++;
        run->fired[d->rule->index]++;
        if (run->options->detected)
            show(run, d);
    }
    if (run->incidents && result->batch->count) {
        const struct record *last = &result->batch->records[result->batch->count - 1];
        if (incidents_tick(run->incidents, last->journal_us))
            run->has_failed = true;
    }
}

/* ---- reader's side ---- */

static void draw(struct run *run, double share)
{
    uint64_t now_ms = timestamp_monotonic_ms();
    if (!run->options->has_progress || now_ms - run->drawn_ms < 200)
        return;
    run->drawn_ms = now_ms;
    if (share >= 0)
        (void)fprintf(stderr, "\r%3.0f%%  %llu records ", share * 100,
                      (unsigned long long)run->totals.records);
    else
        (void)fprintf(stderr, "\r%llu records ", (unsigned long long)run->totals.records);
}

static void dispatch(struct run *run, struct batch *b, uint64_t base)
{
    for (uint32_t i = 0; i < b->count; i++) {
        b->records[i].position += base;
        run->totals.truncated += (b->records[i].flags & RECORD_TRUNCATED) != 0;
    }
    run->totals.records += b->count;
    run->totals.bytes += b->raw_bytes;
    pipeline_dispatch(run->pipeline, b);
}

static enum status read_file(struct run *run, uint32_t index, struct error *err)
{
    AUTO(file_reader) reader = NULL;
    enum status status = file_reader_open(run->options->files[index], false, &reader, err);
    if (status)
        return status;
    uint64_t base = run->totals.records;
    pipeline_forget_columns(run->pipeline);
    run->bases[index] = base;
    run->file_count = index + 1;
    for (;;) {
        struct batch *b = pipeline_take(run->pipeline, UINT64_MAX);
        status = file_reader_next(reader, b, err);
        if (status) {
            pipeline_give_back(run->pipeline, b);
            return status == STATUS_AGAIN ? STATUS_OK : status;
        }
        dispatch(run, b, base);
        draw(run, file_reader_progress(reader));
    }
}

static bool is_over(const struct run *run, const struct batch *b)
{
    return run->options->until_us != TIMESTAMP_NONE && b->count &&
           b->records[0].receive_us > run->options->until_us;
}

static enum status read_journal(struct run *run, struct error *err)
{
    AUTO(journal_reader) reader = NULL;
    enum status status =
        journal_reader_open(run->options->journal, 0, run->options->since_us, &reader, err);
    while (!status) {
        struct batch *b = pipeline_take(run->pipeline, UINT64_MAX);
        status = journal_reader_next(reader, b, err);
        if (status || is_over(run, b)) {
            pipeline_give_back(run->pipeline, b);
            break;
        }
        dispatch(run, b, 0);
        draw(run, -1);
    }
    return status == STATUS_AGAIN ? STATUS_OK : status;
}

static void read_given(struct run *run)
{
    for (;;) {
        struct batch *b = pipeline_take(run->pipeline, UINT64_MAX);
        if (!run->options->next(run->options->context, b)) {
            pipeline_give_back(run->pipeline, b);
            return;
        }
        dispatch(run, b, 0);
    }
}

static enum status read_all(struct run *run, struct error *err)
{
    if (run->options->next) {
        read_given(run);
        return STATUS_OK;
    }
    if (run->options->journal)
        return read_journal(run, err);
    for (uint32_t i = 0; i < run->options->file_count; i++) {
        enum status status = read_file(run, i, err);
        if (status)
            return status;
    }
    return STATUS_OK;
}

/* ---- both ---- */

static uint32_t machine_cores(void)
{
    long cores = sysconf(_SC_NPROCESSORS_ONLN);
    return cores > 0 ? (uint32_t)cores : 1;
}

static enum status build(struct run *run, struct ruleset *ruleset, struct error *err)
{
    const struct rerun_options *o = run->options;
    uint32_t cores = machine_cores();
    struct pipeline_options options = {
        .workers = o->workers   ? o->workers
                   : cores > 16 ? 16
                                : cores,
        .shards = o->shards   ? o->shards
                  : cores > 8 ? 4
                              : 1,
        .parser = o->parser,
        .is_file_time = o->journal == NULL && !o->is_receipt_time,
        .is_receipt_time = o->is_receipt_time,
        .max_window_bytes = WINDOW_BYTES,
        .max_held = HELD_MAX,
        .decided = decided,
        .context = run,
    };
    enum status status = pipeline_new(&options, ruleset, &run->pipeline, err);
    struct incidents_options record = {
        .threshold = o->threshold,
        .half_life_us = o->half_life_us,
        .entities = o->entities,
    };
    if (!status && o->has_incidents)
        status = incidents_open(&record, &run->incidents, err);
    return status ? status : pipeline_start(run->pipeline, err);
}

static double cpu_seconds(void)
{
    struct rusage usage;
    (void)getrusage(RUSAGE_SELF, &usage);
    return (double)(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) +
           (double)(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) / 1e6;
}

static enum status keep(struct run *run, struct ruleset *ruleset, struct rerun_result *out,
                        struct error *err)
{
    pipeline_costs(run->pipeline, ruleset, out->costs);
    if (run->incidents)
        incidents_write_all(run->incidents, &out->incidents);
    struct rusage usage;
    (void)getrusage(RUSAGE_SELF, &usage);
    run->totals.peak_kib = usage.ru_maxrss;
    out->totals = run->totals;
    if (run->has_failed)
        return error_set(err, STATUS_LIMIT, 0, "some detections found no room in the record");
    return STATUS_OK;
}

static enum status execute(struct run *run, struct ruleset *ruleset, struct rerun_result *out,
                           struct error *err)
{
    double cpu = cpu_seconds();
    uint64_t start_ns = timestamp_monotonic_ns();
    enum status status = build(run, ruleset, err);
    if (status)
        return status;
    status = read_all(run, err);
    pipeline_finish(run->pipeline, true);
    if (run->options->finished)
        run->options->finished(run->options->context, run->pipeline);
    run->totals.seconds = (double)(timestamp_monotonic_ns() - start_ns) / 1e9;
    run->totals.cpu_seconds = cpu_seconds() - cpu;
    if (run->options->has_progress)
        (void)fprintf(stderr, "\r%40s\r", "");
    enum status kept = keep(run, ruleset, out, status ? NULL : err);
    return status ? status : kept;
}

enum status rerun_once(const struct rerun_options *options, struct ruleset *ruleset,
                       struct rerun_result *out, struct error *err)
{
    struct run run = {.options = options};
    uint32_t rules = 0;
    (void)ruleset_rules(ruleset, &rules);
    *out = (struct rerun_result){
        .costs = calloc((size_t)rules + 1, sizeof *out->costs),
        .fired = calloc((size_t)rules + 1, sizeof *out->fired),
    };
    buffer_init(&out->incidents, (size_t)1 << 30);
    run.fired = out->fired;
    run.bases = calloc((size_t)options->file_count + 1, sizeof *run.bases);
    if (!run.bases || !out->costs || !out->fired)
        return error_set(err, STATUS_NOMEM, 0, "no memory for %u rules", rules);
    enum status status = execute(&run, ruleset, out, err);
    pipeline_free(run.pipeline);
    incidents_close(run.incidents);
    free(run.bases);
    return status;
}

void rerun_fini(struct rerun_result *r)
{
    free(r->costs);
    free(r->fired);
    buffer_fini(&r->incidents);
}
