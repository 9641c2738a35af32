/* SPDX-License-Identifier: Apache-2.0 */
#include "console/console.h"
#include "console/listener.h"
#include "console/server.h"
#include <stdlib.h>

struct webhook_port {
    struct webhook_port_options options;
    struct server *server;
};

static void handle(void *context, const struct server *server,
                   const struct console_request *request, struct server_reply *reply)
{
    const struct webhook_port *d = context;
    (void)server;
    if (!d->options.webhook(d->options.context, request, &reply->base))
        server_refuse(reply, 404, "this port takes webhooks alone");
}

static bool admit(void *context, const struct console_request *head, uint64_t *out_max_body,
                  struct server_reply *reply)
{
    const struct webhook_port *d = context;
    return !d->options.admit ||
           d->options.admit(d->options.context, head, out_max_body, &reply->base);
}

enum status webhook_port_open(const struct webhook_port_options *options, struct webhook_port **out,
                              struct error *err)
{
    AUTO(webhook_port) d = calloc(1, sizeof *d);
    if (!d)
        return error_set(err, STATUS_NOMEM, 0, "no memory for a door");
    d->options = *options;
    const struct server_options server = {.listen = options->listen,
                                          .max_body_bytes = options->max_body_bytes,
                                          .is_open = true,
                                          .certificate = options->certificate,
                                          .key = options->key,
                                          .port = "webhooks",
                                          .admit = admit,
                                          .handle = handle,
                                          .context = d};
    enum status status = server_open(&server, &d->server, err);
    if (!status)
        *out = MOVE(d);
    return status;
}

void webhook_port_close(struct webhook_port *d)
{
    if (!d)
        return;
    server_close(d->server);
    free(d);
}

const char *webhook_port_address(const struct webhook_port *d)
{
    return server_address(d->server);
}

void webhook_port_metrics(const struct webhook_port *d, metric_fn tell, void *context)
{
    server_metrics(d->server, tell, context);
}

enum status console_check_listen(struct text listen, bool is_door, struct error *err)
{
    return listener_check(listen, is_door, err);
}
