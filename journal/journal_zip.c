/* SPDX-License-Identifier: Apache-2.0 */
#include "journal/journal_zip.h"
#include <stdlib.h>
#include <zstd.h>

/* Level 1: a journal is written all the time and read seldom. */
enum { LEVEL = 1 };

struct journal_zip {
    ZSTD_CCtx *packer;
    ZSTD_DCtx *unpacker;
};

enum status journal_zip_new(struct journal_zip **out)
{
    AUTO(journal_zip) z = calloc(1, sizeof *z);
    if (!z)
        return STATUS_NOMEM;
    z->packer = ZSTD_createCCtx();
    z->unpacker = ZSTD_createDCtx();
    if (!z->packer || !z->unpacker)
        return STATUS_NOMEM;
    *out = MOVE(z);
    return STATUS_OK;
}

void journal_zip_free(struct journal_zip *z)
{
    if (!z)
        return;
    (void)ZSTD_freeCCtx(z->packer);
    (void)ZSTD_freeDCtx(z->unpacker);
    free(z);
}

enum status journal_zip_pack(struct journal_zip *z, struct text plain, struct buffer *out)
{
    if (plain.len < 2)
        return STATUS_LIMIT;
    char *at = buffer_reserve(out, plain.len - 1);
    if (!at)
        return STATUS_NOMEM;
    size_t len = ZSTD_compressCCtx(z->packer, at, plain.len - 1, plain.at, plain.len, LEVEL);
    if (ZSTD_isError(len))
        return STATUS_LIMIT;
    out->len += len;
    return STATUS_OK;
}

enum status journal_zip_unpack(struct journal_zip *z, struct text packed, char *out,
                               size_t plain_bytes)
{
    size_t len = ZSTD_decompressDCtx(z->unpacker, out, plain_bytes, packed.at, packed.len);
    return ZSTD_isError(len) || len != plain_bytes ? STATUS_SYNTAX : STATUS_OK;
}
