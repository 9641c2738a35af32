/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include "base/text.h"
#include <stdbool.h>
#include <stdint.h>

/*
 * Which requests are heard at all. libmicrohttpd lets through what two programs could read in two
 * ways (two lengths, two hosts, lengths beside chunks, lines without CR); such a request is how one
 * is smuggled past a proxy, so it is refused here. So is what a foreign page makes a browser send.
 */
struct admission {
    uint32_t hosts, lengths, encodings; /* how often the header stands there */
    struct text host, length, encoding; /* the last of each */
    struct text origin, fetch_site;     /* what browsers add; empty: none */
    bool has_bad_line; /* a line without CR, one that goes on the last, a name that is none */
    bool is_http_1_0;
    bool is_open; /* the port is for other machines: any name may lead here */
};

enum admission_reason {
    ADMISSION_OK,
    ADMISSION_FRAMING,
    ADMISSION_HOST,
    ADMISSION_FOREIGN,
    ADMISSION_SIZE,
    ADMISSION_REASONS,
};
const char *admission_name(enum admission_reason reason);

/* Notes one header. Views must live until the check. */
void admission_header(struct admission *a, struct text name, struct text value);
/* OK, or why not: *out_status and *out_words (static) are what to answer. */
enum admission_reason admission_check(const struct admission *a, uint64_t max_body_bytes,
                                      int *out_status, const char **out_words);
/* "localhost", 127.0.0.0/8 or [::1], with or without a port: names that lead here and nowhere else,
 * so a page whose own name was pointed at this machine has another. */
bool admission_is_local(struct text host);
