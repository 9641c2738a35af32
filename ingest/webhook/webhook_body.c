/* SPDX-License-Identifier: Apache-2.0 */
#include "ingest/webhook/webhook_body.h"
#include "ingest/file/inflate.h"

enum { STEP_BYTES = 64 << 10, LEAST_ROOM = 4 << 10 };

enum webhook_encoding webhook_body_encoding(struct text said)
{
    struct text t = text_trim(said);
    if (!t.len || text_equal_nocase(t, TEXT("identity")))
        return WEBHOOK_ENCODING_NONE;
    if (text_equal_nocase(t, TEXT("gzip")) || text_equal_nocase(t, TEXT("x-gzip")) ||
        text_equal_nocase(t, TEXT("zstd")))
        return WEBHOOK_ENCODING_KNOWN;
    return WEBHOOK_ENCODING_UNKNOWN;
}

/* A buffer that grows is there twice for a moment. */
static bool hold(struct webhook_call *call, uint64_t bytes, uint64_t *held)
{
    if (!webhook_hold(call, 2 * bytes))
        return false;
    *held += 2 * bytes;
    return true;
}

enum status webhook_body_inflate(struct webhook_call *call, struct text body, struct buffer *out,
                                 uint64_t *held)
{
    AUTO(inflate) z = NULL;
    enum status status = inflate_new(text_head(body, 16), &z, NULL);
    while (!status && body.len) {
        size_t room =
            out->max_bytes - out->len < STEP_BYTES ? out->max_bytes - out->len : STEP_BYTES;
        if (room && !hold(call, room, held))
            return STATUS_FULL;
        char *to = room ? buffer_reserve(out, room) : NULL;
        size_t len = 0;
        if (!to)
            return room ? STATUS_NOMEM : STATUS_LIMIT;
        size_t before = body.len;
        status = inflate_run(z, &body, to, room, &len, NULL);
        out->len += len;
        if (!status && !len && body.len == before)
            break; /* nothing more comes of it */
    }
    return status ? status : inflate_is_whole(z) ? STATUS_OK : STATUS_SYNTAX;
}

enum status webhook_body_look(struct webhook_call *call, struct text body, struct buffer *out,
                              uint64_t *held)
{
    enum status status = webhook_body_inflate(call, body, out, held);
    return status == STATUS_LIMIT ? STATUS_OK : status;
}
