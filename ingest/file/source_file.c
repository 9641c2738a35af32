/* SPDX-License-Identifier: Apache-2.0 */
#include "ingest/file/source_file.h"
#include "base/log.h"
#include "base/path.h"
#include "base/timestamp.h"
#include "base/wall_clock.h"
#include "ingest/file/file_memory.h"
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <poll.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* inotify says at once when something happens, and every LOOK_MS all files are looked at anyway. */
enum {
    LOOK_MS = 100,
    BREATH_MS = 2,
    SCAN_MS = 1000,
    SCAN_SOON_MS = 50, /* after inotify told of a file */
    SAVE_MS = 1000,
    LINGER_MS = 60000, /* a renamed file is written to until its program hears of it */
    PARTLY_MS = 2000,  /* a file that may be somebody's copy in the making is left alone */
    COPY_MS = 10000,   /* a copy whose original is not truncated is a file of its own */
    PAST_MS = 60000,   /* a copy of one that was truncated may come so late */
    READ_BYTES = 256 * 1024,
    PLACES_BYTES = 1 << 20,
};

static void count_truncation(struct file_door *d, const struct followed *f, bool is_recovered)
{
    char quoted[LOG_QUOTE_LEN];
    counter_add(is_recovered ? &d->recovered : &d->truncations, 1);
    log_line(is_recovered ? LOG_INFO : LOG_WARNING,
             is_recovered ? "file: truncated, what was unread is read from its copy path=%s"
                          : "file: truncated: what was written after the last look at it is lost, "
                            "unless its program rotates by renaming path=%s",
             log_quote(text_of(f->path), quoted));
}

/* ---- the barrier ---- */

/* In a batch's place: an entry for each file that has messages in it. */
struct reached {
    uint32_t slot;
    uint64_t base, offset;
};

static void seal(void *context, struct batch *b)
{
    struct file_door *d = context;
    struct buffer places;
    buffer_init(&places, PLACES_BYTES);
    for (uint32_t i = 0; i < d->set.max_files; i++) {
        struct followed *f = d->set.files[i];
        if (!f || !f->is_touched)
            continue;
        struct reached r = {f->slot, f->base, f->given_at};
        buffer_append(&places, (struct text){(const char *)&r, sizeof r});
    }
    bool is_sealed = !places.has_failed && bookmark_seal(d->bookmark, b, buffer_text(&places));
    for (uint32_t i = 0; is_sealed && i < d->set.max_files; i++)
        if (d->set.files[i])
            d->set.files[i]->is_touched = false; /* else its place comes with the next batch */
    buffer_fini(&places);
}

static void landed(void *context, struct text place, bool is_durable)
{
    struct file_door *d = context;
    d->is_refused |= !is_durable;
    for (; !d->is_refused && place.len >= sizeof(struct reached);
         place = text_skip(place, sizeof(struct reached))) {
        struct reached r;
        memcpy(&r, place.at, sizeof r);
        struct followed *f = d->set.files[r.slot];
        if (f && f->base == r.base && f->durable < r.offset) {
            f->durable = r.offset;
            d->is_changed = true;
        }
    }
}

/* Everything behind what is durable is read again. */
static void rewind_all(struct file_door *d)
{
    d->is_refused = false;
    for (uint32_t i = 0; i < d->set.max_files; i++) {
        struct followed *f = d->set.files[i];
        if (!f)
            continue;
        f->is_resumed = true;
        f->is_ended = false;
        if (f->fd >= 0 && f->durable < f->given_at)
            followed_seek(f, f->durable);
    }
}

/* False: nothing may be read yet. */
static bool settle(struct file_door *d)
{
    bookmark_take(d->bookmark, landed, d);
    if (d->has_unnamed || d->now_ms - d->saved_ms >= SAVE_MS)
        file_memory_save(d);
    if (!d->is_refused)
        return true;
    lane_put(&d->source.lanes[0]);
    struct pollfd stop = {.fd = d->source.stop_fd, .events = POLLIN};
    (void)poll(&stop, 1, LOOK_MS);
    bookmark_take(d->bookmark, landed, d);
    if (bookmark_under_way(d->bookmark))
        return false;
    rewind_all(d);
    return true;
}

/* ---- reading ---- */

static void give(struct file_door *d, struct followed *f, struct text message, uint32_t flags,
                 uint64_t behind, int64_t now_us)
{
    struct lane *l = &d->source.lanes[0];
    /* where a long line is cut must not depend on how it was read: its number stands for it */
    if (flags & FRAMER_TRUNCATED && behind > f->given_at + d->source.max_message_bytes)
        behind = f->given_at + d->source.max_message_bytes;
    /* a hand-over inside ends before this message: given_at is still the last one's */
    struct record *r = lane_add(l, message, text_of(f->name), now_us, flags & FRAMER_TRUNCATED);
    if (!r && source_is_stopping(&d->source))
        return;
    f->given_at = behind;
    f->is_touched = true;
    if (!r || !f->is_named)
        return;
    char origin[96];
    int len = snprintf(origin, sizeof origin, "file:%s:%" PRIu32 ":%" PRIu64, d->hash, f->slot,
                       f->base + behind);
    (void)lane_identify(l, (struct text){origin, (size_t)len},
                        f->is_resumed ? (uint32_t)RECORD_RESUMED : 0);
    f->is_resumed = false;
}

/* What stands behind the last line's end. */
static void give_rest(struct file_door *d, struct followed *f)
{
    struct text message;
    uint32_t flags = 0;
    if (framer_end(&f->framer, &message, &flags))
        give(d, f, message, 0, f->offset, wall_clock_us());
}

static bool adopt_at(struct file_door *d, const char *path, const struct stat *st,
                     const struct followed *original, uint64_t offset);

static uint64_t size_of(const struct followed *f)
{
    struct stat st;
    return f->fd >= 0 && fstat(f->fd, &st) == 0 ? (uint64_t)st.st_size : UINT64_MAX;
}

/* From where its original was read to. */
static void go_on_in_copy(struct followed *copy, const char *name, uint64_t offset)
{
    copy->copy_ms = 0;
    copy->is_alike = false;
    copy->is_checked = true;
    followed_name(copy, name);
    followed_seek(copy, offset);
}

/* Where its content was copied before it was truncated, what was unread of it is there. */
static bool read_copy(struct file_door *d, const struct followed *f)
{
    char path[PATH_ROOM];
    struct stat st;
    struct followed *copy = file_set_copy(&d->set, f);
    if (!copy && !file_set_find_copy(f, path, sizeof path, &st))
        return false;
    if (!copy)
        copy = file_set_find(&d->set, &st);
    if (!copy)
        return adopt_at(d, path, &st, f, f->given_at);
    uint64_t size = size_of(copy);
    go_on_in_copy(copy, f->name, f->given_at < size ? f->given_at : size);
    return true;
}

/* Its copy may still come, or be found where nobody looked yet. */
static void remember_past(struct file_door *d, const struct followed *f)
{
    char *name = d->set.may_hold_copies && f->head.len ? strdup(f->name) : NULL;
    if (!name)
        return;
    struct file_past *p = &d->pasts[d->next_past++ % FILE_PASTS];
    free(p->name);
    *p = (struct file_past){.head = f->head,
                            .reached = followed_reached(f),
                            .given_at = f->given_at,
                            .name = name,
                            .since_ms = d->now_ms};
}

/* Truncated or written anew. */
static void begin_anew(struct file_door *d, struct followed *f)
{
    bool has_copy = read_copy(d, f);
    if (!has_copy) {
        give_rest(d, f);
        remember_past(d, f);
    }
    count_truncation(d, f, has_copy);
    lane_put(&d->source.lanes[0]); /* its places belong to the old content */
    followed_begin_anew(f);
    file_memory_raise(d, f);
    d->is_changed = true;
}

/* The copy of a file that was truncated before it was found: what was unread of that is in it. */
static bool is_copy_of_past(struct file_door *d, struct followed *f)
{
    uint64_t from = 0;
    for (size_t i = 0; i < FILE_PASTS; i++) {
        struct file_past *p = &d->pasts[i];
        /* few bytes are soon written by another */
        uint64_t most_ms = p->head.len < FOLLOWED_TAIL_BYTES ? PARTLY_MS : PAST_MS;
        if (!p->name || d->now_ms - p->since_ms >= most_ms || !file_set_is_past(f, p, &from))
            continue;
        go_on_in_copy(f, p->name, from);
        counter_add(&d->recovered, 1);
        free(p->name);
        p->name = NULL;
        return true;
    }
    return false;
}

/* Two seconds from when it grew last. */
static bool is_growing(const struct file_door *d, struct followed *f)
{
    uint64_t size = size_of(f);
    if (size != f->grown)
        f->quiet_ms = d->now_ms;
    f->grown = size;
    return d->now_ms - f->quiet_ms < PARTLY_MS;
}

/* Its original goes on: from here on it says what is its own. */
static void end_copy(struct file_door *d, struct followed *f)
{
    const struct followed *original = d->set.files[f->copy_of];
    if (original)
        followed_seek(f, file_set_common(f, original));
    f->copy_ms = 0;
}

/* A new file may be the copy that `copytruncate` makes of one that is followed: it says nothing
 * new. False: it is not known yet, or it is one. */
static bool is_original(struct file_door *d, struct followed *f)
{
    struct followed *alike = NULL;
    if (f->copy_ms && d->now_ms - f->copy_ms >= COPY_MS)
        end_copy(d, f);
    if (f->is_checked || !d->set.may_hold_copies)
        return !f->copy_ms;
    if (!size_of(f)) { /* a copy in the making, perhaps */
        f->has_more = false;
        return false;
    }
    if (is_copy_of_past(d, f))
        return true;
    const struct followed *original = file_set_original(&d->set, f, &alike);
    f->is_alike = !original && alike;
    f->copy_of = original ? original->slot : alike ? alike->slot : 0;
    if (f->is_alike && is_growing(d, f))
        return false;
    f->is_alike = false;
    f->is_checked = true;
    if (!original)
        return true;
    followed_seek(f, original->offset);
    f->copy_ms = d->now_ms;
    return false;
}

/* A new life's first bytes are on disk before a message of it is in the journal: else a start could
 * not tell whether the numbers that the journal knows are those of the file that is there. */
static bool is_written_down(struct file_door *d, struct followed *f)
{
    if (f->is_named || f->is_asked || !d->state_path[0])
        return true;
    f->has_more = followed_learn_head(f);
    if (f->has_more)
        f->is_asked = d->has_unnamed = d->is_changed = true;
    return false;
}

static bool may_read(struct file_door *d, struct followed *f)
{
    if (!f->has_more || f->is_compressed)
        return false;
    const struct followed *before = f->waits ? d->set.files[f->waits_for] : NULL;
    f->waits = before && before != f && before->has_more && before->fd >= 0;
    return !f->waits && file_set_open(&d->set, f, false) && is_original(d, f) &&
           is_written_down(d, f) && lane_ready(&d->source.lanes[0]);
}

/* One piece of one file; false where it has no more. */
static bool read_some(struct file_door *d, struct followed *f)
{
    struct text piece, message;
    uint32_t flags = 0;
    if (!may_read(d, f))
        return false;
    enum followed_news news = followed_read(f, d->chunk, READ_BYTES, &piece);
    if (news == FOLLOWED_ANEW) {
        begin_anew(d, f);
        return true;
    }
    if (f->is_compressed)
        counter_add(&d->compressed, 1);
    if (news != FOLLOWED_MORE)
        return false;
    int64_t now_us = wall_clock_us();
    f->quiet_ms = d->now_ms;
    while (framer_next(&f->framer, &piece, &message, &flags))
        give(d, f, message, flags, f->offset - piece.len, now_us);
    return true;
}

/* ---- coming and going ---- */

/* `original`: the one whose copy it is, or NULL. */
static bool adopt_at(struct file_door *d, const char *path, const struct stat *st,
                     const struct followed *original, uint64_t offset)
{
    struct followed *f = followed_new(path, st, (size_t)d->source.max_message_bytes, d->is_nul);
    const struct followed *before = file_set_find_path(&d->set, path);
    if (!f || file_set_add(&d->set, f, UINT32_MAX)) {
        followed_free(f);
        return false;
    }
    f->quiet_ms = d->now_ms;
    f->is_checked = original != NULL;
    f->is_at_path = !original;
    if (original)
        followed_name(f, original->name);
    file_memory_raise(d, f);
    if (before) {
        f->waits = true;
        f->waits_for = before->slot;
        counter_add(&d->rotations, 1);
    }
    if (offset && file_set_open(&d->set, f, true))
        followed_seek(f, offset);
    d->is_changed = true;
    return true;
}

static void adopt(void *context, const char *path, const struct stat *st)
{
    struct file_door *d = context;
    bool is_past = d->is_first && !d->has_past && d->is_from_end;
    (void)adopt_at(d, path, st, NULL, is_past ? (uint64_t)st->st_size : 0);
}

/* The file of the state is gone from where it was, or written anew. */
static void give_up(struct file_door *d, const struct followed *f)
{
    bool has_copy = read_copy(d, f);
    if (!has_copy)
        remember_past(d, f);
    count_truncation(d, f, has_copy);
}

static void scan(struct file_door *d)
{
    file_set_scan(&d->set, adopt, d);
    if (d->set.refused > counter_get(&d->refused))
        log_line(LOG_WARNING,
                 "file: %u files are not followed: there are more than max_files=%" PRId64,
                 d->set.refused, d->max_files);
    atomic_store_explicit(&d->refused, d->set.refused, memory_order_relaxed); /* read by metrics */
    d->scanned_ms = d->now_ms;
    d->is_first = d->must_scan = false;
    for (uint32_t i = 0; i < d->set.max_files; i++) /* renamed while closed: it may have grown */
        if (d->set.files[i] && !d->set.files[i]->is_at_path && d->set.files[i]->fd < 0)
            d->set.files[i]->has_more = file_set_open(&d->set, d->set.files[i], true);
}

/* Not at its path any more, and nobody writes to it: read to its end, then forgotten. */
static void part_with(struct file_door *d, struct followed *f)
{
    if (!f->is_ended && f->fd >= 0)
        give_rest(d, f);
    f->is_ended = true;
    if (f->durable < f->given_at)
        return; /* what is refused must be read again */
    d->ceilings[f->slot] = f->base + f->offset + 1;
    d->is_changed = true;
    file_set_remove(&d->set, f);
}

static void look(struct file_door *d)
{
    d->must_scan |= file_set_has_changed(&d->set);
    uint64_t since_ms = d->now_ms - d->scanned_ms;
    if (!d->set.has_wildcards || since_ms >= (d->must_scan ? SCAN_SOON_MS : SCAN_MS))
        scan(d);
    for (uint32_t i = 0; i < d->set.max_files; i++) {
        struct followed *f = d->set.files[i];
        if (!f)
            continue;
        if (!f->is_ended && followed_look(f) == FOLLOWED_ANEW)
            begin_anew(d, f);
        bool is_quiet = d->now_ms - f->quiet_ms >= LINGER_MS || f->is_compressed;
        if (!f->is_at_path && (f->fd < 0 || (!f->has_more && is_quiet)))
            part_with(d, f);
    }
    counter_set(&d->followed, d->set.count);
}

/* Nothing more now. */
static void rest(struct file_door *d)
{
    struct lane *l = &d->source.lanes[0];
    struct pollfd waits[2] = {{.fd = d->source.stop_fd, .events = POLLIN},
                              {.fd = d->set.inotify_fd, .events = POLLIN}};
    if (l->batch && l->batch->count && lane_is_busy(l)) {
        const struct timespec a_step = {0, LANE_STEP_US * 1000};
        (void)ppoll(waits, 1, &a_step, NULL);
        return;
    }
    lane_put(l);
    (void)poll(waits, 2, LOOK_MS);
    /* others may write to the folder all the time */
    if (timestamp_monotonic_ms() - d->now_ms < BREATH_MS)
        (void)poll(waits, 1, BREATH_MS);
    d->now_ms = timestamp_monotonic_ms();
    look(d);
}

static void *run(void *context)
{
    struct file_door *d = context;
    d->now_ms = timestamp_monotonic_ms();
    d->is_first = true;
    file_memory_recall(d, give_up);
    scan(d);
    d->is_changed = true;
    file_memory_save(d);
    while (!source_is_stopping(&d->source)) {
        bool has_read = false;
        d->now_ms = timestamp_monotonic_ms();
        if (!settle(d))
            continue;
        for (uint32_t i = 0; i < d->set.max_files && !d->has_unnamed; i++)
            if (d->set.files[i])
                has_read |= read_some(d, d->set.files[i]);
        if (!has_read && !d->has_unnamed)
            rest(d);
    }
    lane_fini(&d->source.lanes[0]);
    return NULL;
}

/* ---- the door ---- */

static enum status check_file(struct source *s, bool *has_proof, struct error *err)
{
    const struct file_door *d = CONTAINER_OF(s, struct file_door, source);
    (void)has_proof;
    return d->paths.count && d->paths.items[0].len
               ? STATUS_OK
               : error_set(err, STATUS_INVALID, 0, "path: want the file to follow");
}

static enum status check_paths(struct file_door *d, struct error *err)
{
    for (uint32_t i = 0; i < d->paths.count; i++) {
        const char *path = d->paths.items[i].at;
        int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
        if (fd < 0 && errno != ENOENT) /* one that is not there yet may come */
            return error_set(err, STATUS_IO, 0, "%s: %s", path, strerrordesc_np(errno));
        if (fd >= 0)
            (void)close(fd);
    }
    return check_file(&d->source, NULL, err);
}

static enum status open_file(struct source *s, struct error *err)
{
    struct file_door *d = CONTAINER_OF(s, struct file_door, source);
    struct buffer name;
    enum status status = check_paths(d, err);
    if (status)
        return status;
    buffer_init(&name, 1 << 20);
    for (uint32_t i = 0; i < d->paths.count; i++)
        buffer_printf(&name, "%s%s", i ? " " : "", d->paths.items[i].at);
    (void)snprintf(s->address, sizeof s->address, "%.*s", TEXT_ARG(buffer_text(&name)));
    status = source_state(s, d->state, buffer_text(&name), d->state_path, sizeof d->state_path,
                          d->hash, err);
    buffer_fini(&name);
    if (!status)
        status =
            file_set_init(&d->set, d->paths, (uint32_t)d->max_files, (uint32_t)d->max_open, err);
    if (status)
        return status;
    d->chunk = malloc(READ_BYTES);
    d->ceilings = calloc((size_t)d->max_files, sizeof *d->ceilings);
    if (!d->chunk || !d->ceilings || bookmark_new(&d->bookmark))
        return error_set(err, STATUS_NOMEM, 0, "no memory to read a file");
    s->lanes[0].seal = seal;
    s->lanes[0].seal_context = d;
    return STATUS_OK;
}

static enum status start_file(struct source *s, struct error *err)
{
    struct file_door *d = CONTAINER_OF(s, struct file_door, source);
    if (pthread_create(&d->thread, NULL, run, d))
        return error_set(err, STATUS_NOMEM, 0, "no memory for a reading thread");
    d->is_threaded = true;
    return STATUS_OK;
}

static void stop_file(struct source *s)
{
    struct file_door *d = CONTAINER_OF(s, struct file_door, source);
    if (!d->is_threaded)
        return;
    (void)pthread_join(d->thread, NULL);
    d->is_threaded = false;
    bookmark_await(d->bookmark, landed, d);
    file_memory_save(d);
}

static void close_file(struct source *s)
{
    struct file_door *d = CONTAINER_OF(s, struct file_door, source);
    file_set_fini(&d->set);
    for (size_t i = 0; i < FILE_PASTS; i++)
        free(d->pasts[i].name);
    bookmark_free(d->bookmark);
    free(d->ceilings);
    free(d->chunk);
}

static void file_metrics(const struct source *s, metric_fn tell, void *context)
{
    const struct file_door *d = (const void *)s;
    const struct file_door *counters = d;
    const struct counter_line lines[] = {FILE_COUNTERS(COUNTER_LINE)};
    counter_tell(lines, sizeof lines / sizeof *lines, s->labels, tell, context);
}

static const char *const starts[] = {"beginning", "end", NULL};
static const char *const ends[] = {"lf", "nul", NULL};

static const struct option rows[] = {
    {"path", OPTION_TEXTS, offsetof(struct file_door, paths), "", 0, 0, NULL,
     "the file, or a list; * ? [ ] stand for any, also for files that come later"},
    {"from", OPTION_CHOICE, offsetof(struct file_door, is_from_end), "end", 0, 0, starts,
     "where to begin in files that are there at the first start"},
    {"framing", OPTION_CHOICE, offsetof(struct file_door, is_nul), "lf", 0, 0, ends,
     "what ends a message"},
    {"state", OPTION_TEXT, offsetof(struct file_door, state), "", 0, 0, NULL,
     "file that remembers the places over restarts; empty: in the data folder; '-': none"},
    {"max_files", OPTION_INT, offsetof(struct file_door, max_files), "1000", 1, 4096, NULL,
     "files followed; more are left out and told"},
    {"open_files", OPTION_INT, offsetof(struct file_door, max_open), "256", 1, 4096, NULL,
     "of these, open at once; quiet ones are closed and opened again"},
};

const struct source_type source_file_type = {
    .key = "file",
    .kind = "file",
    .help = "log files, followed over rotation and truncation",
    .size_bytes = sizeof(struct file_door),
    .format = "auto",
    .options = rows,
    .option_count = sizeof rows / sizeof *rows,
    .open = open_file,
    .check = check_file,
    .start = start_file,
    .stop = stop_file,
    .close = close_file,
    .metrics = file_metrics,
};
