/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include "base/buffer.h"
#include "base/error.h"

/* One request to the running program's API. The one place that knows libcurl in app/. */
struct http_target {
    const char *url;      /* "http://127.0.0.1:8514"; NULL: $TOCSIN_URL, else that */
    const char *key_file; /* NULL: $TOCSIN_KEY, else none */
};
/* `body` NULL: GET, else POST of JSON. Gives the status and the answer's body; IO names the URL and
 * what to do when nothing answers. */
NODISCARD enum status http_call(const struct http_target *t, const char *path, const char *body,
                                struct buffer *out, int *out_status, struct error *err);
/* `text` with everything but letters, digits and -._~ as %XX, for a query. */
void http_escape(struct text text, struct buffer *out);
