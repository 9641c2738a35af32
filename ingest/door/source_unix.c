/* SPDX-License-Identifier: Apache-2.0 */
#include "ingest/door/source_unix.h"
#include "ingest/door/activation.h"
#include "ingest/door/source_datagram.h"
#include "ingest/door/source_stream.h"
#include "ingest/door/source_tcp.h"
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

enum { BUFFER_BYTES = 8 << 20 };

struct unix_door {
    struct source source;
    struct text path; /* options */
    int is_stream;
    struct text mode;
    bool has_made; /* the socket in the file system is ours to remove */
    struct source_datagram datagram;
    struct source_stream stream;
};

/* True where nobody answers at a socket that an earlier run left behind. */
static bool is_abandoned(const struct sockaddr_un *at, int type)
{
    struct stat st;
    if (lstat(at->sun_path, &st) != 0 || !S_ISSOCK(st.st_mode))
        return false;
    int fd = socket(AF_UNIX, type | SOCK_CLOEXEC, 0);
    bool is_refused =
        connect(fd, (const struct sockaddr *)at, sizeof *at) != 0 && errno == ECONNREFUSED;
    (void)close(fd);
    return is_refused;
}

/* systemd holds the path: its socket outlives us, so that nothing is lost while we start. */
static bool take_passed(struct unix_door *u, const struct sockaddr_un *at, int type, int *out_fd)
{
    struct sockaddr_storage any = {0};
    memcpy(&any, at, sizeof *at);
    int fd = activation_take(&any, sizeof *at, type);
    u->source.is_passed = fd >= 0;
    if (fd >= 0)
        *out_fd = fd;
    return fd >= 0;
}

static enum status check_unix(struct source *s, bool *has_proof, struct error *err)
{
    const struct unix_door *u = CONTAINER_OF(s, struct unix_door, source);
    const struct sockaddr_un at = {.sun_family = AF_UNIX};
    (void)has_proof;
    if (!u->path.len || u->path.len >= sizeof at.sun_path)
        return error_set(err, STATUS_INVALID, 0, "path: want a path of 1 to %zu bytes",
                         sizeof at.sun_path - 1);
    char *end = NULL;
    unsigned long mode = u->mode.len ? strtoul(u->mode.at, &end, 8) : 0;
    if (!u->mode.len || *end || mode > 0777)
        return error_set(err, STATUS_INVALID, 0, "mode: want permissions in octal, such as 0660");
    return STATUS_OK;
}

static enum status bind_path(struct unix_door *u, int type, int *out_fd, struct error *err)
{
    struct sockaddr_un at = {.sun_family = AF_UNIX};
    enum status status = check_unix(&u->source, NULL, err);
    if (status)
        return status;
    unsigned long mode = strtoul(u->mode.at, NULL, 8);
    memcpy(at.sun_path, u->path.at, u->path.len);
    if (take_passed(u, &at, type, out_fd))
        return STATUS_OK;
    if (is_abandoned(&at, type))
        (void)unlink(at.sun_path);
    int fd = socket(AF_UNIX, type | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    u->has_made = fd >= 0 && bind(fd, (const struct sockaddr *)&at, sizeof at) == 0;
    if (u->has_made && chmod(at.sun_path, (mode_t)mode) == 0 &&
        (type != SOCK_STREAM || listen(fd, 1024) == 0)) {
        *out_fd = fd;
        return STATUS_OK;
    }
    int code = errno;
    if (fd >= 0)
        (void)close(fd);
    if (code == EADDRINUSE)
        return error_set(err, STATUS_IO, 0,
                         "%s is in use by another program: stop it or set `path`", at.sun_path);
    return error_set(err, STATUS_IO, 0, "%s: %s", at.sun_path, strerrordesc_np(code));
}

static enum status open_unix(struct source *s, struct error *err)
{
    struct unix_door *u = CONTAINER_OF(s, struct unix_door, source);
    int fd = -1;
    enum status status = bind_path(u, u->is_stream ? SOCK_STREAM : SOCK_DGRAM, &fd, err);
    if (status)
        return status;
    (void)snprintf(s->address, sizeof s->address, "%.*s", TEXT_ARG(u->path));
    if (u->is_stream)
        return source_stream_init(&u->stream, s, fd, &source_stream_plain, &source_tcp_framed, err);
    source_datagram_add(&u->datagram, s, fd, BUFFER_BYTES);
    return STATUS_OK;
}

static enum status start_unix(struct source *s, struct error *err)
{
    struct unix_door *u = CONTAINER_OF(s, struct unix_door, source);
    return u->is_stream ? source_stream_start(&u->stream, err)
                        : source_datagram_start(&u->datagram, err);
}

static void stop_unix(struct source *s)
{
    struct unix_door *u = CONTAINER_OF(s, struct unix_door, source);
    source_stream_stop(&u->stream);
    source_datagram_stop(&u->datagram);
}

static void close_unix(struct source *s)
{
    struct unix_door *u = CONTAINER_OF(s, struct unix_door, source);
    source_stream_fini(&u->stream);
    source_datagram_fini(&u->datagram);
    if (u->has_made)
        (void)unlink(u->path.at);
}

static const char *const socket_types[] = {"datagram", "stream", NULL};

static const struct option rows[] = {
    {"path", OPTION_TEXT, offsetof(struct unix_door, path), "", 0, 0, NULL,
     "where the socket is made"},
    {"type", OPTION_CHOICE, offsetof(struct unix_door, is_stream), "datagram", 0, 0, socket_types,
     "datagrams, or a stream of lines or counted frames"},
    {"mode", OPTION_TEXT, offsetof(struct unix_door, mode), "0666", 0, 0, NULL,
     "its permissions, in octal"},
};

const struct source_type source_unix_type = {
    .key = "unix",
    .kind = "unix",
    .help = "a unix socket as /dev/log is one",
    .size_bytes = sizeof(struct unix_door),
    .traits = SOURCE_STREAM,
    .options = rows,
    .option_count = sizeof rows / sizeof *rows,
    .open = open_unix,
    .check = check_unix,
    .start = start_unix,
    .stop = stop_unix,
    .close = close_unix,
};
