/* SPDX-License-Identifier: Apache-2.0 */
#include "ingest/webhook/keyring_file.h"
#include "base/digit.h"
#include "base/json_write.h"
#include "base/path.h"
#include "base/timestamp.h"
#include "base/wall_clock.h"
#include "ingest/door/tls.h"
#include "ingest/webhook/json_tree.h"
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

enum { FILE_BYTES = 8 << 20 };

enum status keyring_file_init(struct keyring_file *f, const char *path, struct error *err)
{
    *f = (struct keyring_file){.path = strdup(path)};
    return f->path ? STATUS_OK : error_set(err, STATUS_NOMEM, 0, "no memory for keys");
}

void keyring_file_fini(struct keyring_file *f)
{
    free(f->path);
    free(f->keys);
    *f = (struct keyring_file){0};
}

/* ---- hex and words ---- */

static bool read_hex(struct text t, unsigned char out[32])
{
    if (t.len != 64)
        return false;
    for (size_t i = 0; i < 32; i++) {
        int high = digit_of_hex(t.at[2 * i]);
        int low = digit_of_hex(t.at[2 * i + 1]);
        if (high < 0 || low < 0)
            return false;
        out[i] = (unsigned char)(high * 16 + low);
    }
    return true;
}

static bool read_word(const struct json_node *n, const char *name, char *out, size_t size)
{
    struct text t = json_tree_member(n, name);
    if (!t.len || t.len >= size)
        return false;
    memcpy(out, t.at, t.len);
    out[t.len] = 0;
    return true;
}

static int64_t read_time(const struct json_node *n, const char *name)
{
    int64_t us = TIMESTAMP_NONE;
    struct text t = json_tree_member(n, name);
    return t.len && timestamp_parse(t, 0, &us, NULL) ? us : TIMESTAMP_NONE;
}

/* ---- reading ---- */

static bool read_key(struct text line, struct keyring_key *out)
{
    AUTO(json_tree) tree = NULL;
    if (json_tree_parse(line, &tree, NULL) != STATUS_OK)
        return false;
    const struct json_node *n = json_tree_root(tree);
    struct keyring_entry *e = &out->entry;
    *out = (struct keyring_key){0};
    e->created_us = read_time(n, "created");
    e->expires_us = read_time(n, "expires");
    e->revoked_us = read_time(n, "revoked");
    (void)json_tree_int(json_tree_get(n, "rate_per_s"), &e->rate_per_s);
    return read_word(n, "id", e->id, sizeof e->id) &&
           read_word(n, "name", e->name, sizeof e->name) &&
           read_word(n, "scope", e->scope, sizeof e->scope) &&
           read_hex(json_tree_member(n, "sha256"), out->digest);
}

static enum status read_keys(struct text content, struct keyring_key **out, uint32_t *out_count,
                             struct error *err)
{
    struct keyring_key *keys = calloc(KEYRING_FILE_KEYS, sizeof *keys);
    struct text line;
    uint32_t number = 0;
    uint32_t count = 0;
    enum status status = keys ? STATUS_OK : error_set(err, STATUS_NOMEM, 0, "no memory for keys");
    while (!status && text_split(&content, '\n', &line)) {
        number++;
        if (!text_trim(line).len)
            continue;
        if (count == KEYRING_FILE_KEYS)
            status = error_set(err, STATUS_LIMIT, number, "more than %d keys", KEYRING_FILE_KEYS);
        else if (!read_key(line, &keys[count++]))
            status = error_set(err, STATUS_SYNTAX, number, "line %u is no key", number);
    }
    if (status) {
        free(keys);
        return status;
    }
    struct keyring_key *exact = realloc(keys, (count ? count : 1) * sizeof *keys);
    *out = exact ? exact : keys;
    *out_count = count;
    return STATUS_OK;
}

static enum status load(struct buffer *b, int fd, const char *path, struct error *err)
{
    for (;;) {
        char *at = buffer_reserve(b, 65536);
        ssize_t n = at ? read(fd, at, 65536) : -1;
        if (n < 0)
            return error_set(err, STATUS_IO, 0, "keys: %s cannot be read: %s", path,
                             strerrordesc_np(errno));
        if (n == 0)
            return STATUS_OK;
        b->len += (size_t)n;
    }
}

enum status keyring_file_read(struct keyring_file *f, struct error *err)
{
    struct stat st;
    int fd = open(f->path, O_RDONLY | O_CLOEXEC);
    if (fd < 0 && errno == ENOENT && !f->is_read)
        return STATUS_OK;
    if (fd < 0 || fstat(fd, &st) != 0) {
        enum status failed =
            error_set(err, STATUS_IO, 0, "keys: %s: %s", f->path, strerrordesc_np(errno));
        if (fd >= 0)
            (void)close(fd);
        return failed;
    }
    enum status status = STATUS_OK;
    if (!f->is_read || f->inode != st.st_ino || f->changed.tv_sec != st.st_mtim.tv_sec ||
        f->changed.tv_nsec != st.st_mtim.tv_nsec) {
        struct buffer b;
        struct keyring_key *keys = NULL;
        uint32_t count = 0;
        buffer_init(&b, FILE_BYTES);
        status = load(&b, fd, f->path, err);
        if (!status)
            status = read_keys(buffer_text(&b), &keys, &count, err);
        buffer_fini(&b);
        if (!status) {
            free(f->keys);
            f->keys = keys;
            f->count = count;
            f->is_read = true;
            f->inode = st.st_ino;
            f->changed = st.st_mtim;
        }
    }
    (void)close(fd);
    return status;
}

const struct keyring_entry *keyring_file_find(const struct keyring_file *f, struct text key)
{
    unsigned char digest[32];
    const struct keyring_entry *found = NULL;
    if (key.len != KEYRING_KEY_LEN)
        return NULL;
    tls_digest(key, digest);
    for (uint32_t i = 0; i < f->count; i++) {
        /* the digests are compared whole: how long it takes says nothing of where they differ */
        unsigned char differs = 0;
        for (size_t j = 0; j < sizeof digest; j++)
            differs |= (unsigned char)(digest[j] ^ f->keys[i].digest[j]);
        found = differs ? found : &f->keys[i].entry;
    }
    return found;
}

/* ---- writing ---- */

static void write_key(struct buffer *b, const struct keyring_key *k)
{
    char hex[65];
    const struct keyring_entry *e = &k->entry;
    for (size_t i = 0; i < 32; i++)
        (void)snprintf(hex + 2 * i, 3, "%02x", k->digest[i]);
    json_write_open(b, NULL, '{');
    json_write_string(b, "id", text_of(e->id));
    json_write_string(b, "name", text_of(e->name));
    json_write_string(b, "scope", text_of(e->scope));
    json_write_string(b, "sha256", text_of(hex));
    json_write_time(b, "created", e->created_us);
    if (e->expires_us != TIMESTAMP_NONE)
        json_write_time(b, "expires", e->expires_us);
    if (e->revoked_us != TIMESTAMP_NONE)
        json_write_time(b, "revoked", e->revoked_us);
    if (e->rate_per_s)
        json_write_int(b, "rate_per_s", e->rate_per_s);
    json_write_close(b, '}');
    buffer_byte(b, '\n');
}

static enum status replace(const struct keyring_file *f, const struct buffer *b, struct error *err)
{
    char fresh[4096];
    (void)snprintf(fresh, sizeof fresh, "%s.new", f->path);
    int fd = open(fresh, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    bool is_written =
        fd >= 0 && !b->has_failed && write(fd, b->at, b->len) == (ssize_t)b->len && fsync(fd) == 0;
    int code = errno;
    if (fd >= 0)
        (void)close(fd);
    if (is_written && rename(fresh, f->path) == 0)
        return STATUS_OK;
    return error_set(err, STATUS_IO, 0, "keys: %s cannot be written: %s", f->path,
                     strerrordesc_np(is_written ? errno : code));
}

static enum status write_all(struct keyring_file *f, struct error *err)
{
    struct buffer b;
    buffer_init(&b, FILE_BYTES);
    for (uint32_t i = 0; i < f->count; i++)
        write_key(&b, &f->keys[i]);
    enum status status = replace(f, &b, err);
    buffer_fini(&b);
    f->is_read = false; /* the next read takes the file's word for it */
    return status;
}

/* Between two processes that change the file: the later one sees the other's change. */
static enum status lock(const struct keyring_file *f, int *out_fd, struct error *err)
{
    char path[PATH_ROOM];
    (void)snprintf(path, sizeof path, "%s.lock", f->path);
    *out_fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    if (*out_fd >= 0 && flock(*out_fd, LOCK_EX) == 0)
        return STATUS_OK;
    return error_set(err, STATUS_IO, 0, "keys: %s: %s", path, strerrordesc_np(errno));
}

static bool is_good(const struct keyring_entry *e)
{
    return e->revoked_us == TIMESTAMP_NONE;
}

/* 40 and 120 random bits in letters and digits that nobody confuses. */
static bool make_key(char out[KEYRING_KEY_LEN + 1])
{
    static const char letters[] = "abcdefghijkmnpqrstuvwxyz23456789";
    unsigned char bits[KEYRING_KEY_LEN];
    if (getrandom(bits, sizeof bits, 0) != (ssize_t)sizeof bits)
        return false;
    for (size_t i = 0; i < sizeof bits; i++)
        out[i] = letters[bits[i] % 32];
    out[KEYRING_KEY_LEN] = 0;
    return true;
}

static enum status append(struct keyring_file *f, const struct keyring_entry *want,
                          char out_key[KEYRING_KEY_LEN + 1], struct error *err)
{
    enum status status = keyring_file_read(f, err);
    if (status)
        return status;
    for (uint32_t i = 0; i < f->count; i++)
        if (is_good(&f->keys[i].entry) && strcmp(f->keys[i].entry.name, want->name) == 0 &&
            strcmp(f->keys[i].entry.scope, want->scope) == 0)
            return error_set(err, STATUS_EXISTS, 0, "key %s has that name: revoke it first",
                             f->keys[i].entry.id);
    struct keyring_key *more =
        f->count < KEYRING_FILE_KEYS ? realloc(f->keys, (f->count + 1) * sizeof *more) : NULL;
    if (!more)
        return error_set(err, STATUS_LIMIT, 0, "no room for one more key");
    f->keys = more;
    if (!make_key(out_key))
        return error_set(err, STATUS_IO, 0, "the system gives no random bytes");
    struct keyring_key *k = &more[f->count++];
    *k = (struct keyring_key){.entry = *want};
    memcpy(k->entry.id, out_key, KEYRING_ID_LEN);
    k->entry.id[KEYRING_ID_LEN] = 0;
    k->entry.created_us = wall_clock_us();
    k->entry.revoked_us = TIMESTAMP_NONE;
    tls_digest((struct text){out_key, KEYRING_KEY_LEN}, k->digest);
    return write_all(f, err);
}

enum status keyring_file_add(struct keyring_file *f, const struct keyring_entry *want,
                             char out_key[KEYRING_KEY_LEN + 1], struct error *err)
{
    int fd = -1;
    enum status status = lock(f, &fd, err);
    if (!status)
        status = append(f, want, out_key, err);
    if (fd >= 0)
        (void)close(fd);
    return status;
}

/* An array is never NULL: text_of, which asks that, makes gcc 14 warn of the NULL that is not. */
static bool is_called(const char *name, struct text want)
{
    return text_equal((struct text){name, strlen(name)}, want);
}

static enum status mark_revoked(struct keyring_file *f, struct text id_or_name, struct error *err)
{
    enum status status = keyring_file_read(f, err);
    struct keyring_entry *found = NULL;
    for (uint32_t i = 0; !status && i < f->count; i++) {
        struct keyring_entry *e = &f->keys[i].entry;
        bool is_meant = is_called(e->id, id_or_name) || is_called(e->name, id_or_name);
        if (!is_meant || !is_good(e))
            continue;
        if (found)
            return error_set(err, STATUS_CONFLICT, 0, "several keys have that name: say the id");
        found = e;
    }
    if (status)
        return status;
    if (!found)
        return error_set(err, STATUS_NOTFOUND, 0, "no good key is called '%.*s'",
                         TEXT_ARG(text_head(id_or_name, 64)));
    found->revoked_us = wall_clock_us();
    return write_all(f, err);
}

enum status keyring_file_revoke(struct keyring_file *f, struct text id_or_name, struct error *err)
{
    int fd = -1;
    enum status status = lock(f, &fd, err);
    if (!status)
        status = mark_revoked(f, id_or_name, err);
    if (fd >= 0)
        (void)close(fd);
    return status;
}
