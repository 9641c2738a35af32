/* SPDX-License-Identifier: Apache-2.0 */
#include "rules/decode/decoder.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/*
 * The first line is a program's name, the rest a message. Whatever comes, every value is a view
 * into the message or the arena, every name has its hash, decoding twice gives the same, and no
 * more log sources than an event holds.
 */

static const char source[] =
    "decoder: a\n"
    "program: [a, 'b/*']\n"
    "logsource: [{service: a}, {category: c, product: p}]\n"
    "names: {SRC: src_ip, drop: ''}\n"
    "patterns:\n"
    "- {name: one, pcre2: '^from (?<src_ip>\\S+) (?<user>.*) port (?<port>\\d+)$', set: {x: y}}\n"
    "- {name: pairs, pcre2: '^p (?<rest>.*)$', pairs: {group: rest, hex: [a0, a1], unset: '?'}}\n"
    "- {name: comma, pcre2: '^c (?<rest>.*)$', pairs: {group: rest, separator: ','}}\n"
    "- {name: cells, pcre2: '^t (?<rest>.*)$', columns: {group: rest, names: [a, '', b, c]}}\n"
    "- {name: either, pcre2: '(?<v>1+)|y(?<w>2)'}\n"
    "---\n"
    "decoder: look\n"
    "when: '^#(?:x|y)'\n"
    "patterns: [{name: any, pcre2: '(?<word>\\w+)$'}]\n"
    "---\n"
    "decoder: rest\n"
    "program: '*'\n"
    "logsource: {service: rest}\n";

static void check(bool is_right)
{
    if (!is_right)
        abort();
}

static struct decoder_set *build(void)
{
    struct arena arena;
    arena_init(&arena, 1 << 20);
    struct yaml_file file = {0};
    check(!yaml_parse(text_of(source), &arena, &file, NULL));
    struct decoder_builder *b = NULL;
    check(!decoder_builder_new(&b, NULL));
    for (uint32_t i = 0; i < file.count; i++)
        check(!decoder_builder_add(b, TEXT("fuzz"), file.documents[i], true, NULL, NULL));
    struct decoder_set *set = NULL;
    check(!decoder_builder_finish(b, &set, NULL));
    decoder_builder_free(b);
    arena_fini(&arena);
    return set;
}

static void check_event(const struct event *e)
{
    check(e->logsource_count <= EVENT_LOGSOURCES);
    size_t sum = 0;
    for (uint32_t i = 0; i < e->field_count; i++) {
        const struct field *f = &e->fields[i];
        check(f->name.len > 0 && f->hash == event_name_hash(f->name));
        for (size_t j = 0; j < f->value.len; j++) /* a sanitizer sees a view that is not one */
            sum += (unsigned char)f->value.at[j];
    }
    check(sum < SIZE_MAX);
}

static void check_same(const struct event *a, const struct event *b)
{
    check(a->field_count == b->field_count && a->flags == b->flags);
    for (uint32_t i = 0; i < a->field_count; i++)
        check(text_equal(a->fields[i].name, b->fields[i].name) &&
              text_equal(a->fields[i].value, b->fields[i].value));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char *copy = malloc(size ? size : 1);
    if (!copy)
        return 0;
    if (size)
        memcpy(copy, data, size);
    const struct text all = {copy, size};
    const size_t line = text_find_byte(all, '\n');
    static struct decoder_set *set; /* one for all inputs: compiling patterns takes milliseconds */
    if (!set)
        set = build();
    struct decoder_scratch *c = NULL;
    check(!decoder_scratch_new(&c, NULL));
    struct arena arena;
    arena_init(&arena, 16 << 20);
    struct event events[2] = {0};
    for (int i = 0; i < 2; i++) {
        events[i].program = text_head(all, line);
        events[i].message = text_skip(all, line + 1);
        (void)decoder_apply(set, c, &events[i], &arena);
        check_event(&events[i]);
    }
    check_same(&events[0], &events[1]);
    for (int i = 0; i < 2; i++)
        event_fini(&events[i]);
    arena_fini(&arena);
    decoder_scratch_free(c);
    free(copy);
    return 0;
}
