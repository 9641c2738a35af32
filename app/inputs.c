/* SPDX-License-Identifier: Apache-2.0 */
#include "app/daemon.h"
#include "app/promise.h"
#include "base/log.h"
#include "base/path.h"
#include "journal/journal.h"
#include <stdio.h>
#include <string.h>

enum { WEBHOOK_TAKE_MS = 1000, WEBHOOK_MS = 9000 };

static struct batch *take(void *context, uint64_t timeout_ms)
{
    struct daemon *d = context;
    return pipeline_take(d->pipeline, timeout_ms);
}

static enum status put(void *context, struct batch *b)
{
    struct daemon *d = context;
    if (b->count == 0) {
        pipeline_give_back(d->pipeline, b);
        return STATUS_OK;
    }
    return mailbox_send(&d->writer.inbox, &b->mail);
}

static int64_t mark(void *context, struct text stream)
{
    struct daemon *d = context;
    return journal_mark(d->writer.journal, stream);
}

static bool is_long(void *context)
{
    return backlog_is_long(context);
}

/* Without sources of its own the configuration has these two. */
static const char default_sources[] = "- syslog_udp: {listen: 127.0.0.1:5514}\n"
                                      "- syslog_tcp: {listen: 127.0.0.1:5514}\n";

static enum status sources_node(struct daemon *d, const struct yaml_node **out, struct error *err)
{
    *out = d->config->sources;
    if (*out && (*out)->kind != YAML_SEQUENCE)
        return error_set(err, STATUS_INVALID, (*out)->line, "sources: want a list");
    if (*out)
        return STATUS_OK;
    struct yaml_file file = {0};
    enum status status = yaml_parse(text_of(default_sources), &d->config->arena, &file, err);
    if (!status)
        *out = file.documents[0];
    return status;
}

enum status inputs_open(struct daemon *d, struct error *err)
{
    d->inputs.drops = drops_new();
    if (!d->inputs.drops)
        return error_set(err, STATUS_NOMEM, 0, "no memory for a table of drops");
    char state_dir[PATH_ROOM];
    (void)command_path(state_dir, sizeof state_dir, d->config->data.at, "doors");
    const struct intake intake = {.context = d,
                                  .take = take,
                                  .put = put,
                                  .mark = mark,
                                  .is_long = is_long,
                                  .drops = d->inputs.drops,
                                  .state_dir = state_dir};
    const struct yaml_node *list = NULL;
    enum status status = sources_node(d, &list, err);
    if (!status && list->count > DOORS_SOURCES)
        return error_set(err, STATUS_LIMIT, list->line, "sources: at most %d", DOORS_SOURCES);
    for (uint32_t i = 0; !status && i < list->count; i++) {
        status = source_open(list->items[i], i, &intake, &d->inputs.sources[i], err);
        d->inputs.source_count += !status;
    }
    int left = source_passed_left();
    if (!status && left)
        log_line(LOG_WARNING,
                 "systemd passed %d sockets that no source listens on: its socket unit and "
                 "`sources` differ",
                 left);
    if (!status)
        status = webhooks_open(d->config->webhooks, UINT32_MAX, &d->inputs.webhooks, err);
    char path[PATH_ROOM];
    (void)command_path(path, sizeof path, d->config->data.at, "keys");
    if (!status)
        status = keyring_open(path, &d->inputs.keys, err);
    if (!status)
        webhooks_use_keys(d->inputs.webhooks, d->inputs.keys, false);
    if (!status)
        webhooks_use_drops(d->inputs.webhooks, d->inputs.drops);
    return status;
}

enum status inputs_start(struct daemon *d, struct error *err)
{
    for (uint32_t i = 0; i < d->inputs.source_count; i++) {
        struct source *s = d->inputs.sources[i];
        enum status status = source_start(s, err);
        if (status)
            return status;
    }
    return STATUS_OK;
}

enum status inputs_start_remote(struct daemon *d, struct error *err)
{
    struct webhook_port_options options = {
        .listen = webhooks_listen(d->inputs.webhooks),
        .max_body_bytes = webhooks_max_body(d->inputs.webhooks),
        .context = d,
        .webhook = inputs_webhook,
        .admit = inputs_admit,
    };
    if (!options.listen.len)
        return STATUS_OK;
    webhooks_tls(d->inputs.webhooks, &options.certificate, &options.key);
    return webhook_port_open(&options, &d->inputs.remote, err);
}

void inputs_say_ready(const struct daemon *d)
{
    for (uint32_t i = 0; i < d->inputs.source_count; i++)
        (void)printf("ready %s %s\n", source_kind(d->inputs.sources[i]),
                     source_address(d->inputs.sources[i]));
}

void inputs_say_remote_ready(const struct daemon *d)
{
    if (d->inputs.remote)
        (void)printf("ready webhooks %s\n", webhook_port_address(d->inputs.remote));
}

void inputs_stop_remote(struct daemon *d)
{
    webhook_port_close(MOVE(d->inputs.remote)); /* its threads end in here */
}

void inputs_stop(struct daemon *d)
{
    for (uint32_t i = 0; i < d->inputs.source_count; i++)
        source_stop(d->inputs.sources[i]);
}

void inputs_close(struct daemon *d)
{
    for (uint32_t i = 0; i < d->inputs.source_count; i++)
        source_close(d->inputs.sources[i]);
    d->inputs.source_count = 0;
    webhooks_free(MOVE(d->inputs.webhooks));
    keyring_free(MOVE(d->inputs.keys));
    drops_free(MOVE(d->inputs.drops));
}

/* ---- webhooks ---- */

static void durable(void *context, uint64_t token, bool is_ok)
{
    (void)token;
    promise_give(context, is_ok);
}

static struct webhook_request request_of(const struct console_request *r)
{
    return (struct webhook_request){
        .method = r->method,
        .path = r->path,
        .query = r->query,
        .content_type = r->content_type,
        .authorization = r->authorization,
        .body = r->body,
        .peer = r->peer,
        .header = r->header,
        .header_context = r->header_context,
        .hold = r->hold,
        .hold_context = r->hold_context,
        .is_remote = r->is_remote,
    };
}

/* Stores the batch and waits for the barrier. False: not stored, or not known to be. */
static bool store(struct daemon *d, struct batch *b)
{
    uint32_t messages = account_messages(b);
    struct promise *answer = promise_new();
    if (!answer) {
        account_add(&d->account, UINT32_MAX, ACCOUNT_TURNED, messages);
        pipeline_give_back(d->pipeline, b);
        return false;
    }
    b->durable = durable;
    b->durable_context = answer;
    int is_ok = 0;
    account_add(&d->account, UINT32_MAX, ACCOUNT_PUT, messages); /* before it can be decided */
    if (mailbox_send(&d->writer.inbox, &b->mail)) {
        promise_free(answer);
        b->durable = NULL;
        account_add(&d->account, UINT32_MAX, ACCOUNT_REFUSED, messages);
        pipeline_give_back(d->pipeline, b);
    } else if (!promise_wait(answer, WEBHOOK_MS, &is_ok)) {
        is_ok = 0;
    }
    promise_free(answer);
    return is_ok != 0;
}

/* More than a batch holds: what is full goes on in another batch's place. */
static bool flush(void *daemon, struct batch *out)
{
    struct daemon *d = daemon;
    struct batch *b = pipeline_take(d->pipeline, WEBHOOK_TAKE_MS);
    if (!b) {
        account_add(&d->account, UINT32_MAX, ACCOUNT_TURNED, account_messages(out));
        return false;
    }
    struct batch full = *out;
    *out = *b;
    *b = full;
    b->source = UINT32_MAX;
    return store(d, b);
}

/* Before the body: what is for no webhook is a command or a question, and short. */
bool inputs_admit(void *daemon, const struct console_request *head, uint64_t *out_max_body,
                  struct console_reply *reply)
{
    struct daemon *d = daemon;
    enum { COMMAND_BYTES = 1 << 20 };
    if (!webhooks_owns(d->inputs.webhooks, head->path)) {
        *out_max_body = COMMAND_BYTES;
        return true;
    }
    struct webhook_request asked = request_of(head);
    struct webhook_reply said = {.body = reply->body};
    bool is_admitted = webhooks_admit(d->inputs.webhooks, &asked, out_max_body, &said);
    reply->status = said.status;
    reply->content_type = said.content_type;
    reply->retry_after_s = said.retry_after_s;
    reply->product = said.product;
    reply->body = said.body;
    return is_admitted;
}

bool inputs_webhook(void *daemon, const struct console_request *request,
                    struct console_reply *reply)
{
    struct daemon *d = daemon;
    if (!webhooks_owns(d->inputs.webhooks, request->path))
        return false;
    struct webhook_request asked = request_of(request);
    asked.flush = flush;
    asked.flush_context = d;
    struct webhook_reply said = {.status = 500, .body = reply->body};
    /* what cannot be decided is not taken from who can bring it again, or bring it elsewhere */
    struct batch *b = incidents_must_turn_away(d->decider.incidents)
                          ? NULL
                          : pipeline_take(d->pipeline, WEBHOOK_TAKE_MS);
    if (!b) {
        webhooks_refuse(d->inputs.webhooks, &asked, &said);
    } else if (!webhooks_take(d->inputs.webhooks, &asked, b, &said)) {
        pipeline_give_back(d->pipeline, b);
    } else if (b->count == 0) {
        pipeline_give_back(d->pipeline, b);
    } else {
        b->source = UINT32_MAX;
        if (!store(d, b)) {
            buffer_clear(&said.body);
            webhooks_refuse(d->inputs.webhooks, &asked, &said);
        }
    }
    reply->status = said.status;
    reply->content_type = said.content_type;
    reply->retry_after_s = said.retry_after_s;
    reply->product = said.product;
    reply->body = said.body;
    return true;
}
