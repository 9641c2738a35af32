/* SPDX-License-Identifier: Apache-2.0 */
#include "app/command.h"
#include "app/load.h"
#include "app/subcommands.h"
#include "base/timestamp.h"
#include "base/zone.h"
#include "ingest/ingest.h"
#include <stdlib.h>
#include <string.h>

static const char usage[] =
    "Usage: tocsin parse [options] [FILE...|-]\n\n"
    "One record a line in, one JSON object a record out: header, time, host, fields, what the\n"
    "decoders and mappings that ship make of it.";

struct parse {
    struct load_request load;
    const char *format, *zone;
    bool has_nul_frames;
    int64_t now_us;
    struct parser_options options;
    struct ruleset *ruleset;
    struct matcher *matcher;
    struct parser *parser;
    struct event event;
    struct batch *batch;
    struct command_output out;
};

static void write_batch(struct parse *p)
{
    for (uint32_t i = 0; i < p->batch->count; i++) {
        const struct record *r = &p->batch->records[i];
        parser_read(p->parser, r, &p->batch->arena, &p->event);
        matcher_decode(p->matcher, &p->event, &p->batch->arena);
        struct entity_report report;
        matcher_describe(p->matcher, &p->event, &p->batch->arena, &report);
        parser_write(&p->event, &report, r->position, &p->out.buffer);
        command_flush_output(&p->out, false);
    }
}

static enum status parse_file(struct parse *p, const char *path, struct error *err)
{
    AUTO(file_reader) reader = NULL;
    AUTO(columns) columns = columns_new();
    enum status status = columns ? file_reader_open(path, p->has_nul_frames, &reader, err)
                                 : error_set(err, STATUS_NOMEM, 0, "no memory for columns");
    while (!status) {
        batch_reset(p->batch);
        status = file_reader_next(reader, p->batch, err);
        if (status)
            break;
        columns_follow(columns, p->batch);
        write_batch(p);
    }
    return status == STATUS_AGAIN ? STATUS_OK : status;
}

static enum status prepare(struct parse *p, struct error *err)
{
    p->batch = batch_new();
    if (!p->batch)
        return error_set(err, STATUS_NOMEM, 0, "no memory for a batch");
    enum status status = load_rules(&p->load, &p->ruleset, err);
    if (!status)
        status = matcher_new(p->ruleset, &p->matcher, err);
    if (!status)
        status = parser_new(&p->options, &p->parser, err);
    return status ? status : command_open_output(&p->out, "-", err);
}

static int parse_files(struct parse *p, const char **files, uint32_t count)
{
    static const char *const input[] = {"-"};
    struct error err = {0};
    if (prepare(p, &err)) {
        command_say("parse: %s", err.text);
        return COMMAND_USAGE;
    }
    const char *const *all = count ? files : input;
    enum status status = STATUS_OK;
    for (uint32_t i = 0; i < (count ? count : 1) && !status; i++)
        status = parse_file(p, all[i], &err);
    bool is_written = command_close_output(&p->out);
    if (status)
        command_say("parse: %s", err.text);
    return status || !is_written ? COMMAND_UNFINISHED : COMMAND_DONE;
}

int parse_main(int argc, char **argv)
{
    struct parse p = {0};
    const struct command_flag flags[] = {
        {"format", FLAG_TEXT, &p.format, "NAME", "auto, syslog, json, cef, leef, kv, raw"},
        {"null", FLAG_SWITCH, &p.has_nul_frames, NULL, "records end with NUL, not with a newline"},
        {"now", FLAG_TIME, &p.now_us, "TIME", "what a date without year is near to"},
        {"zone", FLAG_TEXT, &p.zone, "ZONE", "of times that name none: Z, +01:00"},
        {"decoders", FLAG_TEXTS, &p.load.decoders, "PATH", "more decoders and mappings"},
    };
    const char **files = calloc((size_t)argc + 1, sizeof(char *));
    uint32_t count = 0;
    if (!files)
        return COMMAND_UNFINISHED;
    int code = COMMAND_USAGE;
    enum status status =
        command_flags(argc, argv, usage, flags, sizeof flags / sizeof *flags, files, &count);
    p.options.now_us = p.now_us;
    if (status == STATUS_AGAIN)
        code = COMMAND_DONE;
    else if (status)
        code = COMMAND_USAGE;
    else if (p.format && !event_format_parse(text_of(p.format), &p.options.format))
        command_say("parse: --format knows auto, syslog, json, cef, leef, kv, raw, not '%s'",
                    p.format);
    else if (p.zone && !zone_parse(p.zone, &p.options.zone_s))
        command_say("parse: --zone wants Z or +hh:mm, not '%s'", p.zone);
    else
        code = parse_files(&p, files, count);
    parser_free(p.parser);
    matcher_free(p.matcher);
    ruleset_unref(p.ruleset);
    event_fini(&p.event);
    batch_free(p.batch);
    free(files);
    return code;
}
