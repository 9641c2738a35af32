/* SPDX-License-Identifier: Apache-2.0 */
#include "journal/journal_repair.h"
#include "base/log.h"
#include "base/timestamp.h"
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

void journal_repair_tell(uint64_t first_position, const struct journal_damage *damage)
{
    char name[JOURNAL_DIR_NAME];
    journal_dir_name(first_position, name);
    if (damage->to_position > damage->from_position)
        log_line(LOG_WARNING,
                 "the journal is damaged and records are lost file=%s from_byte=%" PRIu64
                 " to_byte=%" PRIu64 " from_position=%" PRIu64 " to_position=%" PRIu64,
                 name, damage->from_byte, damage->to_byte, damage->from_position,
                 damage->to_position - 1);
    else
        log_line(LOG_WARNING,
                 "the journal has bytes that are no block file=%s from_byte=%" PRIu64
                 " to_byte=%" PRIu64,
                 name, damage->from_byte, damage->to_byte);
}

/* Cuts what stands behind the last whole block. */
static enum status cut(int dir_fd, uint64_t first_position, const struct journal_damage *tail,
                       struct error *err)
{
    if (tail->to_byte == tail->from_byte)
        return STATUS_OK;
    char name[JOURNAL_DIR_NAME];
    journal_dir_name(first_position, name);
    int fd = openat(dir_fd, name, O_WRONLY | O_CLOEXEC);
    int failed = fd < 0 || ftruncate(fd, (off_t)tail->from_byte) != 0 || fsync(fd) != 0;
    if (fd >= 0)
        (void)close(fd);
    if (failed)
        return error_set(err, STATUS_IO, 0, "cannot repair journal file %s: %s", name,
                         strerrordesc_np(errno));
    log_line(LOG_WARNING,
             "the journal's end was torn and has been cut off file=%s from_byte=%" PRIu64
             " bytes=%" PRIu64,
             name, tail->from_byte, tail->to_byte - tail->from_byte);
    return STATUS_OK;
}

/* Without header and first block nothing can be told apart: kept for a person to look at. */
static enum status put_aside(int dir_fd, uint64_t first_position, const struct journal_damage *tail,
                             struct error *err)
{
    if (tail->to_byte == tail->from_byte)
        return STATUS_OK; /* nothing but a header: it will be written again */
    char name[JOURNAL_DIR_NAME];
    char aside[JOURNAL_DIR_NAME + 8];
    journal_dir_name(first_position, name);
    (void)snprintf(aside, sizeof aside, "%s.damaged", name);
    if (renameat(dir_fd, name, dir_fd, aside) != 0)
        return error_set(err, STATUS_IO, 0, "cannot rename journal file %s: %s", name,
                         strerrordesc_np(errno));
    log_line(LOG_ERROR, "a journal file cannot be read and is put aside file=%s", aside);
    return STATUS_OK;
}

/* What one start reads, and with what. */
struct repair {
    struct journal_dir *dir;
    struct journal_zip *zip;
    struct journal_marks *marks;
    struct batch *scratch;
    struct journal_past past;
};

static enum status note_block(struct repair *r, const struct segment_block *block,
                              struct text plain)
{
    int64_t us = block->journal_us;
    uint32_t count = 0;
    enum status status = STATUS_OK;
    if (block->kind == SEGMENT_MARKS)
        status = journal_marks_read(r->marks, plain);
    else
        status = segment_unpack(block, plain, 0, r->scratch->records, &count);
    if (count > 0) {
        us = r->scratch->records[count - 1].journal_us;
        journal_marks_take(r->marks, r->scratch->records, count);
    }
    if (us > r->past.time_us)
        r->past.time_us = us;
    if (block->epoch > r->past.epoch)
        r->past.epoch = block->epoch;
    return status;
}

/* Reads one file to its end. */
static enum status walk_file(struct repair *r, struct journal_walk *w, struct journal_damage *tail)
{
    for (;;) {
        struct segment_block block;
        struct text plain;
        batch_reset(r->scratch);
        enum status status = journal_walk_next(w, &r->scratch->arena, &block, &plain, tail);
        if (status == STATUS_SYNTAX) {
            journal_repair_tell(w->header.first_position, tail);
            continue;
        }
        if (!status)
            status = note_block(r, &block, plain);
        if (status)
            return status == STATUS_AGAIN ? STATUS_OK : status;
    }
}

static enum status repair_file(struct repair *r, size_t i, struct error *err)
{
    struct journal_dir *dir = r->dir;
    struct journal_walk w;
    struct journal_damage tail = {0};
    enum status status = journal_walk_open(&w, dir->fd, dir->items[i], r->zip, err);
    if (status)
        return status;
    w.header.first_position = dir->items[i];
    if (i + 1 < dir->count)
        w.ceiling = dir->items[i + 1];
    if (w.is_header_damaged)
        journal_repair_tell(dir->items[i],
                            &(struct journal_damage){.to_byte = SEGMENT_HEADER_BYTES});
    else if (w.header.journal_us > r->past.time_us)
        r->past.time_us = w.header.journal_us;
    status = walk_file(r, &w, &tail);
    if (w.next_position > r->past.next_position)
        r->past.next_position = w.next_position;
    journal_walk_close(&w);
    if (status)
        return error_set(err, status, 0, "cannot read the journal: %s", error_name(status));
    return w.has_salt ? cut(dir->fd, dir->items[i], &tail, err)
                      : put_aside(dir->fd, dir->items[i], &tail, err);
}

/* Whether the file begins with its marks: then no file before it is needed for them. */
static bool has_marks(struct repair *r, size_t i)
{
    struct journal_walk w;
    if (journal_walk_open(&w, r->dir->fd, r->dir->items[i], r->zip, NULL) != STATUS_OK)
        return false;
    struct segment_block block;
    struct text plain;
    struct journal_damage damage;
    batch_reset(r->scratch);
    bool is_there =
        journal_walk_next(&w, &r->scratch->arena, &block, &plain, &damage) == STATUS_OK &&
        block.kind == SEGMENT_MARKS;
    journal_walk_close(&w);
    return is_there;
}

/* Headers alone: an epoch must never come twice, whatever happened to the last file. The instance
 * is found there too. */
static enum status read_epochs(const struct journal_dir *dir, struct journal_zip *zip,
                               struct journal_past *past, struct error *err)
{
    for (size_t i = 0; i < dir->count; i++) {
        struct journal_walk w;
        enum status status = journal_walk_open(&w, dir->fd, dir->items[i], zip, err);
        if (status)
            return status;
        if (w.has_salt && w.header.epoch > past->epoch)
            past->epoch = w.header.epoch;
        if (w.has_salt && w.header.instance)
            past->instance = w.header.instance;
        journal_walk_close(&w);
    }
    return STATUS_OK;
}

enum status journal_repair(struct journal_dir *dir, struct journal_zip *zip,
                           struct journal_marks *marks, struct journal_past *out, struct error *err)
{
    AUTO(batch) scratch = batch_new();
    if (!scratch)
        return error_set(err, STATUS_NOMEM, 0, "no memory to read the journal");
    struct repair r = {
        .dir = dir,
        .zip = zip,
        .marks = marks,
        .scratch = scratch,
        .past = {.next_position = 1, .time_us = TIMESTAMP_NONE},
    };
    enum status status = read_epochs(dir, zip, &r.past, err);
    size_t first = dir->count;
    while (first > 0 && !has_marks(&r, --first))
        continue;
    for (size_t i = first; i < dir->count && !status; i++)
        status = repair_file(&r, i, err);
    if (!status)
        *out = r.past;
    return status;
}
