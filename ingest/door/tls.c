/* SPDX-License-Identifier: Apache-2.0 */
#include "ingest/door/tls.h"
#include "base/timestamp.h"
#include <openssl/core_names.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/params.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

/* What tells one version of a file from the next. */
struct version {
    ino_t inode;
    off_t size;
    struct timespec changed;
};

struct tls {
    struct tls_settings settings;
    SSL_CTX *context;
    struct version versions[3]; /* certificate, key, client_ca */
};

/* Handshake messages behind the handshake (new keys, a wish for another handshake): an honest
 * sender has one in a gigabyte, each costs us far more than him, and OpenSSL has no limit. */
enum { MOST_LATE_MESSAGES = 256 };

struct tls_session {
    const struct tls *tls;
    SSL *ssl;
    bool is_ready;
    uint32_t late_messages;
};

static const char *reason(void)
{
    unsigned long first = ERR_peek_error(); /* the system's own, where a file is missing */
    const char *text = ERR_GET_LIB(first) == ERR_LIB_SYS
                           ? strerrordesc_np(ERR_GET_REASON(first))
                           : ERR_reason_error_string(ERR_peek_last_error());
    ERR_clear_error();
    return text ? text : "unknown reason";
}

static enum status load(const struct tls_settings *s, SSL_CTX *c, struct error *err)
{
    if (SSL_CTX_use_certificate_chain_file(c, s->certificate.at) != 1)
        return error_set(err, STATUS_IO, 0, "certificate %s: %s", s->certificate.at, reason());
    if (SSL_CTX_use_PrivateKey_file(c, s->key.at, SSL_FILETYPE_PEM) != 1)
        return error_set(err, STATUS_IO, 0, "key %s: %s", s->key.at, reason());
    if (SSL_CTX_check_private_key(c) != 1)
        return error_set(err, STATUS_INVALID, 0, "key %s does not belong to certificate %s",
                         s->key.at, s->certificate.at);
    if (!s->client_ca.len)
        return STATUS_OK;
    if (SSL_CTX_load_verify_locations(c, s->client_ca.at, NULL) != 1)
        return error_set(err, STATUS_IO, 0, "client_ca %s: %s", s->client_ca.at, reason());
    SSL_CTX_set_client_CA_list(c, SSL_load_client_CA_file(s->client_ca.at));
    SSL_CTX_set_verify(c, SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT, NULL);
    return STATUS_OK;
}

static enum status make_context(const struct tls_settings *s, SSL_CTX **out, struct error *err)
{
    SSL_CTX *c = SSL_CTX_new(TLS_server_method());
    if (!c)
        return error_set(err, STATUS_NOMEM, 0, "no memory for TLS");
    (void)SSL_CTX_set_min_proto_version(c, TLS1_2_VERSION);
    (void)SSL_CTX_set_options(c, SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION |
                                     SSL_OP_IGNORE_UNEXPECTED_EOF | SSL_OP_NO_TICKET |
                                     SSL_OP_CIPHER_SERVER_PREFERENCE);
    (void)SSL_CTX_set_mode(c, SSL_MODE_RELEASE_BUFFERS | SSL_MODE_ENABLE_PARTIAL_WRITE |
                                  SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
    (void)SSL_CTX_set_num_tickets(c, 0);
    (void)SSL_CTX_set_session_cache_mode(c, SSL_SESS_CACHE_OFF);
    SSL_CTX_set_read_ahead(c, 1);
    enum status status = load(s, c, err);
    if (status)
        SSL_CTX_free(c);
    else
        *out = c;
    return status;
}

static void look(const struct tls_settings *s, struct version out[3])
{
    const struct text paths[3] = {s->certificate, s->key, s->client_ca};
    for (size_t i = 0; i < 3; i++) {
        struct stat st;
        memset(&out[i], 0, sizeof out[i]);
        if (paths[i].len && stat(paths[i].at, &st) == 0)
            out[i] = (struct version){st.st_ino, st.st_size, st.st_mtim};
    }
}

static bool is_same(const struct version *a, const struct version *b)
{
    return a->inode == b->inode && a->size == b->size && a->changed.tv_sec == b->changed.tv_sec &&
           a->changed.tv_nsec == b->changed.tv_nsec;
}

enum status tls_open(const struct tls_settings *settings, struct tls **out, struct error *err)
{
    if (!settings->certificate.len || !settings->key.len)
        return error_set(err, STATUS_INVALID, 0, "`certificate` and `key` are required");
    if (settings->names.count && !settings->client_ca.len)
        return error_set(err, STATUS_INVALID, 0, "`client_names` needs `client_ca`");
    AUTO(tls) t = calloc(1, sizeof *t);
    if (!t)
        return error_set(err, STATUS_NOMEM, 0, "no memory for TLS");
    t->settings = *settings;
    look(settings, t->versions);
    enum status status = make_context(settings, &t->context, err);
    if (status)
        return status;
    *out = MOVE(t);
    return STATUS_OK;
}

void tls_close(struct tls *t)
{
    if (t)
        SSL_CTX_free(t->context);
    free(t);
}

enum status tls_refresh(struct tls *t, struct error *err)
{
    struct version now[3];
    look(&t->settings, now);
    bool is_unchanged = true;
    for (size_t i = 0; i < 3; i++)
        is_unchanged &= is_same(&now[i], &t->versions[i]);
    if (is_unchanged)
        return STATUS_OK;
    memcpy(t->versions, now, sizeof now);
    SSL_CTX *fresh = NULL;
    enum status status = make_context(&t->settings, &fresh, err);
    if (status)
        return status;
    SSL_CTX_free(t->context); /* sessions that use it hold it */
    t->context = fresh;
    return STATUS_OK;
}

static void note_message(int is_written, int version, int type, const void *bytes, size_t len,
                         SSL *ssl, void *context)
{
    struct tls_session *s = context;
    (void)version, (void)bytes, (void)len, (void)ssl;
    s->late_messages += s->is_ready && !is_written && type == SSL3_RT_HANDSHAKE;
}

struct tls_session *tls_accept(struct tls *t, int fd)
{
    struct tls_session *s = calloc(1, sizeof *s);
    if (!s)
        return NULL;
    s->tls = t;
    s->ssl = SSL_new(t->context);
    if (!s->ssl || SSL_set_fd(s->ssl, fd) != 1) {
        tls_end(s);
        return NULL;
    }
    SSL_set_accept_state(s->ssl);
    /* a read gives back control behind each late message, so that they can be counted */
    (void)SSL_clear_mode(s->ssl, SSL_MODE_AUTO_RETRY);
    SSL_set_msg_callback(s->ssl, note_message);
    SSL_set_msg_callback_arg(s->ssl, s);
    return s;
}

void tls_end(struct tls_session *s)
{
    if (!s)
        return;
    if (s->is_ready)
        (void)SSL_shutdown(s->ssl);
    SSL_free(s->ssl);
    ERR_clear_error();
    free(s);
}

static bool name_matches(struct text pattern, struct text name)
{
    if (!text_starts(pattern, TEXT("*.")))
        return text_equal_nocase(pattern, name);
    struct text rest = text_skip(name, text_find_byte(name, '.'));
    return rest.len < name.len && text_equal_nocase(text_skip(pattern, 1), rest);
}

static bool is_listed(const struct tls_settings *s, const ASN1_STRING *name)
{
    if (!name)
        return false;
    struct text t = {(const void *)ASN1_STRING_get0_data(name), (size_t)ASN1_STRING_length(name)};
    for (uint32_t i = 0; i < s->names.count; i++)
        if (name_matches(s->names.items[i], t))
            return true;
    return false;
}

static bool has_listed_alternative(const struct tls_settings *s, const X509 *certificate)
{
    GENERAL_NAMES *names = X509_get_ext_d2i(certificate, NID_subject_alt_name, NULL, NULL);
    bool is_found = false;
    for (int i = 0; i < sk_GENERAL_NAME_num(names); i++) {
        const GENERAL_NAME *name = sk_GENERAL_NAME_value(names, i);
        is_found |= name->type == GEN_DNS && is_listed(s, name->d.dNSName);
    }
    GENERAL_NAMES_free(names);
    return is_found;
}

static bool is_allowed(const struct tls_session *s)
{
    const struct tls_settings *settings = &s->tls->settings;
    if (!settings->names.count)
        return true;
    const X509 *certificate = SSL_get0_peer_certificate(s->ssl);
    if (!certificate)
        return false;
    if (has_listed_alternative(settings, certificate))
        return true;
    const X509_NAME *subject = X509_get_subject_name(certificate);
    int at = X509_NAME_get_index_by_NID(subject, NID_commonName, -1);
    return at >= 0 &&
           is_listed(settings, X509_NAME_ENTRY_get_data(X509_NAME_get_entry(subject, at)));
}

static ssize_t failure(const struct tls_session *s, int result)
{
    int why = SSL_get_error(s->ssl, result);
    ERR_clear_error();
    if (why == SSL_ERROR_WANT_READ)
        return TLS_AGAIN;
    if (why == SSL_ERROR_WANT_WRITE)
        return TLS_AGAIN_WRITE;
    return why == SSL_ERROR_ZERO_RETURN ? 0 : TLS_BROKEN;
}

ssize_t tls_read(struct tls_session *s, char *at, size_t size)
{
    if (!s->is_ready) {
        int result = SSL_do_handshake(s->ssl);
        if (result != 1)
            return failure(s, result);
        if (!is_allowed(s))
            return TLS_BROKEN;
        s->is_ready = true;
    }
    /* A record holds 16 KiB at most: several of them fill the buffer. */
    size_t total = 0;
    while (total < size) {
        size_t n = 0;
        uint32_t late = s->late_messages;
        int result = SSL_read_ex(s->ssl, at + total, size - total, &n);
        if (s->late_messages > MOST_LATE_MESSAGES)
            return TLS_BROKEN;
        if (result != 1 && late != s->late_messages &&
            SSL_get_error(s->ssl, result) == SSL_ERROR_WANT_READ)
            continue;
        if (result != 1)
            return total ? (ssize_t)total : failure(s, result);
        total += n;
    }
    return (ssize_t)total;
}

ssize_t tls_write(struct tls_session *s, const char *at, size_t size)
{
    size_t n = 0;
    int result = SSL_write_ex(s->ssl, at, size, &n);
    return result == 1 ? (ssize_t)n : failure(s, result);
}

bool tls_has_more(const struct tls_session *s)
{
    return SSL_has_pending(s->ssl);
}

bool tls_is_ready(const struct tls_session *s)
{
    return s->is_ready;
}

void tls_digest(struct text t, unsigned char out[32])
{
    unsigned len = 0;
    if (EVP_Digest(t.at ? t.at : "", t.len, out, &len, EVP_sha256(), NULL) != 1 || len != 32)
        abort(); /* no memory for a context: a key must never be compared with what is not there */
}

void tls_sign(struct text key, const struct text *parts, size_t count, unsigned char out[32])
{
    char name[] = "SHA256";
    const OSSL_PARAM params[] = {
        OSSL_PARAM_construct_utf8_string(OSSL_MAC_PARAM_DIGEST, name, 0),
        OSSL_PARAM_construct_end(),
    };
    EVP_MAC *mac = EVP_MAC_fetch(NULL, "HMAC", NULL);
    EVP_MAC_CTX *context = mac ? EVP_MAC_CTX_new(mac) : NULL;
    size_t len = 0;
    bool is_ok =
        context && EVP_MAC_init(context, (const unsigned char *)key.at, key.len, params) == 1;
    for (size_t i = 0; is_ok && i < count; i++)
        is_ok = EVP_MAC_update(context, (const unsigned char *)parts[i].at, parts[i].len) == 1;
    is_ok = is_ok && EVP_MAC_final(context, out, &len, 32) == 1 && len == 32;
    EVP_MAC_CTX_free(context);
    EVP_MAC_free(mac);
    if (!is_ok) /* no memory: a signature that nothing matches */
        memset(out, 0, 32);
}

int64_t tls_certificate_end(const char *path)
{
    FILE *f = fopen(path, "re");
    X509 *certificate = f ? PEM_read_X509(f, NULL, NULL, NULL) : NULL;
    struct tm end;
    int64_t us = TIMESTAMP_NONE;
    if (certificate && ASN1_TIME_to_tm(X509_get0_notAfter(certificate), &end)) {
        struct civil c = {.year = end.tm_year + 1900,
                          .month = end.tm_mon + 1,
                          .day = end.tm_mday,
                          .hour = end.tm_hour,
                          .minute = end.tm_min,
                          .second = end.tm_sec};
        us = timestamp_from_civil(&c);
    }
    X509_free(certificate);
    if (f)
        (void)fclose(f);
    return us;
}
