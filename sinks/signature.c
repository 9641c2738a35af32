/* SPDX-License-Identifier: Apache-2.0 */
#include "sinks/signature.h"
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <stdio.h>
#include <string.h>

enum { DIGEST_LEN = 32, DIGEST_TEXT_LEN = 44 };

static int digit_of(char c)
{
    if (c >= 'A' && c <= 'Z')
        return c - 'A';
    if (c >= 'a' && c <= 'z')
        return c - 'a' + 26;
    if (c >= '0' && c <= '9')
        return c - '0' + 52;
    if (c == '+' || c == '-')
        return 62;
    return c == '/' || c == '_' ? 63 : -1;
}

/* Base64 with or without its padding. Returns the bytes written, or 0: not base64. */
static size_t decode(struct text t, unsigned char out[SECRET_BYTES])
{
    while (t.len && t.at[t.len - 1] == '=')
        t.len--;
    uint32_t bits = 0;
    int count = 0;
    size_t len = 0;
    for (size_t i = 0; i < t.len; i++) {
        int digit = digit_of(t.at[i]);
        if (digit < 0)
            return 0;
        bits = bits << 6 | (uint32_t)digit;
        count += 6;
        if (count < 8)
            continue;
        count -= 8;
        out[len++] = (unsigned char)(bits >> count);
        bits &= (1U << count) - 1;
    }
    return t.len % 4 == 1 ? 0 : len;
}

static size_t key_of(const struct secret *s, unsigned char out[SECRET_BYTES])
{
    struct text t = {s->at, s->len};
    if (text_starts(t, TEXT("whsec_")))
        return decode(text_skip(t, sizeof "whsec_" - 1), out);
    memcpy(out, t.at, t.len);
    return t.len;
}

bool signature_is_secret(const struct secret *s)
{
    unsigned char key[SECRET_BYTES];
    size_t len = key_of(s, key);
    explicit_bzero(key, sizeof key);
    return len > 0;
}

static bool sign_one(const struct secret *s, struct text content, struct buffer *out)
{
    unsigned char key[SECRET_BYTES];
    unsigned char digest[EVP_MAX_MD_SIZE];
    unsigned int len = 0;
    size_t key_len = key_of(s, key);
    const unsigned char *done = HMAC(EVP_sha256(), key, (int)key_len,
                                     (const unsigned char *)content.at, content.len, digest, &len);
    explicit_bzero(key, sizeof key);
    if (!done || len != DIGEST_LEN)
        return false;
    char text[DIGEST_TEXT_LEN];
    size_t text_len = text_to_base64((struct text){(const char *)digest, len}, text);
    buffer_append(out, out->len ? TEXT(" v1,") : TEXT("v1,"));
    buffer_append(out, (struct text){text, text_len});
    return !out->has_failed;
}

bool signature_write(const struct secret_list *secrets, struct text id, int64_t timestamp_s,
                     struct text body, struct buffer *out)
{
    struct buffer content;
    buffer_init(&content, body.len + id.len + 32);
    buffer_printf(&content, "%.*s.%lld.", TEXT_ARG(id), (long long)timestamp_s);
    buffer_append(&content, body);
    bool is_done = !content.has_failed;
    for (uint32_t i = 0; i < secrets->count && is_done; i++)
        is_done = sign_one(&secrets->items[i], buffer_text(&content), out);
    buffer_fini(&content);
    return is_done;
}
