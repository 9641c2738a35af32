/* SPDX-License-Identifier: Apache-2.0 */
#include "ingest/file/inflate.h"
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>
#include <zstd.h>

enum kind { KIND_PLAIN, KIND_GZIP, KIND_ZSTD };

struct inflate {
    enum kind kind;
    bool is_whole; /* between members */
    z_stream gzip;
    ZSTD_DStream *zstd;
};

static enum kind kind_of(struct text head)
{
    if (text_starts(head, TEXT("\x1f\x8b")))
        return KIND_GZIP;
    if (text_starts(head, TEXT("\x28\xb5\x2f\xfd")))
        return KIND_ZSTD;
    return KIND_PLAIN;
}

static bool start(struct inflate *z)
{
    enum { GZIP_WINDOW = 15 + 16 }; /* largest window, gzip header */
    if (z->kind == KIND_GZIP)
        return inflateInit2(&z->gzip, GZIP_WINDOW) == Z_OK;
    if (z->kind == KIND_PLAIN)
        return true;
    z->zstd = ZSTD_createDStream();
    return z->zstd != NULL;
}

enum status inflate_new(struct text head, struct inflate **out, struct error *err)
{
    struct inflate *z = calloc(1, sizeof *z);
    if (z) {
        z->kind = kind_of(head);
        z->is_whole = true;
        if (start(z)) {
            *out = z;
            return STATUS_OK;
        }
    }
    free(z);
    return error_set(err, STATUS_NOMEM, 0, "no memory for a decompressor");
}

void inflate_free(struct inflate *z)
{
    if (!z)
        return;
    if (z->kind == KIND_GZIP)
        (void)inflateEnd(&z->gzip);
    ZSTD_freeDStream(z->zstd);
    free(z);
}

static enum status run_gzip(struct inflate *z, struct text *in, char *to, size_t room,
                            size_t *out_len, struct error *err)
{
    /* zlib wants a mutable pointer, and does not write through it */
    memcpy(&z->gzip.next_in, &in->at, sizeof in->at);
    z->gzip.avail_in = in->len > UINT_MAX ? UINT_MAX : (uInt)in->len;
    z->gzip.next_out = (Bytef *)to;
    z->gzip.avail_out = room > UINT_MAX ? UINT_MAX : (uInt)room;
    uInt had_in = z->gzip.avail_in;
    uInt had_out = z->gzip.avail_out;
    int code = inflate(&z->gzip, Z_NO_FLUSH);
    *in = text_skip(*in, had_in - z->gzip.avail_in);
    *out_len = had_out - z->gzip.avail_out;
    bool is_end = code == Z_STREAM_END;
    if (is_end || had_in)
        z->is_whole = is_end; /* asked again behind the last member it stays whole */
    if (is_end)
        code = inflateReset(&z->gzip);
    if (code == Z_OK || code == Z_BUF_ERROR)
        return STATUS_OK;
    return error_set(err, code == Z_MEM_ERROR ? STATUS_NOMEM : STATUS_SYNTAX, 0,
                     "gzip data is damaged: %s", z->gzip.msg ? z->gzip.msg : "not a gzip member");
}

static enum status run_zstd(struct inflate *z, struct text *in, char *to, size_t room,
                            size_t *out_len, struct error *err)
{
    ZSTD_inBuffer from = {in->at, in->len, 0};
    ZSTD_outBuffer into = {to, room, 0};
    size_t code = ZSTD_decompressStream(z->zstd, &into, &from);
    *in = text_skip(*in, from.pos);
    *out_len = into.pos;
    if (ZSTD_isError(code))
        return error_set(err, STATUS_SYNTAX, 0, "zstd data is damaged: %s",
                         ZSTD_getErrorName(code));
    if (from.size)
        z->is_whole = code == 0;
    return STATUS_OK;
}

enum status inflate_run(struct inflate *z, struct text *in, char *to, size_t room, size_t *out_len,
                        struct error *err)
{
    *out_len = 0;
    if (!in->len && z->is_whole) /* asked without bytes, both libraries would begin a new member */
        return STATUS_OK;
    switch (z->kind) {
    case KIND_GZIP:
        return run_gzip(z, in, to, room, out_len, err);
    case KIND_ZSTD:
        return run_zstd(z, in, to, room, out_len, err);
    case KIND_PLAIN:
        break;
    }
    struct text piece = text_head(*in, room);
    if (piece.len)
        memcpy(to, piece.at, piece.len);
    *out_len = piece.len;
    *in = text_skip(*in, piece.len);
    return STATUS_OK;
}

bool inflate_is_whole(const struct inflate *z)
{
    return z->is_whole;
}
