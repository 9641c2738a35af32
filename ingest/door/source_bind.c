/* SPDX-License-Identifier: Apache-2.0 */
#include "ingest/door/activation.h"
#include "ingest/door/source.h"
#include <stdio.h>
#include <unistd.h>

/* `listen: "fd:NAME"`: a socket that systemd passed, wherever it is bound. */
static enum status find_named(struct source *s, int type, struct endpoint *out, int *out_fd,
                              struct error *err)
{
    *out_fd = activation_take_named(text_skip(s->listen, 3), type);
    *out = (struct endpoint){.len = sizeof out->at};
    if (*out_fd < 0 || getsockname(*out_fd, (struct sockaddr *)&out->at, &out->len) != 0)
        return error_set(err, STATUS_INVALID, 0,
                         "listen: systemd passed no such socket as %.*s (FileDescriptorName=)",
                         TEXT_ARG(text_head(s->listen, 60)));
    return STATUS_OK;
}

static enum status may_listen(const struct source *s, const struct endpoint *e, bool has_proof,
                              struct error *err)
{
    if (endpoint_is_loopback(e) || s->allow || has_proof)
        return STATUS_OK;
    return error_set(err, STATUS_DENIED, 0,
                     "listen: %.*s is not loopback: say who may send with `allow: [10.0.0.0/8]`",
                     TEXT_ARG(s->listen));
}

enum status source_bind_check(struct source *s, bool has_proof, struct error *err)
{
    struct endpoint e;
    if (!(s->type->traits & SOURCE_NET) || text_starts(s->listen, TEXT("fd:")))
        return STATUS_OK;
    enum status status = endpoint_parse(s->listen, &e, err);
    return status ? status : may_listen(s, &e, has_proof, err);
}

enum status source_bind(struct source *s, int type, bool has_proof, int *out_fd, struct error *err)
{
    struct endpoint e;
    int fd = -1;
    bool is_named = text_starts(s->listen, TEXT("fd:"));
    enum status status =
        is_named ? find_named(s, type, &e, &fd, err) : endpoint_parse(s->listen, &e, err);
    if (!status)
        status = may_listen(s, &e, has_proof, err);
    if (!status && fd < 0)
        fd = activation_take(&e.at, e.len, type);
    s->is_passed = fd >= 0;
    if (!status && fd < 0)
        status = endpoint_bind(&e, type, &fd, err);
    if (status) {
        if (fd >= 0)
            (void)close(fd);
        return status;
    }
    char name[ENDPOINT_TEXT_LEN];
    endpoint_print(&e, name);
    (void)snprintf(s->address, sizeof s->address, "%s", name);
    *out_fd = fd;
    return STATUS_OK;
}
