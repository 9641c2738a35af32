/* SPDX-License-Identifier: Apache-2.0 */
#include "base/wall_clock.h"
#include "ingest/door/json_list.h"
#include "ingest/door/json_parts.h"
#include "ingest/file/inflate.h"
#include "ingest/ingest.h"
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum {
    FILE_READ_BYTES = 128 * 1024,   /* asked of the system at once */
    FILE_WINDOW_BYTES = 512 * 1024, /* decompressed, lines are found in it */
    FILE_LINE_BYTES = 64 * 1024,    /* kept of one record */
    LIST_HEAD_BYTES = 4096,         /* within these a list around all events begins */
};

/* Where in a document around a list the window begins. */
enum list_state {
    LIST_MAYBE,  /* at a start: look */
    LIST_ITEMS,  /* inside the list */
    LIST_ROW,    /* objects one behind the other, broken into lines */
    LIST_BEHIND, /* behind its bracket */
    LIST_NONE,   /* lines */
};

/* Its owner's thread only. */
struct file_reader {
    int fd;
    bool has_nul_frames;
    bool is_end;      /* the file gave its last byte */
    bool is_skipping; /* inside a record that was given cut */
    char shown[240];  /* its path, for messages */
    struct inflate *inflate;
    char *raw;        /* FILE_READ_BYTES as they are in the file */
    struct text left; /* what of them is not yet decompressed */
    char *window;     /* FILE_WINDOW_BYTES */
    size_t from, to;  /* bytes in use */
    enum list_state list_state;
    struct json_list list;
    size_t scanned;        /* bytes of the item that begins at `from` */
    struct text waiting;   /* a message of several events that found no room in a batch */
    struct buffer scratch; /* for events that are built out of one */
    uint64_t line;
    uint64_t bytes;      /* decompressed */
    uint64_t size_bytes; /* of a regular file, else 0 */
    uint64_t read_bytes;
    int64_t receive_us;
    enum status broken; /* said once the records before it were given */
    struct error why;
};

void file_reader_free(struct file_reader *r)
{
    if (!r)
        return;
    if (r->fd > STDIN_FILENO)
        (void)close(r->fd);
    inflate_free(r->inflate);
    free(r->raw);
    free(r->window);
    buffer_fini(&r->scratch);
    free(r);
}

static enum status system_error(struct file_reader *r, const char *what, struct error *err)
{
    char reason[128];
    int code = errno;
    return error_set(err, STATUS_IO, 0, "%s: cannot %s: %s", r->shown, what,
                     strerror_r(code, reason, sizeof reason));
}

static enum status read_raw(struct file_reader *r, struct error *err)
{
    ssize_t n = 0;
    do
        n = read(r->fd, r->raw, FILE_READ_BYTES);
    while (n < 0 && errno == EINTR);
    if (n < 0)
        return system_error(r, "read", err);
    r->left = (struct text){r->raw, (size_t)n};
    r->read_bytes += (uint64_t)n;
    return STATUS_OK;
}

static void skip_byte_order_mark(struct file_reader *r)
{
    struct text all = {r->window, r->to};
    if (r->bytes == r->to && text_starts(all, TEXT("\xEF\xBB\xBF")))
        r->from = 3;
}

/* More decompressed bytes behind those that are left of the window, which move to its front. */
static enum status fill(struct file_reader *r, struct error *err)
{
    if (r->from)
        memmove(r->window, r->window + r->from, r->to - r->from);
    r->to -= r->from;
    r->from = 0;
    size_t got = 0;
    while (!got) {
        if (!r->left.len) {
            enum status s = read_raw(r, err);
            if (s)
                return s;
            r->is_end = !r->left.len;
        }
        enum status s = inflate_run(r->inflate, &r->left, r->window + r->to,
                                    FILE_WINDOW_BYTES - r->to, &got, err);
        if (s)
            return error_prefix(err, "%s", r->shown);
        if (r->is_end && !got) /* a decompressor may hold back a last piece */
            break;
    }
    if (!got && !inflate_is_whole(r->inflate))
        return error_set(err, STATUS_SYNTAX, 0, "%s: the compressed file is cut short", r->shown);
    r->is_end = r->is_end && !got;
    bool is_first = r->bytes == 0;
    r->bytes += got;
    r->to += got;
    if (is_first)
        skip_byte_order_mark(r);
    return STATUS_OK;
}

static enum status open_path(struct file_reader *r, const char *path, struct error *err)
{
    bool is_stdin = strcmp(path, "-") == 0;
    r->fd = is_stdin ? STDIN_FILENO : open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
    if (r->fd < 0)
        return system_error(r, "open", err);
    struct stat info;
    if (fstat(r->fd, &info))
        return system_error(r, "look at", err);
    if (S_ISDIR(info.st_mode))
        return error_set(err, STATUS_INVALID, 0, "%s: is a folder, not a file", r->shown);
    r->receive_us = wall_clock_us();
    if (S_ISREG(info.st_mode)) {
        /* The last write is near to the last line, and the same at each replay. */
        r->receive_us = (int64_t)info.st_mtim.tv_sec * 1000000 + info.st_mtim.tv_nsec / 1000;
        r->size_bytes = (uint64_t)info.st_size;
    }
    return STATUS_OK;
}

static enum status open_all(struct file_reader *r, const char *path, struct error *err)
{
    enum status s = open_path(r, path, err);
    if (s)
        return s;
    r->raw = malloc(FILE_READ_BYTES);
    r->window = malloc(FILE_WINDOW_BYTES);
    if (!r->raw || !r->window)
        return error_set(err, STATUS_NOMEM, 0, "%s: no memory to read it", r->shown);
    s = read_raw(r, err);
    return s ? s : inflate_new(r->left, &r->inflate, err);
}

enum status file_reader_open(const char *path, bool has_nul_frames, struct file_reader **out,
                             struct error *err)
{
    AUTO(file_reader) r = calloc(1, sizeof *r);
    if (!r)
        return error_set(err, STATUS_NOMEM, 0, "%s: no memory to read it", path);
    r->fd = -1;
    buffer_init(&r->scratch, FILE_WINDOW_BYTES);
    r->has_nul_frames = has_nul_frames;
    struct text name = text_head(text_of(path), sizeof r->shown - 1);
    memcpy(r->shown, name.at, name.len);
    enum status s = open_all(r, path, err);
    if (s)
        return s;
    *out = MOVE(r);
    return STATUS_OK;
}

/* The next item of a list; as find_line. False with list_state not LIST_ITEMS: its end. */
static bool find_item(struct file_reader *r, struct text *out, bool *out_is_cut)
{
    for (;;) {
        struct text rest = {r->window + r->from, r->to - r->from};
        if (!r->scanned && !r->is_skipping) {
            r->from += json_list_space(rest);
            rest = (struct text){r->window + r->from, r->to - r->from};
            r->list = (struct json_list){0};
        }
        if (rest.len && rest.at[0] == ']' && !r->scanned && !r->is_skipping) {
            r->from++;
            r->list_state = LIST_BEHIND;
            return false;
        }
        const bool is_row = r->list_state == LIST_ROW;
        if (is_row && rest.len && rest.at[0] != '{' && !r->scanned && !r->is_skipping) {
            r->list_state = LIST_NONE;
            return false;
        }
        bool is_whole = is_row ? json_list_scan_object(&r->list, rest, &r->scanned)
                               : json_list_scan(&r->list, rest, &r->scanned);
        if (!is_whole && !r->is_end && !r->is_skipping && r->scanned <= FILE_LINE_BYTES)
            return false;
        if (!rest.len)
            return false;
        bool was_skipping = r->is_skipping;
        r->is_skipping = !is_whole && !r->is_end;
        *out = text_trim(text_head(rest, r->scanned));
        r->from += r->scanned;
        r->scanned = 0;
        if (was_skipping)
            continue;
        r->line++;
        *out_is_cut = out->len > FILE_LINE_BYTES;
        *out = text_head(*out, FILE_LINE_BYTES);
        return true;
    }
}

/* True where what comes is read as lines; false: more bytes are needed to know. */
static bool is_at_lines(struct file_reader *r)
{
    struct text rest = {r->window + r->from, r->to - r->from};
    size_t len = 0;
    if (r->list_state == LIST_BEHIND) { /* the object's end; what else stands there is a line */
        while (rest.len && (*rest.at == ' ' || *rest.at == '\n' || *rest.at == '\r'))
            rest = text_skip(rest, 1);
        r->from = r->to - rest.len;
        if (!rest.len)
            return false;
        r->from += *rest.at == '}';
        r->list_state = LIST_MAYBE; /* several documents may stand behind each other */
        rest = (struct text){r->window + r->from, r->to - r->from};
    }
    enum json_list_head head = r->has_nul_frames ? JSON_LIST_NONE : json_list_look(rest, &len);
    if (head == JSON_LIST_MORE && !r->is_end && rest.len < LIST_HEAD_BYTES)
        return false;
    r->list_state = head == JSON_LIST_HEAD  ? LIST_ITEMS
                    : head == JSON_LIST_ROW ? LIST_ROW
                                            : LIST_NONE;
    r->from += head == JSON_LIST_HEAD ? len : 0;
    return true;
}

/*
 * The next line in the window, without its end. False: more bytes are needed. A record longer
 * than the limit is given as soon as the limit is met, whether its end is in the window or not.
 */
static bool find_line(struct file_reader *r, struct text *out, bool *out_is_cut)
{
    char end = r->has_nul_frames ? '\0' : '\n';
    for (;;) {
        struct text rest = {r->window + r->from, r->to - r->from};
        size_t len = text_find_byte(rest, end);
        bool is_whole = len < rest.len;
        if (!is_whole && !r->is_end && !r->is_skipping && len <= FILE_LINE_BYTES + 1)
            return false;
        if (!rest.len)
            return false;
        bool was_skipping = r->is_skipping;
        r->is_skipping = !is_whole && !r->is_end;
        r->from += len + (is_whole ? 1 : 0);
        if (was_skipping)
            continue;
        r->line++;
        *out = text_head(rest, len);
        if (!r->has_nul_frames && out->len && out->at[out->len - 1] == '\r')
            out->len--;
        *out_is_cut = out->len > FILE_LINE_BYTES;
        *out = text_head(*out, FILE_LINE_BYTES);
        if (out->len)
            return true;
    }
}

static bool find_record(struct file_reader *r, struct text *out, bool *out_is_cut)
{
    for (;;) {
        if (r->list_state == LIST_NONE)
            return find_line(r, out, out_is_cut);
        const bool is_inside = r->list_state == LIST_ITEMS || r->list_state == LIST_ROW;
        if (!is_inside && !is_at_lines(r))
            return false;
        if (r->list_state == LIST_NONE)
            continue;
        if (find_item(r, out, out_is_cut))
            return true;
        if (r->list_state == LIST_ITEMS || r->list_state == LIST_ROW)
            return false;
    }
}

static bool add_record(struct file_reader *r, struct text raw, bool is_cut, struct batch *out)
{
    struct record *record = batch_add(out, raw);
    if (!record)
        return false;
    record->position = r->line;
    record->receive_us = r->receive_us;
    record->journal_us = r->receive_us;
    record->flags = is_cut ? (uint32_t)RECORD_TRUNCATED : 0;
    return true;
}

struct filling {
    struct file_reader *reader;
    struct batch *out;
    uint32_t parts;
    bool is_full;
};

/* The first part has the message's number, each one behind it the next. */
static bool add_part(void *context, struct text part)
{
    struct filling *f = context;
    f->reader->line += f->parts++ != 0;
    f->is_full = !add_record(f->reader, part, false, f->out);
    return !f->is_full;
}

/* False: no memory. A message whose events find no room in this batch waits for the next one. */
static bool add_message(struct file_reader *r, struct text raw, bool is_cut, struct batch *out)
{
    const uint32_t parts = is_cut || !json_parts_may_be(raw)
                               ? 0
                               : json_parts_walk(raw, RECORD_PARTS, &r->scratch, NULL, NULL);
    struct filling f = {.reader = r, .out = out};
    if (!parts || (parts > 1 && r->has_nul_frames)) /* who frames by NUL counts its own records */
        return add_record(r, raw, is_cut, out);
    if (out->count + parts > BATCH_RECORDS)
        r->waiting = raw;
    else
        (void)json_parts_walk(raw, RECORD_PARTS, &r->scratch, add_part, &f);
    return !f.is_full;
}

enum status file_reader_next(struct file_reader *r, struct batch *out, struct error *err)
{
    batch_reset(out);
    while (!batch_is_full(out) && (!r->waiting.at || !out->count)) {
        struct text raw = r->waiting;
        bool is_cut = false;
        r->waiting = TEXT_NONE;
        if (!raw.at && !find_record(r, &raw, &is_cut)) {
            bool may_wait = r->size_bytes == 0 && r->left.len == 0; /* a pipe, a terminal */
            if (r->is_end || r->broken || (may_wait && out->count))
                break;
            r->broken = fill(r, &r->why);
            r->is_end = r->is_end || r->broken; /* what came before the damage is given */
            continue;
        }
        if (!add_message(r, raw, is_cut, out))
            return error_set(err, STATUS_NOMEM, 0, "%s: no memory for a record", r->shown);
    }
    if (out->count)
        return STATUS_OK;
    if (!r->broken)
        return STATUS_AGAIN;
    return error_set(err, r->broken, 0, "%s", r->why.text);
}

uint64_t file_reader_bytes(const struct file_reader *r)
{
    return r->bytes;
}

double file_reader_progress(const struct file_reader *r)
{
    if (!r->size_bytes)
        return -1;
    double share = (double)r->read_bytes / (double)r->size_bytes;
    return share < 1 ? share : 1;
}
