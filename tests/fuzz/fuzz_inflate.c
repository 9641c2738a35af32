/* SPDX-License-Identifier: Apache-2.0 */
#include "base/buffer.h"
#include "ingest/file/inflate.h"
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

/*
 * Compressed bodies and files: whatever the bytes and however they are cut, the same comes out, up
 * to the same error; bytes that no format claims come out as they are.
 */

enum { HEAD = 4, MOST = 1 << 20 };

static void check(bool is_right)
{
    if (!is_right)
        abort();
}

struct result {
    struct buffer out;
    enum status status;
    bool is_whole;
};

static void run(struct text all, size_t piece, size_t room, struct result *r)
{
    char to[256];
    AUTO(inflate) z = NULL;
    buffer_init(&r->out, MOST);
    r->is_whole = false;
    r->status = inflate_new(text_head(all, HEAD), &z, NULL);
    size_t at = 0;
    for (size_t len = room; r->status == STATUS_OK && (at < all.len || len == room);) {
        struct text in = text_head(text_skip(all, at), piece);
        const size_t given = in.len;
        r->status = inflate_run(z, &in, to, room, &len, NULL);
        check(len <= room && in.len <= given);
        buffer_append(&r->out, (struct text){to, len});
        at += given - in.len;
        check(len || given > in.len || !given || r->status != STATUS_OK); /* it goes on */
        if (r->out.len >= MOST / 2)
            break;
    }
    if (r->status == STATUS_OK)
        r->is_whole = inflate_is_whole(z);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const struct text all = {(const char *)data, size};
    const size_t piece = size ? 1 + data[size - 1] % 37U : 1;
    struct result once, cut;
    run(all, size ? size : 1, 256, &once);
    run(all, piece, 1 + piece * 6 % 256, &cut);
    const bool is_ended = once.out.len < MOST / 2 && cut.out.len < MOST / 2;
    if (is_ended && once.status == STATUS_OK) {
        check(cut.status == STATUS_OK && cut.is_whole == once.is_whole);
        check(text_equal(buffer_text(&once.out), buffer_text(&cut.out)));
    }
    check(!is_ended || (once.status == STATUS_OK) == (cut.status == STATUS_OK));
    buffer_fini(&once.out);
    buffer_fini(&cut.out);
    return 0;
}
