/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include "base/error.h"
#include "base/option.h"
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

/*
 * The server side of TLS 1.2 and 1.3 on non-blocking sockets: certificate, optional client
 * certificates with allowed names, and a new certificate taken up when its files change. One
 * thread. SIGPIPE must be blocked or ignored there.
 */
struct tls;
struct tls_session;

struct tls_settings {
    struct text certificate, key; /* PEM files; the chain behind the certificate */
    struct text client_ca;        /* PEM file; empty: clients need no certificate */
    struct option_texts names;    /* allowed names of clients ("*.example.org"); none: any */
};

/* The option rows of these settings, for a member at `offset` of a source's object. */
#define TLS_OPTIONS(type, member)                                                                  \
    {"certificate",                                                                                \
     OPTION_TEXT,                                                                                  \
     offsetof(type, member.certificate),                                                           \
     "",                                                                                           \
     0,                                                                                            \
     0,                                                                                            \
     NULL,                                                                                         \
     "PEM file with our certificate and its chain; read again when it changes"},                   \
        {"key", OPTION_TEXT, offsetof(type, member.key),     "", 0,                                \
         0,     NULL,        "PEM file with its private key"},                                     \
        {"client_ca",                                                                              \
         OPTION_TEXT,                                                                              \
         offsetof(type, member.client_ca),                                                         \
         "",                                                                                       \
         0,                                                                                        \
         0,                                                                                        \
         NULL,                                                                                     \
         "PEM file: clients must show a certificate that it signed"},                              \
    {                                                                                              \
        "client_names", OPTION_TEXTS, offsetof(type, member.names), "", 0, 0, NULL,                \
            "names (DNS name or common name) that a client's certificate may have; `*.` for one "  \
            "label"                                                                                \
    }

/* Borrows the settings' texts for its life. IO or INVALID says which file is at fault. */
NODISCARD enum status tls_open(const struct tls_settings *settings, struct tls **out,
                               struct error *err);
void tls_close(struct tls *t);
static inline void tls_free(struct tls *t)
{
    tls_close(t);
}
AUTO_DEFINE(tls);
/* Takes up changed files for later sessions. OK also when nothing changed; on failure the old
 * certificate stays and the same files are not tried again. */
NODISCARD enum status tls_refresh(struct tls *t, struct error *err);

/* A session on a connected socket, which stays the caller's; NULL without memory. */
struct tls_session *tls_accept(struct tls *t, int fd);
void tls_end(struct tls_session *s); /* says goodbye, does not wait for the answer */

enum { TLS_AGAIN = -1, TLS_BROKEN = -2, TLS_AGAIN_WRITE = -3 };
/* Bytes, 0 at the end, or one of the above. The handshake happens inside. */
ssize_t tls_read(struct tls_session *s, char *at, size_t size);
ssize_t tls_write(struct tls_session *s, const char *at, size_t size);
/* Decrypted or buffered bytes wait that the socket does not show. */
bool tls_has_more(const struct tls_session *s);
/* The handshake is over and the client's name is allowed. */
bool tls_is_ready(const struct tls_session *s);

/* SHA-256, for what else in this folder needs one. */
void tls_digest(struct text t, unsigned char out[32]);
/* HMAC-SHA256 over the parts, one behind the other. */
void tls_sign(struct text key, const struct text *parts, size_t count, unsigned char out[32]);
/* notAfter of the first certificate in a PEM file; TIMESTAMP_NONE where it cannot be read. */
int64_t tls_certificate_end(const char *path);
