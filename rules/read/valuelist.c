/* SPDX-License-Identifier: Apache-2.0 */
#include "rules/read/valuelist.h"
#include "base/path.h"
#include "rules/match/grow.h"
#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

enum { FILE_MOST = 64 << 20 };

static enum status read_whole(const char *path, struct arena *arena, struct text *out,
                              struct error *err)
{
    FILE *f = fopen(path, "rb");
    if (!f)
        return error_set(err, STATUS_IO, 0, "%s: %s", path, strerrordesc_np(errno));
    size_t size = 0;
    (void)fseek(f, 0, SEEK_END);
    long end = ftell(f);
    (void)fseek(f, 0, SEEK_SET);
    char *at = end >= 0 && end <= FILE_MOST ? arena_bytes(arena, (size_t)end + 1) : NULL;
    if (at)
        size = fread(at, 1, (size_t)end, f);
    (void)fclose(f);
    if (!at)
        return error_set(err, STATUS_LIMIT, 0, "%s: no regular file of at most 64 MiB", path);
    *out = (struct text){at, size};
    return STATUS_OK;
}

static enum status split_lines(struct text whole, struct arena *arena, struct valuelist *out,
                               struct error *err)
{
    size_t lines = 1;
    for (size_t i = 0; i < whole.len; i++)
        lines += whole.at[i] == '\n';
    struct text *values = arena_alloc(arena, lines * sizeof *values);
    if (!values)
        return error_set(err, STATUS_NOMEM, 0, "no memory for a value list");
    struct text line;
    if (text_starts(whole, TEXT("\xef\xbb\xbf"))) /* Windows editors' mark of UTF-8 */
        whole = text_skip(whole, 3);
    while (text_split(&whole, '\n', &line)) {
        line = text_trim(line);
        if (line.len && line.at[0] != '#')
            values[out->count++] = line;
    }
    out->values = values;
    return STATUS_OK;
}

static int compare_lists(const void *a, const void *b)
{
    return text_compare(((const struct valuelist *)a)->name, ((const struct valuelist *)b)->name);
}

static enum status read_one(const char *folder, const char *name, struct arena *arena,
                            struct valuelist *out, struct error *err)
{
    char path[PATH_ROOM];
    struct text whole = TEXT_NONE;
    size_t len = strlen(name) - 4;
    *out = (struct valuelist){.name = arena_copy(arena, (struct text){name, len})};
    if (snprintf(path, sizeof path, "%s/%s", folder, name) >= (int)sizeof path)
        return error_set(err, STATUS_LIMIT, 0, "%s: path too long", folder);
    enum status status = read_whole(path, arena, &whole, err);
    return status == STATUS_OK ? split_lines(whole, arena, out, err) : status;
}

static enum status read_all(DIR *dir, const char *folder, struct arena *arena,
                            struct valuelists *out, struct error *err)
{
    struct valuelist *items = NULL;
    uint32_t count = 0;
    uint32_t max = 0;
    enum status status = STATUS_OK;
    for (struct dirent *e = readdir(dir); e && !status; e = readdir(dir)) {
        if (e->d_name[0] == '.' || strlen(e->d_name) < 5 ||
            !text_ends(text_of(e->d_name), TEXT(".txt")))
            continue;
        if (!GROW(items, count, max))
            status = error_set(err, STATUS_NOMEM, 0, "no memory for value lists");
        else
            status = read_one(folder, e->d_name, arena, &items[count++], err);
    }
    struct valuelist *kept = arena_alloc(arena, ((size_t)count + 1) * sizeof *kept);
    if (!status && !kept)
        status = error_set(err, STATUS_NOMEM, 0, "no memory for value lists");
    if (!status) {
        if (count)
            memcpy(kept, items, count * sizeof *kept);
        qsort(kept, count, sizeof *kept, compare_lists);
        out->items = kept;
        out->count = count;
    }
    free(items);
    return status;
}

enum status valuelist_load(const char *folder, struct arena *arena, struct valuelists *out,
                           struct error *err)
{
    struct valuelists lists = {.count = 0};
    enum status status = STATUS_OK;
    if (folder) {
        DIR *dir = opendir(folder);
        if (!dir)
            return error_set(err, STATUS_IO, 0, "%s: %s", folder, strerrordesc_np(errno));
        status = read_all(dir, folder, arena, &lists, err);
        (void)closedir(dir);
    }
    if (status)
        return status;
    struct hasher h;
    hash_start(&h);
    for (uint32_t i = 0; i < lists.count; i++) {
        hash_part_text(&h, lists.items[i].name);
        for (uint32_t k = 0; k < lists.items[i].count; k++)
            hash_part_text(&h, lists.items[i].values[k]);
    }
    lists.content = hash_end(&h);
    *out = lists;
    return STATUS_OK;
}

const struct valuelist *valuelist_find(const struct valuelists *lists, struct text name)
{
    for (uint32_t i = 0; i < lists->count; i++)
        if (text_equal_nocase(lists->items[i].name, name))
            return &lists->items[i];
    return NULL;
}
