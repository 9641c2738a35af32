/* SPDX-License-Identifier: Apache-2.0 */
#include "journal/journal_stock.h"
#include "base/timestamp.h"
#include "journal/journal_walk.h"
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

void journal_stock_fini(struct journal_stock *s)
{
    free(s->items);
    *s = (struct journal_stock){0};
}

static struct journal_stock_item *grow(struct journal_stock *s)
{
    if (s->count == s->size) {
        size_t size = s->size ? s->size * 2 : 64;
        struct journal_stock_item *items = realloc(s->items, size * sizeof *items);
        if (!items)
            return NULL;
        s->items = items;
        s->size = size;
    }
    return &s->items[s->count];
}

static uint64_t bytes_of(int dir_fd, uint64_t first_position)
{
    char name[JOURNAL_DIR_NAME];
    struct stat st;
    journal_dir_name(first_position, name);
    return fstatat(dir_fd, name, &st, 0) == 0 ? (uint64_t)st.st_size : 0;
}

enum status journal_stock_load(struct journal_stock *s, const struct journal_dir *dir,
                               struct error *err)
{
    for (size_t i = 0; i < dir->count; i++) {
        struct journal_stock_item *item = grow(s);
        if (!item)
            return error_set(err, STATUS_NOMEM, 0, "no memory for the journal's files");
        struct journal_walk w;
        enum status status = journal_walk_open(&w, dir->fd, dir->items[i], NULL, err);
        if (status == STATUS_NOTFOUND)
            continue; /* the repair put it aside */
        if (status)
            return status;
        *item = (struct journal_stock_item){
            .first_position = dir->items[i],
            .bytes = bytes_of(dir->fd, dir->items[i]),
            .journal_us = w.has_salt ? w.header.journal_us : TIMESTAMP_NONE,
        };
        s->bytes += item->bytes;
        s->count++;
        journal_walk_close(&w);
    }
    return STATUS_OK;
}

enum status journal_stock_add(struct journal_stock *s, uint64_t last_bytes, uint64_t first_position,
                              int64_t journal_us)
{
    if (s->count > 0 && s->items[s->count - 1].bytes == 0) {
        s->items[s->count - 1].bytes = last_bytes;
        s->bytes += last_bytes;
    }
    if (s->count > 0 && s->items[s->count - 1].first_position == first_position)
        s->bytes -= s->items[--s->count].bytes;
    struct journal_stock_item *item = grow(s);
    if (!item)
        return STATUS_NOMEM;
    *item = (struct journal_stock_item){.first_position = first_position, .journal_us = journal_us};
    s->count++;
    return STATUS_OK;
}

static bool must_go(const struct journal_stock *s, const struct journal_limits *limits,
                    uint64_t active_bytes, int64_t now_us)
{
    if (s->count < 2 || s->items[1].first_position > limits->removable)
        return false;
    int64_t last_us = s->items[1].journal_us;
    bool is_old = limits->max_age_us > 0 && last_us != TIMESTAMP_NONE &&
                  now_us > limits->max_age_us + INT64_MIN && last_us < now_us - limits->max_age_us;
    return is_old || (limits->max_bytes > 0 && s->bytes + active_bytes > limits->max_bytes);
}

size_t journal_stock_remove(struct journal_stock *s, const struct journal_dir *dir,
                            const struct journal_limits *limits, uint64_t active_bytes,
                            int64_t now_us)
{
    size_t removed = 0;
    while (must_go(s, limits, active_bytes, now_us)) {
        char name[JOURNAL_DIR_NAME];
        journal_dir_name(s->items[0].first_position, name);
        if (unlinkat(dir->fd, name, 0) != 0 && errno != ENOENT)
            break; /* asked again with the next one */
        s->bytes -= s->items[0].bytes;
        s->count--;
        memmove(s->items, s->items + 1, s->count * sizeof *s->items);
        removed++;
    }
    return removed;
}
