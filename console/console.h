/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include "base/buffer.h"
#include "base/error.h"
#include "base/metric.h"
#include "base/own.h"
#include "base/text.h"
#include "incidents/incidents.h"
#include <stdbool.h>
#include <stdint.h>

/*
 * The HTTP port: JSON API under /api/v1/, /metrics, /healthz, /readyz, the web pages, and the
 * webhooks, which go through the table to ingest.
 */

/* What app lets console do. Called from console's threads; each call may block up to 10 s. */
struct console_request {
    struct text method, path, query, content_type, authorization, body, peer;
    bool is_remote; /* through a webhook_port that is not on loopback alone */
    struct text (*header)(void *context, const char *name); /* without case; empty: none */
    void *header_context;
    /* Takes from (below 0: gives back to) the budget of all bodies; false: it is spent. What is
     * still held when the answer is sent is given back. */
    bool (*hold)(void *context, int64_t bytes);
    void *hold_context;
};
struct console_reply {
    int status;
    const char *content_type; /* static */
    uint32_t retry_after_s;   /* 0: none */
    const char *product;      /* static, of X-Elastic-Product; NULL: none */
    struct buffer body;
};
struct console_calls {
    void *context;
    /* Runs a command (incidents_command's JSON) on the decider thread; returns the HTTP status. */
    int (*command)(void *context, struct text command, struct buffer *reply);
    /* True where the path is a webhook's: the reply is filled when the records are durable. */
    bool (*webhook)(void *context, const struct console_request *request,
                    struct console_reply *reply);
    /* Asked with the head alone, before a byte of the body is read: false, the reply says why it is
     * not. *out_max_body: the longest body to read. NULL: everything goes on. */
    bool (*admit)(void *context, const struct console_request *head, uint64_t *out_max_body,
                  struct console_reply *reply);
    /* The ledger's head as the running program knows it. NULL: nobody knows. */
    void (*head)(void *context, struct incidents_head *out);
    /* Tells every number of the program. */
    void (*metrics)(void *context, metric_fn tell, void *tell_context);
    /* True when ready, with a sentence in `why` where something is to be known all the same; else
     * one sentence in `why`. */
    bool (*is_ready)(void *context, struct buffer *why);
    /* JSON: rules with hits, cost and, by the view (NULL: the record does not answer), what people
     * said of them; per source and host what was seen. */
    void (*rules)(void *context, struct view *view, struct buffer *out);
    void (*sources)(void *context, struct buffer *out);
    /* Reloads rules and configuration; false with the findings as JSON in `out`. */
    bool (*reload)(void *context, struct buffer *out);
};

struct console;
struct console_options {
    struct text listen;      /* "127.0.0.1:8514"; port 0 picks one */
    uint64_t max_body_bytes; /* of webhooks; at least 1 MiB is taken */
    struct console_calls calls;
    struct incidents_options record; /* where views connect to */
};
/* Binds and starts. A busy port is said with what to do. */
NODISCARD enum status console_open(const struct console_options *options, struct console **out,
                                   struct error *err);
/* Lets running requests end, then closes. */
void console_close(struct console *c);
static inline void console_free(struct console *c)
{
    console_close(c);
}
AUTO_DEFINE(console);
const char *console_address(const struct console *c); /* with the real port */
void console_metrics(const struct console *c, metric_fn tell, void *context);
/* What can be asked for, as lines of a page: "= GET /path?query" and a sentence. */
void console_write_routes(struct buffer *out);

/* A port for webhooks alone, where other machines may come in. Who may is the webhook call's. */
struct webhook_port;
/* Whether a console (or with `is_door` a door) could listen there: INVALID, DENIED. Binds nothing.
 */
NODISCARD enum status console_check_listen(struct text listen, bool is_door, struct error *err);
struct webhook_port_options {
    struct text listen;           /* any address of this machine */
    struct text certificate, key; /* PEM files, read once; both empty: plain HTTP */
    uint64_t max_body_bytes;
    void *context;
    bool (*webhook)(void *context, const struct console_request *request,
                    struct console_reply *reply);
    /* As of console_calls. */
    bool (*admit)(void *context, const struct console_request *head, uint64_t *out_max_body,
                  struct console_reply *reply);
};
NODISCARD enum status webhook_port_open(const struct webhook_port_options *options,
                                        struct webhook_port **out, struct error *err);
/* Lets running requests end, then closes. */
void webhook_port_close(struct webhook_port *d);
static inline void webhook_port_free(struct webhook_port *d)
{
    webhook_port_close(d);
}
AUTO_DEFINE(webhook_port);
const char *webhook_port_address(const struct webhook_port *d); /* with the real port */
void webhook_port_metrics(const struct webhook_port *d, metric_fn tell, void *context);
