/* SPDX-License-Identifier: Apache-2.0 */
#include "console/console.h"
#include "base/arena.h"
#include "base/wall_clock.h"
#include "console/resource.h"
#include "console/server.h"
#include "console/view_pool.h"
#include <stdlib.h>

enum { CALL_BYTES = 32 << 20 };

struct console {
    struct console_calls calls;
    struct view_pool *views;
    struct server *server;
};

static void handle(void *context, const struct server *server,
                   const struct console_request *request, struct server_reply *reply)
{
    struct console *c = context;
    struct arena arena;
    arena_init(&arena, CALL_BYTES);
    struct resource_call call = {
        .app = &c->calls,
        .views = c->views,
        .server = server,
        .request = request,
        .reply = reply,
        .arena = &arena,
        .now_us = wall_clock_us(),
    };
    bool is_answered =
        resource_answer(&call) || c->calls.webhook(c->calls.context, request, &reply->base);
    if (!is_answered)
        server_refuse(reply, 404, "nothing is at this path; see /api/v1/openapi.json");
    arena_fini(&arena);
}

static bool admit(void *context, const struct console_request *head, uint64_t *out_max_body,
                  struct server_reply *reply)
{
    const struct console *c = context;
    if (text_equal(head->path, TEXT("/"))) /* the page here, at the webhooks' port a webhook */
        return true;
    return !c->calls.admit || c->calls.admit(c->calls.context, head, out_max_body, &reply->base);
}

enum status console_open(const struct console_options *options, struct console **out,
                         struct error *err)
{
    AUTO(console) c = calloc(1, sizeof *c);
    if (!c)
        return error_set(err, STATUS_NOMEM, 0, "no memory for the console");
    c->calls = options->calls;
    enum status status = view_pool_new(&options->record, &c->views, err);
    if (!status)
        status = server_open(
            &(struct server_options){.listen = options->listen,
                                     .max_body_bytes = options->max_body_bytes > SERVER_BODY_BYTES
                                                           ? options->max_body_bytes
                                                           : SERVER_BODY_BYTES,
                                     .admit = admit,
                                     .handle = handle,
                                     .context = c},
            &c->server, err);
    if (status)
        return status;
    *out = MOVE(c);
    return STATUS_OK;
}

void console_close(struct console *c)
{
    if (!c)
        return;
    server_close(c->server);
    view_pool_free(c->views);
    free(c);
}

const char *console_address(const struct console *c)
{
    return server_address(c->server);
}

void console_write_routes(struct buffer *out)
{
    for (const struct resource *r = resource_all(); r->method; r++)
        buffer_printf(out, "= %s %s%s%s\n  %s\n", r->method, r->path, *r->parameters ? "?" : "",
                      r->parameters, r->summary);
}

void console_metrics(const struct console *c, metric_fn tell, void *context)
{
    server_metrics(c->server, tell, context);
}
