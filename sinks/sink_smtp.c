/* SPDX-License-Identifier: Apache-2.0 */
#include "sinks/sink_smtp.h"
#include "base/secret.h"
#include "sinks/document.h"
#include "sinks/judge.h"
#include "sinks/letter.h"
#include "sinks/transfer.h"
#include "sinks/wording.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    MOST_RECIPIENTS = KIND_RECIPIENTS,
    MESSAGE_BYTES = 1 << 20,
    TEXT_BYTES = 64 << 10,
    SUBJECT_BYTES = 1024
};

static const char *const tls_names[] = {"starttls", "tls", "none", NULL};

struct smtp_options {
    struct sink_common common;
    struct text server, from, user, password_file, ca_file, helo;
    struct option_texts to;
    int tls;
    int64_t timeout_us, connect_timeout_us;
    bool allow_private;
};
#define MEMBER(member) offsetof(struct smtp_options, member)
static const struct option rows[] = {
    {"server", OPTION_TEXT, MEMBER(server), NULL, 0, 0, NULL,
     "host or host:port; without a port 25, with `tls: tls` 465."},
    {"tls", OPTION_CHOICE, MEMBER(tls), "starttls", 0, 0, tls_names,
     "starttls (required, not merely tried), tls from the first byte, or none."},
    {"from", OPTION_TEXT, MEMBER(from), NULL, 0, 0, NULL, "user@host or Name <user@host>."},
    {"to", OPTION_TEXTS, MEMBER(to), NULL, 0, 0, NULL, "The recipients, written the same way."},
    {"user", OPTION_TEXT, MEMBER(user), "", 0, 0, NULL, "Login; nothing: none."},
    {"password_file", OPTION_TEXT, MEMBER(password_file), "", 0, 0, NULL,
     "File with the login's password."},
    {"ca_file", OPTION_TEXT, MEMBER(ca_file), "", 0, 0, NULL,
     "Certificates to trust in place of the system's."},
    {"helo", OPTION_TEXT, MEMBER(helo), "", 0, 0, NULL,
     "Name to greet with; nothing: the machine's."},
    {"timeout", OPTION_DURATION, MEMBER(timeout_us), "60s", 1000, 600e6, NULL,
     "For the whole exchange."},
    {"connect_timeout", OPTION_DURATION, MEMBER(connect_timeout_us), "5s", 1000, 60e6, NULL,
     "For the connection alone."},
    {"allow_private", OPTION_BOOL, MEMBER(allow_private), "false", 0, 0, NULL,
     "May reach loopback and private addresses."},
};

struct sink_smtp {
    const struct smtp_options *options;
    struct letter_address from, to[MOST_RECIPIENTS];
    char sender[324]; /* the bare addresses with a NUL */
    char recipients[MOST_RECIPIENTS][324];
    const char *to_list[MOST_RECIPIENTS + 1]; /* of a try: those without an outcome so far */
    struct attempt_recipient tried[MOST_RECIPIENTS];
    uint32_t tried_count;
    struct secret_list password;
    struct transfer *transfer;
    struct buffer subject, body, message;
};

static enum status compose(struct sink_smtp *s, const struct delivery *d)
{
    buffer_clear(&s->subject);
    buffer_clear(&s->body);
    buffer_clear(&s->message);
    AUTO(document) doc = NULL;
    struct text json = d->document.len ? d->document : TEXT("{}");
    enum status status = document_new(json, &doc, NULL);
    if (status)
        return status;
    wording_subject(d, doc, &s->subject);
    wording_body(d, doc, &s->body);
    letter_write(&(struct letter){.from = s->from,
                                  .to = s->to,
                                  .to_count = s->options->to.count,
                                  .subject = buffer_text(&s->subject),
                                  .body = buffer_text(&s->body),
                                  .delivery = d},
                 &s->message);
    return s->message.has_failed ? STATUS_LIMIT : STATUS_OK;
}

static bool is_settled(const struct delivery *d, const char *address)
{
    struct text rest = d->settled, line;
    while (text_split(&rest, '\n', &line))
        if (text_equal(line, text_of(address)))
            return true;
    return false;
}

/* Whom this try is for: a copy of those who have it, and another to those who refused, is spam. */
static void choose(struct sink_smtp *s, const struct delivery *d)
{
    s->tried_count = 0;
    for (uint32_t i = 0; i < s->options->to.count; i++) {
        if (d->settled_mask >> i & 1 || is_settled(d, s->recipients[i]))
            continue;
        s->tried[s->tried_count] =
            (struct attempt_recipient){.name = text_of(s->recipients[i]), .number = i};
        s->to_list[s->tried_count++] = s->recipients[i];
    }
    s->to_list[s->tried_count] = NULL;
}

/* A recipient that the server refused has that answer; the others what came of the mail. */
static void judge_each(struct sink_smtp *s, const struct transfer_reply *reply, struct attempt *out)
{
    for (uint32_t i = 0; i < s->tried_count; i++) {
        const struct transfer_recipient *said = &reply->recipients[i];
        struct attempt one = *out;
        if (said->code >= 400) {
            struct transfer_reply refusal = {.end = TRANSFER_ANSWERED, .code = said->code};
            (void)snprintf(refusal.why, sizeof refusal.why, "%s", said->why);
            judge_mail(&refusal, &one);
        }
        s->tried[i].state = one.state;
        s->tried[i].code = one.http_status;
        (void)snprintf(s->tried[i].detail, sizeof s->tried[i].detail, "%s", one.detail);
    }
    out->recipients = s->tried;
    out->recipient_count = s->tried_count;
}

static void sink_attempt(void *sink, const struct delivery *d, int64_t now_us, struct attempt *out)
{
    (void)now_us;
    struct sink_smtp *s = sink;
    if (compose(s, d)) {
        kind_tell(out, DELIVERY_FAILED_PERM, "the document cannot be put into a mail");
        return;
    }
    choose(s, d);
    if (!s->tried_count) {
        kind_tell(out, DELIVERY_ACCEPTED, "all recipients have had it");
        return;
    }
    const struct smtp_options *o = s->options;
    struct transfer_mail mail = {
        .server = o->server.at,
        .tls = (enum transfer_tls)o->tls,
        .user = o->user.len ? o->user.at : NULL,
        .password = s->password.count ? s->password.items[0].at : "",
        .helo = o->helo.len ? o->helo.at : NULL,
        .from = s->sender,
        .to = s->to_list,
        .message = buffer_text(&s->message),
    };
    struct transfer_reply reply;
    transfer_mail(s->transfer, &mail, &reply);
    judge_mail(&reply, out);
    if (reply.recipients[0].code) /* else it came to none of them: the destination's alone */
        judge_each(s, &reply, out);
}

static void sink_abandon(void *sink)
{
    struct sink_smtp *s = sink;
    transfer_abandon(s->transfer);
}

static void sink_close(void *sink)
{
    struct sink_smtp *s = sink;
    if (!s)
        return;
    transfer_free(s->transfer);
    secret_fini(&s->password);
    buffer_fini(&s->subject);
    buffer_fini(&s->body);
    buffer_fini(&s->message);
    free(s);
}

static enum status read_address(struct text t, struct letter_address *out, char bare[324],
                                struct error *err)
{
    if (!letter_read_address(t, out))
        return error_set(err, STATUS_INVALID, 0, "'%.*s' is no mail address",
                         TEXT_ARG(text_head(t, 80)));
    (void)snprintf(bare, 324, "%.*s", TEXT_ARG(out->bare));
    return STATUS_OK;
}

static enum status read_addresses(struct sink_smtp *s, struct error *err)
{
    const struct smtp_options *o = s->options;
    if (!o->to.count || o->to.count > MOST_RECIPIENTS)
        return error_set(err, STATUS_LIMIT, 0, "to: want 1 to %d addresses", MOST_RECIPIENTS);
    enum status status = read_address(o->from, &s->from, s->sender, err);
    for (uint32_t i = 0; i < o->to.count && !status; i++)
        status = read_address(o->to.items[i], &s->to[i], s->recipients[i], err);
    return status;
}

/* The server's name becomes part of a URL: nothing that would make it another URL. */
static enum status check_server(const struct smtp_options *o, struct error *err)
{
    bool is_plain = o->server.len > 0 && o->server.len < 256;
    for (size_t i = 0; i < o->server.len && is_plain; i++) {
        char c = o->server.at[i];
        is_plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                   (c && strchr(".-_:[]", c));
    }
    if (!is_plain)
        return error_set(err, STATUS_INVALID, 0, "server: want host or host:port");
    for (size_t i = 0; i < o->helo.len; i++) {
        char c = o->helo.at[i];
        if (c <= ' ' || c > '~' || strchr("/?#%", c))
            return error_set(err, STATUS_INVALID, 0, "helo: want a host name");
    }
    return STATUS_OK;
}

static enum status set_up(struct sink_smtp *s, struct error *err)
{
    const struct smtp_options *o = s->options;
    enum status status = check_server(o, err);
    if (!status)
        status = read_addresses(s, err);
    if (!status && o->password_file.len)
        status = secret_load(&s->password, o->password_file.at, err);
    if (!status)
        status = transfer_new(&(struct transfer_options){.allow_private = o->allow_private,
                                                         .connect_us = o->connect_timeout_us,
                                                         .total_us = o->timeout_us,
                                                         .ca_file = o->ca_file},
                              &s->transfer, err);
    return status;
}

static enum status sink_open(const struct kind_setting *setting, void **out, struct error *err)
{
    struct sink_smtp *s = calloc(1, sizeof *s);
    if (!s)
        return error_set(err, STATUS_NOMEM, 0, "no memory for a mail sink");
    s->options = setting->options;
    buffer_init(&s->subject, SUBJECT_BYTES);
    buffer_init(&s->body, TEXT_BYTES);
    buffer_init(&s->message, MESSAGE_BYTES);
    enum status status = set_up(s, err);
    if (status)
        sink_close(s);
    else
        *out = s;
    return status;
}

const struct sink_kind sink_smtp_kind = {
    .name = "smtp",
    .help = "Mail, one thread an incident.",
    .options = rows,
    .option_count = sizeof rows / sizeof *rows,
    .options_size = sizeof(struct smtp_options),
    .open = sink_open,
    .attempt = sink_attempt,
    .abandon = sink_abandon,
    .close = sink_close,
};
