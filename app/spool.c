/* SPDX-License-Identifier: Apache-2.0 */
#include "app/spool.h"
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

/* All of it, or the reason why not. */
static enum status copy(FILE *to, struct error *err)
{
    char bytes[65536];
    for (;;) {
        ssize_t n = read(STDIN_FILENO, bytes, sizeof bytes);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0 && errno == EISDIR)
            return error_set(err, STATUS_INVALID, 0, "-: is a folder, not a file");
        if (n < 0)
            return error_set(err, STATUS_IO, 0, "-: cannot read: %s", strerrordesc_np(errno));
        if (fwrite(bytes, 1, (size_t)n, to) != (size_t)n || (!n && fflush(to)))
            return error_set(err, STATUS_IO, 0,
                             "standard input is read twice and cannot be kept: %s",
                             strerrordesc_np(errno));
        if (!n)
            return STATUS_OK;
    }
}

enum status spool_open(struct spool *out, struct error *err)
{
    FILE *kept = tmpfile();
    if (!kept)
        return error_set(err, STATUS_IO, 0, "standard input is read twice and cannot be kept: %s",
                         strerrordesc_np(errno));
    enum status status = copy(kept, err);
    int fd = status ? -1 : dup(fileno(kept));
    (void)fclose(kept);
    if (status)
        return status;
    if (fd < 0)
        return error_set(err, STATUS_IO, 0, "standard input cannot be kept: %s",
                         strerrordesc_np(errno));
    out->fd = fd;
    (void)snprintf(out->again, sizeof out->again, "/proc/self/fd/%d", fd);
    return STATUS_OK;
}

void spool_close(struct spool *s)
{
    (void)close(s->fd);
}
