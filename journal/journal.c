/* SPDX-License-Identifier: Apache-2.0 */
#include "journal/journal.h"
#include "base/log.h"
#include "base/timestamp.h"
#include "journal/crc.h"
#include "journal/journal_block.h"
#include "journal/journal_counters.h"
#include "journal/journal_dir.h"
#include "journal/journal_file.h"
#include "journal/journal_marks.h"
#include "journal/journal_repair.h"
#include "journal/journal_stock.h"
#include "journal/journal_zip.h"
#include "journal/segment.h"
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/random.h>
#include <sys/statvfs.h>
#include <unistd.h>

enum {
    SEGMENT_LEAST_BYTES = 64 * 1024,
    SEGMENT_USUAL_BYTES = 128 << 20,
    AHEAD_BYTES = 8 << 20,
    LOOK_BYTES = 1 << 20, /* free space is looked at each time so much was appended */
    AGE_FILES = 8,        /* retention by age works in steps of an eighth */
};

struct journal {
    struct journal_options options; /* without its dir */
    struct journal_dir dir;
    int lock_fd;
    struct journal_stock stock;
    struct journal_file file; /* fd -1: the disk refused a new one so far */
    struct journal_zip *zip;
    struct journal_marks *marks, *marks_before; /* now; as they were at the open, never changed */
    struct journal_block block;                 /* the one that is about to be written */
    uint64_t looked_at; /* offset in `file` when free space was last looked at */
    _Atomic int64_t time_us;
    uint64_t instance; /* 64 random bits, made with the journal and in each of its headers */

    /* What the last sync made durable. */
    uint64_t synced_position, synced_offset;
    int64_t synced_us;
    bool must_move; /* a sync of the file failed: it may not be asked again */

    counter removable;
    struct journal_counters counters;
};

uint64_t journal_next_position(const struct journal *j)
{
    return counter_get(&j->counters.next_position);
}

uint64_t journal_instance(const struct journal *j)
{
    return j->instance;
}

uint32_t journal_epoch(const struct journal *j)
{
    return (uint32_t)counter_get(&j->counters.epoch);
}

int64_t journal_time_us(const struct journal *j)
{
    return j->time_us;
}

void journal_allow_removal(struct journal *j, uint64_t position)
{
    counter_set(&j->removable, position);
}

void journal_skip_to(struct journal *j, uint64_t position)
{
    if (position > counter_get(&j->counters.next_position))
        counter_set(&j->counters.next_position, position);
}

/* Space is taken in steps, not a whole segment at once: a small disk keeps room for its others. */
static uint64_t ahead_bytes(const struct journal *j)
{
    return j->options.segment_bytes < AHEAD_BYTES ? j->options.segment_bytes : AHEAD_BYTES;
}

static void remember_sync(struct journal *j)
{
    j->synced_position = counter_get(&j->counters.next_position);
    j->synced_offset = j->file.offset;
    j->synced_us = j->time_us;
}

/* A file's first block: what the journal knows of numbered streams so far. */
static enum status write_marks(struct journal *j, struct journal_file *f, struct error *err)
{
    struct segment_block head = {
        .salt = f->salt,
        .first_position = f->first_position,
        .journal_us = f->journal_us,
        .instance = j->instance,
        .epoch = journal_epoch(j),
    };
    enum status status = journal_block_pack_marks(&j->block, j->marks, &head);
    if (status)
        return error_set(err, status, 0, "no memory for the journal's marks");
    status = journal_file_append(f, buffer_text(&j->block.bytes), err);
    f->empty_bytes = f->offset;
    return status;
}

/* The next file. The one before stays in use until the new one is there. */
static enum status begin_file(struct journal *j, struct error *err)
{
    struct segment_header header = {
        .first_position = counter_get(&j->counters.next_position),
        .journal_us = j->time_us,
        .instance = j->instance,
        .epoch = journal_epoch(j),
    };
    struct journal_file next;
    uint64_t last_bytes = j->file.fd < 0 ? 0 : j->file.offset;
    enum status status = journal_file_create(&next, j->dir.fd, &header, err);
    if (status)
        return status;
    status = write_marks(j, &next, err);
    if (!status)
        status = journal_file_publish(&next, j->dir.fd, err);
    if (!status)
        status = journal_stock_add(&j->stock, last_bytes, header.first_position, j->time_us);
    if (status) {
        journal_file_abandon(&next, j->dir.fd);
        return status;
    }
    journal_file_close(&j->file);
    j->file = next;
    j->file.ahead_bytes = ahead_bytes(j);
    j->looked_at = 0;
    remember_sync(j);
    return STATUS_OK;
}

static void clean_up(struct journal *j)
{
    struct journal_limits limits = {
        .max_bytes = j->options.max_bytes,
        .max_age_us = j->options.max_age_us,
        .removable = counter_get(&j->removable),
    };
    size_t removed = journal_stock_remove(&j->stock, &j->dir, &limits, j->file.offset, j->time_us);
    counter_add(&j->counters.removed, removed);
    counter_set(&j->counters.stock_bytes, j->stock.bytes + j->file.offset);
    counter_set(&j->counters.stock_files, j->stock.count);
}

/* FULL while the disk has less than the reserve (and what is about to be written). */
static enum status look_at_space(struct journal *j, size_t more, struct error *err)
{
    bool was_full = counter_get(&j->counters.is_full) != 0;
    if (!was_full && j->looked_at != 0 && j->file.offset - j->looked_at < LOOK_BYTES)
        return STATUS_OK;
    struct statvfs fs;
    if (fstatvfs(j->dir.fd, &fs) != 0)
        return error_set(err, STATUS_IO, 0, "cannot ask for the journal's free space: %s",
                         strerrordesc_np(errno));
    uint64_t free_bytes = (uint64_t)fs.f_bavail * fs.f_frsize;
    bool is_full = j->options.reserve_bytes > 0 && free_bytes < j->options.reserve_bytes + more;
    counter_set(&j->counters.free_bytes, free_bytes);
    counter_set(&j->counters.is_full, is_full);
    j->looked_at = j->file.offset;
    if (!is_full)
        return STATUS_OK;
    return error_set(err, STATUS_FULL, 0,
                     "the journal stops: %" PRIu64 " bytes are free, %" PRIu64 " stay reserved",
                     free_bytes, j->options.reserve_bytes);
}

static bool must_rotate(const struct journal *j)
{
    if (j->file.offset == j->file.empty_bytes)
        return false;
    int64_t step_us = j->options.max_age_us / AGE_FILES;
    bool is_old = step_us > 0 && j->file.journal_us != TIMESTAMP_NONE &&
                  j->time_us - step_us > j->file.journal_us;
    return is_old || j->file.offset >= j->options.segment_bytes;
}

static enum status make_room(struct journal *j, size_t more, struct error *err)
{
    enum status status = look_at_space(j, more, err);
    if (!status && j->file.fd < 0)
        status = begin_file(j, err);
    if (status || !must_rotate(j))
        return status;
    status = journal_sync(j, err);
    return status == STATUS_OK ? begin_file(j, err) : status;
}

static void give_positions(struct journal *j, struct batch *b)
{
    uint64_t position = counter_get(&j->counters.next_position);
    uint32_t epoch = journal_epoch(j);
    if (j->file.journal_us == TIMESTAMP_NONE) /* an empty journal's first: it ages from here */
        j->file.journal_us = b->records[0].receive_us;
    for (uint32_t i = 0; i < b->count; i++) {
        struct record *r = &b->records[i];
        if (r->receive_us > j->time_us)
            j->time_us = r->receive_us;
        r->position = position++;
        r->epoch = epoch;
        r->instance = j->instance;
        r->journal_us = j->time_us;
    }
    counter_set(&j->counters.next_position, position);
    journal_marks_take(j->marks, b->records, b->count);
}

static enum status append(struct journal *j, struct batch *b, struct error *err)
{
    enum status status = journal_marks_check(j->marks, b);
    if (status)
        return error_set(err, status, 0, "records before these were refused");
    status = make_room(j, b->raw_bytes, err);
    if (status)
        return status;
    struct segment_block block = {
        .salt = j->file.salt,
        .first_position = counter_get(&j->counters.next_position),
        .journal_us = j->time_us,
        .count = b->count,
        .instance = j->instance,
        .epoch = journal_epoch(j),
        .kind = SEGMENT_RECORDS,
    };
    status = journal_block_pack(&j->block, j->options.is_compressed ? j->zip : NULL, b, &block);
    if (status)
        return error_set(err, status, 0, "a batch does not fit into the journal: %s",
                         error_name(status));
    status = journal_file_append(&j->file, buffer_text(&j->block.bytes), err);
    if (status)
        return status;
    counter_add(&j->counters.records, b->count);
    counter_add(&j->counters.bytes, j->block.bytes.len);
    counter_add(&j->counters.blocks, 1);
    return STATUS_OK;
}

static void refuse(struct journal *j, enum status status, const struct batch *b)
{
    journal_marks_refuse(j->marks, b);
    counter_add(&j->counters.refused, b->count);
    if (status == STATUS_FULL)
        counter_set(&j->counters.is_full, true);
}

enum status journal_append(struct journal *j, struct batch *b, struct error *err)
{
    if (b->count == 0)
        return STATUS_OK;
    counter_add(&j->counters.repeated, journal_marks_drop(j->marks, b));
    if (b->count == 0)
        return STATUS_OK;
    enum status status = append(j, b, err);
    if (!status)
        give_positions(j, b);
    else
        refuse(j, status, b);
    journal_block_shrink(&j->block);
    return status;
}

/* One block of the old file, checked, to the end of the new one. */
static enum status move_block(struct journal *j, struct journal_file *to, uint64_t *offset,
                              struct error *err)
{
    struct segment_block block;
    uint8_t header[SEGMENT_BLOCK_BYTES];
    struct buffer *room = &j->block.bytes;
    buffer_clear(room);
    char *at = NULL;
    if (journal_file_read(&j->file, *offset, header, sizeof header) &&
        segment_read_block(header, &block) == STATUS_OK)
        at = buffer_reserve(room, sizeof header + block.stored_bytes);
    if (!at || !journal_file_read(&j->file, *offset, at, sizeof header + block.stored_bytes) ||
        crc_of(at + sizeof header, block.stored_bytes, 0) != block.payload_crc)
        return error_set(err, STATUS_IO, 0,
                         "the disk lost journal records from position %" PRIu64 " on",
                         j->synced_position);
    struct text bytes = {at, sizeof header + block.stored_bytes};
    *offset += bytes.len;
    return journal_file_append(to, bytes, err);
}

/*
 * After a failed sync nobody knows which pages reached the disk, and the kernel calls them clean: a
 * second sync of that file would lie. So everything since the last good one is read back, checked
 * and written into a file of its own, which takes the old one's place from there on.
 */
static enum status move_unsynced(struct journal *j, struct error *err)
{
    struct segment_header header = {
        .first_position = j->synced_position,
        .salt = j->file.salt, /* the blocks carry it */
        .journal_us = j->synced_us,
        .instance = j->instance,
        .epoch = journal_epoch(j),
    };
    struct journal_file next;
    enum status status = journal_file_create(&next, j->dir.fd, &header, err);
    if (status)
        return status;
    uint64_t offset = j->synced_offset;
    status = write_marks(j, &next, err);
    while (offset < j->file.offset && !status)
        status = move_block(j, &next, &offset, err);
    if (!status)
        status = journal_file_publish(&next, j->dir.fd, err); /* with an fsync */
    if (!status)
        status = journal_stock_add(&j->stock, j->synced_offset, next.first_position, j->synced_us);
    if (status) {
        journal_file_abandon(&next, j->dir.fd);
        return status;
    }
    struct error cut; /* where this fails, the new file's first position hides what is left */
    (void)!journal_file_cut(&j->file, j->synced_offset, &cut);
    journal_file_close(&j->file);
    j->file = next;
    j->file.ahead_bytes = ahead_bytes(j);
    j->must_move = false;
    return STATUS_OK;
}

static enum status sync_file(struct journal *j, struct error *err)
{
    if (j->must_move)
        return move_unsynced(j, err);
    enum status status = journal_file_sync(&j->file, err);
    j->must_move = status != STATUS_OK;
    return status;
}

enum status journal_sync(struct journal *j, struct error *err)
{
    if (j->file.fd >= 0 && j->file.offset != j->synced_offset) {
        enum status status = sync_file(j, err);
        if (status) {
            counter_add(&j->counters.failed_syncs, 1);
            return status;
        }
        counter_add(&j->counters.syncs, 1);
        remember_sync(j);
    }
    j->looked_at = 0; /* others fill the disk too */
    clean_up(j);
    return STATUS_OK;
}

static enum status lock(struct journal *j, const char *dir, struct error *err)
{
    j->lock_fd = openat(j->dir.fd, "lock", O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    if (j->lock_fd < 0)
        return error_set(err, STATUS_IO, 0, "cannot lock the journal %s: %s", dir,
                         strerrordesc_np(errno));
    if (flock(j->lock_fd, LOCK_EX | LOCK_NB) != 0)
        return error_set(err, STATUS_CONFLICT, 0, "the journal %s is in use by another process",
                         dir);
    return STATUS_OK;
}

static enum status read_past(struct journal *j, struct error *err)
{
    struct journal_past past;
    enum status status = journal_dir_list(&j->dir, err);
    if (!status)
        status = journal_repair(&j->dir, j->zip, j->marks, &past, err);
    if (!status)
        status = journal_stock_load(&j->stock, &j->dir, err);
    if (status)
        return status;
    struct buffer lines;
    buffer_init(&lines, SEGMENT_PAYLOAD_MAX);
    status = journal_marks_write(j->marks, &lines);
    if (!status)
        status = journal_marks_read(j->marks_before, buffer_text(&lines));
    buffer_fini(&lines);
    if (status)
        return error_set(err, status, 0, "no memory for the journal's marks");
    j->time_us = past.time_us;
    j->instance = past.instance;
    while (!j->instance)
        if (getrandom(&j->instance, sizeof j->instance, 0) != sizeof j->instance)
            return error_set(err, STATUS_IO, 0, "no random bits for the journal's name: %s",
                             strerrordesc_np(errno));
    counter_set(&j->counters.next_position, past.next_position);
    counter_set(&j->counters.epoch, (uint64_t)past.epoch + 1);
    return STATUS_OK;
}

static struct journal *allocate(const struct journal_options *options)
{
    struct journal *j = calloc(1, sizeof *j);
    if (!j)
        return NULL;
    j->options = *options;
    j->options.dir = NULL;
    if (j->options.segment_bytes == 0)
        j->options.segment_bytes = SEGMENT_USUAL_BYTES;
    if (j->options.segment_bytes < SEGMENT_LEAST_BYTES)
        j->options.segment_bytes = SEGMENT_LEAST_BYTES;
    j->dir.fd = j->lock_fd = j->file.fd = -1;
    journal_block_init(&j->block);
    return j;
}

enum status journal_open(const struct journal_options *options, struct journal **out,
                         struct error *err)
{
    AUTO(journal) j = allocate(options);
    if (!j || journal_zip_new(&j->zip) != STATUS_OK || journal_marks_new(&j->marks) != STATUS_OK ||
        journal_marks_new(&j->marks_before) != STATUS_OK)
        return error_set(err, STATUS_NOMEM, 0, "no memory for the journal");
    enum status status = journal_dir_open(options->dir, true, &j->dir, err);
    if (!status)
        status = lock(j, options->dir, err);
    if (!status)
        status = read_past(j, err);
    if (!status)
        status = begin_file(j, err);
    if (status && status != STATUS_FULL) /* a full disk passes: appends will say so */
        return status;
    clean_up(j);
    *out = MOVE(j);
    return STATUS_OK;
}

int64_t journal_mark(const struct journal *j, struct text stream)
{
    return journal_marks_number(j->marks_before, stream);
}

void journal_metrics(const struct journal *j, metric_fn tell, void *context)
{
    const struct journal_counters *counters = &j->counters;
    const struct counter_line lines[] = {JOURNAL_COUNTERS(COUNTER_LINE)};
    counter_tell(lines, sizeof lines / sizeof *lines, NULL, tell, context);
}

void journal_close(struct journal *j)
{
    if (!j)
        return;
    struct error err;
    if (j->file.fd >= 0 && journal_sync(j, &err) != STATUS_OK)
        log_line(LOG_ERROR, "the journal's last records may be lost: %s", err.text);
    journal_file_close(&j->file);
    journal_stock_fini(&j->stock);
    journal_dir_close(&j->dir);
    if (j->lock_fd >= 0)
        (void)close(j->lock_fd);
    journal_zip_free(j->zip);
    journal_marks_free(j->marks);
    journal_marks_free(j->marks_before);
    journal_block_fini(&j->block);
    free(j);
}
