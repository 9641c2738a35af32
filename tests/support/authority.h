/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include <assert.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* A certificate authority for one test, in a folder of its own below /tmp. */
struct authority {
    char dir[64];
    EVP_PKEY *key;
    X509 *certificate;
    long serial;
    bool is_expiring; /* what is issued from now on ended a minute ago */
};

static inline const char *authority_path(const struct authority *a, const char *name, char out[128])
{
    (void)snprintf(out, 128, "%s/%s", a->dir, name);
    return out;
}

static inline X509 *authority_issue(struct authority *a, EVP_PKEY *key, const char *name,
                                    const char *alternative)
{
    X509 *x = X509_new();
    assert(x);
    (void)X509_set_version(x, 2);
    (void)ASN1_INTEGER_set(X509_get_serialNumber(x), ++a->serial);
    (void)X509_gmtime_adj(X509_getm_notBefore(x), -3600);
    (void)X509_gmtime_adj(X509_getm_notAfter(x), a->is_expiring ? -60 : 86400);
    (void)X509_set_pubkey(x, key);
    X509_NAME *subject = X509_get_subject_name(x);
    (void)X509_NAME_add_entry_by_txt(subject, "CN", MBSTRING_ASC, (const void *)name, -1, -1, 0);
    (void)X509_set_issuer_name(x, a->certificate ? X509_get_subject_name(a->certificate) : subject);
    X509V3_CTX context;
    X509V3_set_ctx(&context, a->certificate ? a->certificate : x, x, NULL, NULL, 0);
    X509_EXTENSION *e = a->certificate
                            ? X509V3_EXT_conf_nid(NULL, &context, NID_subject_alt_name, alternative)
                            : X509V3_EXT_conf_nid(NULL, &context, NID_basic_constraints, "CA:TRUE");
    assert(e);
    (void)X509_add_ext(x, e, -1);
    X509_EXTENSION_free(e);
    assert(X509_sign(x, a->key, EVP_sha256()) > 0);
    return x;
}

static inline void authority_write(const struct authority *a, const char *name, X509 *x,
                                   EVP_PKEY *key)
{
    char file[32], path[128];
    (void)snprintf(file, sizeof file, "%s.pem", name);
    FILE *f = fopen(authority_path(a, file, path), "w");
    assert(f && PEM_write_X509(f, x) == 1);
    (void)fclose(f);
    (void)snprintf(file, sizeof file, "%s.key", name);
    f = fopen(authority_path(a, file, path), "w");
    assert(f && PEM_write_PrivateKey(f, key, NULL, NULL, 0, NULL, NULL) == 1);
    (void)fclose(f);
}

/* Writes <file>.pem and <file>.key. */
static inline void authority_add(struct authority *a, const char *file, const char *name,
                                 const char *alternative)
{
    EVP_PKEY *key = EVP_EC_gen("P-256");
    X509 *x = authority_issue(a, key, name, alternative);
    authority_write(a, file, x, key);
    X509_free(x);
    EVP_PKEY_free(key);
}

/* The same, signed by another authority that has this one's name. */
static inline void authority_impostor(struct authority *a, const char *file, const char *name,
                                      const char *alternative)
{
    struct authority other = {.key = EVP_EC_gen("P-256")};
    (void)snprintf(other.dir, sizeof other.dir, "%s", a->dir);
    other.certificate = authority_issue(&other, other.key, "test authority", NULL);
    authority_add(&other, file, name, alternative);
    X509_free(other.certificate);
    EVP_PKEY_free(other.key);
}

/* Makes the folder with ca.pem. */
static inline void authority_init(struct authority *a)
{
    memset(a, 0, sizeof *a);
    (void)snprintf(a->dir, sizeof a->dir, "/tmp/tocsin-authority-XXXXXX");
    assert(mkdtemp(a->dir));
    a->key = EVP_EC_gen("P-256");
    a->certificate = authority_issue(a, a->key, "test authority", NULL);
    authority_write(a, "ca", a->certificate, a->key);
}

static inline void authority_fini(struct authority *a, const char *const *files)
{
    char path[128], file[32];
    for (; *files; files++) {
        (void)snprintf(file, sizeof file, "%s.pem", *files);
        (void)unlink(authority_path(a, file, path));
        (void)snprintf(file, sizeof file, "%s.key", *files);
        (void)unlink(authority_path(a, file, path));
    }
    (void)rmdir(a->dir);
    X509_free(a->certificate);
    EVP_PKEY_free(a->key);
}
