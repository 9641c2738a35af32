/* SPDX-License-Identifier: Apache-2.0 */
#include "incidents/store/redis_folder.h"
#include "base/hash.h"
#include "base/log.h"
#include "base/timestamp.h"
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

enum { ORPHAN_MS = 3000 }; /* for an orphan that is just writing its last bytes */

static const char *reason(void)
{
    return strerrordesc_np(errno);
}

static enum status make_folder(const char *path, struct error *err)
{
    if (mkdir(path, 0700) && errno != EEXIST)
        return error_set(err, STATUS_IO, 0, "cannot make the folder %s: %s", path, reason());
    return STATUS_OK;
}

/* A folder of ours alone for a socket whose own path would be too long for the kernel. */
static enum status short_folder(const char *dir, char *out, size_t size, struct error *err)
{
    struct hasher h;
    char hex[33];
    struct stat st;
    hash_start(&h);
    hash_part_text(&h, text_of(dir));
    hash_to_hex(hash_end(&h), hex);
    const char *runtime = getenv("XDG_RUNTIME_DIR");
    if (!runtime || strlen(runtime) > 40 || access(runtime, W_OK))
        runtime = access("/run", W_OK) ? "/tmp" : "/run";
    (void)snprintf(out, size, "%s/tocsin-%u-%.12s", runtime, (unsigned)getuid(), hex);
    enum status s = make_folder(out, err);
    if (s != STATUS_OK)
        return s;
    if (lstat(out, &st) || !S_ISDIR(st.st_mode) || st.st_uid != getuid() || (st.st_mode & 077))
        return error_set(err, STATUS_DENIED, 0, "%s is not a folder of this user alone", out);
    return STATUS_OK;
}

static enum status place_socket(struct redis_folder *f, struct error *err)
{
    char folder[PATH_MAX];
    const char *under = f->dir;
    if (strlen(f->dir) + sizeof "/redis.sock" > sizeof f->socket) {
        enum status status = short_folder(f->dir, folder, sizeof folder, err);
        if (status)
            return status;
        under = folder;
    }
    size_t len = strlen(under);
    memcpy(f->socket, under, len);
    memcpy(f->socket + len, "/redis.sock", sizeof "/redis.sock");
    return STATUS_OK;
}

static uint64_t memory_limit_mb(void)
{
    long pages = sysconf(_SC_PHYS_PAGES), size = sysconf(_SC_PAGESIZE);
    uint64_t mb = pages > 0 && size > 0 ? (uint64_t)pages * (uint64_t)size >> 20 : 4096;
    return mb / 4 < 256 ? 256 : mb / 4;
}

/* Files of the record that earlier runs left for others to read. */
static void make_private(int dir_fd, const char *name)
{
    struct stat st;
    if (fstatat(dir_fd, name, &st, AT_SYMLINK_NOFOLLOW) || st.st_uid != geteuid() ||
        !(st.st_mode & 077) || !(S_ISREG(st.st_mode) || S_ISDIR(st.st_mode)))
        return;
    if (fchmodat(dir_fd, name, st.st_mode & 0700, 0))
        log_line(LOG_WARNING, "%s can be read by others: %s", name, reason());
}

static void make_all_private(const struct redis_folder *f)
{
    char path[PATH_ROOM];
    DIR *dir = opendir(f->dir);
    if (dir) {
        make_private(dirfd(dir), "redis.log");
        make_private(dirfd(dir), "appendonlydir");
        (void)closedir(dir);
    }
    (void)snprintf(path, sizeof path, "%s/appendonlydir", f->dir);
    dir = opendir(path);
    for (struct dirent *d = dir ? readdir(dir) : NULL; d; d = readdir(dir))
        if (d->d_name[0] != '.')
            make_private(dirfd(dir), d->d_name);
    if (dir)
        (void)closedir(dir);
}

/* In a folder where others may write they could put a record of their own in place of ours. */
static enum status check_folder(const char *dir, struct error *err)
{
    struct stat st;
    if (stat(dir, &st))
        return error_set(err, STATUS_IO, 0, "cannot look at %.100s: %s", dir, reason());
    if (st.st_mode & 022)
        return error_set(err, STATUS_DENIED, 0,
                         "others may write in %.60s (mode %o): name a folder of its own for the "
                         "data, or chmod go-w it",
                         dir, (unsigned)st.st_mode & 07777);
    return STATUS_OK;
}

static FILE *open_conf(const struct redis_folder *f)
{
    int fd = open(f->conf, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (fd < 0)
        return NULL;
    FILE *file = fchmod(fd, 0600) ? NULL : fdopen(fd, "w");
    if (!file)
        (void)close(fd);
    return file;
}

static enum status write_conf(const struct redis_folder *f, struct error *err)
{
    FILE *file = open_conf(f);
    if (!file)
        return error_set(err, STATUS_IO, 0, "cannot write %s: %s", f->conf, reason());
    int n = fprintf(file,
                    "port 0\n"
                    "unixsocket \"%s\"\n"
                    "unixsocketperm 700\n"
                    "dir \"%s\"\n"
                    "logfile redis.log\n"
                    "daemonize no\n"
                    "supervised no\n"
                    "databases 1\n"
                    "save \"\"\n"
                    "appendonly yes\n"
                    "appendfsync always\n"
                    "no-appendfsync-on-rewrite no\n"
                    "aof-load-truncated yes\n"
                    "aof-use-rdb-preamble yes\n"
                    "auto-aof-rewrite-percentage 100\n"
                    "auto-aof-rewrite-min-size 64mb\n"
                    "maxmemory %llumb\n"
                    "maxmemory-policy noeviction\n"
                    "timeout 0\n"
                    "shutdown-timeout 5\n"
                    "crash-log-enabled no\n",
                    f->socket, f->dir, (unsigned long long)memory_limit_mb());
    bool is_ok = n > 0 && fflush(file) == 0 && fsync(fileno(file)) == 0;
    if (fclose(file) || !is_ok)
        return error_set(err, STATUS_IO, 0, "cannot write %s: %s", f->conf, reason());
    return STATUS_OK;
}

/* ---- locks and orphans ---- */

static enum status open_lock(const char *dir, const char *name, int *out, struct error *err)
{
    char path[PATH_ROOM];
    (void)snprintf(path, sizeof path, "%s/%s", dir, name);
    *out = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    if (*out < 0 || fchmod(*out, 0600))
        return error_set(err, STATUS_IO, 0, "cannot open %s: %s", path, reason());
    return STATUS_OK;
}

static bool lock_within(int fd, uint64_t ms)
{
    uint64_t end_ms = timestamp_monotonic_ms() + ms;
    while (flock(fd, LOCK_EX | LOCK_NB)) {
        if (timestamp_monotonic_ms() >= end_ms)
            return false;
        (void)poll(NULL, 0, 20);
    }
    return true;
}

/* The lock names a process; it is our orphan when it is a redis-server that works in this folder.
 */
static bool is_orphan(const struct redis_folder *f, pid_t pid)
{
    char link[64], seen[PATH_MAX];
    (void)snprintf(link, sizeof link, "/proc/%d/cwd", (int)pid);
    ssize_t n = readlink(link, seen, sizeof seen - 1);
    if (n <= 0)
        return false;
    seen[n] = 0;
    return strcmp(seen, f->dir) == 0;
}

static enum status take_over(struct redis_folder *f, struct error *err)
{
    if (lock_within(f->lock_fd, ORPHAN_MS))
        return STATUS_OK;
    char digits[24] = {0};
    int64_t pid = 0;
    ssize_t n = pread(f->lock_fd, digits, sizeof digits - 1, 0);
    if (n <= 0 || !text_to_int64(text_trim((struct text){digits, (size_t)n}), &pid) || pid < 2 ||
        !is_orphan(f, (pid_t)pid))
        return error_set(err, STATUS_CONFLICT, 0,
                         "%s is locked by a process that is no redis-server of ours", f->dir);
    log_line(LOG_WARNING, "killed a redis-server left behind by an earlier run pid=%d", (int)pid);
    (void)kill((pid_t)pid, SIGKILL);
    if (!lock_within(f->lock_fd, ORPHAN_MS))
        return error_set(err, STATUS_CONFLICT, 0, "redis-server %d does not die", (int)pid);
    return STATUS_OK;
}

void redis_folder_close(struct redis_folder *f)
{
    if (f->lock_fd >= 0)
        close(f->lock_fd);
    if (f->owner_fd >= 0)
        close(f->owner_fd);
    f->lock_fd = f->owner_fd = -1;
}

enum status redis_folder_open(struct redis_folder *f, const char *dir, struct error *err)
{
    enum status status = make_folder(dir, err);
    if (status)
        return status;
    char real[PATH_MAX];
    if (!realpath(dir, real) || strlen(real) >= sizeof f->dir)
        return error_set(err, STATUS_IO, 0, "the path of %.100s is too long", dir);
    if (strpbrk(real, "\"\\\n"))
        return error_set(err, STATUS_INVALID, 0, "%.100s: no quotes in a data folder's path", dir);
    memcpy(f->dir, real, strlen(real) + 1);
    status = check_folder(f->dir, err);
    if (status)
        return status;
    (void)snprintf(f->conf, sizeof f->conf, "%s/redis.conf", f->dir);
    status = open_lock(f->dir, "owner.lock", &f->owner_fd, err);
    if (status)
        return status;
    if (!lock_within(f->owner_fd, 0))
        return error_set(err, STATUS_CONFLICT, 0, "another tocsin works in %s", f->dir);
    status = open_lock(f->dir, "redis.lock", &f->lock_fd, err);
    if (!status)
        status = take_over(f, err);
    if (!status)
        status = place_socket(f, err);
    if (status)
        return status;
    make_all_private(f);
    return write_conf(f, err);
}

static bool is_left_over(struct text name)
{
    return (text_starts(name, TEXT("temp-rewriteaof-")) && text_ends(name, TEXT(".aof"))) ||
           (text_starts(name, TEXT("temp-")) && text_ends(name, TEXT(".rdb")));
}

void redis_folder_clean(const struct redis_folder *f)
{
    DIR *dir = opendir(f->dir);
    if (!dir)
        return;
    for (struct dirent *d = readdir(dir); d; d = readdir(dir))
        if (is_left_over(text_of(d->d_name)) && unlinkat(dirfd(dir), d->d_name, 0) == 0)
            log_line(LOG_INFO, "removed %s, left by a redis-server that was killed", d->d_name);
    (void)closedir(dir);
}
