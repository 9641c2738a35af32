/* SPDX-License-Identifier: Apache-2.0 */
#include "journal/crc.h"
#include "journal/segment.h"
#include <assert.h>
#include <stdlib.h>
#include <string.h>

/*
 * The first 64 bytes are a block's header, the rest its payload. The header's CRC is made right, or
 * nothing would pass it. What unpacks lies inside the payload and packs to the same records again.
 */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_again(const struct segment_block *block, const struct record *records,
                        uint32_t count)
{
    struct batch b = {.count = count};
    struct record again[BATCH_RECORDS];
    struct buffer packed;
    uint32_t unpacked = 0;
    b.records = malloc((count ? count : 1) * sizeof *b.records);
    if (!b.records)
        return;
    memcpy(b.records, records, count * sizeof *b.records);
    buffer_init(&packed, SEGMENT_PAYLOAD_MAX);
    if (segment_pack(&b, &packed) == STATUS_OK) {
        struct segment_block same = *block;
        same.plain_bytes = same.stored_bytes = (uint32_t)packed.len;
        same.is_compressed = false;
        enum status status = segment_unpack(&same, buffer_text(&packed), 0, again, &unpacked);
        assert(status == STATUS_OK && unpacked == count);
        for (uint32_t i = 0; i < count; i++) {
            assert(text_equal(again[i].raw, records[i].raw));
            assert(text_equal(again[i].peer, records[i].peer));
            assert(text_equal(again[i].origin, records[i].origin));
            assert(again[i].journal_us == records[i].journal_us);
            assert(again[i].flags == records[i].flags && again[i].kind == records[i].kind);
        }
    }
    buffer_fini(&packed);
    free(b.records);
}

static void check_inside(struct text whole, struct text part)
{
    assert(part.len == 0 || (part.at >= whole.at && part.at + part.len <= whole.at + whole.len));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    uint8_t header[SEGMENT_BLOCK_BYTES] = {'T', 'B', 'L', 'K'};
    struct segment_header file;
    struct segment_block block;
    if (size < sizeof header)
        return 0;
    (void)!segment_read_header(data, &file);
    memcpy(header + 8, data + 8, sizeof header - 8);
    uint32_t crc = crc_of(header + 8, sizeof header - 8, 0);
    for (size_t i = 0; i < 4; i++)
        header[4 + i] = (uint8_t)(crc >> (8 * i));
    if (segment_read_block(header, &block) != STATUS_OK)
        return 0;
    struct text plain = {(const char *)data + sizeof header, size - sizeof header};
    block.plain_bytes = (uint32_t)plain.len;
    struct record records[BATCH_RECORDS];
    uint32_t count = 0;
    if (block.kind != SEGMENT_RECORDS ||
        segment_unpack(&block, plain, 0, records, &count) != STATUS_OK)
        return 0;
    assert(count == block.count);
    for (uint32_t i = 0; i < count; i++) {
        check_inside(plain, records[i].raw);
        check_inside(plain, records[i].peer);
        check_inside(plain, records[i].origin);
        assert(records[i].position == block.first_position + i);
    }
    check_again(&block, records, count);
    return 0;
}
