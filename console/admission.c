/* SPDX-License-Identifier: Apache-2.0 */
#include "console/admission.h"
#include <arpa/inet.h>
#include <stdio.h>

const char *admission_name(enum admission_reason reason)
{
    static const char *const names[] = {
        [ADMISSION_OK] = "none",         [ADMISSION_FRAMING] = "framing", [ADMISSION_HOST] = "host",
        [ADMISSION_FOREIGN] = "foreign", [ADMISSION_SIZE] = "size",
    };
    return reason < ADMISSION_REASONS ? names[reason] : "none";
}

/* "Content-Length : 5" is another header to the library, and the same one to some proxies. */
static bool is_name(struct text name)
{
    for (size_t i = 0; i < name.len; i++)
        if ((unsigned char)name.at[i] <= ' ' || (unsigned char)name.at[i] >= 0x7F)
            return false;
    return name.len > 0;
}

void admission_header(struct admission *a, struct text name, struct text value)
{
    a->has_bad_line |= !is_name(name);
    if (text_equal_nocase(name, TEXT("host"))) {
        a->hosts++;
        a->host = value;
    } else if (text_equal_nocase(name, TEXT("content-length"))) {
        a->lengths++;
        a->length = value;
    } else if (text_equal_nocase(name, TEXT("transfer-encoding"))) {
        a->encodings++;
        a->encoding = value;
    } else if (text_equal_nocase(name, TEXT("origin"))) {
        a->origin = value;
    } else if (text_equal_nocase(name, TEXT("sec-fetch-site"))) {
        a->fetch_site = value;
    }
}

static struct text without_port(struct text host)
{
    size_t end = host.len;
    while (end > 0 && host.at[end - 1] >= '0' && host.at[end - 1] <= '9')
        end--;
    bool has_port = end > 1 && end < host.len && host.at[end - 1] == ':';
    return has_port ? text_head(host, end - 1) : host;
}

bool admission_is_local(struct text host)
{
    struct text name = without_port(host);
    if (text_equal_nocase(name, TEXT("localhost")) || text_equal(name, TEXT("[::1]")))
        return true;
    char plain[INET_ADDRSTRLEN];
    struct in_addr address;
    if (name.len >= sizeof plain)
        return false;
    (void)snprintf(plain, sizeof plain, "%.*s", TEXT_ARG(name));
    return inet_pton(AF_INET, plain, &address) == 1 && ntohl(address.s_addr) >> 24 == 127;
}

static bool has_one_reading(const struct admission *a)
{
    if (a->has_bad_line || a->hosts > 1 || a->lengths > 1 || a->encodings > 1)
        return false;
    if (a->lengths && a->encodings)
        return false;
    if (a->hosts == 0 && !a->is_http_1_0)
        return false;
    if (a->encodings && (a->is_http_1_0 || !text_equal_nocase(a->encoding, TEXT("chunked"))))
        return false;
    for (size_t i = 0; i < a->length.len; i++) {
        if (a->length.at[i] < '0' || a->length.at[i] > '9')
            return false;
    }
    return !a->lengths || a->length.len > 0;
}

/* A browser says where the page stands that made it send this. Programs say nothing. */
static bool is_foreign(const struct admission *a)
{
    if (a->fetch_site.len && !text_equal(a->fetch_site, TEXT("same-origin")) &&
        !text_equal(a->fetch_site, TEXT("none")))
        return true;
    if (!a->origin.len)
        return false;
    if (a->is_open || !text_starts(a->origin, TEXT("http://")))
        return true;
    return !text_equal_nocase(text_skip(a->origin, sizeof "http://" - 1), a->host);
}

static bool is_too_long(const struct admission *a, uint64_t max_body_bytes)
{
    int64_t length = 0;
    return a->lengths &&
           (!text_to_int64(a->length, &length) || length < 0 || (uint64_t)length > max_body_bytes);
}

enum admission_reason admission_check(const struct admission *a, uint64_t max_body_bytes,
                                      int *out_status, const char **out_words)
{
    enum admission_reason reason = ADMISSION_OK;
    *out_status = 200;
    *out_words = "";
    if (!has_one_reading(a)) {
        reason = ADMISSION_FRAMING;
        *out_status = 400;
        *out_words = "the request can be read in more than one way (Host, Content-Length, "
                     "Transfer-Encoding or line ends)";
    } else if (a->hosts && !a->is_open && !admission_is_local(a->host)) {
        reason = ADMISSION_HOST;
        *out_status = 403;
        *out_words = "only localhost, 127.x.x.x and [::1] are answered as Host";
    } else if (is_foreign(a)) {
        reason = ADMISSION_FOREIGN;
        *out_status = 403;
        *out_words = "requests made by another site's page are refused";
    } else if (is_too_long(a, max_body_bytes)) {
        reason = ADMISSION_SIZE;
        *out_status = 413;
        *out_words = "the body is larger than is taken";
    }
    return reason;
}
