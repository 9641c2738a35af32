/* SPDX-License-Identifier: Apache-2.0 */
#include "ingest/journald/journald_client.h"
#include <stdlib.h>
#include <string.h>
#include <systemd/sd-journal.h>

struct journald_client {
    sd_journal *journal;
    bool is_on_next; /* a seek already stands on the entry that `next` shall give */
};

static enum status add_match(sd_journal *j, struct text match, struct error *err)
{
    int code = text_equal(match, TEXT("+")) ? sd_journal_add_disjunction(j)
                                            : sd_journal_add_match(j, match.at, match.len);
    return code >= 0 ? STATUS_OK
                     : error_set(err, STATUS_INVALID, 0,
                                 "matches: '%.*s' is none: want FIELD=value, or + between groups",
                                 TEXT_ARG(text_head(match, 60)));
}

enum status journald_client_open(const struct journald_options *options,
                                 struct journald_client **out, struct error *err)
{
    AUTO(journald_client) c = calloc(1, sizeof *c);
    if (!c)
        return error_set(err, STATUS_NOMEM, 0, "no memory for a reader of the journal");
    int code = options->directory.len
                   ? sd_journal_open_directory(&c->journal, options->directory.at, 0)
                   : sd_journal_open(&c->journal, SD_JOURNAL_LOCAL_ONLY);
    if (code < 0)
        return error_set(err, STATUS_IO, 0, "%s: %s",
                         options->directory.len ? options->directory.at : "the journal",
                         strerrordesc_np(-code));
    (void)sd_journal_set_data_threshold(c->journal, options->field_bytes);
    for (uint32_t i = 0; i < options->matches.count; i++) {
        enum status status = add_match(c->journal, options->matches.items[i], err);
        if (status)
            return status;
    }
    (void)sd_journal_get_fd(c->journal); /* from now on it hears of new files */
    *out = MOVE(c);
    return STATUS_OK;
}

void journald_client_free(struct journald_client *c)
{
    if (c && c->journal)
        sd_journal_close(c->journal);
    free(c);
}

bool journald_client_has_files(const struct journald_client *c)
{
    return sd_journal_has_runtime_files(c->journal) > 0 ||
           sd_journal_has_persistent_files(c->journal) > 0;
}

enum status journald_client_seek(struct journald_client *c, bool is_end)
{
    int code = is_end ? sd_journal_seek_tail(c->journal) : sd_journal_seek_head(c->journal);
    /* behind a seek to the tail `next` may give the last entry once more: stand on it instead */
    c->is_on_next = false;
    if (code >= 0 && is_end)
        code = sd_journal_previous(c->journal);
    /* of an empty journal everything that comes is new */
    if (code == 0 && is_end)
        code = sd_journal_seek_head(c->journal);
    return code < 0 ? STATUS_IO : STATUS_OK;
}

enum status journald_client_seek_behind(struct journald_client *c, const char *cursor,
                                        bool *out_is_gone)
{
    *out_is_gone = false;
    c->is_on_next = false;
    int code = sd_journal_seek_cursor(c->journal, cursor);
    if (code >= 0)
        code = sd_journal_next(c->journal);
    if (code < 0)
        return STATUS_IO;
    if (code > 0 && sd_journal_test_cursor(c->journal, cursor) > 0)
        return STATUS_OK; /* stands on it: the next one is new */
    *out_is_gone = true;
    c->is_on_next = code > 0;
    return STATUS_OK;
}

enum status journald_client_next(struct journald_client *c)
{
    int code = c->is_on_next ? 1 : sd_journal_next(c->journal);
    c->is_on_next = false;
    return code > 0 ? STATUS_OK : code == 0 ? STATUS_AGAIN : STATUS_IO;
}

bool journald_client_field(struct journald_client *c, struct text *out, bool *out_is_damaged)
{
    const void *at = NULL;
    size_t len = 0;
    int code = sd_journal_enumerate_available_data(c->journal, &at, &len);
    *out_is_damaged = code < 0;
    *out = (struct text){at, len};
    return code > 0;
}

enum status journald_client_place(struct journald_client *c, int64_t *out_realtime_us,
                                  struct buffer *out_cursor)
{
    uint64_t us = 0;
    char *cursor = NULL;
    if (sd_journal_get_realtime_usec(c->journal, &us) < 0 ||
        sd_journal_get_cursor(c->journal, &cursor) < 0)
        return STATUS_IO;
    buffer_clear(out_cursor);
    buffer_append(out_cursor, text_of(cursor));
    buffer_byte(out_cursor, '\0');
    out_cursor->len -= !out_cursor->has_failed;
    free(cursor);
    *out_realtime_us = (int64_t)us;
    sd_journal_restart_data(c->journal);
    return out_cursor->has_failed ? STATUS_NOMEM : STATUS_OK;
}

int journald_client_fd(const struct journald_client *c)
{
    int fd = sd_journal_get_fd(c->journal);
    return fd < 0 ? -1 : fd;
}

void journald_client_look(struct journald_client *c)
{
    (void)sd_journal_process(c->journal);
}
