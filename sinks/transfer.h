/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include "base/buffer.h"
#include "base/error.h"
#include "base/own.h"
#include "base/text.h"
#include <stdbool.h>
#include <stdint.h>

/*
 * One exchange with another machine, over HTTP or SMTP: addresses checked on the socket, no
 * redirects, no proxies, bounded in time and in what it reads. A connection of its own each time.
 * One thread, but for transfer_abandon.
 */
struct transfer;

enum transfer_end {
    TRANSFER_ANSWERED,  /* `code` says what */
    TRANSFER_UNREACHED, /* nothing can have arrived: no name, no connection, no TLS */
    TRANSFER_REFUSED,   /* the address is one that may not be called */
    TRANSFER_AMBIGUOUS, /* sent, wholly or in part, and no answer */
    TRANSFER_ABANDONED, /* transfer_abandon; may have arrived */
};

struct transfer_options {
    bool allow_private; /* loopback and private addresses too */
    int64_t connect_us, total_us;
    struct text ca_file; /* trust this file alone; empty: the system's. Ends with NUL */
};

enum { TRANSFER_ANSWER_BYTES = 64 << 10, TRANSFER_HEADERS = 24 };

struct transfer_http {
    const char *method, *url;
    const char *headers[TRANSFER_HEADERS]; /* "name: value"; up to the first NULL */
    struct text body;
};

enum transfer_tls { TRANSFER_STARTTLS, TRANSFER_TLS, TRANSFER_PLAIN };
struct transfer_mail {
    const char *server; /* "host" or "host:port" */
    enum transfer_tls tls;
    const char *user, *password; /* NULL: none */
    const char *helo;            /* NULL: the machine's name */
    const char *from;            /* bare addresses */
    const char *const *to;       /* at most TRANSFER_RECIPIENTS, NULL at the end */
    struct text message;         /* lines end with CRLF; dots are stuffed here */
};

/* What an SMTP server said to one recipient. */
enum { TRANSFER_RECIPIENTS = 64 };
struct transfer_recipient {
    int code; /* of RCPT; 0: it was not asked */
    char why[120];
};

struct transfer_reply {
    enum transfer_end end;
    int code;               /* HTTP's status or SMTP's last reply */
    int64_t retry_after_us; /* 0: none said */
    struct text body;       /* of HTTP, at most TRANSFER_ANSWER_BYTES; until the next exchange */
    char why[160];          /* in words, without secrets */
    /* of SMTP, one for each of `to`, in that order; until the next exchange */
    const struct transfer_recipient *recipients;
};

NODISCARD enum status transfer_new(const struct transfer_options *options, struct transfer **out,
                                   struct error *err);
void transfer_free(struct transfer *t);
AUTO_DEFINE(transfer);

void transfer_http(struct transfer *t, const struct transfer_http *request,
                   struct transfer_reply *out);
void transfer_mail(struct transfer *t, const struct transfer_mail *mail,
                   struct transfer_reply *out);
/* Ends a running exchange, and every later one at once. Any thread. */
void transfer_abandon(struct transfer *t);
/* http or https, a host, nothing that curl would read as two URLs. INVALID says why. */
NODISCARD enum status transfer_check_url(const char *url, struct error *err);
