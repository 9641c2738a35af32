/* SPDX-License-Identifier: Apache-2.0 */
#include "journal/journal_fetch.h"
#include <stdlib.h>

enum { MARK_BYTES = 256 * 1024 };

void journal_fetch_init(struct journal_fetch *f)
{
    *f = (struct journal_fetch){0};
    for (size_t i = 0; i < JOURNAL_FETCH_FILES; i++)
        f->files[i].walk.fd = -1;
}

static void drop_file(struct journal_fetch_file *file)
{
    if (file->walk.fd >= 0)
        journal_walk_close(&file->walk);
    free(file->marks);
    *file = (struct journal_fetch_file){.walk = {.fd = -1}};
}

void journal_fetch_fini(struct journal_fetch *f)
{
    for (size_t i = 0; i < JOURNAL_FETCH_FILES; i++)
        drop_file(&f->files[i]);
    batch_free(f->block);
    f->block = NULL;
}

static struct journal_fetch_file *open_file(struct journal_fetch *f, const struct journal_dir *dir,
                                            struct journal_zip *zip, uint64_t first_position)
{
    struct journal_fetch_file *oldest = &f->files[0];
    for (size_t i = 0; i < JOURNAL_FETCH_FILES; i++) {
        struct journal_fetch_file *file = &f->files[i];
        if (file->walk.fd >= 0 && !journal_walk_has_name(&file->walk))
            drop_file(file);
        if (file->walk.fd >= 0 && file->first_position == first_position) {
            file->used = ++f->uses;
            return file;
        }
        if (file->used < oldest->used)
            oldest = file;
    }
    struct journal_walk walk;
    if (journal_walk_open(&walk, dir->fd, first_position, zip, NULL) != STATUS_OK)
        return NULL;
    drop_file(oldest);
    *oldest = (struct journal_fetch_file){
        .walk = walk, .first_position = first_position, .used = ++f->uses};
    return oldest;
}

/* Without memory there are fewer marks: slower, not wrong. */
static void add_mark(struct journal_fetch_file *file, uint64_t offset, uint64_t position)
{
    if (file->count > 0 && offset < file->marks[file->count - 1].offset + MARK_BYTES)
        return;
    if (file->count == file->size) {
        size_t size = file->size ? file->size * 2 : 32;
        struct journal_fetch_mark *marks = realloc(file->marks, size * sizeof *marks);
        if (!marks)
            return;
        file->marks = marks;
        file->size = size;
    }
    file->marks[file->count++] = (struct journal_fetch_mark){offset, position};
}

/* Puts the walk at the last known block that does not start behind `position`. */
static void go_near(struct journal_fetch_file *file, uint64_t position)
{
    size_t low = 0;
    size_t high = file->count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (file->marks[middle].position <= position)
            low = middle + 1;
        else
            high = middle;
    }
    file->walk.offset = low ? file->marks[low - 1].offset : SEGMENT_HEADER_BYTES;
    file->walk.next_position = low ? file->marks[low - 1].position : file->first_position;
}

/* Puts the walk before the block that holds `position`. */
static enum status go_to(struct journal_fetch_file *file, uint64_t position)
{
    go_near(file, position);
    for (;;) {
        uint64_t offset = file->walk.offset;
        uint64_t next_position = file->walk.next_position;
        struct segment_block block;
        struct journal_damage damage;
        enum status status = journal_walk_next(&file->walk, NULL, &block, NULL, &damage);
        if (status == STATUS_SYNTAX)
            continue;
        if (status)
            return STATUS_NOTFOUND;
        add_mark(file, offset, block.first_position);
        if (block.first_position > position)
            return STATUS_NOTFOUND;
        if (block.kind != SEGMENT_RECORDS || block.first_position + block.count <= position)
            continue;
        file->walk.offset = offset;
        file->walk.next_position = next_position;
        return STATUS_OK;
    }
}

static enum status read_block(struct journal_fetch_file *file, struct batch *b)
{
    struct segment_block block;
    struct journal_damage damage;
    struct text plain;
    batch_reset(b);
    enum status status = journal_walk_next(&file->walk, &b->arena, &block, &plain, &damage);
    if (!status)
        status = segment_unpack(&block, plain, 0, b->records, &b->count);
    return status == STATUS_SYNTAX || status == STATUS_AGAIN ? STATUS_NOTFOUND : status;
}

static const struct record *find(const struct batch *b, uint64_t position)
{
    if (!b || b->count == 0 || position < b->records[0].position ||
        position > b->records[b->count - 1].position)
        return NULL;
    return &b->records[position - b->records[0].position];
}

static enum status load(struct journal_fetch *f, struct journal_dir *dir, struct journal_zip *zip,
                        uint64_t position)
{
    if (!f->block && !(f->block = batch_new()))
        return STATUS_NOMEM;
    batch_reset(f->block);
    enum status status = journal_dir_list(dir, NULL);
    if (status)
        return status;
    size_t i = journal_dir_find(dir, position);
    if (dir->count == 0 || dir->items[i] > position)
        return STATUS_NOTFOUND;
    struct journal_fetch_file *file = open_file(f, dir, zip, dir->items[i]);
    if (!file)
        return STATUS_NOTFOUND;
    file->walk.ceiling = i + 1 < dir->count ? dir->items[i + 1] : UINT64_MAX;
    status = go_to(file, position);
    return status == STATUS_OK ? read_block(file, f->block) : status;
}

static bool copy(struct arena *arena, struct text *t)
{
    if (t->len == 0)
        return true;
    *t = arena_copy(arena, *t);
    return t->at != NULL;
}

enum status journal_fetch_record(struct journal_fetch *f, struct journal_dir *dir,
                                 struct journal_zip *zip, uint64_t position, struct arena *arena,
                                 struct record *out)
{
    if (!find(f->block, position)) {
        enum status status = load(f, dir, zip, position);
        if (status)
            return status;
    }
    const struct record *found = find(f->block, position);
    if (!found)
        return STATUS_NOTFOUND;
    struct record r = *found;
    if (!copy(arena, &r.raw) || !copy(arena, &r.peer) || !copy(arena, &r.origin))
        return STATUS_LIMIT;
    *out = r;
    return STATUS_OK;
}
