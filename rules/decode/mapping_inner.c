/* SPDX-License-Identifier: Apache-2.0 */
#include "base/json_scan.h"
#include "rules/decode/mapping_parts.h"
#include <stdio.h>
#include <string.h>

enum {
    MAPPING_JOINED = 1024, /* most values of a list that become one text */
    MAPPING_JOINED_BYTES = 256 * 1024,
};

/* What stands inside fields: URLs, tuples, sentences, JSON in a string, arguments in a list. */

static void tell_missing(const struct mapping *m, const struct mapping_inner *inner,
                         diagnostic_fn tell, void *context)
{
    char message[256];
    if (!tell)
        return;
    (void)snprintf(message, sizeof message, "no decoder '%.*s' that is a part ('part: true')",
                   TEXT_ARG(inner->name));
    const struct diagnostic f = {.file = m->file,
                                 .line = inner->line,
                                 .column = inner->column,
                                 .severity = DIAGNOSTIC_ERROR,
                                 .code = "unknown-decoder",
                                 .message = text_of(message),
                                 .rule = m->name};
    tell(context, &f);
}

static void hash_content(struct hasher *h, struct hash128 content)
{
    hash_part_u64(h, content.lo);
    hash_part_u64(h, content.hi);
}

static void link_one(struct mapping *m, const struct decoder_set *decoders, diagnostic_fn tell,
                     void *context)
{
    struct hasher h;
    hash_start(&h);
    hash_content(&h, m->content);
    for (uint32_t i = 0; i < m->inner_count; i++) {
        struct mapping_inner *inner = &m->inner[i];
        if (inner->joined.len)
            continue;
        inner->decoder = decoder_part(decoders, inner->name);
        if (inner->decoder)
            hash_content(&h, decoder_content(inner->decoder));
        else
            tell_missing(m, inner, tell, context);
    }
    m->content = hash_end(&h);
}

void mapping_inner_link(struct mapping_set *s, const struct decoder_set *decoders,
                        diagnostic_fn tell, void *context)
{
    struct hasher h;
    hash_start(&h);
    for (uint32_t i = 0; i < s->count; i++) {
        if (s->mappings[i]->inner_count)
            link_one(s->mappings[i], decoders, tell, context);
        hash_content(&h, s->mappings[i]->content);
    }
    s->content = hash_end(&h);
}

static bool is_value_of(const struct field *f, const struct mapping_inner *inner)
{
    return f->hash == inner->hash && f->type == VALUE_STRING && text_equal(f->name, inner->field);
}

static size_t joined_size(const struct mapping_inner *inner, uint32_t field_count,
                          const struct event *event, uint32_t *out_values)
{
    size_t size = 0;
    for (uint32_t i = 0; i < field_count; i++)
        if (is_value_of(&event->fields[i], inner) && ++*out_values <= MAPPING_JOINED)
            size += event->fields[i].value.len + 1; /* never more when escapes are undone */
    return size;
}

static size_t write_joined(const struct mapping_inner *inner, uint32_t field_count,
                           const struct event *event, struct arena *arena, char *out)
{
    size_t len = 0;
    uint32_t values = 0;
    for (uint32_t i = 0; i < field_count && values < MAPPING_JOINED; i++) {
        if (!is_value_of(&event->fields[i], inner))
            continue;
        const struct text value = json_value(&event->fields[i], arena);
        if (values++)
            out[len++] = ' ';
        if (value.len)
            memcpy(out + len, value.at, value.len);
        len += value.len;
    }
    return len;
}

/* A command line is what rules ask for, arguments are what some write. How many values are left
 * out. */
static uint64_t join_one(const struct mapping_inner *inner, uint32_t field_count,
                         struct event *event, struct arena *arena)
{
    uint32_t values = 0;
    const size_t size = joined_size(inner, field_count, event, &values);
    if (!values || event_field(event, inner->joined))
        return 0;
    char *bytes = size > MAPPING_JOINED_BYTES ? NULL : arena_bytes(arena, size);
    if (!bytes)
        return values;
    const size_t len = write_joined(inner, field_count, event, arena, bytes);
    const struct field f = {
        .name = inner->joined, .hash = event_name_hash(inner->joined), .value = {bytes, len}};
    (void)event_add_field(event, &f);
    return values > MAPPING_JOINED ? values - MAPPING_JOINED : 0;
}

static uint64_t decode_one(const struct mapping_inner *inner, uint32_t field_count,
                           struct decoder_scratch *c, struct event *event, struct arena *arena)
{
    uint64_t values = 0;
    for (uint32_t i = 0; i < field_count; i++) {
        const struct field *f = &event->fields[i];
        if (!is_value_of(f, inner))
            continue;
        if (++values > MAPPING_INNER)
            continue;
        const struct text value = json_value(f, arena);
        if (value.at)
            decoder_read_part(inner->decoder, c, value, event, arena);
    }
    return values > MAPPING_INNER ? values - MAPPING_INNER : 0;
}

uint64_t mapping_inner_decode(const struct mapping_set *s, struct decoder_scratch *c,
                              struct event *event, struct arena *arena)
{
    const uint32_t field_count = event->field_count; /* what is added is not read again */
    uint64_t cut = 0;
    for (uint32_t bits = event->inner; bits; bits &= bits - 1) {
        const struct mapping_inner *inner =
            &s->mappings[event->mapping - 1]->inner[__builtin_ctz(bits)];
        if (inner->joined.len)
            cut += join_one(inner, field_count, event, arena);
        else if (inner->decoder)
            cut += decode_one(inner, field_count, c, event, arena);
    }
    return cut;
}
