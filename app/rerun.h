/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include "app/command.h"
#include "app/pipeline.h"
#include "incidents/incidents.h"
#include "rules/rules.h"
#include <stdbool.h>
#include <stdint.h>

/*
 * One run of one ruleset over recorded input through the real pipeline, with no effect outside:
 * what `replay` does once per ruleset, and `explain` for its windows.
 */

struct rerun_options {
    const char *const *files; /* "-" is standard input */
    uint32_t file_count;
    const char *journal; /* folder of a journal instead of files, or NULL */
    int64_t since_us, until_us;
    /* Instead of files and journal: fills a reset batch, false at the end. NULL: not used. */
    bool (*next)(void *context, struct batch *b);
    bool is_receipt_time; /* timelines: event time is the record's receive_us */
    struct parser_options parser;
    uint32_t workers, shards; /* 0: as many as fit this machine */
    bool has_incidents;       /* scores and decides, in memory */
    const char *entities;     /* entities.yml, or NULL */
    double threshold;
    int64_t half_life_us;
    bool has_progress; /* draw it on standard error */
    /* True where this rule's detections count; NULL: all do. */
    bool (*is_wanted)(void *context, const struct rule *rule);
    /* Decider's thread, in the order decided: the detection with `line` and evidence of its own
     * input already in it, and that input's name. Renewals are left out. May be NULL. */
    void (*detected)(void *context, const struct detection *d, struct text input);
    /* Decider's thread, once per batch before its detections; and after the end, with the pipeline
     * still whole. May be NULL. */
    void (*batch)(void *context, const struct batch *b);
    void (*finished)(void *context, const struct pipeline *p);
    void *context;
};

struct rerun_totals {
    uint64_t records, bytes, detections, truncated;
    double seconds, cpu_seconds;
    long peak_kib;
};

struct rerun_result {
    struct rerun_totals totals;
    struct rule_cost *costs; /* one per ruleset_rules(); owned */
    uint64_t *fired;         /* the same; owned */
    struct buffer incidents; /* JSON lines; owned */
};

/* IO names the file that could not be read; what was read before it is in the result. */
NODISCARD enum status rerun_once(const struct rerun_options *options, struct ruleset *ruleset,
                                 struct rerun_result *out, struct error *err);
void rerun_fini(struct rerun_result *r);
