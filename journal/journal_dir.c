/* SPDX-License-Identifier: Apache-2.0 */
#include "journal/journal_dir.h"
#include "base/text.h"
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { DIGITS = 20 };

static const struct text ending = {".journal", 8};

void journal_dir_name(uint64_t position, char out[JOURNAL_DIR_NAME])
{
    (void)snprintf(out, JOURNAL_DIR_NAME, "%0*" PRIu64 "%s", DIGITS, position, ending.at);
}

static bool parse_name(const char *name, uint64_t *out)
{
    struct text t = text_of(name);
    if (t.len != DIGITS + ending.len || !text_ends(t, ending))
        return false;
    uint64_t value = 0;
    for (size_t i = 0; i < DIGITS; i++) {
        if (name[i] < '0' || name[i] > '9')
            return false;
        uint64_t digit = (uint64_t)(name[i] - '0');
        if (value > (UINT64_MAX - digit) / 10)
            return false;
        value = value * 10 + digit;
    }
    *out = value;
    return true;
}

/* Every folder on the way, as `mkdir -p` does. */
static bool make_folders(const char *path)
{
    char part[4096];
    size_t len = strlen(path);
    if (len == 0 || len >= sizeof part)
        return false;
    for (size_t i = 1; i <= len; i++) {
        if (path[i] != '/' && path[i] != '\0')
            continue;
        memcpy(part, path, i);
        part[i] = '\0';
        if (mkdir(part, 0700) != 0 && errno != EEXIST)
            return false;
    }
    return true;
}

enum status journal_dir_open(const char *path, bool is_made, struct journal_dir *out,
                             struct error *err)
{
    if (is_made && !make_folders(path))
        return error_set(err, STATUS_IO, 0, "cannot make %s: %s", path, strerrordesc_np(errno));
    int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0)
        return error_set(err, errno == ENOENT ? STATUS_NOTFOUND : STATUS_IO, 0,
                         "cannot open the journal %s: %s", path, strerrordesc_np(errno));
    *out = (struct journal_dir){.fd = fd};
    return STATUS_OK;
}

void journal_dir_close(struct journal_dir *d)
{
    if (d->fd >= 0)
        (void)close(d->fd);
    free(d->items);
    *d = (struct journal_dir){.fd = -1};
}

static bool add(struct journal_dir *d, uint64_t position)
{
    if (d->count == d->size) {
        size_t size = d->size ? d->size * 2 : 64;
        uint64_t *items = realloc(d->items, size * sizeof *items);
        if (!items)
            return false;
        d->items = items;
        d->size = size;
    }
    d->items[d->count++] = position;
    return true;
}

static int compare(const void *a, const void *b)
{
    uint64_t x = *(const uint64_t *)a;
    uint64_t y = *(const uint64_t *)b;
    return (x > y) - (x < y);
}

enum status journal_dir_list(struct journal_dir *d, struct error *err)
{
    /* A description of its own: a reader's place in the listing is not shared that way. */
    int fd = openat(d->fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    DIR *folder = fd < 0 ? NULL : fdopendir(fd);
    if (!folder) {
        if (fd >= 0)
            (void)close(fd);
        return error_set(err, STATUS_IO, 0, "cannot list the journal: %s", strerrordesc_np(errno));
    }
    d->count = 0;
    bool has_room = true;
    for (struct dirent *e = readdir(folder); e && has_room; e = readdir(folder)) {
        uint64_t position = 0;
        if (parse_name(e->d_name, &position))
            has_room = add(d, position);
    }
    (void)closedir(folder);
    if (!has_room)
        return error_set(err, STATUS_NOMEM, 0, "no memory for the journal's file names");
    if (d->count > 1)
        qsort(d->items, d->count, sizeof *d->items, compare);
    return STATUS_OK;
}

size_t journal_dir_find(const struct journal_dir *d, uint64_t position)
{
    size_t low = 0;
    size_t high = d->count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (d->items[middle] <= position)
            low = middle + 1;
        else
            high = middle;
    }
    return low ? low - 1 : 0;
}
