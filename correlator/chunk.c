/* SPDX-License-Identifier: Apache-2.0 */
#include "correlator/chunk.h"
#include <stdlib.h>
#include <string.h>

enum { KIND_AT = 5, LENGTH_AT = 8, GENERATION_AT = 16, CHECK_AT = CHUNK_HEAD - 8 };

static void store(char *at, uint64_t value, size_t bytes)
{
    for (size_t i = 0; i < bytes; i++)
        at[i] = (char)(value >> (8 * i));
}

static uint64_t load(const char *at, size_t bytes)
{
    uint64_t value = 0;
    for (size_t i = 0; i < bytes; i++)
        value |= (uint64_t)(uint8_t)at[i] << (8 * i);
    return value;
}

static uint64_t check_of(const char *chunk, size_t len)
{
    struct hasher h;
    hash_start(&h);
    hash_part(&h, chunk, CHECK_AT);
    hash_part(&h, chunk + CHUNK_HEAD, len - CHUNK_HEAD);
    return hash_end(&h).lo;
}

/* ---- writing ---- */

void chunk_writer_init(struct chunk_writer *w, enum chunk_kind kind, uint64_t generation,
                       checkpoint_fn put, void *context)
{
    *w = (struct chunk_writer){
        .kind = kind, .generation = generation, .put = put, .context = context};
    w->bytes = malloc(CHUNK_BYTES);
    w->status = w->bytes ? STATUS_OK : STATUS_NOMEM;
}

void chunk_writer_fini(struct chunk_writer *w)
{
    free(w->bytes);
    w->bytes = NULL;
}

size_t chunk_writer_room(const struct chunk_writer *w)
{
    return CHUNK_BYTES - (w->len ? w->len : CHUNK_HEAD);
}

static void begin(struct chunk_writer *w)
{
    static const char head[CHUNK_HEAD] = {'T', 'O', 'C', 'K', CHUNK_VERSION};
    memcpy(w->bytes, head, sizeof head);
    w->bytes[KIND_AT] = (char)w->kind;
    store(w->bytes + GENERATION_AT, w->generation, 8);
    w->len = CHUNK_HEAD;
}

void chunk_writer_send(struct chunk_writer *w)
{
    if (!w->len || w->status)
        return;
    store(w->bytes + LENGTH_AT, w->len - CHUNK_HEAD, 4);
    store(w->bytes + CHECK_AT, check_of(w->bytes, w->len), 8);
    w->status = w->put(w->context, (struct text){w->bytes, w->len});
    w->len = 0;
}

/* Where `len` more bytes go; NULL after a failure. */
static char *room_for(struct chunk_writer *w, size_t len)
{
    if (w->status)
        return NULL;
    if (!w->len)
        begin(w);
    if (len > CHUNK_BYTES - w->len) {
        w->status = STATUS_LIMIT;
        return NULL;
    }
    char *at = w->bytes + w->len;
    w->len += len;
    return at;
}

void chunk_writer_bytes(struct chunk_writer *w, const void *at, size_t len)
{
    char *to = room_for(w, len);
    if (to && len)
        memcpy(to, at, len);
}

void chunk_writer_byte(struct chunk_writer *w, uint8_t byte)
{
    char *to = room_for(w, 1);
    if (to)
        *to = (char)byte;
}

void chunk_writer_varint(struct chunk_writer *w, uint64_t value)
{
    size_t bits = 64U - (size_t)__builtin_clzll(value | 1);
    char *to = room_for(w, (bits + 6) / 7);
    if (!to)
        return;
    for (; value > 127; value >>= 7)
        *to++ = (char)(value | 128);
    *to = (char)value;
}

void chunk_writer_signed(struct chunk_writer *w, int64_t value)
{
    chunk_writer_varint(w, (uint64_t)value << 1 ^ (value < 0 ? UINT64_MAX : 0));
}

void chunk_writer_text(struct chunk_writer *w, struct text t)
{
    chunk_writer_varint(w, t.len);
    chunk_writer_bytes(w, t.at, t.len);
}

/* ---- reading ---- */

enum status chunk_reader_open(struct chunk_reader *r, struct text chunk, enum chunk_kind kind,
                              struct error *err)
{
    if (chunk.len < CHUNK_HEAD || memcmp(chunk.at, "TOCK", 4) != 0)
        return error_set(err, STATUS_SYNTAX, 0, "saved state: not a chunk");
    if (chunk.at[4] != CHUNK_VERSION)
        return error_set(err, STATUS_SYNTAX, 0, "saved state: version %d, want %d",
                         (unsigned char)chunk.at[4], CHUNK_VERSION);
    if ((uint8_t)chunk.at[KIND_AT] != (uint8_t)kind)
        return error_set(err, STATUS_SYNTAX, 0, "saved state: a chunk of another kind");
    if (load(chunk.at + LENGTH_AT, 4) != chunk.len - CHUNK_HEAD)
        return error_set(err, STATUS_SYNTAX, 0, "saved state: a chunk was cut");
    if (load(chunk.at + CHECK_AT, 8) != check_of(chunk.at, chunk.len))
        return error_set(err, STATUS_SYNTAX, 0, "saved state: a chunk is damaged");
    *r = (struct chunk_reader){.at = chunk.at + CHUNK_HEAD,
                               .end = chunk.at + chunk.len,
                               .generation = load(chunk.at + GENERATION_AT, 8)};
    return STATUS_OK;
}

static bool has(struct chunk_reader *r, size_t len)
{
    if (r->is_bad || (size_t)(r->end - r->at) < len)
        r->is_bad = true;
    return !r->is_bad;
}

uint8_t chunk_reader_byte(struct chunk_reader *r)
{
    return has(r, 1) ? (uint8_t)*r->at++ : 0;
}

uint64_t chunk_reader_varint(struct chunk_reader *r)
{
    uint64_t value = 0;
    for (unsigned shift = 0; shift < 64; shift += 7) {
        uint8_t byte = chunk_reader_byte(r);
        value |= (uint64_t)(byte & 127) << shift;
        if (byte < 128)
            return value;
    }
    r->is_bad = true;
    return 0;
}

int64_t chunk_reader_signed(struct chunk_reader *r)
{
    uint64_t value = chunk_reader_varint(r);
    return (int64_t)(value >> 1 ^ (value & 1 ? UINT64_MAX : 0));
}

int64_t chunk_reader_time(struct chunk_reader *r)
{
    int64_t value = chunk_reader_signed(r);
    if (value > INT64_MAX / 4 || value < INT64_MIN / 4)
        r->is_bad = true;
    return r->is_bad ? 0 : value;
}

void chunk_reader_bytes(struct chunk_reader *r, void *out, size_t len)
{
    if (!has(r, len)) {
        memset(out, 0, len);
        return;
    }
    memcpy(out, r->at, len);
    r->at += len;
}

struct text chunk_reader_text(struct chunk_reader *r, size_t most)
{
    uint64_t len = chunk_reader_varint(r);
    if (len > most || !has(r, len)) {
        r->is_bad = true;
        return TEXT_NONE;
    }
    struct text t = {r->at, len};
    r->at += len;
    return t;
}
