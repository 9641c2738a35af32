/* SPDX-License-Identifier: Apache-2.0 */
#include "sinks/template.h"
#include <assert.h>
#include <jansson.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct text find(void *context, struct text path, bool as_json, struct arena *arena)
{
    (void)path;
    (void)arena;
    return as_json ? TEXT("null") : *(const struct text *)context;
}

static struct text map(void *context, struct text table, struct text key)
{
    (void)context;
    (void)table;
    return key;
}

static void write_one(struct text source, enum template_medium medium, struct text value,
                      struct buffer *out)
{
    struct arena arena;
    const struct template *t = NULL;
    arena_init(&arena, 8 << 20);
    if (template_new(source, medium, &arena, &t, NULL) == STATUS_OK)
        template_write(t, &(struct template_scope){&value, find, map}, &arena, out);
    arena_fini(&arena);
}

/* Any value, through any filter, stays inside its JSON string and inside its header line. */
static void check_value(struct text value)
{
    static const char json[] = "[\"{{v}}\",\"{{v|slack|cut=9}}\",\"{{v|markdown}}\",\"{{v|wiki}}\","
                               "\"{{v|defang}}\",\"{{v|line|lower}}\",{{v|int}},\"{{v|base64}}\"]";
    struct buffer out;
    buffer_init(&out, 8 << 20);
    write_one(text_of(json), TEMPLATE_JSON, value, &out);
    if (!out.has_failed) {
        json_t *read = json_loadb(out.at, out.len, JSON_ALLOW_NUL, NULL);
        assert(read && json_array_size(read) == 8);
        json_decref(read);
    }
    buffer_clear(&out);
    write_one(TEXT("X: {{v}}"), TEMPLATE_HEADER, value, &out);
    assert(!memchr(out.at, '\r', out.len) && !memchr(out.at, '\n', out.len));
    buffer_clear(&out);
    write_one(TEXT("http://h/{{v}}"), TEMPLATE_URL, value, &out);
    assert(text_find_byte(text_skip(buffer_text(&out), 9), '/') == out.len - 9);
    buffer_fini(&out);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct text all = {(const char *)data, size};
    struct buffer out;
    buffer_init(&out, 1 << 20);
    write_one(all, TEMPLATE_PLAIN, TEXT("value"), &out); /* any source: refused or written */
    buffer_fini(&out);
    check_value(all);
    return 0;
}
