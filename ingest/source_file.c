/* SPDX-License-Identifier: Apache-2.0 */
#include "ingest/source_file.h"
#include "base/timestamp.h"
#include "ingest/framer.h"
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <poll.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/*
 * The file is looked at every LOOK_MS: more bytes are read; a smaller file was truncated and is
 * read from its start; another file at the path is a rotation: the old one is read to its end
 * first. With `state` the place behind the last durable record survives a restart.
 */
enum { LOOK_MS = 100, READ_BYTES = 256 * 1024, OWED_MS = 5000 };

struct file_door {
    struct source source;
    struct text path, state; /* options */
    int is_from_end;
    int is_nul;
    pthread_t thread;
    bool is_threaded;
    int fd; /* -1: the file is not there now */
    ino_t inode;
    uint64_t offset;     /* read so far */
    uint64_t message_at; /* behind the last whole message */
    struct framer framer;
    char *chunk;
    lane_count rotations, truncations;
    struct mark *mark;
    uint64_t saved_inode, saved_offset;
};

/* The place behind what is durable: written on the journal's thread, read on ours. Held by the door
 * and by every batch whose barrier is to come. */
struct mark {
    _Atomic uint64_t refs, inode, offset;
};

/* Where a batch ended. */
struct place {
    struct mark *mark;
    uint64_t inode, offset;
};

static void unref(struct mark *m)
{
    /* acq_rel: the last one sees all that the others did */
    if (m && atomic_fetch_sub_explicit(&m->refs, 1, memory_order_acq_rel) == 1)
        free(m);
}

static void reached(void *context, uint64_t token, bool is_ok)
{
    struct place *p = context;
    (void)token;
    if (is_ok) {
        atomic_store_explicit(&p->mark->inode, p->inode, memory_order_relaxed);
        atomic_store_explicit(&p->mark->offset, p->offset, memory_order_release); /* save() */
    }
    unref(p->mark);
    free(p);
}

static void seal(void *context, struct batch *b)
{
    struct file_door *f = context;
    struct place *p = f->state.len ? malloc(sizeof *p) : NULL;
    if (!p)
        return; /* without it the place is remembered with the next batch */
    *p = (struct place){f->mark, (uint64_t)f->inode, f->message_at};
    b->durable = reached;
    b->durable_context = p;
    (void)atomic_fetch_add_explicit(&f->mark->refs, 1, memory_order_relaxed);
}

static void save(struct file_door *f)
{
    uint64_t offset = atomic_load_explicit(&f->mark->offset, memory_order_acquire); /* reached() */
    uint64_t inode = atomic_load_explicit(&f->mark->inode, memory_order_relaxed);
    if (!f->state.len || !inode || (offset == f->saved_offset && inode == f->saved_inode))
        return;
    char fresh[4096];
    (void)snprintf(fresh, sizeof fresh, "%s.new", f->state.at);
    FILE *out = fopen(fresh, "we");
    if (!out)
        return;
    bool is_written = fprintf(out, "%" PRIu64 " %" PRIu64 "\n", inode, offset) > 0;
    is_written &= fflush(out) == 0 && fsync(fileno(out)) == 0;
    is_written &= fclose(out) == 0;
    if (is_written && rename(fresh, f->state.at) == 0) {
        f->saved_inode = inode;
        f->saved_offset = offset;
    }
}

static bool recall(struct file_door *f)
{
    char line[64] = "";
    FILE *in = f->state.len ? fopen(f->state.at, "re") : NULL;
    if (!in)
        return false;
    bool is_read = fgets(line, sizeof line, in) != NULL;
    (void)fclose(in);
    char *end = NULL;
    f->saved_inode = strtoull(line, &end, 10);
    f->saved_offset = is_read ? strtoull(end, NULL, 10) : 0;
    return is_read;
}

static void begin(struct file_door *f, uint64_t offset)
{
    f->offset = offset;
    f->message_at = offset;
    framer_fini(&f->framer);
    framer_init(&f->framer, f->source.max_message_bytes);
    f->framer.mode = f->is_nul ? FRAMER_NUL : FRAMER_LF; /* a line may begin with a number */
}

static void open_path(struct file_door *f, bool is_first)
{
    struct stat st;
    f->fd = open(f->path.at, O_RDONLY | O_CLOEXEC | O_NOCTTY);
    if (f->fd < 0)
        return;
    if (fstat(f->fd, &st) != 0 || !S_ISREG(st.st_mode)) {
        (void)close(f->fd);
        f->fd = -1;
        return;
    }
    f->inode = st.st_ino;
    uint64_t start = is_first && f->is_from_end ? (uint64_t)st.st_size : 0;
    if (is_first && recall(f))
        start = f->saved_inode == (uint64_t)st.st_ino && f->saved_offset <= (uint64_t)st.st_size
                    ? f->saved_offset
                    : 0;
    begin(f, start);
}

static void give(struct file_door *f, struct text message, uint32_t flags, uint64_t behind,
                 int64_t now_us)
{
    struct text path = {f->path.at, f->path.len};
    struct lane *l = &f->source.lanes[0];
    /* a hand-over inside lane_add ends before this message: message_at is still the last one's */
    (void)lane_add(l, message, path, now_us, flags & FRAMER_TRUNCATED);
    f->message_at = behind;
}

/* Reads what is there; true while there is more. */
static bool read_some(struct file_door *f)
{
    if (f->fd < 0 || !lane_ready(&f->source.lanes[0]))
        return false;
    ssize_t n = pread(f->fd, f->chunk, READ_BYTES, (off_t)f->offset);
    if (n <= 0)
        return false;
    struct text chunk = {f->chunk, (size_t)n};
    struct text message;
    uint32_t flags = 0;
    int64_t now_us = timestamp_now_us();
    f->offset += (uint64_t)n;
    while (framer_next(&f->framer, &chunk, &message, &flags))
        give(f, message, flags, f->offset - chunk.len, now_us);
    return true;
}

static void leave_file(struct file_door *f)
{
    struct text message;
    uint32_t flags = 0;
    if (framer_end(&f->framer, &message, &flags))
        give(f, message, 0, f->offset, timestamp_now_us()); /* a last line without its end */
    lane_put(&f->source.lanes[0]);                          /* its place belongs to this file */
    (void)close(f->fd);
    f->fd = -1;
}

static void look(struct file_door *f)
{
    struct stat at_path, open_one;
    bool is_there = stat(f->path.at, &at_path) == 0;
    if (f->fd < 0) {
        if (is_there)
            open_path(f, false);
        return;
    }
    if (fstat(f->fd, &open_one) != 0)
        return;
    if ((uint64_t)open_one.st_size < f->offset) {
        lane_count_add(&f->truncations, 1);
        begin(f, 0);
    } else if (is_there && at_path.st_ino != f->inode && (uint64_t)open_one.st_size == f->offset) {
        lane_count_add(&f->rotations, 1);
        leave_file(f);
        open_path(f, false);
    }
}

static void *run(void *context)
{
    struct file_door *f = context;
    struct source *s = &f->source;
    struct pollfd stop = {.fd = s->stop_fd, .events = POLLIN};
    open_path(f, true);
    while (!source_is_stopping(s)) {
        if (read_some(f))
            continue;
        lane_put(&s->lanes[0]);
        save(f);
        (void)poll(&stop, 1, LOOK_MS);
        look(f);
    }
    lane_fini(&s->lanes[0]);
    return NULL;
}

static enum status open_file(struct source *s, struct error *err)
{
    struct file_door *f = CONTAINER_OF(s, struct file_door, source);
    f->fd = -1;
    framer_init(&f->framer, s->max_message_bytes);
    if (!f->path.len)
        return error_set(err, STATUS_INVALID, 0, "path: want the file to follow");
    int fd = open(f->path.at, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
    if (fd < 0 && errno != ENOENT) /* one that is not there yet may come */
        return error_set(err, STATUS_IO, 0, "%s: %s", f->path.at, strerrordesc_np(errno));
    if (fd >= 0)
        (void)close(fd);
    f->chunk = malloc(READ_BYTES);
    f->mark = calloc(1, sizeof *f->mark);
    if (!f->chunk || !f->mark)
        return error_set(err, STATUS_NOMEM, 0, "no memory to read a file");
    atomic_store_explicit(&f->mark->refs, 1, memory_order_relaxed);
    s->lanes[0].seal = seal;
    s->lanes[0].seal_context = f;
    (void)snprintf(s->address, sizeof s->address, "%.*s", TEXT_ARG(f->path));
    return STATUS_OK;
}

static enum status start_file(struct source *s, struct error *err)
{
    struct file_door *f = CONTAINER_OF(s, struct file_door, source);
    if (pthread_create(&f->thread, NULL, run, f))
        return error_set(err, STATUS_NOMEM, 0, "no memory for a reading thread");
    f->is_threaded = true;
    return STATUS_OK;
}

static void stop_file(struct source *s)
{
    struct file_door *f = CONTAINER_OF(s, struct file_door, source);
    struct pollfd nothing = {.fd = -1};
    if (f->is_threaded)
        (void)pthread_join(f->thread, NULL);
    f->is_threaded = false;
    /* what was handed over is durable soon: remember that place and not an earlier one */
    for (int i = 0;
         i < OWED_MS / 5 && atomic_load_explicit(&f->mark->refs, memory_order_relaxed) > 1; i++)
        (void)poll(&nothing, 1, 5);
    save(f);
}

static void close_file(struct source *s)
{
    struct file_door *f = CONTAINER_OF(s, struct file_door, source);
    if (f->fd >= 0)
        (void)close(f->fd);
    framer_fini(&f->framer);
    free(f->chunk);
    unref(f->mark);
}

static void file_metrics(const struct source *s, metric_fn tell, void *context)
{
    const struct file_door *f = (const void *)s;
    tell(context,
         &(struct metric){"source_rotations_total", "Times another file took its place.", s->labels,
                          METRIC_COUNTER, (double)lane_count_read(&f->rotations)});
    tell(context,
         &(struct metric){"source_truncations_total", "Times the file became shorter.", s->labels,
                          METRIC_COUNTER, (double)lane_count_read(&f->truncations)});
}

static const char *const starts[] = {"beginning", "end", NULL};
static const char *const ends[] = {"lf", "nul", NULL};

static const struct option rows[] = {
    {"path", OPTION_TEXT, offsetof(struct file_door, path), "", 0, 0, NULL, "the file"},
    {"from", OPTION_CHOICE, offsetof(struct file_door, is_from_end), "end", 0, 0, starts,
     "where to begin without a remembered place"},
    {"framing", OPTION_CHOICE, offsetof(struct file_door, is_nul), "lf", 0, 0, ends,
     "what ends a message"},
    {"state", OPTION_TEXT, offsetof(struct file_door, state), "", 0, 0, NULL,
     "file that remembers the place over restarts; empty: it is forgotten"},
};

const struct source_type source_file_type = {
    .key = "file",
    .kind = "file",
    .help = "a log file, followed over rotation and truncation",
    .size_bytes = sizeof(struct file_door),
    .format = "auto",
    .options = rows,
    .option_count = sizeof rows / sizeof *rows,
    .open = open_file,
    .start = start_file,
    .stop = stop_file,
    .close = close_file,
    .metrics = file_metrics,
};
