/* SPDX-License-Identifier: Apache-2.0 */
#include "sinks/transfer.h"
#include "base/timestamp.h"
#include "sinks/guard.h"
#include <curl/curl.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { WHY_LEN = 150 };

struct transfer {
    struct transfer_options options;
    CURLM *multi;
    CURL *easy;
    _Atomic bool is_abandoned; /* set by any thread, read by the owner; curl_multi_wakeup pairs */
    bool has_curl;
    /* of the exchange that runs: */
    uint64_t deadline_ms;
    bool is_refused; /* an address was one that may not be called */
    struct text upload;
    size_t uploaded;
    struct buffer answer;
    char detail[CURL_ERROR_SIZE];
    char refusal[120]; /* the first line in which an SMTP server said no */
    struct transfer_recipient recipients[TRANSFER_RECIPIENTS];
    size_t asked_count; /* recipients that were named to the server */
    bool is_asking;     /* its answer to the last of them is still to come */
};

static curl_socket_t open_socket(void *context, curlsocktype purpose, struct curl_sockaddr *a)
{
    struct transfer *t = context;
    bool may = purpose == CURLSOCKTYPE_IPCXN && (a->family == AF_INET || a->family == AF_INET6) &&
               (t->options.allow_private || guard_is_public(&a->addr));
    if (!may) {
        t->is_refused = true;
        return CURL_SOCKET_BAD;
    }
    return socket(a->family, a->socktype | SOCK_CLOEXEC, a->protocol);
}

/*
 * At the end of an SMTP exchange curl waits inside one call, also for the answer to its QUIT, which
 * no timeout of its own bounds well. It asks here about every second whether to go on.
 */
static int must_end(void *context, curl_off_t a, curl_off_t b, curl_off_t c, curl_off_t d)
{
    (void)a;
    (void)b;
    (void)c;
    (void)d;
    const struct transfer *t = context;
    return atomic_load_explicit(&t->is_abandoned, memory_order_acquire) ||
           timestamp_monotonic_ms() > t->deadline_ms;
}

static size_t take_answer(char *at, size_t size, size_t count, void *context)
{
    struct transfer *t = context;
    buffer_append(&t->answer, (struct text){at, size * count});
    return t->answer.has_failed ? 0 : size * count;
}

/* What curl says to an SMTP server, for one thing alone: which recipient it asks for. */
static int see_command(CURL *easy, curl_infotype type, char *at, size_t size, void *context)
{
    (void)easy;
    struct transfer *t = context;
    if (type != CURLINFO_HEADER_OUT || !text_starts((struct text){at, size}, TEXT("RCPT TO:")))
        return 0;
    t->is_asking = t->asked_count < TRANSFER_RECIPIENTS;
    t->asked_count += t->is_asking;
    return 0;
}

/* The last line of the answer to RCPT: "250 OK", and not "250-...". True where it is one. */
static bool take_recipient(struct transfer *t, struct text line)
{
    int64_t code = 0;
    if (!t->is_asking || line.len < 3 || (line.len > 3 && line.at[3] == '-') ||
        !text_to_int64(text_head(line, 3), &code))
        return false;
    struct transfer_recipient *recipient = &t->recipients[t->asked_count - 1];
    recipient->code = (int)code;
    (void)snprintf(recipient->why, sizeof recipient->why, "%.*s", TEXT_ARG(line));
    t->is_asking = false;
    return true;
}

/* The lines of an SMTP server come as headers. The first refusal says more than curl does. */
static size_t take_line(char *at, size_t size, size_t count, void *context)
{
    struct transfer *t = context;
    if (take_recipient(t, text_trim((struct text){at, size * count})))
        return size * count;
    if (!t->refusal[0] && size * count > 3 && (at[0] == '4' || at[0] == '5'))
        (void)snprintf(t->refusal, sizeof t->refusal, "%.*s",
                       TEXT_ARG(text_trim((struct text){at, size * count})));
    return size * count;
}

static size_t give_upload(char *at, size_t size, size_t count, void *context)
{
    struct transfer *t = context;
    struct text piece = text_head(text_skip(t->upload, t->uploaded), size * count);
    if (piece.len)
        memcpy(at, piece.at, piece.len);
    t->uploaded += piece.len;
    return piece.len;
}

enum status transfer_check_url(const char *url, struct error *err)
{
    CURLU *parts = curl_url();
    char *scheme = NULL;
    char *host = NULL;
    bool is_read = parts &&
                   curl_url_set(parts, CURLUPART_URL, url, CURLU_DISALLOW_USER) == CURLUE_OK &&
                   curl_url_get(parts, CURLUPART_SCHEME, &scheme, 0) == CURLUE_OK &&
                   curl_url_get(parts, CURLUPART_HOST, &host, 0) == CURLUE_OK;
    bool is_http = is_read && (strcmp(scheme, "http") == 0 || strcmp(scheme, "https") == 0);
    curl_free(scheme);
    curl_free(host);
    curl_url_cleanup(parts);
    if (is_http)
        return STATUS_OK;
    return error_set(err, STATUS_INVALID, 0,
                     is_read ? "url: only http:// and https:// are spoken here"
                             : "url: want http://host/path or https://host/path, without user and "
                               "password");
}

static bool set_up(struct transfer *t)
{
    t->has_curl = curl_global_init(CURL_GLOBAL_DEFAULT) == CURLE_OK;
    if (!t->has_curl)
        return false;
    t->multi = curl_multi_init();
    t->easy = curl_easy_init();
    return t->multi && t->easy;
}

enum status transfer_new(const struct transfer_options *options, struct transfer **out,
                         struct error *err)
{
    AUTO(transfer) t = calloc(1, sizeof *t);
    if (!t)
        return error_set(err, STATUS_NOMEM, 0, "no memory for transfers");
    t->options = *options;
    buffer_init(&t->answer, TRANSFER_ANSWER_BYTES);
    if (!set_up(t))
        return error_set(err, STATUS_NOMEM, 0, "libcurl did not start");
    *out = MOVE(t);
    return STATUS_OK;
}

void transfer_free(struct transfer *t)
{
    if (!t)
        return;
    if (t->easy)
        curl_easy_cleanup(t->easy);
    if (t->multi)
        (void)curl_multi_cleanup(t->multi);
    if (t->has_curl)
        curl_global_cleanup();
    buffer_fini(&t->answer);
    free(t);
}

void transfer_abandon(struct transfer *t)
{
    atomic_store_explicit(&t->is_abandoned, true, memory_order_release);
    (void)curl_multi_wakeup(t->multi);
}

#define SET(option, value) ((void)curl_easy_setopt(t->easy, (option), (value)))

static void begin(struct transfer *t, struct text upload)
{
    curl_easy_reset(t->easy);
    buffer_clear(&t->answer);
    t->upload = upload;
    t->uploaded = 0;
    t->is_refused = false;
    t->detail[0] = '\0';
    t->refusal[0] = '\0';
    memset(t->recipients, 0, sizeof t->recipients);
    t->asked_count = 0;
    t->is_asking = false;
    SET(CURLOPT_NOSIGNAL, 1L);
    SET(CURLOPT_ERRORBUFFER, t->detail);
    SET(CURLOPT_FOLLOWLOCATION, 0L);
    SET(CURLOPT_PROXY, "");
    SET(CURLOPT_NETRC, (long)CURL_NETRC_IGNORED);
    SET(CURLOPT_OPENSOCKETFUNCTION, open_socket);
    SET(CURLOPT_OPENSOCKETDATA, t);
    SET(CURLOPT_CONNECTTIMEOUT_MS, (long)(t->options.connect_us / 1000));
    SET(CURLOPT_TIMEOUT_MS, (long)(t->options.total_us / 1000));
    t->deadline_ms = timestamp_monotonic_ms() + (uint64_t)(t->options.total_us / 1000);
    SET(CURLOPT_NOPROGRESS, 0L);
    SET(CURLOPT_XFERINFOFUNCTION, must_end);
    SET(CURLOPT_XFERINFODATA, t);
    SET(CURLOPT_SSLVERSION, (long)CURL_SSLVERSION_TLSv1_2);
    SET(CURLOPT_WRITEFUNCTION, take_answer);
    SET(CURLOPT_WRITEDATA, t);
    SET(CURLOPT_READFUNCTION, give_upload);
    SET(CURLOPT_READDATA, t);
    /* on a connection that was kept, curl may send twice by itself: each try is one on record */
    SET(CURLOPT_FORBID_REUSE, 1L);
#if LIBCURL_VERSION_NUM >= 0x075700
    SET(CURLOPT_QUICK_EXIT, 1L); /* abandoning must not wait for a name server */
#endif
    if (t->options.ca_file.len)
        SET(CURLOPT_CAINFO, t->options.ca_file.at);
}

static void set_protocols(struct transfer *t, bool is_mail)
{
#if LIBCURL_VERSION_NUM >= 0x075500
    SET(CURLOPT_PROTOCOLS_STR, is_mail ? "smtp,smtps" : "http,https");
#else
    SET(CURLOPT_PROTOCOLS, is_mail ? (long)(CURLPROTO_SMTP | CURLPROTO_SMTPS)
                                   : (long)(CURLPROTO_HTTP | CURLPROTO_HTTPS));
#endif
}

/* Runs to its end or until it is abandoned; false when abandoned. */
static bool drive(struct transfer *t, CURLcode *out)
{
    *out = CURLE_FAILED_INIT;
    if (curl_multi_add_handle(t->multi, t->easy) != CURLM_OK)
        return true;
    bool is_over = false;
    while (!is_over && !atomic_load_explicit(&t->is_abandoned, memory_order_acquire)) {
        int running = 0;
        if (curl_multi_perform(t->multi, &running) != CURLM_OK)
            break;
        int left = 0;
        const CURLMsg *m = curl_multi_info_read(t->multi, &left);
        is_over = m && m->msg == CURLMSG_DONE;
        if (is_over)
            *out = m->data.result;
        else
            (void)curl_multi_poll(t->multi, NULL, 0, 1000, NULL);
    }
    (void)curl_multi_remove_handle(t->multi, t->easy);
    return (is_over && *out == CURLE_OK) ||
           !atomic_load_explicit(&t->is_abandoned, memory_order_acquire);
}

static bool is_before_sending(CURLcode code)
{
    switch ((int)code) {
    case CURLE_FAILED_INIT:
    case CURLE_URL_MALFORMAT:
    case CURLE_UNSUPPORTED_PROTOCOL:
    case CURLE_COULDNT_RESOLVE_HOST:
    case CURLE_COULDNT_CONNECT:
    case CURLE_SSL_CONNECT_ERROR:
    case CURLE_PEER_FAILED_VERIFICATION:
    case CURLE_SSL_CACERT_BADFILE:
    case CURLE_USE_SSL_FAILED:
    case CURLE_LOGIN_DENIED:
    case CURLE_OUT_OF_MEMORY:
        return true;
    default:
        return false;
    }
}

/* What the exchange came to. `has_begun`: some of the request may have left. */
static void conclude(struct transfer *t, bool has_ended, CURLcode code, bool has_begun,
                     struct transfer_reply *out)
{
    long answered = 0;
    (void)curl_easy_getinfo(t->easy, CURLINFO_RESPONSE_CODE, &answered);
    /* more of an answer than is read does not make it another answer */
    bool is_whole = code == CURLE_OK || (code == CURLE_WRITE_ERROR && answered);
    out->code = (int)answered;
    out->body = buffer_text(&t->answer);
    const char *why = t->detail[0] ? t->detail : curl_easy_strerror(code);
    if (!has_ended) {
        out->end = TRANSFER_ABANDONED;
        why = "stopped before the answer";
    } else if (is_whole) {
        out->end = TRANSFER_ANSWERED;
        why = "";
    } else if (code == CURLE_ABORTED_BY_CALLBACK) {
        out->end = has_begun ? TRANSFER_AMBIGUOUS : TRANSFER_UNREACHED;
        why = "it took too long";
    } else if (t->is_refused) {
        out->end = TRANSFER_REFUSED;
        why = "the address is loopback, private or reserved, and allow_private is not set";
    } else {
        out->end = has_begun && !is_before_sending(code) ? TRANSFER_AMBIGUOUS : TRANSFER_UNREACHED;
    }
    (void)snprintf(out->why, sizeof out->why, "%.*s", WHY_LEN, why);
}

static bool add_header(struct curl_slist **list, const char *line)
{
    struct curl_slist *longer = curl_slist_append(*list, line);
    if (longer)
        *list = longer;
    return longer != NULL;
}

static bool set_headers(struct transfer *t, const struct transfer_http *r, struct curl_slist **list)
{
    bool is_whole = add_header(list, "User-Agent: tocsin") && add_header(list, "Expect:");
    for (size_t i = 0; i < TRANSFER_HEADERS && r->headers[i] && is_whole; i++)
        is_whole = add_header(list, r->headers[i]);
    SET(CURLOPT_HTTPHEADER, *list);
    return is_whole;
}

/* curl reads both forms of the header: seconds, and a date. */
static int64_t retry_after_us(struct transfer *t)
{
    curl_off_t seconds = 0;
    if (curl_easy_getinfo(t->easy, CURLINFO_RETRY_AFTER, &seconds) != CURLE_OK || seconds <= 0)
        return 0;
    return seconds < 86400 ? seconds * 1000000 : INT64_C(86400000000);
}

void transfer_http(struct transfer *t, const struct transfer_http *request,
                   struct transfer_reply *out)
{
    *out = (struct transfer_reply){.end = TRANSFER_UNREACHED};
    begin(t, request->body);
    set_protocols(t, false);
    SET(CURLOPT_URL, request->url);
    SET(CURLOPT_CUSTOMREQUEST, request->method);
    SET(CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)request->body.len);
    SET(CURLOPT_POSTFIELDS, request->body.len ? request->body.at : "");
    struct curl_slist *headers = NULL;
    CURLcode code = CURLE_OUT_OF_MEMORY;
    bool has_ended = true;
    if (set_headers(t, request, &headers))
        has_ended = drive(t, &code);
    long sent = 0;
    (void)curl_easy_getinfo(t->easy, CURLINFO_REQUEST_SIZE, &sent);
    conclude(t, has_ended, code, sent > 0, out);
    out->retry_after_us = retry_after_us(t);
    SET(CURLOPT_HTTPHEADER, NULL);
    curl_slist_free_all(headers);
}

static bool set_recipients(struct transfer *t, const struct transfer_mail *m,
                           struct curl_slist **list)
{
    bool is_whole = true;
    for (size_t i = 0; m->to[i] && is_whole; i++)
        is_whole = add_header(list, m->to[i]);
    SET(CURLOPT_MAIL_RCPT, *list);
    return is_whole;
}

static bool set_server(struct transfer *t, const struct transfer_mail *m)
{
    char host[256] = "";
    if (!m->helo && gethostname(host, sizeof host - 1) != 0)
        host[0] = '\0';
    char url[1024];
    /* the path is what curl says in EHLO */
    int len = snprintf(url, sizeof url, "%s://%s/%s", m->tls == TRANSFER_TLS ? "smtps" : "smtp",
                       m->server, m->helo ? m->helo : host);
    SET(CURLOPT_URL, url);
    set_protocols(t, true);
    SET(CURLOPT_USE_SSL, m->tls == TRANSFER_PLAIN ? (long)CURLUSESSL_NONE : (long)CURLUSESSL_ALL);
    return len > 0 && (size_t)len < sizeof url;
}

void transfer_mail(struct transfer *t, const struct transfer_mail *mail, struct transfer_reply *out)
{
    *out = (struct transfer_reply){.end = TRANSFER_UNREACHED};
    begin(t, mail->message);
    struct curl_slist *recipients = NULL;
    CURLcode code = CURLE_OUT_OF_MEMORY;
    bool has_ended = true;
    if (mail->user) {
        SET(CURLOPT_USERNAME, mail->user);
        SET(CURLOPT_PASSWORD, mail->password);
    }
    SET(CURLOPT_HEADERFUNCTION, take_line);
    SET(CURLOPT_HEADERDATA, t);
    SET(CURLOPT_VERBOSE, 1L); /* to see_command, and nowhere else */
    SET(CURLOPT_DEBUGFUNCTION, see_command);
    SET(CURLOPT_DEBUGDATA, t);
    SET(CURLOPT_MAIL_FROM, mail->from);
    SET(CURLOPT_MAIL_RCPT_ALLLOWFAILS, 1L); /* one address that is gone must not silence the rest */
    SET(CURLOPT_UPLOAD, 1L);
    SET(CURLOPT_INFILESIZE_LARGE, (curl_off_t)mail->message.len);
    if (set_server(t, mail) && set_recipients(t, mail, &recipients))
        has_ended = drive(t, &code);
    /* before the last byte was handed over the server cannot have taken the mail */
    conclude(t, has_ended, code, t->uploaded == mail->message.len, out);
    /* curl calls a refusal an error; it is an answer */
    if (has_ended && out->end != TRANSFER_REFUSED && out->code >= 400)
        out->end = TRANSFER_ANSWERED;
    for (size_t r = 0; r < t->asked_count && !t->refusal[0] && out->code >= 400; r++)
        if (t->recipients[r].code >= 400)
            (void)snprintf(t->refusal, sizeof t->refusal, "%s", t->recipients[r].why);
    if (t->refusal[0])
        (void)snprintf(out->why, sizeof out->why, "%s", t->refusal);
    out->recipients = t->recipients;
    SET(CURLOPT_MAIL_RCPT, NULL);
    curl_slist_free_all(recipients);
}
