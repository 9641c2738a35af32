/* SPDX-License-Identifier: Apache-2.0 */
#include "ingest/journald/source_journald.h"
#include "base/log.h"
#include "base/path.h"
#include "base/timestamp.h"
#include "base/wall_clock.h"
#include "ingest/door/bookmark.h"
#include "ingest/journald/journald_client.h"
#include "ingest/journald/journald_entry.h"
#include <inttypes.h>
#include <poll.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

/*
 * An entry's identity is its number in the sequence that journald gives:
 * "journald:<door>:<sequence>:<n>". Our journal knows the highest one it holds, so that what is
 * read again after a kill -9, or from a place that was saved too early, is no second event. The
 * saved cursor says where to go on.
 */
enum {
    LOOK_MS = 100, /* journald tells of new entries up to 250 ms late */
    SAVE_MS = 1000,
    CURSOR_LEN = 512,
    MACHINE_LEN = 256,
};

#define JOURNALD_COUNTERS(COUNTER)                                                                 \
    COUNTER(gaps, METRIC_COUNTER, "source_gaps_total",                                             \
            "Times that the place to read on from was not there any more.")                        \
    COUNTER(missing, METRIC_COUNTER, "source_missing_total",                                       \
            "Entries that were numbered by journald and are not in its files: removed unread, or " \
            "damaged.")                                                                            \
    COUNTER(damaged, METRIC_COUNTER, "source_unreadable_total",                                    \
            "Entries that the journal's files hold damaged.")

struct journald_door {
    struct source source;
    struct text directory, state; /* options */
    struct option_texts matches, fields;
    int is_from_now;
    char state_path[PATH_ROOM]; /* empty: nothing is remembered */
    char machine[MACHINE_LEN];
    struct journald_client *client;
    struct bookmark *bookmark;
    struct journald_entry entry;
    struct buffer out;
    pthread_t thread;
    bool is_threaded;
    struct buffer cursor;     /* of the entry at hand */
    char last[CURSOR_LEN];    /* of the last entry added; empty: none */
    char durable[CURSOR_LEN]; /* of the last durable one */
    char saved[CURSOR_LEN];
    uint64_t saved_ms;
    bool is_refused; /* a batch was: everything behind `durable` is read again */
    bool is_resumed; /* the next record is the first behind a refused one */
    char hash[SOURCE_HASH_LEN + 1];
    JOURNALD_COUNTERS(COUNTER_FIELD)
};

static const char *const starts[] = {"start", "now", NULL};

static const struct option rows[] = {
    {"directory", OPTION_TEXT, offsetof(struct journald_door, directory), "", 0, 0, NULL,
     "folder of journal files; empty: this machine's journal"},
    {"matches", OPTION_TEXTS, offsetof(struct journald_door, matches), "", 0, 0, NULL,
     "as journalctl's: [_SYSTEMD_UNIT=ssh.service, +, _TRANSPORT=audit]; empty: everything"},
    {"fields", OPTION_TEXTS, offsetof(struct journald_door, fields), "trusted", 0, 0, NULL,
     "fields kept beside message, program and pid; trusted: _UID, _EXE, _SYSTEMD_UNIT; '*': all"},
    {"from", OPTION_CHOICE, offsetof(struct journald_door, is_from_now), "now", 0, 0, starts,
     "where to begin without a remembered place"},
    {"state", OPTION_TEXT, offsetof(struct journald_door, state), "", 0, 0, NULL,
     "file that remembers the place over restarts; empty: in the data folder; '-': none"},
};

#ifdef TOCSIN_SYSTEMD
#define FROM_START "start" /* the place before everything */

/* "s=<sequence>;i=<number in hex>;b=..." is how libsystemd writes a place, since its beginning. */
static bool read_number(const char *cursor, struct text *out_sequence, int64_t *out_number)
{
    const char *end = strstr(cursor, ";i=");
    if (!text_starts(text_of(cursor), TEXT("s=")) || !end || end - cursor > 40)
        return false;
    *out_sequence = (struct text){cursor + 2, (size_t)(end - cursor) - 2};
    *out_number = (int64_t)strtoull(end + 3, NULL, 16);
    return *out_number > 0;
}

static void mark_origin(struct journald_door *d, struct record *r)
{
    struct text sequence;
    int64_t number = 0;
    char origin[128];
    if (!d->state_path[0] || !read_number(d->cursor.at, &sequence, &number))
        return;
    (void)snprintf(origin, sizeof origin, "journald:%s:%.*s:%" PRId64, d->hash, TEXT_ARG(sequence),
                   number);
    r->origin = arena_copy(&d->source.lanes[0].batch->arena, text_of(origin));
    if (d->is_resumed)
        r->flags |= RECORD_RESUMED;
    d->is_resumed = false;
}

/* Numbers that the journal leaves out between the last entry and this one. */
static void count_missing(struct journald_door *d)
{
    struct text sequence, last_sequence;
    int64_t number = 0, last = 0;
    if (!d->matches.count && read_number(d->last, &last_sequence, &last) &&
        read_number(d->cursor.at, &sequence, &number) && text_equal(sequence, last_sequence) &&
        number > last + 1)
        counter_add(&d->missing, (uint64_t)(number - last - 1));
}

static void seal(void *context, struct batch *b)
{
    struct journald_door *d = context;
    (void)bookmark_seal(d->bookmark, b, text_of(d->last));
}

static void landed(void *context, struct text place, bool is_durable)
{
    struct journald_door *d = context;
    d->is_refused |= !is_durable;
    if (!d->is_refused)
        (void)snprintf(d->durable, sizeof d->durable, "%.*s", TEXT_ARG(place));
}

static void save(struct journald_door *d)
{
    if (!d->state_path[0] || strcmp(d->durable, d->saved) == 0)
        return;
    if (bookmark_save(d->state_path, text_of(d->durable)))
        (void)snprintf(d->saved, sizeof d->saved, "%s", d->durable);
    else
        log_line(LOG_WARNING, "journald: the place in the journal cannot be remembered path=%s",
                 d->state_path);
}

static void recall(struct journald_door *d)
{
    FILE *in = d->state_path[0] ? fopen(d->state_path, "re") : NULL;
    if (!in)
        return;
    if (!fgets(d->durable, sizeof d->durable, in))
        d->durable[0] = 0;
    (void)fclose(in);
    (void)snprintf(d->saved, sizeof d->saved, "%s", d->durable);
}

static enum status seek_behind(struct journald_door *d)
{
    bool is_gone = false;
    enum status status = STATUS_IO;
    if (strcmp(d->durable, FROM_START) == 0)
        return journald_client_seek(d->client, false);
    status = journald_client_seek_behind(d->client, d->durable, &is_gone);
    if (!status && !is_gone)
        return STATUS_OK;
    counter_add(&d->gaps, 1);
    log_line(LOG_WARNING,
             "journald: the place where reading stopped is not in the journal any more: entries "
             "may have been removed unread address=%s",
             d->source.address);
    return status ? journald_client_seek(d->client, false) : STATUS_OK;
}

/* The first time: where "now" is, is remembered at once, so that what comes from here on is read
 * even after a kill -9. */
static enum status seek_first(struct journald_door *d)
{
    int64_t ignored = 0;
    enum status status = journald_client_seek(d->client, d->is_from_now);
    bool has_past = !status && d->is_from_now &&
                    journald_client_place(d->client, &ignored, &d->cursor) == STATUS_OK;
    (void)snprintf(d->durable, sizeof d->durable, "%s", has_past ? d->cursor.at : FROM_START);
    save(d);
    return status;
}

static void seek(struct journald_door *d)
{
    if (d->durable[0] ? seek_behind(d) : seek_first(d))
        log_line(LOG_ERROR, "journald: the journal cannot be read address=%s", d->source.address);
    (void)snprintf(d->last, sizeof d->last, "%s", d->durable);
}

static void read_entry(struct journald_door *d)
{
    struct lane *l = &d->source.lanes[0];
    int64_t realtime_us = 0;
    bool is_damaged = journald_client_place(d->client, &realtime_us, &d->cursor) != STATUS_OK;
    struct text field;
    journald_entry_reset(&d->entry);
    while (!is_damaged && journald_client_field(d->client, &field, &is_damaged))
        journald_entry_add(&d->entry, field);
    count_missing(d);
    if (is_damaged || !d->entry.count) {
        counter_add(&d->damaged, 1);
        return;
    }
    bool is_cut =
        journald_entry_write(&d->entry, realtime_us, d->source.max_message_bytes, &d->out);
    struct record *r =
        lane_add(l, buffer_text(&d->out), text_of(d->machine), wall_clock_us(), is_cut);
    if (!r)
        return;
    mark_origin(d, r);
    (void)snprintf(d->last, sizeof d->last, "%s", d->cursor.at);
}

/* Nothing more now. */
static void rest(struct journald_door *d)
{
    struct lane *l = &d->source.lanes[0];
    struct pollfd waits[2] = {{.fd = d->source.stop_fd, .events = POLLIN},
                              {.fd = journald_client_fd(d->client), .events = POLLIN}};
    if (l->batch && l->batch->count && lane_is_busy(l)) {
        const struct timespec a_step = {0, LANE_STEP_US * 1000};
        (void)ppoll(waits, 1, &a_step, NULL);
        return;
    }
    lane_put(l);
    (void)poll(waits, 2, LOOK_MS);
    journald_client_look(d->client);
}

/* Landings, saving, and what was refused once nothing is under way any more. */
static bool settle(struct journald_door *d)
{
    uint64_t now_ms = timestamp_monotonic_ms();
    bookmark_take(d->bookmark, landed, d);
    if (now_ms - d->saved_ms >= SAVE_MS) {
        save(d);
        d->saved_ms = now_ms;
    }
    if (!d->is_refused)
        return true;
    lane_put(&d->source.lanes[0]);
    struct pollfd stop = {.fd = d->source.stop_fd, .events = POLLIN};
    (void)poll(&stop, 1, LOOK_MS);
    bookmark_take(d->bookmark, landed, d);
    if (bookmark_under_way(d->bookmark))
        return false;
    d->is_refused = false;
    d->is_resumed = true;
    seek(d);
    return true;
}

static void *run(void *context)
{
    struct journald_door *d = context;
    struct lane *l = &d->source.lanes[0];
    recall(d);
    if (!d->directory.len && !journald_client_has_files(d->client))
        log_line(LOG_WARNING,
                 "journald: no journal file can be read now; does the user belong to the group "
                 "systemd-journal? address=%s",
                 d->source.address);
    seek(d);
    while (!source_is_stopping(&d->source) && lane_ready(l)) {
        if (!settle(d))
            continue;
        enum status status = journald_client_next(d->client);
        if (!status) {
            read_entry(d);
            continue;
        }
        if (status != STATUS_AGAIN)
            counter_add(&d->damaged, 1);
        rest(d);
    }
    lane_fini(l);
    return NULL;
}

static enum status open_journald(struct source *s, struct error *err)
{
    struct journald_door *d = CONTAINER_OF(s, struct journald_door, source);
    /* compressed fields are unpacked up to one byte more than is kept, so that a cut is seen */
    const struct journald_options options = {d->directory, d->matches,
                                             (size_t)s->max_message_bytes + 64};
    (void)snprintf(s->address, sizeof s->address, "%.*s",
                   TEXT_ARG(d->directory.len ? d->directory : TEXT("local")));
    journald_entry_init(&d->entry, d->fields, (size_t)s->max_message_bytes);
    buffer_init(&d->out, 4 * (size_t)s->max_message_bytes +
                             4 * (size_t)JOURNALD_FIELDS * JOURNALD_FIELD_BYTES);
    buffer_init(&d->cursor, CURSOR_LEN);
    (void)gethostname(d->machine, sizeof d->machine - 1);
    if (bookmark_new(&d->bookmark))
        return error_set(err, STATUS_NOMEM, 0, "no memory to read the journal");
    struct buffer identity;
    buffer_init(&identity, 1 << 16);
    buffer_printf(&identity, "%s", s->address);
    for (uint32_t i = 0; i < d->matches.count; i++)
        buffer_printf(&identity, " %.*s", TEXT_ARG(d->matches.items[i]));
    enum status status = source_state(s, d->state, buffer_text(&identity), d->state_path,
                                      sizeof d->state_path, d->hash, err);
    buffer_fini(&identity);
    if (status)
        return status;
    s->lanes[0].seal = seal;
    s->lanes[0].seal_context = d;
    return journald_client_open(&options, &d->client, err);
}

static enum status start_journald(struct source *s, struct error *err)
{
    struct journald_door *d = CONTAINER_OF(s, struct journald_door, source);
    if (pthread_create(&d->thread, NULL, run, d))
        return error_set(err, STATUS_NOMEM, 0, "no memory for a reading thread");
    d->is_threaded = true;
    return STATUS_OK;
}

static void stop_journald(struct source *s)
{
    struct journald_door *d = CONTAINER_OF(s, struct journald_door, source);
    if (!d->is_threaded)
        return;
    (void)pthread_join(d->thread, NULL);
    d->is_threaded = false;
    bookmark_await(d->bookmark, landed, d);
    save(d);
}

static void close_journald(struct source *s)
{
    struct journald_door *d = CONTAINER_OF(s, struct journald_door, source);
    journald_client_free(d->client);
    bookmark_free(d->bookmark);
    journald_entry_fini(&d->entry);
    buffer_fini(&d->out);
    buffer_fini(&d->cursor);
}

static void journald_metrics(const struct source *s, metric_fn tell, void *context)
{
    const struct journald_door *counters = (const void *)s;
    const struct counter_line lines[] = {JOURNALD_COUNTERS(COUNTER_LINE)};
    counter_tell(lines, sizeof lines / sizeof *lines, s->labels, tell, context);
}

#else

static enum status open_journald(struct source *s, struct error *err)
{
    (void)s;
    return error_set(err, STATUS_INVALID, 0,
                     "this tocsin was built without libsystemd: build it with libsystemd-dev, or "
                     "let journald forward to `unix: {path: /run/systemd/journal/syslog}`");
}
static enum status start_journald(struct source *s, struct error *err)
{
    return open_journald(s, err);
}
static void stop_journald(struct source *s)
{
    (void)s;
}
static void close_journald(struct source *s)
{
    (void)s;
}
#define journald_metrics NULL

#endif

const struct source_type source_journald_type = {
    .key = "journald",
    .kind = "journald",
    .help = "systemd's journal",
    .size_bytes = sizeof(struct journald_door),
    .options = rows,
    .option_count = sizeof rows / sizeof *rows,
    .open = open_journald,
    .start = start_journald,
    .stop = stop_journald,
    .close = close_journald,
    .metrics = journald_metrics,
};
