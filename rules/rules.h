/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include "base/correlation.h"
#include "base/detection.h"
#include "base/error.h"
#include "base/event.h"
#include "base/metric.h"
#include "base/own.h"
#include "base/record.h"
#include "base/rule.h"
#include <stdbool.h>
#include <stdint.h>

/*
 * Rule text in, a compiled ruleset out; events in, detections and feeds out.
 *
 * Sigma rules and correlations (specification 2.1.0, SEP 198), Sigma filters, decoders (PCRE2
 * named groups) and mappings are read from files, checked, compiled into one immutable ruleset
 * that workers share, and swapped whole.
 */

/* What `tocsin check` prints: one thing that is wrong or unwise in a file. Views live for the
 * call only. */
enum diagnostic_severity { DIAGNOSTIC_ERROR, DIAGNOSTIC_WARNING, DIAGNOSTIC_HINT };
struct diagnostic {
    struct text file;
    uint32_t line, column; /* from 1; 0 where there is none */
    enum diagnostic_severity severity;
    const char *code;    /* short and stable, "unknown-modifier" */
    struct text message; /* what is wrong, what was expected, what to do */
    struct text rule;    /* key of the rule, or empty */
};
typedef void (*diagnostic_fn)(void *context, const struct diagnostic *f);

enum rules_filter_mode { FILTER_SUPPRESS, FILTER_AND };

struct ruleset_options {
    const char *const *paths; /* rule files or folders, searched for *.yml and *.yaml; `*.test.yml`,
                                 overrides.yml and entities.yml are left out */
    uint32_t path_count;
    const char *const *decoder_paths; /* decoders and mappings; same search */
    uint32_t decoder_path_count;
    const char *share;     /* folder of what ships: its decoders/ and mappings/ are always read;
                              rules below it are is_shipped. NULL: none */
    const char *overrides; /* overrides.yml, or NULL */
    const char *lists;     /* folder of value lists for `expand`, or NULL */
    bool has_routing;      /* false: `--logsource any` */
    enum fire_policy fire; /* for correlations that do not say */
    int64_t lateness_us;   /* for correlations that do not say */
    enum rules_filter_mode filter_mode; /* for filters that do not say */
    /* Whether the correlator can hold what such a correlation needs; the ones it cannot are refused
     * by name. NULL: all. */
    enum status (*allows)(const struct correlation *one, uint32_t count, struct error *err);
    bool is_strict;     /* true: one refused rule fails the load; false: it is left out, and
                           told as a finding */
    bool has_lints;     /* tell warnings and hints too (costs time: `check` only) */
    diagnostic_fn tell; /* may be NULL */
    void *context;
};

struct ruleset_summary {
    uint32_t rules, correlations, filters, decoders, mappings;
    uint32_t errors, warnings, hints;
};

/*
 * Reads and compiles. A file that cannot be honoured is refused by name through `tell`; with
 * is_strict the load then fails with INVALID and `err` holds the first. IO where a path cannot be
 * read (also told). Gives one reference. Any thread.
 */
NODISCARD enum status ruleset_load(const struct ruleset_options *options, struct ruleset **out,
                                   struct error *err);
/* The one reference count of the tree: the workers, batches in flight and app share a ruleset. */
struct ruleset *ruleset_ref(struct ruleset *r);
void ruleset_unref(struct ruleset *r);

const struct ruleset_summary *ruleset_get_summary(const struct ruleset *r);
/* Of everything that was read: equal hashes decide equally. */
struct hash128 ruleset_hash(const struct ruleset *r);
/* Both kinds, correlations after detections; sorted by key inside each. */
const struct rule *const *ruleset_rules(const struct ruleset *r, uint32_t *out_count);
const struct correlation *ruleset_correlations(const struct ruleset *r, uint32_t *out_count);
/* The rule that is this correlation's reference number `input`; NULL: none, the rule was refused.
 */
const struct rule *ruleset_input(const struct ruleset *r, const struct correlation *c,
                                 uint32_t input);
/* The longest lateness of any correlation, 0 where none has one. */
int64_t ruleset_lateness_us(const struct ruleset *r);

/*
 * Whether decoding, routing or any rule, group or entity of this ruleset reads a field of that name
 * of an event. Keywords read every value, but ask for the rest of an event's document themselves.
 * A json_wanted_fn: `ruleset` is a struct ruleset.
 */
bool ruleset_reads(const void *ruleset, struct text name, uint64_t hash);

/* Scratch of one worker: decodes and matches events against one ruleset. Its own thread only. */
struct matcher;
NODISCARD enum status matcher_new(struct ruleset *ruleset, struct matcher **out, struct error *err);
void matcher_free(struct matcher *m);
AUTO_DEFINE(matcher);

/* Adds what decoders and mappings know: fields and log sources. Views may point into `arena`. */
void matcher_decode(struct matcher *m, struct event *e, struct arena *arena);

/*
 * Who read a decoded event and whom it names: what declares its decoder or mapping, else the usual
 * names. Adds to the event the names that its mapping gives to fields which it has under others,
 * as rules see them. For people: it costs more than matching.
 */
void matcher_describe(struct matcher *m, struct event *e, struct arena *arena,
                      struct entity_report *out);

/*
 * Matches a decoded event against every rule its log sources lead to and appends what came out
 * to `out`: feeds for correlations, detections of rules that are reported. All that outlives the
 * event is copied into `arena` (the batch's); record and raw are borrowed from the batch. Where the
 * arena has no room the result is left out and out->refused rises.
 */
struct match_result {
    struct feed *feeds; /* grown on the heap, kept between batches, owned by matcher */
    uint32_t feed_count;
    struct detection **detections;
    uint32_t detection_count;
    uint32_t refused;
};
void matcher_match(struct matcher *m, const struct event *e, struct arena *arena,
                   struct match_result *out);
/* Empties `out` for the next batch. */
void matcher_reset(struct matcher *m, struct match_result *out);

/* What a rule cost this matcher so far. */
struct rule_cost {
    uint64_t evaluated; /* events for which its condition was looked at */
    uint64_t matched;
    uint64_t limits; /* match, depth or heap limits of PCRE2 met */
    uint64_t ns;     /* sampled: every 64th evaluation is timed and counts 64 times */
};
/* One entry per rule of ruleset_rules(); the matcher owns the array. */
const struct rule_cost *matcher_costs(const struct matcher *m, uint32_t *out_count);

/* Goes on from what another matcher, of another ruleset, counted: in all, and for rules of the same
 * key and content. */
void matcher_take_costs(struct matcher *m, const struct matcher *from);

/* Counters of one matcher: undecoded, groups without field, cut values, regex limits. */
void matcher_metrics(const struct matcher *m, metric_fn tell, void *context);

/*
 * Why this event did or did not match: one JSON object with the log source decision, and for the
 * rule (all rules its log sources lead to where `rule` is NULL) each predicate with the field's
 * value. Evaluates plainly, without the index.
 */
void matcher_explain(struct matcher *m, const struct event *e, const struct rule *rule,
                     struct buffer *out);

/* Libraries that are known to lose matches are refused by name (a probe of one second at most). */
NODISCARD enum status rules_probe_libraries(struct error *err);
