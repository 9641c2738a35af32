/* SPDX-License-Identifier: Apache-2.0 */
#include "sinks/sink_file.h"
#include "base/buffer.h"
#include "sinks/envelope.h"
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { TAIL_BYTES = 4 << 20, LINE_BYTES = 4 << 20, MODE = 0640 };

struct file_options {
    struct sink_common common;
    struct text path;
};
static const struct option rows[] = {
    {"path", OPTION_TEXT, offsetof(struct file_options, path), "incidents.jsonl", 0, 0, NULL,
     "Where the lines go; relative to the data folder."},
};

struct sink_file {
    char path[PATH_MAX];
    int fd; /* -1: not open */
    dev_t device;
    ino_t inode;
    struct buffer line;
};

static void shut(struct sink_file *f)
{
    if (f->fd >= 0)
        (void)close(f->fd);
    f->fd = -1;
}

/* A crash can leave half a line: it gets its end, so that the next one stands alone. */
static bool mend(struct sink_file *f)
{
    off_t size = lseek(f->fd, 0, SEEK_END);
    char last = '\n';
    if (size > 0 && pread(f->fd, &last, 1, size - 1) != 1)
        return false;
    return last == '\n' || write(f->fd, "\n", 1) == 1;
}

/* Open, and still the file of that name: logrotate may have moved it away. */
static bool ensure_open(struct sink_file *f)
{
    struct stat now;
    if (f->fd >= 0 && stat(f->path, &now) == 0 && now.st_dev == f->device && now.st_ino == f->inode)
        return true;
    shut(f);
    f->fd = open(f->path, O_RDWR | O_APPEND | O_CREAT | O_CLOEXEC, MODE);
    if (f->fd < 0)
        return false;
    if (fstat(f->fd, &now) != 0 || !mend(f)) {
        shut(f);
        return false;
    }
    f->device = now.st_dev;
    f->inode = now.st_ino;
    return true;
}

/* Whether the line was written before the program died: its id is in the file's tail. */
static bool has_line(const struct sink_file *f, struct text id)
{
    off_t size = lseek(f->fd, 0, SEEK_END);
    off_t from = size > TAIL_BYTES ? size - TAIL_BYTES : 0;
    size_t len = (size_t)(size - from);
    char *tail = malloc(len + 1);
    char key[128];
    int key_len = snprintf(key, sizeof key, "\"id\":\"%.*s\"", TEXT_ARG(id));
    if (!tail || key_len < 0 || (size_t)key_len >= sizeof key) {
        free(tail);
        return false;
    }
    ssize_t got = pread(f->fd, tail, len, from);
    struct text seen = {tail, got > 0 ? (size_t)got : 0};
    bool is_found = text_find(seen, (struct text){key, (size_t)key_len}) < seen.len;
    free(tail);
    return is_found;
}

/* The whole line or nothing: a disk that fills up midway must leave no half line behind. */
static bool append(struct sink_file *f)
{
    off_t before = lseek(f->fd, 0, SEEK_END);
    size_t done = 0;
    while (done < f->line.len) {
        ssize_t n = write(f->fd, f->line.at + done, f->line.len - done);
        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            break;
        done += (size_t)n;
    }
    if (done == f->line.len && fdatasync(f->fd) == 0)
        return true;
    int reason = errno;
    if (before < 0 || ftruncate(f->fd, before) != 0)
        shut(f); /* the next open mends the tail */
    errno = reason;
    return false;
}

static void sink_attempt(void *sink, const struct delivery *d, int64_t now_us, struct attempt *out)
{
    (void)now_us;
    struct sink_file *f = sink;
    if (!ensure_open(f)) {
        kind_tell(out, DELIVERY_FAILED_TEMP, "cannot open the file: %s", strerrordesc_np(errno));
        out->is_down = true;
        return;
    }
    if (d->may_be_duplicate && has_line(f, d->id)) {
        kind_tell(out, DELIVERY_DELIVERED, "was there already");
        return;
    }
    buffer_clear(&f->line);
    envelope_write(d, &f->line);
    buffer_byte(&f->line, '\n');
    if (f->line.has_failed) {
        kind_tell(out, DELIVERY_FAILED_PERM, "the document is larger than a line may be");
        return;
    }
    if (append(f)) {
        kind_tell(out, DELIVERY_DELIVERED, "%zu bytes", f->line.len);
        return;
    }
    kind_tell(out, DELIVERY_FAILED_TEMP, "cannot write: %s", strerrordesc_np(errno));
    out->is_down = true;
}

static void sink_close(void *sink)
{
    struct sink_file *f = sink;
    if (!f)
        return;
    shut(f);
    buffer_fini(&f->line);
    free(f);
}

static enum status sink_open(const struct kind_setting *setting, void **out, struct error *err)
{
    const struct file_options *o = setting->options;
    struct sink_file *f = calloc(1, sizeof *f);
    if (!f)
        return error_set(err, STATUS_NOMEM, 0, "no memory for a file sink");
    f->fd = -1;
    buffer_init(&f->line, LINE_BYTES);
    bool is_relative = !text_starts(o->path, TEXT("/")) && setting->data_dir;
    int len = snprintf(f->path, sizeof f->path, "%s%s%.*s", is_relative ? setting->data_dir : "",
                       is_relative ? "/" : "", TEXT_ARG(o->path));
    bool fits = o->path.len > 0 && len > 0 && (size_t)len < sizeof f->path;
    /* a path that cannot be opened is said at the start, not at the first incident */
    if (fits && (setting->is_check || ensure_open(f))) {
        *out = f;
        return STATUS_OK;
    }
    enum status status =
        fits ? error_set(err, STATUS_IO, 0, "cannot open %.150s: %s", f->path,
                         strerrordesc_np(errno))
             : error_set(err, STATUS_INVALID, 0, "the path of a file sink is empty or too long");
    sink_close(f);
    return status;
}

const struct sink_kind sink_file_kind = {
    .name = "file",
    .help = "JSON Lines in a file, on disk before a delivery counts.",
    .options = rows,
    .option_count = sizeof rows / sizeof *rows,
    .options_size = sizeof(struct file_options),
    .open = sink_open,
    .attempt = sink_attempt,
    .close = sink_close,
};
