/* SPDX-License-Identifier: Apache-2.0 */
#include "sinks/sink_webhook.h"
#include "base/secret.h"
#include "sinks/envelope.h"
#include "sinks/judge.h"
#include "sinks/signature.h"
#include "sinks/transfer.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { BODY_BYTES = 4 << 20, HEADER_BYTES = 1024 };

struct webhook_options {
    struct sink_common common;
    struct text url;
    struct option_texts secret_file;
    struct text bearer_file, ca_file;
    int64_t timeout_us, connect_timeout_us;
    bool allow_private;
};
#define MEMBER(member) offsetof(struct webhook_options, member)
static const struct option rows[] = {
    {"url", OPTION_TEXT, MEMBER(url), NULL, 0, 0, NULL, "Where to POST; http or https."},
    {"secret_file", OPTION_TEXTS, MEMBER(secret_file), "", 0, 0, NULL,
     "Files with signing secrets, one a line; several while they are rotated."},
    {"bearer_file", OPTION_TEXT, MEMBER(bearer_file), "", 0, 0, NULL,
     "File with a token for the Authorization header."},
    {"ca_file", OPTION_TEXT, MEMBER(ca_file), "", 0, 0, NULL,
     "Certificates to trust in place of the system's."},
    {"timeout", OPTION_DURATION, MEMBER(timeout_us), "15s", 1000, 600e6, NULL,
     "For the whole request."},
    {"connect_timeout", OPTION_DURATION, MEMBER(connect_timeout_us), "3s", 1000, 60e6, NULL,
     "For the connection alone."},
    {"allow_private", OPTION_BOOL, MEMBER(allow_private), "false", 0, 0, NULL,
     "May reach loopback and private addresses."},
};

struct sink_webhook {
    const struct webhook_options *options;
    struct secret_list secrets, bearer;
    struct transfer *transfer;
    struct buffer body;
};

struct headers {
    char id[192], timestamp[64], signature[HEADER_BYTES], bearer[SECRET_BYTES + 64];
};

static bool sign(const struct sink_webhook *w, const struct delivery *d, int64_t now_us,
                 struct headers *h, struct transfer_http *r)
{
    size_t n = 0;
    while (r->headers[n])
        n++;
    (void)snprintf(h->id, sizeof h->id, "webhook-id: %.*s", TEXT_ARG(d->id));
    (void)snprintf(h->timestamp, sizeof h->timestamp, "webhook-timestamp: %lld",
                   (long long)(now_us / 1000000));
    r->headers[n++] = h->id;
    r->headers[n++] = h->timestamp;
    if (!w->secrets.count)
        return true;
    struct buffer signatures;
    buffer_init(&signatures, HEADER_BYTES - 32);
    bool is_signed = signature_write(&w->secrets, d->id, now_us / 1000000, r->body, &signatures);
    (void)snprintf(h->signature, sizeof h->signature, "webhook-signature: %.*s",
                   TEXT_ARG(buffer_text(&signatures)));
    buffer_fini(&signatures);
    r->headers[n] = h->signature;
    return is_signed;
}

static void sink_attempt(void *sink, const struct delivery *d, int64_t now_us, struct attempt *out)
{
    struct sink_webhook *w = sink;
    buffer_clear(&w->body);
    envelope_write(d, &w->body);
    if (w->body.has_failed) {
        kind_tell(out, DELIVERY_FAILED_PERM, "the document is larger than a request may be");
        return;
    }
    struct headers h;
    struct transfer_http r = {.method = "POST",
                              .url = w->options->url.at,
                              .headers = {"Content-Type: application/json"},
                              .body = buffer_text(&w->body)};
    if (w->bearer.count) {
        (void)snprintf(h.bearer, sizeof h.bearer, "Authorization: Bearer %s",
                       w->bearer.items[0].at);
        r.headers[1] = h.bearer;
    }
    if (!sign(w, d, now_us, &h, &r)) {
        kind_tell(out, DELIVERY_FAILED_TEMP, "no memory to sign the request");
        return;
    }
    struct transfer_reply reply;
    transfer_http(w->transfer, &r, &reply);
    explicit_bzero(h.bearer, sizeof h.bearer);
    judge_http(&reply, out);
}

static void sink_abandon(void *sink)
{
    struct sink_webhook *w = sink;
    transfer_abandon(w->transfer);
}

static void sink_close(void *sink)
{
    struct sink_webhook *w = sink;
    if (!w)
        return;
    transfer_free(w->transfer);
    secret_fini(&w->secrets);
    secret_fini(&w->bearer);
    buffer_fini(&w->body);
    free(w);
}

static enum status load_secrets(struct sink_webhook *w, struct error *err)
{
    const struct webhook_options *o = w->options;
    enum status status = STATUS_OK;
    for (uint32_t i = 0; i < o->secret_file.count && !status; i++)
        status = secret_load(&w->secrets, o->secret_file.items[i].at, err);
    for (uint32_t i = 0; i < w->secrets.count && !status; i++) {
        if (!signature_is_secret(&w->secrets.items[i]))
            status = error_set(err, STATUS_INVALID, 0,
                               "secret_file: what stands behind whsec_ is not base64");
    }
    if (!status && o->bearer_file.len)
        status = secret_load(&w->bearer, o->bearer_file.at, err);
    return status;
}

static enum status sink_open(const struct kind_setting *setting, void **out, struct error *err)
{
    const struct webhook_options *o = setting->options;
    enum status status = transfer_check_url(o->url.at, err);
    if (status)
        return status;
    struct sink_webhook *w = calloc(1, sizeof *w);
    if (!w)
        return error_set(err, STATUS_NOMEM, 0, "no memory for a webhook");
    w->options = o;
    buffer_init(&w->body, BODY_BYTES);
    status = load_secrets(w, err);
    if (!status)
        status = transfer_new(&(struct transfer_options){.allow_private = o->allow_private,
                                                         .connect_us = o->connect_timeout_us,
                                                         .total_us = o->timeout_us,
                                                         .ca_file = o->ca_file},
                              &w->transfer, err);
    if (status)
        sink_close(w);
    else
        *out = w;
    return status;
}

const struct sink_kind sink_webhook_kind = {
    .name = "webhook",
    .help = "POST of a signed JSON document (Standard Webhooks).",
    .options = rows,
    .option_count = sizeof rows / sizeof *rows,
    .options_size = sizeof(struct webhook_options),
    .open = sink_open,
    .attempt = sink_attempt,
    .abandon = sink_abandon,
    .close = sink_close,
};
