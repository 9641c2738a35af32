/* SPDX-License-Identifier: Apache-2.0 */
#include "base/buffer.h"
#include "ingest/format/structured.h"
#include <stdint.h>
#include <stdlib.h>

/* What was read, written again by RFC 5424's rules, reads as the same. */

static void check(bool is_right)
{
    if (!is_right)
        abort();
}

static void write_value(struct buffer *out, struct text value)
{
    for (size_t i = 0; i < value.len; i++) {
        char c = value.at[i];
        if (c == '"' || c == '\\' || c == ']')
            buffer_byte(out, '\\');
        buffer_byte(out, c);
    }
}

static void write_params(struct buffer *out, const struct event *e)
{
    for (uint32_t i = 0; i < e->param_count; i++) {
        const struct sd_param *p = &e->params[i];
        if (i == 0 || p->id.at != e->params[i - 1].id.at) {
            buffer_byte(out, '[');
            buffer_append(out, p->id);
        }
        if (p->key.len) {
            buffer_byte(out, ' ');
            buffer_append(out, p->key);
            buffer_append(out, TEXT("=\""));
            write_value(out, p->value);
            buffer_byte(out, '"');
        }
        if (i + 1 == e->param_count || p->id.at != e->params[i + 1].id.at)
            buffer_byte(out, ']');
    }
}

static void compare(const struct event *a, const struct event *b)
{
    check(a->param_count == b->param_count);
    for (uint32_t i = 0; i < a->param_count; i++) {
        check(text_equal(a->params[i].id, b->params[i].id));
        check(text_equal(a->params[i].key, b->params[i].key));
        check(text_equal(a->params[i].value, b->params[i].value));
    }
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
    bool is_whole = structured_read(&t, &arena, &first);
    check(is_whole || t.len == size);
    if (is_whole && first.param_count && !(first.flags & EVENT_FIELDS_CUT)) {
        write_params(&out, &first);
        struct text written = buffer_text(&out);
        check(structured_read(&written, &arena, &again) && written.len == 0);
        compare(&first, &again);
    }
    event_fini(&first);
    event_fini(&again);
    arena_fini(&arena);
    buffer_fini(&out);
    return 0;
}
