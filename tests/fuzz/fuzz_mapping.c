/* SPDX-License-Identifier: Apache-2.0 */
#include "base/json_scan.h"
#include "rules/decode/mapping_parts.h"
#include <stdlib.h>
#include <string.h>

/* Any JSON event: the mapping and the log sources that gates and dispatch find are those that
 * asking every condition in turn gives. */

static const char source[] = "mapping: deep\n"
                             "when: [{field: w.c, exists: true}, {w.p: {not: none}}]\n"
                             "fields: {ID: [w.i, w.j], C: w.c, '*': 'w.d.*'}\n"
                             "logsources:\n"
                             "- {category: a, when: {C: X/Y, ID: 1}}\n"
                             "- {category: b, when: {C: X/Y, ID: [1, 2, 3]}}\n"
                             "- {category: c, when: [{C: X/Y, ID: 3, K: 's*t'}, {ID: 4}]}\n"
                             "- {category: d, when: {C: {not: X/Y}, K: {exists: false}}}\n"
                             "- {category: e, when: {ID: '1*'}}\n"
                             "- {category: f}\n"
                             "---\n"
                             "mapping: flat\n"
                             "when: [{C: {exists: true}, ID: {exists: true}}, {L: 'a*b*c'}]\n"
                             "like: deep\n"
                             "---\n"
                             "mapping: last\n"
                             "when: {q: true, r: {not: [a, b]}}\n"
                             "logsources: [{service: q}]\n";

static void check(bool is_right)
{
    if (!is_right)
        abort();
}

static struct mapping_set *build(void)
{
    struct arena arena;
    arena_init(&arena, 1 << 20);
    struct yaml_file file = {0};
    check(!yaml_parse(text_of(source), &arena, &file, NULL));
    struct mapping_builder *b = NULL;
    check(!mapping_builder_new(&b, NULL));
    for (uint32_t i = 0; i < file.count; i++)
        check(!mapping_builder_add(b, TEXT("fuzz"), file.documents[i], true, NULL, NULL));
    struct mapping_set *set = NULL;
    check(!mapping_builder_finish(b, &set, NULL));
    mapping_builder_free(b);
    arena_fini(&arena);
    return set;
}

static bool holds(const struct mapping_when *when, const struct mapping_seen *seen)
{
    for (uint32_t i = 0; i < when->count; i++)
        if (mapping_match_clause(&when->clauses[i], seen))
            return true;
    return false;
}

static uint32_t plain_mapping(const struct mapping_set *s, const struct mapping_seen *seen)
{
    for (uint32_t i = 0; i < s->count; i++)
        if (holds(&s->mappings[i]->when, seen))
            return i + 1;
    return 0;
}

static bool is_there(const struct event *e, uint32_t count, const struct logsource *l)
{
    for (uint32_t i = 0; i < count; i++)
        if (text_equal(e->logsources[i].category, l->category) &&
            text_equal(e->logsources[i].service, l->service))
            return true;
    return false;
}

static const struct field *first_value(const struct event *e, struct text name)
{
    const struct field *first = NULL;
    for (uint32_t i = 0; i < e->field_count && (!first || first->type == VALUE_OBJECT); i++)
        if (text_equal(e->fields[i].name, name))
            first = &e->fields[i];
    return first;
}

static void compare(const struct mapping_set *s, const struct event *e)
{
    struct mapping_seen seen = {.has = {0}};
    for (uint32_t i = 0; i < s->slot_count; i++) {
        seen.fields[i] = first_value(e, s->slot_names[i]);
        seen.has[i / 64] |= (uint64_t)(seen.fields[i] != NULL) << (i % 64);
    }
    check(e->mapping == plain_mapping(s, &seen));
    const struct mapping *m = e->mapping ? s->mappings[e->mapping - 1] : NULL;
    uint32_t next = 0;
    for (uint32_t i = 0; m && i < m->source_count && next < EVENT_LOGSOURCES; i++) {
        const struct logsource *wanted = &m->sources[i].source;
        if (!mapping_match_clause(&m->sources[i].clause, &seen) || is_there(e, next, wanted))
            continue;
        check(next < e->logsource_count &&
              text_equal(e->logsources[next].category, wanted->category));
        next++;
    }
    check(next == e->logsource_count);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct mapping_set *set; /* one for all inputs */
    if (!set)
        set = build();
    char *copy = malloc(size ? size : 1);
    if (!copy)
        return 0;
    if (size)
        memcpy(copy, data, size);
    struct arena arena;
    arena_init(&arena, 16 << 20);
    struct event e = {0};
    size_t at = 0;
    if (json_scan((struct text){copy, size}, NULL, &arena, &e, &at) == STATUS_OK) {
        mapping_apply(set, &e);
        if (e.field_count) /* text without fields belongs to no mapping */
            compare(set, &e);
    }
    event_fini(&e);
    arena_fini(&arena);
    free(copy);
    return 0;
}
