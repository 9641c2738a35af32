/* SPDX-License-Identifier: Apache-2.0 */
#include "journal/journal_file.h"
#include "journal/journal_dir.h"
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/random.h>
#include <unistd.h>

static const char new_name[] = "new.tmp";

static enum status refused(int code, struct error *err, const char *what)
{
    errno = code;
    return error_set(err,
                     code == ENOSPC || code == EDQUOT || code == EFBIG ? STATUS_FULL : STATUS_IO, 0,
                     "cannot %s the journal: %s", what, strerrordesc_np(errno));
}

/* 0, or the errno. */
static int write_at(int fd, struct text bytes, uint64_t offset)
{
    while (bytes.len > 0) {
        ssize_t done = pwrite(fd, bytes.at, bytes.len, (off_t)offset);
        if (done < 0 && errno == EINTR)
            continue;
        if (done <= 0)
            return done < 0 ? errno : ENOSPC;
        bytes.at += done;
        bytes.len -= (size_t)done;
        offset += (uint64_t)done;
    }
    return 0;
}

enum status journal_file_create(struct journal_file *f, int dir_fd, struct segment_header *header,
                                struct error *err)
{
    uint8_t bytes[SEGMENT_HEADER_BYTES];
    if (header->salt == 0 && getrandom(&header->salt, sizeof header->salt, 0) < 0)
        return refused(errno, err, "draw a salt for");
    int fd = openat(dir_fd, new_name, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    if (fd < 0)
        return refused(errno, err, "make a file of");
    *f = (struct journal_file){
        .fd = fd,
        .first_position = header->first_position,
        .offset = SEGMENT_HEADER_BYTES,
        .empty_bytes = SEGMENT_HEADER_BYTES,
        .allocated = SEGMENT_HEADER_BYTES,
        .salt = header->salt,
        .journal_us = header->journal_us,
    };
    segment_write_header(header, bytes);
    int code = write_at(fd, (struct text){(const char *)bytes, sizeof bytes}, 0);
    if (!code)
        return STATUS_OK;
    journal_file_abandon(f, dir_fd);
    return refused(code, err, "make a file of");
}

enum status journal_file_publish(struct journal_file *f, int dir_fd, struct error *err)
{
    char name[JOURNAL_DIR_NAME];
    journal_dir_name(f->first_position, name);
    if (fsync(f->fd) != 0 || renameat(dir_fd, new_name, dir_fd, name) != 0 || fsync(dir_fd) != 0)
        return refused(errno, err, "make a file of");
    return STATUS_OK;
}

void journal_file_abandon(struct journal_file *f, int dir_fd)
{
    (void)close(f->fd);
    (void)unlinkat(dir_fd, new_name, 0);
    f->fd = -1;
}

bool journal_file_read(const struct journal_file *f, uint64_t offset, void *out, size_t len)
{
    return pread(f->fd, out, len, (off_t)offset) == (ssize_t)len;
}

/* Only a help: where the file system cannot, or has no room, the write itself will tell. */
static void take_space(struct journal_file *f, size_t more)
{
    if (f->offset + more <= f->allocated)
        return;
    uint64_t want = more > f->ahead_bytes ? more : f->ahead_bytes;
    if (fallocate(f->fd, FALLOC_FL_KEEP_SIZE, (off_t)f->offset, (off_t)want) == 0)
        f->allocated = f->offset + want;
    else
        f->allocated = f->offset + more;
}

enum status journal_file_append(struct journal_file *f, struct text bytes, struct error *err)
{
    take_space(f, bytes.len);
    int code = write_at(f->fd, bytes, f->offset);
    if (code) {
        /* Should even this fail: half a block has no valid CRC, and the next append overwrites it.
         */
        if (ftruncate(f->fd, (off_t)f->offset) == 0)
            f->allocated = f->offset;
        return refused(code, err, "append to");
    }
    f->offset += bytes.len;
    return STATUS_OK;
}

enum status journal_file_sync(struct journal_file *f, struct error *err)
{
    return fdatasync(f->fd) == 0 ? STATUS_OK : refused(errno, err, "sync");
}

enum status journal_file_cut(struct journal_file *f, uint64_t offset, struct error *err)
{
    if (ftruncate(f->fd, (off_t)offset) != 0)
        return refused(errno, err, "cut");
    f->offset = f->allocated = offset;
    return STATUS_OK;
}

void journal_file_close(struct journal_file *f)
{
    if (f->fd < 0)
        return;
    if (f->allocated > f->offset)
        (void)!ftruncate(f->fd, (off_t)f->offset);
    (void)close(f->fd);
    f->fd = -1;
}
