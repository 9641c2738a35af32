/* SPDX-License-Identifier: Apache-2.0 */
#include "app/command.h"
#include "app/fed.h"
#include "app/load.h"
#include "app/rerun.h"
#include "app/spool.h"
#include "app/subcommands.h"
#include "base/json_write.h"
#include "base/printable.h"
#include "base/timestamp.h"
#include <errno.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char usage[] =
    "Usage: tocsin explain --rules PATH [--rule ID] [options] [FILE|-]\n\n"
    "For each record and rule: matched or not, each predicate with the field's value, the log\n"
    "source decision. For correlations: what the window of each group holds at the end, what the\n"
    "condition needed and what was missing. --rule takes an id, a name or a title.";

struct explain {
    struct load_request load;
    const char *rule, *format, *logsource;
    bool is_json;
    struct ruleset *ruleset;
    const struct rule *only;
    struct rerun_options run;
    struct command_output out;
    struct fed fed;
};

static bool is_named(const struct rule *rule, struct text name)
{
    return text_equal_nocase(rule->id, name) || text_equal(rule->name, name) ||
           text_equal(rule->title, name) || text_equal(rule->key, name);
}

static bool find_rule(struct explain *e)
{
    if (!e->rule)
        return true;
    uint32_t count = 0;
    const struct rule *const *rules = ruleset_rules(e->ruleset, &count);
    for (uint32_t i = 0; i < count && !e->only; i++)
        if (is_named(rules[i], text_of(e->rule)))
            e->only = rules[i];
    if (!e->only)
        command_say("explain: no rule has the id, name or title '%s'", e->rule);
    return e->only != NULL;
}

/* For people the same object, laid out. */
static void put_object(struct explain *e, struct text object)
{
    json_t *root = e->is_json ? NULL : json_loadb(object.at, object.len, 0, NULL);
    char *pretty = root ? json_dumps(root, JSON_INDENT(2) | JSON_PRESERVE_ORDER) : NULL;
    printable_json(&e->out.buffer, pretty ? text_of(pretty) : object);
    buffer_byte(&e->out.buffer, '\n');
    free(pretty);
    json_decref(root);
    command_flush_output(&e->out, false);
}

/* ---- records against rules: plainly, one by one ---- */

static void explain_record(struct explain *e, struct matcher *matcher, const struct event *event,
                           uint64_t number, struct buffer *line)
{
    struct buffer body;
    buffer_init(&body, 64 << 20);
    matcher_explain(matcher, event, e->only, &body);
    buffer_clear(line);
    buffer_printf(line, "{\"line\":%llu,", (unsigned long long)number);
    buffer_append(line, text_skip(buffer_text(&body), 1));
    put_object(e, buffer_text(line));
    buffer_fini(&body);
}

static enum status explain_records(struct explain *e, const char *path, struct error *err)
{
    AUTO(parser) parser = NULL;
    AUTO(matcher) matcher = NULL;
    AUTO(file_reader) reader = NULL;
    AUTO(batch) batch = batch_new();
    AUTO(columns) columns = columns_new();
    struct event event = {0};
    enum status status = batch && columns ? parser_new(&e->run.parser, &parser, err) : STATUS_NOMEM;
    if (!status)
        status = matcher_new(e->ruleset, &matcher, err);
    if (!status)
        status = file_reader_open(path, false, &reader, err);
    struct buffer line;
    buffer_init(&line, 64 << 20);
    while (!status) {
        batch_reset(batch);
        status = file_reader_next(reader, batch, err);
        if (!status)
            columns_follow(columns, batch);
        for (uint32_t i = 0; !status && i < batch->count; i++) {
            parser_read(parser, &batch->records[i], &batch->arena, &event);
            matcher_decode(matcher, &event, &batch->arena);
            batch->records[i].journal_us = event.event_us; /* as replay reads files */
            explain_record(e, matcher, &event, batch->records[i].position, &line);
        }
    }
    buffer_fini(&line);
    event_fini(&event);
    return status == STATUS_AGAIN ? STATUS_OK : status;
}

/* ---- correlations: the windows at the end of a run ---- */

static void note_feeds(void *context, const struct batch *b)
{
    struct explain *e = context;
    fed_note(&e->fed, b, e->only);
}

/* Nothing to look at is an answer as well, where it was asked for. */
static void write_unfed(struct explain *e, const struct correlation *c, struct buffer *line)
{
    for (uint32_t i = 0; i < e->fed.count; i++)
        if (e->fed.windows[i].correlation == c)
            return;
    if (c->rule != e->only)
        return;
    bool is_chain = c->depth > 1;
    buffer_clear(line);
    json_write_open(line, NULL, '{');
    json_write_string(line, "rule", c->rule->key);
    json_write_null(line, "window");
    json_write_string(line, "missing",
                      is_chain ? TEXT("no event went into it; it reads other correlations, whose "
                                      "detections are not looked at here")
                               : TEXT("no event matched one of its rules and had every group-by "
                                      "field"));
    json_write_close(line, '}');
    put_object(e, buffer_text(line));
}

static void write_windows(void *context, const struct pipeline *p)
{
    struct explain *e = context;
    struct buffer line;
    uint32_t count = 0;
    const struct correlation *all = ruleset_correlations(e->ruleset, &count);
    buffer_init(&line, 32 << 20);
    for (uint32_t i = 0; i < e->fed.count; i++) {
        fed_write(&e->fed.windows[i], p, &line);
        if (line.len)
            put_object(e, buffer_text(&line));
    }
    for (uint32_t i = 0; i < count; i++)
        write_unfed(e, &all[i], &line);
    if (e->fed.is_cut)
        command_say("explain: there are more windows than %d; name a rule or give fewer records",
                    FED_MAX);
    buffer_fini(&line);
}

static enum status explain_windows(struct explain *e, const char *path, struct error *err)
{
    struct rerun_result result;
    e->run.files = &path;
    e->run.file_count = 1;
    e->run.workers = 1;
    e->run.shards = 1;
    e->run.batch = note_feeds;
    e->run.finished = write_windows;
    e->run.context = e;
    enum status status = rerun_once(&e->run, e->ruleset, &result, err);
    rerun_fini(&result);
    return status;
}

static enum status explain_input(struct explain *e, const char *path, struct error *err)
{
    struct spool spool = {.fd = -1};
    bool is_correlation = e->only && e->only->kind == RULE_CORRELATION;
    uint32_t correlations = 0;
    (void)ruleset_correlations(e->ruleset, &correlations);
    bool has_windows = correlations && (is_correlation || !e->only);
    if (has_windows && !is_correlation && strcmp(path, "-") == 0) {
        enum status kept = spool_open(&spool, err);
        if (kept)
            return kept;
        path = spool.again;
    }
    enum status status = is_correlation ? STATUS_OK : explain_records(e, path, err);
    if (!status && has_windows)
        status = explain_windows(e, path, err);
    if (spool.fd >= 0)
        spool_close(&spool);
    return status;
}

static int explain_file(struct explain *e, const char *path)
{
    struct error err = {0};
    if (load_rules(&e->load, &e->ruleset, &err) || command_open_output(&e->out, "-", &err)) {
        command_say("explain: %s", err.text);
        return COMMAND_USAGE;
    }
    const struct ruleset_summary *summary = ruleset_get_summary(e->ruleset);
    if (!summary->rules && !summary->correlations) {
        command_say("explain: no rule could be used: nothing to explain");
        return COMMAND_USAGE;
    }
    if (!find_rule(e))
        return COMMAND_USAGE;
    enum status status = explain_input(e, path, &err);
    bool is_written = command_close_output(&e->out);
    if (status)
        command_say("explain: %s", err.text);
    return status || !is_written ? COMMAND_UNFINISHED : COMMAND_DONE;
}

int explain_main(int argc, char **argv)
{
    struct explain *e = calloc(1, sizeof *e);
    const char **files = calloc((size_t)argc + 1, sizeof(char *));
    uint32_t count = 0;
    if (!e || !files)
        return COMMAND_UNFINISHED;
    e->run.since_us = e->run.until_us = TIMESTAMP_NONE;
    fed_init(&e->fed);
    const struct command_flag flags[] = {
        {"rules", FLAG_TEXTS, &e->load.rules, "PATH", "rule file or folder, or share"},
        {"rule", FLAG_TEXT, &e->rule, "ID", "only this rule: id, name or title"},
        {"decoders", FLAG_TEXTS, &e->load.decoders, "PATH", "more decoders and mappings"},
        {"overrides", FLAG_TEXT, &e->load.overrides, "FILE", "overrides.yml"},
        {"lists", FLAG_TEXT, &e->load.lists, "DIR", "value lists for expand"},
        {"format", FLAG_TEXT, &e->format, "NAME", "auto, syslog, json, cef, leef, kv, raw"},
        {"logsource", FLAG_TEXT, &e->logsource, "any", "turns routing by log source off"},
        {"json", FLAG_SWITCH, &e->is_json, NULL, "one JSON object a line"},
    };
    enum status status =
        command_flags(argc, argv, usage, flags, sizeof flags / sizeof *flags, files, &count);
    e->load.is_any_logsource = e->logsource != NULL;
    int code = COMMAND_USAGE;
    if (status == STATUS_AGAIN)
        code = COMMAND_DONE;
    else if (status)
        code = COMMAND_USAGE;
    else if (!e->load.rules.count)
        command_say("explain: --rules is missing: a rule file, a folder, or share");
    else if (e->format && !event_format_parse(text_of(e->format), &e->run.parser.format))
        command_say("explain: --format knows auto, syslog, json, cef, leef, kv, raw");
    else if (e->logsource && strcmp(e->logsource, "any") != 0)
        command_say("explain: --logsource knows only any, not '%s'", e->logsource);
    else if (count > 1)
        command_say("explain: one FILE at a time");
    else
        code = explain_file(e, count ? files[0] : "-");
    ruleset_unref(e->ruleset);
    fed_fini(&e->fed);
    free(files);
    free(e);
    return code;
}
