/* SPDX-License-Identifier: Apache-2.0 */
#include "journal/journal_walk.h"
#include "journal/crc.h"
#include "journal/journal_dir.h"
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { WINDOW_BYTES = 64 * 1024 };

/* A short read is false: what is missing there may be on its way. */
static bool read_at(int fd, void *out, size_t len, uint64_t offset)
{
    char *at = out;
    while (len > 0) {
        ssize_t got = pread(fd, at, len, (off_t)offset);
        if (got < 0 && errno == EINTR)
            continue;
        if (got <= 0)
            return false;
        at += got;
        len -= (size_t)got;
        offset += (uint64_t)got;
    }
    return true;
}

static uint64_t file_bytes(int fd)
{
    struct stat s;
    return fstat(fd, &s) == 0 && s.st_size > 0 ? (uint64_t)s.st_size : 0;
}

static bool read_block(const struct journal_walk *w, uint64_t offset, struct segment_block *out)
{
    uint8_t bytes[SEGMENT_BLOCK_BYTES];
    return read_at(w->fd, bytes, sizeof bytes, offset) &&
           segment_read_block(bytes, out) == STATUS_OK &&
           (!w->has_salt || out->salt == w->header.salt) &&
           out->first_position >= w->next_position && out->first_position < w->ceiling;
}

enum status journal_walk_open(struct journal_walk *w, int dir_fd, uint64_t first_position,
                              struct journal_zip *zip, struct error *err)
{
    char name[JOURNAL_DIR_NAME];
    journal_dir_name(first_position, name);
    int fd = openat(dir_fd, name, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return error_set(err, errno == ENOENT ? STATUS_NOTFOUND : STATUS_IO, 0,
                         "cannot open journal file %s: %s", name, strerrordesc_np(errno));
    *w = (struct journal_walk){
        .fd = fd,
        .offset = SEGMENT_HEADER_BYTES,
        .next_position = first_position,
        .ceiling = UINT64_MAX,
        .zip = zip,
    };
    buffer_init(&w->stored, SEGMENT_PAYLOAD_MAX);
    uint8_t bytes[SEGMENT_HEADER_BYTES];
    bool is_there = read_at(fd, bytes, sizeof bytes, 0);
    enum status status = is_there ? segment_read_header(bytes, &w->header) : STATUS_SYNTAX;
    if (status == STATUS_UNSUPPORTED) {
        journal_walk_close(w);
        return error_set(err, status, 0, "journal file %s is of a later version", name);
    }
    w->has_salt = status == STATUS_OK;
    w->is_header_damaged = !w->has_salt;
    struct segment_block first;
    if (!w->has_salt && read_block(w, w->offset, &first)) {
        w->header = (struct segment_header){.first_position = first_position,
                                            .salt = first.salt,
                                            .journal_us = first.journal_us,
                                            .instance = first.instance,
                                            .epoch = first.epoch};
        w->has_salt = true;
    }
    return STATUS_OK;
}

void journal_walk_close(struct journal_walk *w)
{
    if (w->fd >= 0)
        (void)close(w->fd);
    buffer_fini(&w->stored);
    w->fd = -1;
}

bool journal_walk_has_name(const struct journal_walk *w)
{
    struct stat s;
    return fstat(w->fd, &s) == 0 && s.st_nlink > 0;
}

/* Whether the payload behind the block header at `offset` is what its CRC says. */
static bool is_whole(const struct journal_walk *w, const struct segment_block *b, uint64_t offset)
{
    char window[WINDOW_BYTES];
    uint32_t crc = 0;
    offset += SEGMENT_BLOCK_BYTES;
    for (uint32_t left = b->stored_bytes; left > 0;) {
        size_t len = left < WINDOW_BYTES ? left : WINDOW_BYTES;
        if (!read_at(w->fd, window, len, offset))
            return false;
        crc = crc_of(window, len, crc);
        left -= (uint32_t)len;
        offset += len;
    }
    return crc == b->payload_crc;
}

/* The next offset from `from` on where a whole block stands; UINT64_MAX: none. */
static uint64_t find_block(const struct journal_walk *w, uint64_t from, struct segment_block *out)
{
    char window[WINDOW_BYTES];
    uint64_t end = w->has_salt ? file_bytes(w->fd) : 0;
    while (from + SEGMENT_BLOCK_BYTES <= end) {
        size_t len = end - from < WINDOW_BYTES ? (size_t)(end - from) : WINDOW_BYTES;
        if (!read_at(w->fd, window, len, from))
            return UINT64_MAX;
        const char *at = memmem(window, len, "TBLK", 4);
        if (!at) {
            from += len > 3 ? len - 3 : 1; /* the word may lie across two windows */
            if (from + 3 >= end)
                return UINT64_MAX;
            continue;
        }
        from += (uint64_t)(at - window);
        if (read_block(w, from, out) && is_whole(w, out, from))
            return from;
        from++;
    }
    return UINT64_MAX;
}

/* The payload into the arena. AGAIN: not whole (yet, or for ever). */
static enum status read_payload(struct journal_walk *w, const struct segment_block *b,
                                struct arena *arena, struct text *out)
{
    char *plain = arena_bytes(arena, b->plain_bytes ? b->plain_bytes : 1);
    char *stored = plain;
    if (b->is_compressed && plain) {
        buffer_clear(&w->stored);
        stored = buffer_reserve(&w->stored, b->stored_bytes ? b->stored_bytes : 1);
    }
    if (!plain || !stored)
        return STATUS_NOMEM;
    if (!read_at(w->fd, stored, b->stored_bytes, w->offset + SEGMENT_BLOCK_BYTES) ||
        crc_of(stored, b->stored_bytes, 0) != b->payload_crc)
        return STATUS_AGAIN;
    *out = (struct text){plain, b->plain_bytes};
    if (!b->is_compressed)
        return STATUS_OK;
    struct text packed = {stored, b->stored_bytes};
    return journal_zip_unpack(w->zip, packed, plain, b->plain_bytes) == STATUS_OK ? STATUS_OK
                                                                                  : STATUS_AGAIN;
}

static enum status try_block(struct journal_walk *w, struct arena *arena, struct segment_block *out,
                             struct text *out_plain)
{
    if (!read_block(w, w->offset, out))
        return STATUS_AGAIN;
    if (arena) {
        enum status status = read_payload(w, out, arena, out_plain);
        if (status)
            return status;
    }
    w->offset += SEGMENT_BLOCK_BYTES + (uint64_t)out->stored_bytes;
    w->next_position = out->first_position + out->count;
    return STATUS_OK;
}

enum status journal_walk_next(struct journal_walk *w, struct arena *arena,
                              struct segment_block *out, struct text *out_plain,
                              struct journal_damage *damage)
{
    uint64_t size = file_bytes(w->fd);
    *damage = (struct journal_damage){w->offset, w->offset, w->next_position, w->next_position};
    if (size <= w->offset)
        return STATUS_AGAIN;
    enum status status = try_block(w, arena, out, out_plain);
    if (status != STATUS_AGAIN)
        return status;
    struct segment_block later;
    uint64_t found = find_block(w, w->offset + 1, &later);
    /* Blocks are written in order: when a later one is there, this one was finished meanwhile. */
    status = found == UINT64_MAX ? STATUS_AGAIN : try_block(w, arena, out, out_plain);
    if (status != STATUS_AGAIN)
        return status;
    damage->to_byte = found == UINT64_MAX ? size : found;
    if (found == UINT64_MAX)
        return STATUS_AGAIN;
    damage->to_position = later.first_position;
    w->offset = found;
    w->next_position = later.first_position;
    return STATUS_SYNTAX;
}
