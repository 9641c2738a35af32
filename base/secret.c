/* SPDX-License-Identifier: Apache-2.0 */
#include "base/secret.h"
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static enum status add(struct secret_list *list, struct text line, struct error *err)
{
    if (list->count == SECRET_COUNT)
        return error_set(err, STATUS_LIMIT, 0, "more than %d secrets", SECRET_COUNT);
    char *copy = malloc(line.len + 1);
    if (!copy)
        return error_set(err, STATUS_NOMEM, 0, "no memory for a secret");
    memcpy(copy, line.at, line.len);
    copy[line.len] = '\0';
    list->items[list->count++] = (struct secret){copy, line.len};
    return STATUS_OK;
}

static enum status add_lines(struct secret_list *list, struct text all, const char *path,
                             struct error *err)
{
    uint32_t before = list->count;
    struct text line;
    while (text_split(&all, '\n', &line)) {
        line = text_trim(line);
        enum status status = line.len ? add(list, line, err) : STATUS_OK;
        if (status)
            return status;
    }
    if (list->count == before)
        return error_set(err, STATUS_INVALID, 0, "%.150s holds no secret", path);
    return STATUS_OK;
}

enum status secret_load(struct secret_list *list, const char *path, struct error *err)
{
    char bytes[SECRET_BYTES + 1];
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return error_set(err, STATUS_IO, 0, "cannot open %.150s: %s", path, strerrordesc_np(errno));
    ssize_t len = read(fd, bytes, sizeof bytes);
    (void)close(fd);
    enum status status = STATUS_OK;
    if (len < 0)
        status =
            error_set(err, STATUS_IO, 0, "cannot read %.150s: %s", path, strerrordesc_np(errno));
    else if (len > SECRET_BYTES)
        status =
            error_set(err, STATUS_LIMIT, 0, "%.150s is longer than %d bytes", path, SECRET_BYTES);
    else
        status = add_lines(list, (struct text){bytes, (size_t)len}, path, err);
    explicit_bzero(bytes, sizeof bytes);
    return status;
}

void secret_fini(struct secret_list *list)
{
    for (uint32_t i = 0; i < list->count; i++) {
        explicit_bzero(list->items[i].at, list->items[i].len);
        free(list->items[i].at);
    }
    list->count = 0;
}
