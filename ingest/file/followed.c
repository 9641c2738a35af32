/* SPDX-License-Identifier: Apache-2.0 */
#include "ingest/file/followed.h"
#include "base/hash.h"
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct followed *followed_new(const char *path, const struct stat *st, size_t max_message,
                              bool has_nul_ends)
{
    struct followed *f = calloc(1, sizeof *f);
    if (!f)
        return NULL;
    f->fd = -1;
    f->path = strdup(path);
    f->name = strdup(path);
    f->device = st->st_dev;
    f->inode = st->st_ino;
    f->has_more = true;
    f->is_at_path = true;
    framer_init(&f->framer, max_message);
    f->framer.mode = has_nul_ends ? FRAMER_NUL : FRAMER_LF; /* a line may begin with a number */
    if (f->path && f->name)
        return f;
    followed_free(f);
    return NULL;
}

void followed_free(struct followed *f)
{
    if (!f)
        return;
    followed_close(f);
    framer_fini(&f->framer);
    free(f->path);
    free(f->name);
    free(f);
}

void followed_name(struct followed *f, const char *name)
{
    char *copy = strdup(name);
    if (!copy)
        return;
    free(f->name);
    f->name = copy;
}

bool followed_open(struct followed *f)
{
    struct stat st;
    if (f->fd >= 0)
        return true;
    f->fd = open(f->path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
    if (f->fd < 0)
        return false;
    if (fstat(f->fd, &st) == 0 && S_ISREG(st.st_mode) && followed_is(f, &st))
        return true;
    followed_close(f);
    return false;
}

void followed_close(struct followed *f)
{
    if (f->fd >= 0)
        (void)close(f->fd);
    f->fd = -1;
}

struct followed_print followed_print_of(int fd, uint64_t end, uint32_t most)
{
    char bytes[FOLLOWED_HEAD_BYTES];
    uint32_t want = end < most ? (uint32_t)end : most;
    ssize_t n = pread(fd, bytes, want, (off_t)(end - want));
    if (n != (ssize_t)want)
        return (struct followed_print){0, 0};
    return (struct followed_print){hash_bytes(bytes, want, 0), want};
}

bool followed_learn_head(struct followed *f)
{
    struct stat st;
    if (f->head.len)
        return true;
    if (fstat(f->fd, &st) != 0)
        return false;
    uint64_t len = st.st_size < FOLLOWED_HEAD_BYTES ? (uint64_t)st.st_size : FOLLOWED_HEAD_BYTES;
    f->head = followed_print_of(f->fd, len, FOLLOWED_HEAD_BYTES);
    return f->head.len > 0;
}

struct followed_mark followed_reached(const struct followed *f)
{
    if (f->is_lost)
        return f->lost;
    return (struct followed_mark){f->offset, {hash_bytes(f->tail, f->tail_len, 0), f->tail_len}};
}

static void reset_framer(struct followed *f)
{
    size_t max_bytes = f->framer.max_bytes;
    enum framer_mode mode = f->framer.mode;
    framer_fini(&f->framer);
    framer_init(&f->framer, max_bytes);
    f->framer.mode = mode;
}

void followed_seek(struct followed *f, uint64_t offset)
{
    reset_framer(f);
    f->offset = f->given_at = f->durable = offset;
    f->tail_len = 0;
    f->has_more = true;
    uint32_t want = offset < FOLLOWED_TAIL_BYTES ? (uint32_t)offset : FOLLOWED_TAIL_BYTES;
    if (!want || f->fd < 0 || pread(f->fd, f->tail, want, (off_t)(offset - want)) != (ssize_t)want)
        return;
    f->tail_len = want;
    f->framer.is_skipping = f->tail[want - 1] != (f->framer.mode == FRAMER_NUL ? '\0' : '\n');
}

void followed_begin_anew(struct followed *f)
{
    f->base += f->offset + 1;
    f->head = (struct followed_print){0, 0};
    f->is_named = f->is_asked = false;
    f->is_compressed = false;
    f->is_lost = false;
    followed_seek(f, 0);
}

/* The first bytes are those that were there, as many as were known; more of them are known now. */
static bool has_its_head(struct followed *f)
{
    if (f->head.len &&
        followed_print_of(f->fd, f->head.len, FOLLOWED_HEAD_BYTES).hash != f->head.hash)
        return false;
    uint32_t known = f->offset < FOLLOWED_HEAD_BYTES ? (uint32_t)f->offset : FOLLOWED_HEAD_BYTES;
    if (known > f->head.len)
        f->head = followed_print_of(f->fd, known, FOLLOWED_HEAD_BYTES);
    return true;
}

static bool is_changed(const struct stat *a, const struct stat *b)
{
    return a->st_size != b->st_size || a->st_mtim.tv_sec != b->st_mtim.tv_sec ||
           a->st_mtim.tv_nsec != b->st_mtim.tv_nsec;
}

enum followed_news followed_look(struct followed *f)
{
    struct stat st;
    if (f->fd >= 0 ? fstat(f->fd, &st) != 0 : stat(f->path, &st) != 0 || !followed_is(f, &st))
        return FOLLOWED_GONE;
    if (!is_changed(&st, &f->seen))
        return FOLLOWED_SAME;
    f->seen = st;
    if (!followed_open(f))
        return FOLLOWED_GONE;
    f->has_more = true;
    bool is_same = (uint64_t)st.st_size >= f->offset && has_its_head(f);
    return is_same ? FOLLOWED_MORE : FOLLOWED_ANEW;
}

/* gzip, zstd, xz, bzip2: what logrotate makes of a file that was read. */
static bool is_compressed(struct text t)
{
    return text_starts(t, TEXT("\x1f\x8b")) || text_starts(t, TEXT("\x28\xb5\x2f\xfd")) ||
           text_starts(t, TEXT("\xfd\x37zXZ")) || text_starts(t, TEXT("BZh9"));
}

enum followed_news followed_read(struct followed *f, char *chunk, size_t size, struct text *out)
{
    *out = TEXT_NONE;
    ssize_t n = pread(f->fd, chunk, size, (off_t)(f->offset - f->tail_len));
    if (n < 0)
        return FOLLOWED_SAME;
    if ((size_t)n < f->tail_len || memcmp(chunk, f->tail, f->tail_len) != 0)
        return FOLLOWED_ANEW;
    *out = (struct text){chunk + f->tail_len, (size_t)n - f->tail_len};
    if (f->offset == 0 && is_compressed(*out))
        f->is_compressed = true;
    if (!out->len || f->is_compressed) {
        *out = TEXT_NONE;
        f->has_more = false;
        return FOLLOWED_SAME;
    }
    f->offset += out->len;
    f->tail_len = n < FOLLOWED_TAIL_BYTES ? (uint32_t)n : FOLLOWED_TAIL_BYTES;
    memcpy(f->tail, chunk + n - f->tail_len, f->tail_len);
    if (f->head.len < FOLLOWED_HEAD_BYTES)
        (void)has_its_head(f);
    return FOLLOWED_MORE;
}
