/* SPDX-License-Identifier: Apache-2.0 */
#include "journal/journal_block.h"
#include "journal/crc.h"

enum {
    ZIP_LEAST_BYTES = 512, /* below, zstd gains less than its frame costs */
    KEEP_BYTES = 4 << 20,
};

void journal_block_init(struct journal_block *b)
{
    buffer_init(&b->plain, SEGMENT_PAYLOAD_MAX);
    buffer_init(&b->bytes, SEGMENT_PAYLOAD_MAX + SEGMENT_BLOCK_BYTES);
}

void journal_block_fini(struct journal_block *b)
{
    buffer_fini(&b->plain);
    buffer_fini(&b->bytes);
}

void journal_block_shrink(struct journal_block *b)
{
    if (b->bytes.size > KEEP_BYTES)
        buffer_fini(&b->bytes);
    if (b->plain.size > KEEP_BYTES)
        buffer_fini(&b->plain);
}

/* Room for the header, which is written last. */
static bool begin(struct journal_block *b)
{
    buffer_clear(&b->plain);
    buffer_clear(&b->bytes);
    if (!buffer_reserve(&b->bytes, SEGMENT_BLOCK_BYTES))
        return false;
    b->bytes.len = SEGMENT_BLOCK_BYTES;
    return true;
}

static void end(struct journal_block *b, struct segment_block *head)
{
    head->stored_bytes = (uint32_t)(b->bytes.len - SEGMENT_BLOCK_BYTES);
    head->payload_crc = crc_of(b->bytes.at + SEGMENT_BLOCK_BYTES, head->stored_bytes, 0);
    segment_write_block(head, (uint8_t *)b->bytes.at);
}

static enum status compress(struct journal_block *b, struct journal_zip *zip,
                            struct segment_block *head)
{
    enum status status = STATUS_LIMIT;
    if (b->plain.len >= ZIP_LEAST_BYTES)
        status = journal_zip_pack(zip, buffer_text(&b->plain), &b->bytes);
    head->is_compressed = status == STATUS_OK;
    if (status == STATUS_LIMIT) { /* as it is, then */
        buffer_append(&b->bytes, buffer_text(&b->plain));
        status = b->bytes.has_failed ? STATUS_NOMEM : STATUS_OK;
    }
    return status;
}

enum status journal_block_pack(struct journal_block *b, struct journal_zip *zip,
                               const struct batch *batch, struct segment_block *head)
{
    if (!begin(b))
        return STATUS_NOMEM;
    struct buffer *payload = zip ? &b->plain : &b->bytes;
    size_t before = payload->len;
    enum status status = segment_pack(batch, payload);
    head->plain_bytes = (uint32_t)(payload->len - before);
    if (!status && zip)
        status = compress(b, zip, head);
    if (!status)
        end(b, head);
    return status;
}

enum status journal_block_pack_marks(struct journal_block *b, const struct journal_marks *marks,
                                     struct segment_block *head)
{
    if (!begin(b))
        return STATUS_NOMEM;
    enum status status = journal_marks_write(marks, &b->bytes);
    head->kind = SEGMENT_MARKS;
    head->plain_bytes = (uint32_t)(b->bytes.len - SEGMENT_BLOCK_BYTES);
    if (!status)
        end(b, head);
    return status;
}
