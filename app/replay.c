/* SPDX-License-Identifier: Apache-2.0 */
#include "app/command.h"
#include "app/compare.h"
#include "app/load.h"
#include "app/rerun.h"
#include "app/subcommands.h"
#include "base/json_write.h"
#include "base/path.h"
#include "base/timestamp.h"
#include "base/zone.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char usage[] =
    "Usage: tocsin replay --rules PATH [options] [FILE...|-]\n\n"
    "Runs the real pipeline over recorded input, in event time, with no effect outside.\n"
    "Files may be gzip or zstd. Without FILE, --journal reads the data folder's journal.\n"
    "Without --detections, --incidents, --stats or --against, detections go to standard output.\n\n"
    "--stats: `evaluated` is how often a rule's condition was looked at, for a correlation how\n"
    "many events and detections reached its windows; `matched` how often it was true, for a\n"
    "correlation after how many insertions (absence: silences); `fired` the detections told;\n"
    "`ns` is sampled; `limits` PCRE2's limits met, for a correlation ceilings of its windows.\n\n"
    "--against compares two rulesets, each with its own overrides: --overrides is for both unless\n"
    "--against-overrides says otherwise. Without --against the rules of both are those of "
    "--rules,\n"
    "as with an --against that is an overrides.yml: what a change of overrides alone would do.";

struct replay {
    struct load_request load;
    struct command_list against;
    const char *against_overrides; /* or "none"; NULL: those of the first */
    const char *format, *logsource, *fire, *detections, *incidents, *stats, *data, *entities, *zone;
    bool is_journal;
    int64_t now_us, ahead_us;
    struct rerun_options run;
    struct command_output out;
};

/* ---- reading the command line ---- */

static int refuse(const char *what, const char *value)
{
    command_say("replay: %s '%s'; see tocsin replay --help", what, value);
    return COMMAND_USAGE;
}

/* An --against that is an overrides.yml is no ruleset: it is what decides of the same one. */
static void take_overrides(struct replay *r)
{
    uint32_t kept = 0;
    for (uint32_t i = 0; i < r->against.count; i++) {
        const char *slash = strrchr(r->against.items[i], '/');
        const char *name = slash ? slash + 1 : r->against.items[i];
        if (strcmp(name, "overrides.yml") == 0 && !r->against_overrides)
            r->against_overrides = r->against.items[i];
        else
            r->against.items[kept++] = r->against.items[i];
    }
    r->against.count = kept;
    if (r->against_overrides && !kept)
        r->against = r->load.rules;
}

/* What the second ruleset is loaded with. */
static struct load_request second_of(const struct replay *r)
{
    struct load_request second = r->load;
    second.rules = r->against;
    if (r->against_overrides)
        second.overrides = strcmp(r->against_overrides, "none") == 0 ? NULL : r->against_overrides;
    return second;
}

static int read_choices(struct replay *r)
{
    take_overrides(r);
    if (r->format && !event_format_parse(text_of(r->format), &r->run.parser.format))
        return refuse("--format knows auto, syslog, json, cef, leef, kv, raw, not", r->format);
    if (r->logsource && strcmp(r->logsource, "any") != 0)
        return refuse("--logsource knows only any, not", r->logsource);
    r->load.is_any_logsource = r->logsource != NULL;
    if (r->fire && !load_parse_fire(r->fire, &r->load.fire))
        return refuse("--fire knows edge, level, consume, not", r->fire);
    if (r->zone && !zone_parse(r->zone, &r->run.parser.zone_s))
        return refuse("--zone wants Z or +hh:mm, not", r->zone);
    if (!r->load.rules.count)
        return refuse("--rules is missing: a rule file, a folder, or", "share");
    if (!r->run.file_count && !r->is_journal)
        return refuse("no input: name files, '-', or", "--journal");
    r->run.parser.now_us = r->now_us;
    /* files have no clock to be ahead of; the journal has the receipt */
    r->run.parser.ahead_us = r->is_journal ? r->ahead_us : 0;
    return COMMAND_DONE;
}

/* ---- writing ---- */

static void write_detection(void *context, const struct detection *d, struct text input)
{
    struct command_output *o = context;
    detection_write(d, input, &o->buffer);
    command_flush_output(o, false);
}

static void write_rule_stats(struct ruleset *ruleset, const struct rerun_result *result,
                             struct buffer *out)
{
    uint32_t count = 0;
    const struct rule *const *rules = ruleset_rules(ruleset, &count);
    for (uint32_t i = 0; i < count; i++) {
        json_write_open(out, NULL, '{');
        json_write_string(out, "rule", rules[i]->key);
        json_write_string(out, "title", rules[i]->title);
        json_write_uint(out, "evaluated", result->costs[i].evaluated);
        json_write_uint(out, "matched", result->costs[i].matched);
        json_write_uint(out, "fired", result->fired[i]);
        json_write_uint(out, "ns", result->costs[i].ns);
        json_write_uint(out, "limits", result->costs[i].limits);
        json_write_close(out, '}');
        buffer_byte(out, '\n');
    }
}

static void write_totals(const struct rerun_totals *t, struct buffer *out)
{
    json_write_open(out, NULL, '{');
    json_write_uint(out, "records", t->records);
    json_write_uint(out, "bytes", t->bytes);
    json_write_uint(out, "detections", t->detections);
    json_write_double(out, "seconds", t->seconds);
    json_write_double(out, "cpu_seconds", t->cpu_seconds);
    json_write_double(out, "records_per_second",
                      t->seconds > 0 ? (double)t->records / t->seconds : 0);
    json_write_uint(out, "peak_memory_bytes", (uint64_t)t->peak_kib * 1024);
    json_write_uint(out, "truncated", t->truncated);
    json_write_close(out, '}');
    buffer_byte(out, '\n');
}

static bool write_file(const char *path, struct text bytes)
{
    struct command_output o;
    struct error err;
    if (command_open_output(&o, path, &err)) {
        command_say("%s", err.text);
        return false;
    }
    buffer_append(&o.buffer, bytes);
    return command_close_output(&o);
}

static bool write_stats(const struct replay *r, struct ruleset *ruleset,
                        const struct rerun_result *result)
{
    struct buffer lines;
    buffer_init(&lines, 256 << 20);
    write_rule_stats(ruleset, result, &lines);
    write_totals(&result->totals, &lines);
    bool is_ok = write_file(r->stats, buffer_text(&lines));
    buffer_fini(&lines);
    return is_ok;
}

/* ---- one ruleset ---- */

static int finish(const struct replay *r, struct ruleset *ruleset,
                  const struct rerun_result *result)
{
    bool is_ok = !r->incidents || write_file(r->incidents, buffer_text(&result->incidents));
    if (r->stats && !write_stats(r, ruleset, result))
        is_ok = false;
    if (result->totals.truncated)
        command_say("%llu records are longer than what is kept of one: they were cut, and JSON "
                    "among them cannot be read",
                    (unsigned long long)result->totals.truncated);
    if (command_has_terminal())
        (void)fprintf(stderr, "%llu records, %llu detections, %.2f s, %.0f records/s\n",
                      (unsigned long long)result->totals.records,
                      (unsigned long long)result->totals.detections, result->totals.seconds,
                      result->totals.seconds > 0
                          ? (double)result->totals.records / result->totals.seconds
                          : 0);
    return is_ok ? COMMAND_DONE : COMMAND_UNFINISHED;
}

static int run_once(struct replay *r, struct ruleset *ruleset)
{
    struct error err = {0};
    const char *path = r->detections ? r->detections : r->incidents || r->stats ? NULL : "-";
    if (path && command_open_output(&r->out, path, &err)) {
        command_say("%s", err.text);
        return COMMAND_USAGE;
    }
    r->run.detected = path ? write_detection : NULL;
    r->run.context = &r->out;
    struct rerun_result result;
    enum status status = rerun_once(&r->run, ruleset, &result, &err);
    bool is_written = !path || command_close_output(&r->out);
    int code = finish(r, ruleset, &result);
    rerun_fini(&result);
    if (status) {
        command_say("%s", err.text);
        return status == STATUS_INVALID ? COMMAND_USAGE : COMMAND_UNFINISHED;
    }
    return is_written ? code : COMMAND_UNFINISHED;
}

static int run_loaded(struct replay *r)
{
    struct error err = {0};
    struct ruleset *ruleset = NULL;
    if (load_rules(&r->load, &ruleset, &err)) {
        command_say("%s", err.text);
        return COMMAND_USAGE;
    }
    const struct ruleset_summary *summary = ruleset_get_summary(ruleset);
    int code = COMMAND_USAGE;
    if (!summary->rules && !summary->correlations)
        command_say("no rule could be used: nothing to run");
    else if (r->against.count) {
        const struct load_request second = second_of(r);
        code = compare_rulesets(&r->run, ruleset, &second);
    } else
        code = run_once(r, ruleset);
    ruleset_unref(ruleset);
    return code;
}

int replay_main(int argc, char **argv)
{
    struct replay *r = calloc(1, sizeof *r);
    const char **files = calloc((size_t)argc + 1, sizeof(char *));
    if (!r || !files)
        return COMMAND_UNFINISHED;
    r->ahead_us = 60000000;
    r->run = (struct rerun_options){.files = files,
                                    .since_us = TIMESTAMP_NONE,
                                    .until_us = TIMESTAMP_NONE,
                                    .threshold = 65,
                                    .half_life_us = INT64_C(86400000000)};
    const struct command_flag flags[] = {
        {"rules", FLAG_TEXTS, &r->load.rules, "PATH", "rule file or folder, or share; repeatable"},
        {"decoders", FLAG_TEXTS, &r->load.decoders, "PATH", "more decoders and mappings"},
        {"format", FLAG_TEXT, &r->format, "NAME", "auto, syslog, json, cef, leef, kv, raw"},
        {"logsource", FLAG_TEXT, &r->logsource, "any", "turns routing by log source off"},
        {"fire", FLAG_TEXT, &r->fire, "POLICY",
         "edge, level or consume, for rules that do not say"},
        {"lateness", FLAG_DURATION, &r->load.lateness_us, "D", "for rules that do not say"},
        {"detections", FLAG_TEXT, &r->detections, "FILE", "a line per detection; - is stdout"},
        {"incidents", FLAG_TEXT, &r->incidents, "FILE", "a line per incident and candidate"},
        {"stats", FLAG_TEXT, &r->stats, "FILE", "cost per rule and totals"},
        {"against", FLAG_TEXTS, &r->against, "PATH", "a second ruleset: lines per difference"},
        {"against-overrides", FLAG_TEXT, &r->against_overrides, "FILE",
         "overrides.yml of the second ruleset, or none"},
        {"overrides", FLAG_TEXT, &r->load.overrides, "FILE", "overrides.yml"},
        {"lists", FLAG_TEXT, &r->load.lists, "DIR", "value lists for expand"},
        {"entities", FLAG_TEXT, &r->entities, "FILE", "entities.yml"},
        {"now", FLAG_TIME, &r->now_us, "TIME", "what a date without year is near to"},
        {"zone", FLAG_TEXT, &r->zone, "ZONE", "of times that name none: Z, +01:00"},
        {"journal", FLAG_SWITCH, &r->is_journal, NULL, "read the journal instead of files"},
        {"data", FLAG_TEXT, &r->data, "DIR", "the data folder whose journal is read"},
        {"since", FLAG_TIME, &r->run.since_us, "TIME", "journal: from here on"},
        {"until", FLAG_TIME, &r->run.until_us, "TIME", "journal: up to here"},
        {"ahead", FLAG_DURATION, &r->ahead_us, "D", "journal: as time.ahead of the run, 1m"},
        {"workers", FLAG_COUNT, &r->run.workers, "N", "threads that match"},
        {"shards", FLAG_COUNT, &r->run.shards, "N", "threads that correlate"},
    };
    enum status status = command_flags(argc, argv, usage, flags, sizeof flags / sizeof *flags,
                                       files, &r->run.file_count);
    int code = status == STATUS_AGAIN ? COMMAND_DONE : COMMAND_USAGE;
    char journal[PATH_ROOM];
    char data[PATH_ROOM];
    (void)command_path(journal, sizeof journal, r->data ? r->data : command_data(data, sizeof data),
                       "journal");
    if (!status)
        code = read_choices(r);
    if (!status && code == COMMAND_DONE) {
        r->run.journal = r->is_journal ? journal : NULL;
        r->run.has_incidents = r->incidents != NULL;
        r->run.entities = r->entities;
        r->run.has_progress = command_has_terminal();
        code = run_loaded(r);
    }
    free(files);
    free(r);
    return code;
}
