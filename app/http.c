/* SPDX-License-Identifier: Apache-2.0 */
#include "app/http.h"
#include <curl/curl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static size_t keep(char *bytes, size_t size, size_t count, void *context)
{
    struct buffer *out = context;
    buffer_append(out, (struct text){bytes, size * count});
    return out->has_failed ? 0 : size * count;
}

void http_escape(struct text text, struct buffer *out)
{
    for (size_t i = 0; i < text.len; i++) {
        unsigned char c = (unsigned char)text.at[i];
        bool is_plain = (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') ||
                        (c >= 'A' && c <= 'Z') || (c && strchr("-._~", c));
        if (is_plain)
            buffer_byte(out, (char)c);
        else
            buffer_printf(out, "%%%02X", c);
    }
}

static void read_key(const struct http_target *t, char *out, size_t size)
{
    const char *said = getenv("TOCSIN_KEY");
    char key[512] = "";
    FILE *f = t->key_file ? fopen(t->key_file, "re") : NULL;
    if (f) {
        if (!fgets(key, sizeof key, f))
            key[0] = 0;
        (void)fclose(f);
    } else if (said) {
        (void)snprintf(key, sizeof key, "%s", said);
    }
    key[strcspn(key, "\r\n")] = 0;
    out[0] = 0;
    if (key[0])
        (void)snprintf(out, size, "Authorization: Bearer %s", key);
}

static enum status perform(CURL *curl, const char *url, int *out_status, struct error *err)
{
    long status = 0;
    CURLcode code = curl_easy_perform(curl);
    if (code)
        return error_set(err, STATUS_IO, 0,
                         "%s does not answer (%s): is `tocsin run` up? --url says where", url,
                         curl_easy_strerror(code));
    (void)curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, &status);
    *out_status = (int)status;
    return STATUS_OK;
}

enum status http_call(const struct http_target *t, const char *path, const char *body,
                      struct buffer *out, int *out_status, struct error *err)
{
    const char *said = getenv("TOCSIN_URL");
    const char *base = t->url ? t->url : said ? said : "http://127.0.0.1:8514";
    char url[4096];
    char authorization[600];
    (void)snprintf(url, sizeof url, "%s%s", base, path);
    read_key(t, authorization, sizeof authorization);
    CURL *curl = curl_easy_init();
    if (!curl)
        return error_set(err, STATUS_NOMEM, 0, "no memory for a request");
    struct curl_slist *headers = curl_slist_append(NULL, "Content-Type: application/json");
    if (authorization[0])
        headers = curl_slist_append(headers, authorization);
    (void)curl_easy_setopt(curl, CURLOPT_URL, url);
    (void)curl_easy_setopt(curl, CURLOPT_PROTOCOLS_STR, "http,https");
    (void)curl_easy_setopt(curl, CURLOPT_PROXY, "");
    (void)curl_easy_setopt(curl, CURLOPT_TIMEOUT, 30L);
    (void)curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
    (void)curl_easy_setopt(curl, CURLOPT_HTTPHEADER, headers);
    (void)curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, keep);
    (void)curl_easy_setopt(curl, CURLOPT_WRITEDATA, out);
    if (body)
        (void)curl_easy_setopt(curl, CURLOPT_POSTFIELDS, body);
    enum status status = perform(curl, url, out_status, err);
    curl_slist_free_all(headers);
    curl_easy_cleanup(curl);
    return status;
}
