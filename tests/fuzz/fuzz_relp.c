/* SPDX-License-Identifier: Apache-2.0 */
#include "ingest/door/relp.h"
#include <assert.h>
#include <stdlib.h>

/* Any split of the stream into reads gives the same frames. The first byte says how to split. */

int LLVMFuzzerTestOneInput(const unsigned char *data, size_t size);

enum { LIMIT = 64 };

static void append_frame(struct buffer *out, const struct relp_frame *f)
{
    assert(f->data.len <= LIMIT);
    assert(f->command.len > 0 && f->command.len <= RELP_COMMAND_LEN);
    buffer_printf(out, "%u %zu %d ", f->number, f->data.len, f->is_truncated);
    buffer_append(out, f->command);
    buffer_append(out, f->data);
}

static void read_all(const unsigned char *data, size_t size, size_t step, struct buffer *out)
{
    struct relp r;
    struct relp_frame f;
    enum relp_result result = RELP_MORE;
    relp_init(&r, LIMIT);
    buffer_init(out, 1 << 24);
    for (size_t at = 0; at < size && result != RELP_BROKEN; at += step) {
        size_t n = size - at < step ? size - at : step;
        char *copy = malloc(n);
        assert(copy);
        memcpy(copy, data + at, n);
        struct text chunk = {copy, n};
        while ((result = relp_next(&r, &chunk, &f)) == RELP_FRAME)
            append_frame(out, &f);
        free(copy);
    }
    buffer_printf(out, "%d", (int)result);
    relp_fini(&r);
}

int LLVMFuzzerTestOneInput(const unsigned char *data, size_t size)
{
    struct buffer whole, pieces;
    if (size < 2)
        return 0;
    read_all(data + 1, size - 1, size, &whole);
    read_all(data + 1, size - 1, (size_t)data[0] % 61 + 1, &pieces);
    assert(text_equal(buffer_text(&whole), buffer_text(&pieces)));
    buffer_fini(&whole);
    buffer_fini(&pieces);
    return 0;
}
