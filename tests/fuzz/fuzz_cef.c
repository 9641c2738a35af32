/* SPDX-License-Identifier: Apache-2.0 */
#include "base/buffer.h"
#include "ingest/format/cef.h"
#include "ingest/format/leef.h"
#include <stdint.h>
#include <stdlib.h>

/*
 * CEF and LEEF: a header that is refused adds nothing; one that is read gives all its headers; a
 * pair written with its escapes reads as the same pair.
 */

static void check(bool is_right)
{
    if (!is_right)
        abort();
}

static void read_headers(struct text t, struct arena *arena)
{
    struct event e = {0};
    bool is_cef = cef_read(t, arena, &e);
    check(is_cef ? e.field_count >= 7 : e.field_count == 0);
    event_fini(&e);
    bool is_leef = leef_read(t, arena, &e);
    check(is_leef ? e.field_count >= 5 : e.field_count == 0);
    event_fini(&e);
    check(cef_find(t) <= t.len && leef_find(t) <= t.len);
}

/* "k=<value> z=1" with the value's '=', '\\' and line ends escaped. */
static void check_pair(struct text value, struct arena *arena)
{
    struct event e = {0};
    struct buffer out;
    value = text_trim(value);
    buffer_init(&out, 1 << 20);
    buffer_append(&out, TEXT("k="));
    for (size_t i = 0; i < value.len; i++) {
        char c = value.at[i];
        if (c == '=' || c == '\\' || c == '\n' || c == '\r')
            buffer_byte(&out, '\\');
        buffer_byte(&out, c == '\n' ? 'n' : c == '\r' ? 'r' : c);
    }
    buffer_append(&out, TEXT(" z=1"));
    cef_read_pairs(buffer_text(&out), arena, &e);
    check(e.field_count == 2);
    check(text_equal(e.fields[0].value, value) && text_equal(e.fields[1].value, TEXT("1")));
    event_fini(&e);
    buffer_fini(&out);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct text t = {(const char *)data, size};
    struct arena arena;
    arena_init(&arena, 8 << 20);
    read_headers(t, &arena);
    if (size < 4096)
        check_pair(t, &arena);
    arena_fini(&arena);
    return 0;
}
