/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include "base/error.h"
#include "base/metric.h"
#include "base/own.h"
#include "console/console.h"
#include <stdbool.h>
#include <stdint.h>

/*
 * HTTP/1.1 on one socket: libmicrohttpd with a thread for each connection, so that a call that
 * blocks delays its own connection and no other. Bodies are bounded, slow ones are cut off.
 */
struct server;

/* An empty body and status 0 to start with; the body's bytes are taken over. */
struct server_reply {
    struct console_reply base;
    const char *allow;  /* static: methods, beside 405; NULL: none */
    char location[128]; /* beside 201; empty: none */
};

struct server_options {
    struct text listen;
    uint64_t max_body_bytes;
    bool is_open;                 /* for other machines too, under any name */
    struct text certificate, key; /* PEM files; empty: plain HTTP */
    const char *port;             /* static: label of its numbers; NULL: none */
    /* The head is there, the body is not. False: the reply, filled, is the answer. *out_max_body is
     * max_body_bytes and may be made less. */
    bool (*admit)(void *context, const struct console_request *head, uint64_t *out_max_body,
                  struct server_reply *reply);
    /* Called from many threads; may block. `s` is the server, also before server_open returned. */
    void (*handle)(void *context, const struct server *s, const struct console_request *request,
                   struct server_reply *reply);
    void *context;
};

enum { SERVER_BODY_BYTES = 1 << 20, SERVER_REPLY_BYTES = 64 << 20 };

NODISCARD enum status server_open(const struct server_options *options, struct server **out,
                                  struct error *err);
/* Running requests end first, for up to 12 s. */
void server_close(struct server *s);
static inline void server_free(struct server *s)
{
    server_close(s);
}
AUTO_DEFINE(server);
const char *server_address(const struct server *s);
void server_metrics(const struct server *s, metric_fn tell, void *context);

/* {"error":"..."} */
void server_refuse(struct server_reply *reply, int status, const char *words);
