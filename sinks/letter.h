/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include "base/buffer.h"
#include "base/error.h"
#include "base/option.h"
#include "incidents/incidents.h"
#include <stdbool.h>
#include <stdint.h>

/*
 * A delivery as a mail (RFC 5322, MIME): the same bytes at every try, so that one that arrives
 * twice is one to a mail reader. Mails of one incident form a thread below the one that opened it.
 */
struct letter_address {
    struct text display; /* as written before <..>; may be empty */
    struct text bare;    /* "user@host"; ends with NUL where its source did */
};

/* "user@host" or "Name <user@host>", views into `t`. False: no address, or one that could end a
 * header line. */
bool letter_read_address(struct text t, struct letter_address *out);

struct letter {
    struct letter_address from;
    const struct letter_address *to;
    uint32_t to_count;
    struct text subject, body; /* UTF-8; LF ends a line of the body */
    const struct delivery *delivery;
};
/* Lines end with CRLF, none is longer than 998 bytes. */
void letter_write(const struct letter *l, struct buffer *out);
