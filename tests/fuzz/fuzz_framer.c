/* SPDX-License-Identifier: Apache-2.0 */
#include "base/hash.h"
#include "ingest/door/framer.h"
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

/*
 * Any split of a stream into reads gives the same messages; no message is longer than the limit or
 * empty; memory stays bounded. The first byte of the input is the limit, the second the size of the
 * reads.
 */

static void check(bool is_right)
{
    if (!is_right)
        abort();
}

struct seen {
    uint64_t count, skipped;
    struct hash128 messages;
};

static void note(struct hasher *h, struct seen *s, struct text message, uint32_t flags, size_t max)
{
    check(message.len > 0 && message.len <= max);
    hash_part_text(h, message);
    hash_part_u64(h, flags);
    s->count++;
}

static struct seen read_all(struct text stream, size_t max, size_t step)
{
    struct framer f;
    struct hasher h;
    struct seen s = {0};
    struct text message;
    uint32_t flags = 0;
    hash_start(&h);
    framer_init(&f, max);
    for (size_t at = 0; at < stream.len; at += step) {
        size_t len = stream.len - at < step ? stream.len - at : step;
        char *copy = malloc(len);
        if (!copy)
            break;
        memcpy(copy, stream.at + at, len);
        struct text chunk = {copy, len};
        while (framer_next(&f, &chunk, &message, &flags))
            note(&h, &s, message, flags, max);
        check(chunk.len == 0);
        check(f.partial.len <= max + 16);
        free(copy);
    }
    if (framer_end(&f, &message, &flags))
        note(&h, &s, message, flags, max);
    s.messages = hash_end(&h);
    framer_fini(&f);
    return s;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size < 3)
        return 0;
    size_t max = data[0] % 64 + 1U;
    size_t step = data[1] % 32 + 1U;
    struct text stream = {(const char *)data + 2, size - 2};
    struct seen whole = read_all(stream, max, stream.len);
    struct seen pieces = read_all(stream, max, step);
    struct seen bytes = read_all(stream, max, 1);
    check(whole.count == pieces.count && hash_equal(whole.messages, pieces.messages));
    check(whole.count == bytes.count && hash_equal(whole.messages, bytes.messages));
    return 0;
}
