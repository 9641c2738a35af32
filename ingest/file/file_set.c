/* SPDX-License-Identifier: Apache-2.0 */
#include "ingest/file/file_set.h"
#include "base/hash.h"
#include "base/path.h"
#include <dirent.h>
#include <fcntl.h>
#include <glob.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/inotify.h>
#include <unistd.h>

enum { COPY_HEAD_BYTES = 64 };

static bool has_wildcard(const char *path)
{
    return strpbrk(path, "*?[") != NULL;
}

/* The folder of `path` into `out`, which holds PATH_MAX; the name behind it is given. */
static const char *split(const char *path, char *out)
{
    const char *slash = strrchr(path, '/');
    (void)snprintf(out, PATH_MAX, "%.*s", slash ? (int)(slash - path) : 1, slash ? path : ".");
    if (slash == path)
        (void)snprintf(out, PATH_MAX, "/");
    return slash ? slash + 1 : path;
}

static void watch(const struct file_set *s, const char *path)
{
    char folder[PATH_MAX];
    (void)split(path, folder);
    if (s->inotify_fd >= 0 && !has_wildcard(folder))
        (void)inotify_add_watch(s->inotify_fd, folder,
                                IN_CREATE | IN_MOVE | IN_DELETE | IN_MODIFY | IN_ONLYDIR);
}

enum status file_set_init(struct file_set *s, struct option_texts patterns, uint32_t max_files,
                          uint32_t max_open, struct error *err)
{
    *s = (struct file_set){.patterns = patterns, .max_files = max_files, .max_open = max_open};
    s->inotify_fd = inotify_init1(IN_NONBLOCK | IN_CLOEXEC);
    s->files = calloc(max_files, sizeof(struct followed *));
    if (!s->files)
        return error_set(err, STATUS_NOMEM, 0, "no memory to follow files");
    for (uint32_t i = 0; i < patterns.count; i++) {
        s->has_wildcards |= has_wildcard(patterns.items[i].at);
        watch(s, patterns.items[i].at);
    }
    s->may_hold_copies = s->has_wildcards || patterns.count > 1;
    return STATUS_OK;
}

void file_set_fini(struct file_set *s)
{
    for (uint32_t i = 0; s->files && i < s->max_files; i++)
        followed_free(s->files[i]);
    if (s->files && s->inotify_fd >= 0)
        (void)close(s->inotify_fd);
    free(s->files);
    s->files = NULL;
}

struct followed *file_set_find(const struct file_set *s, const struct stat *st)
{
    for (uint32_t i = 0; i < s->max_files; i++)
        if (s->files[i] && followed_is(s->files[i], st))
            return s->files[i];
    return NULL;
}

struct followed *file_set_find_path(const struct file_set *s, const char *path)
{
    for (uint32_t i = 0; i < s->max_files; i++)
        if (s->files[i] && strcmp(s->files[i]->path, path) == 0)
            return s->files[i];
    return NULL;
}

static void rename_to(struct followed *f, const char *path)
{
    char *copy = strcmp(f->path, path) == 0 ? NULL : strdup(path);
    if (!copy)
        return;
    free(f->path);
    f->path = copy;
}

static void see(struct file_set *s, const char *path,
                void (*adopt)(void *context, const char *path, const struct stat *st),
                void *context)
{
    struct stat st;
    if (stat(path, &st) != 0 || !S_ISREG(st.st_mode))
        return;
    struct followed *f = file_set_find(s, &st);
    if (!f && s->count == s->max_files) {
        s->refused++;
        return;
    }
    if (!f) {
        watch(s, path);
        adopt(context, path, &st);
        f = file_set_find(s, &st);
    }
    if (f && !f->is_at_path) /* of several names of one file the first counts */
        rename_to(f, path);
    if (f)
        f->is_at_path = true;
}

void file_set_scan(struct file_set *s,
                   void (*adopt)(void *context, const char *path, const struct stat *st),
                   void *context)
{
    s->refused = 0;
    for (uint32_t i = 0; i < s->max_files; i++)
        if (s->files[i])
            s->files[i]->is_at_path = false;
    for (uint32_t i = 0; i < s->patterns.count; i++) {
        const char *pattern = s->patterns.items[i].at;
        glob_t found = {0};
        if (!has_wildcard(pattern)) {
            see(s, pattern, adopt, context);
            continue;
        }
        if (glob(pattern, 0, NULL, &found) == 0)
            for (size_t k = 0; k < found.gl_pathc; k++)
                see(s, found.gl_pathv[k], adopt, context);
        globfree(&found);
    }
}

enum status file_set_add(struct file_set *s, struct followed *f, uint32_t slot)
{
    for (uint32_t i = 0; slot == UINT32_MAX && i < s->max_files; i++)
        if (!s->files[i])
            slot = i;
    if (slot >= s->max_files || s->files[slot])
        return STATUS_FULL;
    s->files[slot] = f;
    f->slot = slot;
    s->count++;
    return STATUS_OK;
}

void file_set_detach(struct file_set *s, struct followed *f)
{
    s->files[f->slot] = NULL;
    s->count--;
}

void file_set_remove(struct file_set *s, struct followed *f)
{
    file_set_detach(s, f);
    followed_free(f);
}

/* The file's new name in its folder, after it was renamed while it was closed. */
static bool find_renamed(struct followed *f)
{
    char folder[PATH_MAX], path[PATH_ROOM];
    (void)split(f->path, folder);
    DIR *d = opendir(folder);
    bool is_found = false;
    for (const struct dirent *e = d ? readdir(d) : NULL; e && !is_found; e = readdir(d)) {
        if (e->d_ino != f->inode)
            continue;
        (void)snprintf(path, sizeof path, "%s/%s", folder, e->d_name);
        struct stat st;
        is_found = stat(path, &st) == 0 && followed_is(f, &st);
    }
    if (d)
        (void)closedir(d);
    if (is_found)
        rename_to(f, path);
    return is_found;
}

static uint32_t count_open(const struct file_set *s)
{
    uint32_t count = 0;
    for (uint32_t i = 0; i < s->max_files; i++)
        count += s->files[i] && s->files[i]->fd >= 0;
    return count;
}

/* The one that has been quiet longest, of those that can be opened again and owe nothing. */
static struct followed *find_idle(const struct file_set *s)
{
    struct followed *idle = NULL;
    for (uint32_t i = 0; i < s->max_files; i++) {
        struct followed *f = s->files[i];
        bool may_close = f && f->fd >= 0 && f->is_at_path && !f->has_more && !f->is_touched &&
                         f->durable == f->given_at;
        if (may_close && (!idle || f->quiet_ms < idle->quiet_ms))
            idle = f;
    }
    return idle;
}

bool file_set_open(struct file_set *s, struct followed *f, bool must)
{
    if (f->fd >= 0)
        return true;
    if (count_open(s) >= s->max_open) {
        struct followed *idle = find_idle(s);
        if (!idle && !must)
            return false;
        if (idle) {
            followed_seek(idle, idle->given_at); /* what it has of a line is read again */
            idle->has_more = false;
            followed_close(idle);
        }
    }
    return followed_open(f) || (find_renamed(f) && followed_open(f));
}

void file_set_close_above(const struct file_set *s, struct followed *f)
{
    if (count_open(s) > s->max_open)
        followed_close(f);
}

/* Whether the open file `fd` begins so, and has the same bytes before that place. */
static bool holds(int fd, struct followed_print begin, struct followed_mark reached)
{
    struct followed_print head = followed_print_of(fd, begin.len, FOLLOWED_HEAD_BYTES);
    if (head.len != begin.len || head.hash != begin.hash)
        return false;
    struct followed_print tail = followed_print_of(fd, reached.end, reached.print.len);
    return tail.len == reached.print.len && tail.hash == reached.print.hash;
}

static bool is_copy_of(int fd, const struct followed *f)
{
    return holds(fd, f->head, followed_reached(f));
}

/* The length of the name before its ending: logrotate puts the date before that or behind it. */
static size_t stem_len(const char *name)
{
    const char *dot = strrchr(name, '.');
    return dot && dot != name ? (size_t)(dot - name) : strlen(name);
}

bool file_set_find_copy(const struct followed *f, char *out, size_t size, struct stat *out_st)
{
    char folder[PATH_MAX];
    const char *name = split(f->path, folder);
    size_t name_len = stem_len(name);
    DIR *d = f->head.len >= COPY_HEAD_BYTES ? opendir(folder) : NULL;
    bool is_found = false;
    for (const struct dirent *e = d ? readdir(d) : NULL; e && !is_found; e = readdir(d)) {
        if (strncmp(e->d_name, name, name_len) != 0 || e->d_ino == f->inode)
            continue;
        (void)snprintf(out, size, "%s/%s", folder, e->d_name);
        int fd = open(out, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
        is_found = fd >= 0 && fstat(fd, out_st) == 0 && S_ISREG(out_st->st_mode) &&
                   !followed_is(f, out_st) && is_copy_of(fd, f);
        if (fd >= 0)
            (void)close(fd);
    }
    if (d)
        (void)closedir(d);
    return is_found;
}

/* As few bytes say little, only a file that is new, or known for its copy, is taken for one. */
struct followed *file_set_copy(struct file_set *s, const struct followed *f)
{
    for (uint32_t i = 0; i < s->max_files && f->head.len; i++) {
        struct followed *c = s->files[i];
        bool is_known = c && (c->copy_ms || c->is_alike) && c->copy_of == f->slot;
        bool may_be = c && c != f && !c->is_ended && (is_known || !c->is_checked);
        if (may_be && file_set_open(s, c, true) && (is_known || is_copy_of(c->fd, f)))
            return c;
    }
    return NULL;
}

/* As many bytes as both have. */
static bool begins_alike(int fd, uint64_t size, const struct followed *f)
{
    uint32_t len = size < f->head.len ? (uint32_t)size : f->head.len;
    struct followed_print head = f->head;
    if (len < f->head.len)
        head = followed_print_of(f->fd, len, FOLLOWED_HEAD_BYTES);
    struct followed_print other = followed_print_of(fd, len, FOLLOWED_HEAD_BYTES);
    return len && head.len == len && other.len == len && other.hash == head.hash;
}

bool file_set_is_past(const struct followed *copy, const struct file_past *past, uint64_t *out_from)
{
    struct stat st;
    if (fstat(copy->fd, &st) != 0)
        return false;
    bool is_whole = (uint64_t)st.st_size >= past->reached.end;
    *out_from = is_whole ? past->given_at : (uint64_t)st.st_size;
    if (is_whole)
        return holds(copy->fd, past->head, past->reached);
    /* lines came between copy and truncation, and were read */
    const struct followed_mark none = {0, followed_print_of(copy->fd, 0, 0)};
    return past->head.len == FOLLOWED_HEAD_BYTES && holds(copy->fd, past->head, none);
}

uint64_t file_set_common(const struct followed *copy, const struct followed *original)
{
    struct stat st;
    if (original->fd < 0 || fstat(copy->fd, &st) != 0)
        return copy->offset;
    uint64_t len =
        (uint64_t)st.st_size < original->offset ? (uint64_t)st.st_size : original->offset;
    struct followed_print mine = followed_print_of(copy->fd, len, FOLLOWED_TAIL_BYTES);
    struct followed_print theirs = followed_print_of(original->fd, len, FOLLOWED_TAIL_BYTES);
    bool is_same = mine.len && mine.len == theirs.len && mine.hash == theirs.hash;
    return is_same && len > copy->offset ? len : copy->offset;
}

struct followed *file_set_original(const struct file_set *s, const struct followed *copy,
                                   struct followed **out_alike)
{
    struct stat st;
    *out_alike = NULL;
    if (fstat(copy->fd, &st) != 0)
        return NULL;
    for (uint32_t i = 0; i < s->max_files; i++) {
        struct followed *f = s->files[i];
        bool may_be = f && f != copy && !f->is_ended && f->head.len &&
                      begins_alike(copy->fd, (uint64_t)st.st_size, f);
        bool is_copy = may_be && is_copy_of(copy->fd, f);
        if (is_copy && f->head.len >= COPY_HEAD_BYTES)
            return f;
        /* of a short one only its truncation, at once, would tell */
        if (is_copy || (may_be && (uint64_t)st.st_size < f->offset))
            *out_alike = f;
    }
    return NULL;
}

bool file_set_has_changed(struct file_set *s)
{
    _Alignas(struct inotify_event) char bytes[8192];
    bool has_changed = false;
    ssize_t n = s->inotify_fd < 0 ? -1 : read(s->inotify_fd, bytes, sizeof bytes);
    while (n > 0) {
        for (ssize_t at = 0; at < n;) {
            const struct inotify_event *e = (const void *)(bytes + at);
            has_changed |= (e->mask & ~(uint32_t)IN_MODIFY) != 0;
            at += (ssize_t)(sizeof *e + e->len);
        }
        n = read(s->inotify_fd, bytes, sizeof bytes);
    }
    return has_changed;
}
