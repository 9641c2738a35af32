/* SPDX-License-Identifier: Apache-2.0 */
#include "ingest/webhook/webhook_key.h"
#include "base/json_weight.h"
#include "ingest/door/tls.h"
#include <stdio.h>

static int sextet_of(char c)
{
    if (c >= 'A' && c <= 'Z')
        return c - 'A';
    if (c >= 'a' && c <= 'z')
        return c - 'a' + 26;
    if (c >= '0' && c <= '9')
        return c - '0' + 52;
    return c == '+' ? 62 : c == '/' ? 63 : -1;
}

/* The password of "user:password" in base64, as far as it is a key. */
static struct text basic_password(struct webhook_call *call, struct text encoded)
{
    char *out = arena_bytes(call->arena, encoded.len + 1);
    size_t len = 0;
    unsigned bits = 0;
    unsigned have = 0;
    if (!out || encoded.len > 512)
        return TEXT_NONE;
    for (size_t i = 0; i < encoded.len; i++) {
        int sextet = sextet_of(encoded.at[i]);
        if (sextet < 0)
            break;
        bits = bits << 6 | (unsigned)sextet;
        have += 6;
        if (have >= 8) {
            have -= 8;
            out[len++] = (char)(bits >> have & 0xFF);
        }
    }
    struct text pair = {out, len};
    return text_skip(pair, text_find_byte(pair, ':') + 1);
}

static struct text from_authorization(struct webhook_call *call)
{
    struct text a = text_trim(call->request->authorization);
    size_t space = text_find_byte(a, ' ');
    struct text scheme = text_head(a, space);
    struct text rest = text_trim(text_skip(a, space));
    if (text_equal_nocase(scheme, TEXT("Basic")))
        return basic_password(call, rest);
    if (text_equal_nocase(scheme, TEXT("ApiKey"))) {
        const struct text key = basic_password(call, rest);
        return key.len ? key : rest;
    }
    if (text_equal_nocase(scheme, TEXT("Bearer")) || text_equal_nocase(scheme, TEXT("GenieKey")) ||
        text_equal_nocase(scheme, TEXT("Splunk")))
        return rest;
    return TEXT_NONE;
}

static struct text from_query(const struct webhook_call *call)
{
    struct text rest = call->request->query;
    struct text pair;
    while (text_split(&rest, '&', &pair)) {
        if (pair.len && pair.at[0] == '?')
            pair = text_skip(pair, 1);
        if (text_starts(pair, TEXT("key=")) || text_starts(pair, TEXT("token=")))
            return text_skip(pair, text_find_byte(pair, '=') + 1);
    }
    return TEXT_NONE;
}

static struct text from_header(const struct webhook_call *call)
{
    const struct webhook_request *q = call->request;
    return q->header ? q->header(q->header_context, "X-Api-Key") : TEXT_NONE;
}

enum status webhook_key_check(struct webhook_call *call, struct keyring *k, struct text scope,
                              struct text inside, bool is_only_looked)
{
    const struct text places[] = {
        from_authorization(call),
        from_header(call),
        from_query(call),
        json_weight_member(inside, TEXT("routing_key")),
        json_weight_member(inside, TEXT("service_key")),
    };
    for (size_t i = 0; i < sizeof places / sizeof *places; i++) {
        if (places[i].len != KEYRING_KEY_LEN)
            continue; /* something of the sender's own */
        enum status status = STATUS_DENIED;
        struct keyring_entry entry;
        if (!is_only_looked)
            status = keyring_check(k, places[i], scope, call->now_us, &entry);
        else if (keyring_knows(k, places[i], scope, call->now_us))
            status = STATUS_OK;
        if (!is_only_looked && !status)
            call->key_id = arena_copy(call->arena, text_of(entry.id));
        if (status != STATUS_DENIED)
            return status;
    }
    return STATUS_DENIED;
}

bool webhook_key_is_signed(const struct webhook_call *call, struct text secret,
                           struct text time_header)
{
    const struct webhook_request *q = call->request;
    unsigned char digest[32];
    char hex[65];
    unsigned char all = 0;
    unsigned char differs = 0;
    if (!q->header)
        return false;
    struct text said = q->header(q->header_context, "X-Grafana-Alerting-Signature");
    struct text time = TEXT_NONE;
    if (time_header.len) /* an option's text: it ends with a NUL */
        time = q->header(q->header_context, time_header.at);
    const struct text parts[] = {time, TEXT(":"), q->body};
    size_t first = time_header.len ? 0 : 2;
    tls_sign(secret, parts + first, 3 - first, digest);
    for (size_t i = 0; i < 32; i++) {
        all |= digest[i];
        (void)snprintf(hex + 2 * i, 3, "%02x", digest[i]);
    }
    for (size_t i = 0; i < 64 && said.len == 64; i++)
        differs |= (unsigned char)(hex[i] ^ said.at[i]); /* compared whole */
    return said.len == 64 && all && !differs;
}
