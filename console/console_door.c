/* SPDX-License-Identifier: Apache-2.0 */
#include "console/console.h"
#include "console/listener.h"
#include "console/server.h"
#include <stdlib.h>

struct console_door {
    struct console_door_options options;
    struct server *server;
};

static void handle(void *context, const struct server *server,
                   const struct console_request *request, struct server_reply *reply)
{
    const struct console_door *d = context;
    (void)server;
    if (!d->options.webhook(d->options.context, request, &reply->base))
        server_refuse(reply, 404, "this port takes webhooks alone");
}

enum status console_door_open(const struct console_door_options *options, struct console_door **out,
                              struct error *err)
{
    AUTO(console_door) d = calloc(1, sizeof *d);
    if (!d)
        return error_set(err, STATUS_NOMEM, 0, "no memory for a door");
    d->options = *options;
    const struct server_options server = {.listen = options->listen,
                                          .max_body_bytes = options->max_body_bytes,
                                          .is_open = true,
                                          .certificate = options->certificate,
                                          .key = options->key,
                                          .port = "webhooks",
                                          .handle = handle,
                                          .context = d};
    enum status status = server_open(&server, &d->server, err);
    if (!status)
        *out = MOVE(d);
    return status;
}

void console_door_close(struct console_door *d)
{
    if (!d)
        return;
    server_close(d->server);
    free(d);
}

const char *console_door_address(const struct console_door *d)
{
    return server_address(d->server);
}

void console_door_metrics(const struct console_door *d, metric_fn tell, void *context)
{
    server_metrics(d->server, tell, context);
}

enum status console_check_listen(struct text listen, bool is_door, struct error *err)
{
    return listener_check(listen, is_door, err);
}
