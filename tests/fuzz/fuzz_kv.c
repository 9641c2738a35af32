/* SPDX-License-Identifier: Apache-2.0 */
#include "base/buffer.h"
#include "ingest/format/kv.h"
#include <stdint.h>
#include <stdlib.h>

/* Pairs written as logfmt, with every value quoted, read as the same pairs. */

static void check(bool is_right)
{
    if (!is_right)
        abort();
}

static void write_pair(struct buffer *out, const struct field *f)
{
    buffer_append(out, f->name);
    buffer_append(out, TEXT("=\""));
    for (size_t i = 0; i < f->value.len; i++) {
        if (f->value.at[i] == '"' || f->value.at[i] == '\\')
            buffer_byte(out, '\\');
        buffer_byte(out, f->value.at[i]);
    }
    buffer_append(out, TEXT("\" "));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct text t = {(const char *)data, size};
    struct event first = {0};
    struct event again = {0};
    struct arena arena;
    struct buffer out;
    arena_init(&arena, 8 << 20);
    buffer_init(&out, 8 << 20);
    bool is_read = kv_read(t, &arena, &first);
    check(is_read == (first.field_count > 0));
    check(!kv_is_start(t) || is_read);
    for (uint32_t i = 0; i < first.field_count; i++)
        write_pair(&out, &first.fields[i]);
    if (is_read) {
        check(kv_read(buffer_text(&out), &arena, &again));
        check(again.field_count == first.field_count);
        for (uint32_t i = 0; i < first.field_count; i++) {
            check(text_equal(first.fields[i].name, again.fields[i].name));
            check(text_equal(first.fields[i].value, again.fields[i].value));
        }
    }
    event_fini(&first);
    event_fini(&again);
    arena_fini(&arena);
    buffer_fini(&out);
    return 0;
}
