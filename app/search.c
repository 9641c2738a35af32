/* SPDX-License-Identifier: Apache-2.0 */
#define PCRE2_CODE_UNIT_WIDTH 8
#include "app/command.h"
#include "app/subcommands.h"
#include "base/json_write.h"
#include "base/path.h"
#include "base/printable.h"
#include "base/timestamp.h"
#include "ingest/ingest.h"
#include "journal/journal.h"
#include <pcre2.h>
#include <stdio.h>
#include <stdlib.h>

static const char usage[] =
    "Usage: tocsin search [--since T] [--until T] [options] PATTERN\n\n"
    "Searches the journal's records by a PCRE2 pattern. Exit status 1: nothing was found.";

struct search {
    const char *data;
    int64_t since_us, until_us;
    bool is_json;
    pcre2_code *code;
    pcre2_match_data *match;
    pcre2_match_context *limits;
    struct command_output out;
    uint64_t found;
};

/* As `parse` does: JSON cannot hold such bytes, so the record is there once more as it came. */
static void write_base64(struct buffer *out, struct text raw)
{
    json_write_name(out, TEXT("raw_b64"));
    buffer_byte(out, '"');
    char *at = buffer_reserve(out, 4 * ((raw.len + 2) / 3));
    if (at)
        out->len += text_to_base64(raw, at);
    buffer_byte(out, '"');
}

static void write_record(struct search *s, const struct record *r)
{
    struct buffer *out = &s->out.buffer;
    if (s->is_json) {
        json_write_open(out, NULL, '{');
        json_write_uint(out, "position", r->position);
        json_write_time(out, "received", r->receive_us);
        if (r->peer.len)
            json_write_string(out, "peer", r->peer);
        json_write_string(out, "raw", r->raw);
        if (!text_is_utf8(r->raw))
            write_base64(out, r->raw);
        json_write_close(out, '}');
    } else {
        char when[TIMESTAMP_LEN + 1];
        timestamp_format(r->receive_us, when);
        buffer_printf(out, "%s ", when);
        printable_write(out, r->raw);
    }
    buffer_byte(out, '\n');
    command_flush_output(&s->out, false);
    s->found++;
}

static enum status compile(struct search *s, const char *pattern, struct error *err)
{
    int code = 0;
    PCRE2_SIZE at = 0;
    s->code = pcre2_compile((PCRE2_SPTR)pattern, PCRE2_ZERO_TERMINATED,
                            PCRE2_UTF | PCRE2_MATCH_INVALID_UTF, &code, &at, NULL);
    if (!s->code) {
        PCRE2_UCHAR text[128];
        (void)pcre2_get_error_message(code, text, sizeof text);
        return error_set(err, STATUS_SYNTAX, 0, "the pattern does not compile at character %zu: %s",
                         at + 1, (const char *)text);
    }
    (void)pcre2_jit_compile(s->code, PCRE2_JIT_COMPLETE);
    s->match = pcre2_match_data_create_from_pattern(s->code, NULL);
    s->limits = pcre2_match_context_create(NULL);
    if (!s->match || !s->limits)
        return error_set(err, STATUS_NOMEM, 0, "no memory for the pattern");
    (void)pcre2_set_match_limit(s->limits, 1000000);
    return STATUS_OK;
}

static enum status scan(struct search *s, const char *journal, struct error *err)
{
    AUTO(journal_reader) reader = NULL;
    AUTO(batch) batch = batch_new();
    if (!batch)
        return error_set(err, STATUS_NOMEM, 0, "no memory for a batch");
    enum status status = journal_reader_open(journal, 0, s->since_us, &reader, err);
    while (!status) {
        batch_reset(batch);
        status = journal_reader_next(reader, batch, err);
        for (uint32_t i = 0; !status && i < batch->count; i++) {
            const struct record *r = &batch->records[i];
            bool is_wanted = r->kind == RECORD_EVENT || r->kind == RECORD_ALERT;
            if (s->until_us != TIMESTAMP_NONE && r->receive_us > s->until_us)
                return STATUS_OK;
            if (is_wanted && pcre2_match(s->code, (PCRE2_SPTR)r->raw.at, r->raw.len, 0, 0, s->match,
                                         s->limits) >= 0)
                write_record(s, r);
        }
    }
    return status == STATUS_AGAIN ? STATUS_OK : status;
}

static int search_journal(struct search *s, const char *pattern)
{
    char data[PATH_ROOM];
    char journal[PATH_ROOM];
    struct error err = {0};
    (void)command_path(journal, sizeof journal, s->data ? s->data : command_data(data, sizeof data),
                       "journal");
    if (compile(s, pattern, &err) || command_open_output(&s->out, "-", &err)) {
        command_say("search: %s", err.text);
        return COMMAND_USAGE;
    }
    enum status status = scan(s, journal, &err);
    bool is_written = command_close_output(&s->out);
    if (status)
        command_say("search: %s", err.text);
    if (status || !is_written)
        return COMMAND_UNFINISHED;
    return s->found ? COMMAND_DONE : COMMAND_NO;
}

int search_main(int argc, char **argv)
{
    struct search s = {.since_us = TIMESTAMP_NONE, .until_us = TIMESTAMP_NONE};
    const char **rest = calloc((size_t)argc + 1, sizeof(char *));
    uint32_t count = 0;
    if (!rest)
        return COMMAND_UNFINISHED;
    const struct command_flag flags[] = {
        {"since", FLAG_TIME, &s.since_us, "TIME", "received from here on; 24h is a day ago"},
        {"until", FLAG_TIME, &s.until_us, "TIME", "received up to here"},
        {"data", FLAG_TEXT, &s.data, "DIR", "the data folder whose journal is searched"},
        {"json", FLAG_SWITCH, &s.is_json, NULL, "one JSON object a line"},
    };
    enum status status =
        command_flags(argc, argv, usage, flags, sizeof flags / sizeof *flags, rest, &count);
    int code = COMMAND_USAGE;
    if (status == STATUS_AGAIN)
        code = COMMAND_DONE;
    else if (!status && count != 1)
        command_say("search: want one PATTERN; see tocsin search --help");
    else if (!status)
        code = search_journal(&s, rest[0]);
    pcre2_code_free(s.code);
    pcre2_match_data_free(s.match);
    pcre2_match_context_free(s.limits);
    free(rest);
    return code;
}
