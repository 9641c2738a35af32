/* SPDX-License-Identifier: Apache-2.0 */
#include "base/log.h"
#include "base/timestamp.h"
#include "journal/journal.h"
#include "journal/journal_dir.h"
#include "journal/journal_fetch.h"
#include "journal/journal_repair.h"
#include "journal/journal_walk.h"
#include "journal/journal_zip.h"
#include <inttypes.h>
#include <stdlib.h>

struct journal_reader {
    struct journal_dir dir;
    struct journal_zip *zip;
    struct journal_walk walk; /* fd -1 while there is no file */
    uint64_t file;            /* first position of the file that is walked */
    uint64_t position;        /* the next record to give is this one or later */
    int64_t since_us;         /* TIMESTAMP_NONE once it was reached */
    bool has_file;
    bool is_replaced; /* the walked file has no name any more */
    struct journal_fetch fetch;
};

/* The file after the walked one: the walked one's blocks end where that begins. An empty file, and
 * one whose sync failed, is replaced by another of the same name: then that is the next one. */
static size_t next_index(const struct journal_reader *r)
{
    if (!r->has_file)
        return 0;
    size_t i = journal_dir_find(&r->dir, r->file);
    bool is_after = i < r->dir.count && r->dir.items[i] == r->file && !r->is_replaced;
    return i < r->dir.count && r->dir.items[i] < r->file ? i + 1 : i + is_after;
}

static void set_ceiling(struct journal_reader *r)
{
    size_t next = next_index(r);
    bool has_next = next < r->dir.count && r->dir.items[next] > r->file;
    r->walk.ceiling = has_next ? r->dir.items[next] : UINT64_MAX;
}

static enum status enter(struct journal_reader *r, size_t i, struct error *err)
{
    struct journal_walk next;
    enum status status = journal_walk_open(&next, r->dir.fd, r->dir.items[i], r->zip, err);
    if (status)
        return status;
    journal_walk_close(&r->walk);
    r->walk = next;
    r->file = r->dir.items[i];
    r->has_file = true;
    r->is_replaced = false;
    set_ceiling(r);
    if (next.is_header_damaged)
        journal_repair_tell(r->file, &(struct journal_damage){.to_byte = SEGMENT_HEADER_BYTES});
    return STATUS_OK;
}

/* Journal time at the start of file `i`; INT64_MAX where it cannot be read. */
static int64_t start_us(struct journal_reader *r, size_t i)
{
    struct journal_walk w;
    if (journal_walk_open(&w, r->dir.fd, r->dir.items[i], r->zip, NULL) != STATUS_OK)
        return INT64_MAX;
    int64_t us = w.has_salt ? w.header.journal_us : INT64_MAX;
    journal_walk_close(&w);
    return us;
}

/* The last file that starts before `since_us`: what was received then is in it or behind it. */
static size_t find_since(struct journal_reader *r, size_t from)
{
    size_t low = from;
    size_t high = r->dir.count;
    while (low + 1 < high) {
        size_t middle = low + (high - low) / 2;
        if (start_us(r, middle) < r->since_us)
            low = middle;
        else
            high = middle;
    }
    return low;
}

/*
 * Passes over blocks that end before what is wanted, reading headers alone. Journal time is the
 * highest time of receipt so far, so the first record received at `since_us` or later is the first
 * one whose journal time is that late: block headers are enough to find its block.
 */
static void skip_blocks(struct journal_reader *r)
{
    for (;;) {
        struct journal_walk ahead = r->walk;
        struct segment_block block;
        struct journal_damage damage;
        if (journal_walk_next(&ahead, NULL, &block, NULL, &damage) != STATUS_OK)
            return; /* the end, or a damage: told when it is read */
        struct journal_walk behind = ahead;
        struct segment_block next;
        bool is_before = block.first_position + block.count <= r->position;
        if (!is_before && r->since_us != TIMESTAMP_NONE)
            is_before = journal_walk_next(&behind, NULL, &next, NULL, &damage) == STATUS_OK &&
                        next.journal_us < r->since_us;
        if (!is_before)
            return;
        r->walk = ahead;
    }
}

static enum status seek(struct journal_reader *r, struct error *err)
{
    enum status status = journal_dir_list(&r->dir, err);
    if (status || r->dir.count == 0)
        return status;
    size_t i = journal_dir_find(&r->dir, r->position);
    if (r->since_us != TIMESTAMP_NONE)
        i = find_since(r, i);
    status = enter(r, i, err);
    if (!status)
        skip_blocks(r);
    return status;
}

enum status journal_reader_open(const char *dir, uint64_t position, int64_t since_us,
                                struct journal_reader **out, struct error *err)
{
    AUTO(journal_reader) r = calloc(1, sizeof *r);
    if (!r)
        return error_set(err, STATUS_NOMEM, 0, "no memory for a journal reader");
    r->walk.fd = r->dir.fd = -1;
    journal_fetch_init(&r->fetch);
    r->position = position;
    r->since_us = since_us;
    if (journal_zip_new(&r->zip) != STATUS_OK)
        return error_set(err, STATUS_NOMEM, 0, "no memory for a journal reader");
    enum status status = journal_dir_open(dir, false, &r->dir, err);
    if (!status)
        status = seek(r, err);
    if (status)
        return status;
    *out = MOVE(r);
    return STATUS_OK;
}

void journal_reader_free(struct journal_reader *r)
{
    if (!r)
        return;
    journal_walk_close(&r->walk);
    journal_dir_close(&r->dir);
    journal_zip_free(r->zip);
    journal_fetch_fini(&r->fetch);
    free(r);
}

/* Goes on to the file after the walked one. AGAIN: there is none. */
static enum status enter_next(struct journal_reader *r, struct error *err)
{
    size_t next = next_index(r);
    if (next == r->dir.count)
        return STATUS_AGAIN;
    enum status status = enter(r, next, err);
    return status == STATUS_NOTFOUND ? STATUS_AGAIN : status; /* removed meanwhile */
}

/* At the end of the walked file: is there another one? Then the end is final, not one still being
 * written. The walk must have been asked once more after the other one was seen. */
static enum status list_next(struct journal_reader *r, bool *out_has_next, struct error *err)
{
    enum status status = journal_dir_list(&r->dir, err);
    if (status)
        return status;
    r->is_replaced = r->walk.fd >= 0 && !journal_walk_has_name(&r->walk);
    *out_has_next = next_index(r) < r->dir.count;
    if (r->walk.fd >= 0)
        set_ceiling(r);
    return STATUS_OK;
}

static void tell_tail(struct journal_reader *r, const struct journal_damage *tail)
{
    struct journal_damage lost = *tail;
    size_t next = next_index(r);
    lost.to_position = next < r->dir.count ? r->dir.items[next] : lost.from_position;
    if (lost.to_byte > lost.from_byte && lost.to_position > lost.from_position)
        journal_repair_tell(r->file, &lost);
}

/* The next block of the walk, going on over the files. */
static enum status read_block(struct journal_reader *r, struct batch *out,
                              struct segment_block *block, struct text *plain, struct error *err)
{
    bool is_final = false; /* the walked file has a successor */
    for (;;) {
        struct journal_damage damage = {0};
        enum status status = STATUS_AGAIN;
        if (r->walk.fd >= 0)
            status = journal_walk_next(&r->walk, &out->arena, block, plain, &damage);
        if (status == STATUS_SYNTAX) {
            journal_repair_tell(r->file, &damage);
            batch_reset(out);
            continue;
        }
        if (status != STATUS_AGAIN)
            return status;
        batch_reset(out);
        if (!is_final) {
            status = list_next(r, &is_final, err);
            if (status)
                return status;
            if (!is_final)
                return STATUS_AGAIN;
            continue;
        }
        tell_tail(r, &damage);
        is_final = false;
        status = enter_next(r, err);
        if (status)
            return status;
    }
}

/* Leaves out what was received before `since_us` at the start. */
static void cut_since(struct journal_reader *r, struct batch *b)
{
    if (r->since_us == TIMESTAMP_NONE)
        return;
    uint32_t first = 0;
    while (first < b->count && b->records[first].journal_us < r->since_us)
        first++;
    if (first < b->count)
        r->since_us = TIMESTAMP_NONE;
    for (uint32_t i = first; i < b->count; i++)
        b->records[i - first] = b->records[i];
    b->count -= first;
}

enum status journal_reader_next(struct journal_reader *r, struct batch *out, struct error *err)
{
    for (;;) {
        struct segment_block block;
        struct text plain;
        batch_reset(out);
        enum status status = read_block(r, out, &block, &plain, err);
        if (status == STATUS_AGAIN)
            return status;
        if (status)
            return error_set(err, status, 0, "cannot read the journal: %s", error_name(status));
        if (block.kind != SEGMENT_RECORDS)
            continue;
        status = segment_unpack(&block, plain, r->position, out->records, &out->count);
        if (status)
            return error_set(err, status, 0,
                             "the journal's block at position %" PRIu64
                             " is not what its program wrote",
                             block.first_position);
        cut_since(r, out);
        if (block.first_position + block.count > r->position) /* less: seen in the file before */
            r->position = block.first_position + block.count;
        if (out->count == 0)
            continue;
        out->source = out->records[0].source;
        for (uint32_t i = 0; i < out->count; i++)
            out->raw_bytes += out->records[i].raw.len;
        return STATUS_OK;
    }
}

enum status journal_reader_fetch(struct journal_reader *r, uint64_t position, struct arena *arena,
                                 struct record *out)
{
    return journal_fetch_record(&r->fetch, &r->dir, r->zip, position, arena, out);
}
