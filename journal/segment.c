/* SPDX-License-Identifier: Apache-2.0 */
#include "journal/segment.h"
#include "base/timestamp.h"
#include "journal/crc.h"
#include <endian.h>
#include <string.h>

enum { VERSION = 1, BLOCK_MAGIC = 0x4B4C4254 /* "TBLK" */, IS_COMPRESSED = 1 };
enum { SAME_PEER = UINT32_C(0x80000000) - 1 }; /* peer_len: that of the record before */

static const char file_magic[8] = {'T', 'O', 'C', 'S', 'I', 'N', 'J', '\n'};

static void put32(uint8_t *at, uint32_t value)
{
    uint32_t le = htole32(value);
    memcpy(at, &le, sizeof le);
}

static void put64(uint8_t *at, uint64_t value)
{
    uint64_t le = htole64(value);
    memcpy(at, &le, sizeof le);
}

static uint32_t get32(const uint8_t *at)
{
    uint32_t le;
    memcpy(&le, at, sizeof le);
    return le32toh(le);
}

static uint64_t get64(const uint8_t *at)
{
    uint64_t le;
    memcpy(&le, at, sizeof le);
    return le64toh(le);
}

void segment_write_header(const struct segment_header *h, uint8_t out[SEGMENT_HEADER_BYTES])
{
    memset(out, 0, SEGMENT_HEADER_BYTES);
    memcpy(out, file_magic, sizeof file_magic);
    put32(out + 8, VERSION);
    put32(out + 12, h->epoch);
    put64(out + 16, h->first_position);
    put64(out + 24, h->salt);
    put64(out + 32, (uint64_t)h->journal_us);
    put64(out + 40, h->instance);
    put32(out + 60, crc_of(out, 60, 0));
}

enum status segment_read_header(const uint8_t in[SEGMENT_HEADER_BYTES], struct segment_header *out)
{
    if (memcmp(in, file_magic, sizeof file_magic) != 0 || get32(in + 60) != crc_of(in, 60, 0))
        return STATUS_SYNTAX;
    if (get32(in + 8) != VERSION)
        return STATUS_UNSUPPORTED;
    *out = (struct segment_header){
        .epoch = get32(in + 12),
        .first_position = get64(in + 16),
        .salt = get64(in + 24),
        .journal_us = (int64_t)get64(in + 32),
        .instance = get64(in + 40),
    };
    return STATUS_OK;
}

void segment_write_block(const struct segment_block *b, uint8_t out[SEGMENT_BLOCK_BYTES])
{
    memset(out, 0, SEGMENT_BLOCK_BYTES);
    put32(out, BLOCK_MAGIC);
    put64(out + 8, b->salt);
    put64(out + 16, b->first_position);
    put64(out + 24, (uint64_t)b->journal_us);
    put32(out + 32, b->count);
    put32(out + 36, b->epoch);
    put32(out + 40, b->stored_bytes);
    put32(out + 44, b->plain_bytes);
    put32(out + 48, b->payload_crc);
    out[52] = (uint8_t)b->kind;
    out[53] = b->is_compressed ? IS_COMPRESSED : 0;
    put64(out + 56, b->instance);
    put32(out + 4, crc_of(out + 8, SEGMENT_BLOCK_BYTES - 8, 0));
}

static bool is_plausible(const struct segment_block *b)
{
    uint64_t least = b->kind == SEGMENT_RECORDS ? (uint64_t)b->count * SEGMENT_RECORD_BYTES : 0;
    return b->stored_bytes <= SEGMENT_PAYLOAD_MAX && b->plain_bytes <= SEGMENT_PAYLOAD_MAX &&
           b->plain_bytes >= least && b->first_position <= UINT64_MAX - b->count &&
           (b->kind == SEGMENT_MARKS || (b->count > 0 && b->count <= BATCH_RECORDS)) &&
           (b->is_compressed || b->stored_bytes == b->plain_bytes);
}

enum status segment_read_block(const uint8_t in[SEGMENT_BLOCK_BYTES], struct segment_block *out)
{
    if (get32(in) != BLOCK_MAGIC || get32(in + 4) != crc_of(in + 8, SEGMENT_BLOCK_BYTES - 8, 0) ||
        in[52] > SEGMENT_MARKS || in[53] > IS_COMPRESSED)
        return STATUS_SYNTAX;
    struct segment_block b = {
        .salt = get64(in + 8),
        .first_position = get64(in + 16),
        .journal_us = (int64_t)get64(in + 24),
        .count = get32(in + 32),
        .epoch = get32(in + 36),
        .stored_bytes = get32(in + 40),
        .plain_bytes = get32(in + 44),
        .payload_crc = get32(in + 48),
        .kind = (enum segment_kind)in[52],
        .is_compressed = in[53] == IS_COMPRESSED,
        .instance = get64(in + 56),
    };
    if (!is_plausible(&b))
        return STATUS_SYNTAX;
    *out = b;
    return STATUS_OK;
}

/* One sender writes whole batches: its address is stored once. */
static bool has_peer_before(const struct batch *b, uint32_t i)
{
    return i > 0 && text_equal(b->records[i].peer, b->records[i - 1].peer);
}

static size_t payload_bytes(const struct batch *b)
{
    size_t total = (size_t)b->count * SEGMENT_RECORD_BYTES;
    for (uint32_t i = 0; i < b->count; i++) {
        const struct record *r = &b->records[i];
        if (r->raw.len > SEGMENT_PAYLOAD_MAX || r->peer.len > SEGMENT_PAYLOAD_MAX ||
            r->origin.len > SEGMENT_PAYLOAD_MAX)
            return SIZE_MAX;
        total += r->raw.len + r->origin.len + (has_peer_before(b, i) ? 0 : r->peer.len);
    }
    return total;
}

static uint8_t *put_text(uint8_t *at, struct text t)
{
    if (t.len)
        memcpy(at, t.at, t.len);
    return at + t.len;
}

enum status segment_pack(const struct batch *b, struct buffer *out)
{
    size_t total = payload_bytes(b);
    if (total > SEGMENT_PAYLOAD_MAX)
        return STATUS_LIMIT;
    uint8_t *row = (uint8_t *)buffer_reserve(out, total);
    if (!row)
        return STATUS_NOMEM;
    uint8_t *at = row + (size_t)b->count * SEGMENT_RECORD_BYTES;
    for (uint32_t i = 0; i < b->count; i++, row += SEGMENT_RECORD_BYTES) {
        const struct record *r = &b->records[i];
        bool is_same = has_peer_before(b, i);
        put64(row, (uint64_t)r->receive_us);
        put32(row + 8, (uint32_t)r->raw.len);
        put32(row + 12, is_same ? SAME_PEER : (uint32_t)r->peer.len);
        put32(row + 16, (uint32_t)r->origin.len);
        put32(row + 20, r->source);
        put32(row + 24, r->flags);
        row[28] = (uint8_t)r->kind;
        row[29] = (uint8_t)r->format;
        row[30] = row[31] = 0;
        at = put_text(at, r->raw);
        if (!is_same)
            at = put_text(at, r->peer);
        at = put_text(at, r->origin);
    }
    out->len += total;
    return STATUS_OK;
}

/* Takes `len` bytes off the front of *rest; false when it has fewer. */
static bool take(struct text *rest, uint32_t len, struct text *out)
{
    if (len > rest->len)
        return false;
    *out = (struct text){rest->at, len};
    rest->at += len;
    rest->len -= len;
    return true;
}

static bool read_record(const uint8_t *row, struct text *rest, struct text *peer,
                        struct record *out)
{
    uint32_t peer_len = get32(row + 12);
    *out = (struct record){
        .receive_us = (int64_t)get64(row),
        .source = get32(row + 20),
        .flags = get32(row + 24),
        .kind = (enum record_kind)row[28],
        .format = (enum format)row[29],
    };
    if (row[28] > RECORD_CONFIDENCE || row[29] > FORMAT_RAW ||
        !take(rest, get32(row + 8), &out->raw) ||
        (peer_len != SAME_PEER && !take(rest, peer_len, peer)) ||
        !take(rest, get32(row + 16), &out->origin))
        return false;
    out->peer = *peer;
    return true;
}

enum status segment_unpack(const struct segment_block *block, struct text plain, uint64_t from,
                           struct record *out, uint32_t *out_count)
{
    size_t table = (size_t)block->count * SEGMENT_RECORD_BYTES;
    if (block->kind != SEGMENT_RECORDS || plain.len != block->plain_bytes || plain.len < table)
        return STATUS_SYNTAX;
    struct text rest = text_skip(plain, table);
    struct text peer = TEXT_NONE;
    int64_t journal_us = block->journal_us;
    uint32_t count = 0;
    for (uint32_t i = 0; i < block->count; i++) {
        struct record r;
        const uint8_t *row = (const uint8_t *)plain.at + (size_t)i * SEGMENT_RECORD_BYTES;
        if (!read_record(row, &rest, &peer, &r))
            return STATUS_SYNTAX;
        if (r.receive_us > journal_us)
            journal_us = r.receive_us;
        r.journal_us = journal_us;
        r.epoch = block->epoch;
        r.instance = block->instance;
        r.position = block->first_position + i;
        if (r.position >= from)
            out[count++] = r;
    }
    if (rest.len != 0)
        return STATUS_SYNTAX;
    *out_count = count;
    return STATUS_OK;
}
