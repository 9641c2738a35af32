/* SPDX-License-Identifier: Apache-2.0 */
#include "rules/decode/decoder_pattern.h"
#include "base/buffer.h"
#include "base/timestamp.h"
#include "rules/decode/decoder_format.h"
#include <stdlib.h>
#include <string.h>

enum { FORMAT_MOST = 16 * 1024 }; /* longest pattern that a format may become */

static bool no_memory(struct decoder_document *d, const struct yaml_node *node)
{
    return decoder_document_refuse(d, node, STATUS_NOMEM, "no-memory", "no memory");
}

bool decoder_pattern_compile(struct decoder_document *d, const struct yaml_node *node,
                             struct text pattern, struct decoder_regex **out)
{
    struct error err = {0};
    enum status status = decoder_regex_new(pattern, out, &err);
    return !status || decoder_document_refuse(d, node, status, "bad-regex", "%s", err.text);
}

/* ---- names ---- */

static int by_hash(const void *left, const void *right)
{
    const struct decoder_name *a = left;
    const struct decoder_name *b = right;
    return (a->from_hash > b->from_hash) - (a->from_hash < b->from_hash);
}

/* `to` may be empty: such a value is not kept. */
static bool read_name(struct decoder_document *d, const struct yaml_node *from,
                      const struct yaml_node *to, struct decoder_name *out)
{
    if (!decoder_document_text(d, from, &out->from))
        return false;
    if (to->kind != YAML_SCALAR)
        return decoder_document_refuse(d, to, STATUS_SYNTAX, "not-a-text", "want a field's name");
    out->to = yaml_is_null(to) ? TEXT("") : arena_copy(d->arena, to->value);
    if (!out->to.at)
        return no_memory(d, to);
    out->from_hash = event_name_hash(out->from);
    out->to_hash = event_name_hash(out->to);
    return true;
}

bool decoder_pattern_names(struct decoder_document *d, const struct yaml_node *node,
                           struct decoder_names *out)
{
    if (node->kind != YAML_MAPPING || !node->count)
        return decoder_document_refuse(d, node, STATUS_SYNTAX, "not-a-mapping",
                                       "names maps groups and keys to fields");
    struct decoder_name *items = arena_zero(d->arena, node->count * sizeof *items);
    if (!items)
        return no_memory(d, node);
    for (uint32_t i = 0; i < node->count; i++)
        if (!read_name(d, node->pairs[i].key, node->pairs[i].value, &items[i]))
            return false;
    qsort(items, node->count, sizeof *items, by_hash);
    *out = (struct decoder_names){items, node->count};
    return true;
}

/* A list of names as they stand; empty ones are allowed. */
static bool read_list(struct decoder_document *d, const struct yaml_node *node,
                      const struct decoder_name **out, uint32_t *out_count)
{
    if (!node || node->kind != YAML_SEQUENCE || !node->count)
        return decoder_document_refuse(d, node, STATUS_SYNTAX, "not-a-list",
                                       "want a list of names");
    struct decoder_name *items = arena_zero(d->arena, node->count * sizeof *items);
    if (!items)
        return no_memory(d, node);
    for (uint32_t i = 0; i < node->count; i++) {
        const struct yaml_node *item = node->items[i];
        if (item->kind != YAML_SCALAR)
            return decoder_document_refuse(d, item, STATUS_SYNTAX, "not-a-text", "want a name");
        struct text name = yaml_is_null(item) ? TEXT("") : arena_copy(d->arena, item->value);
        if (!name.at)
            return no_memory(d, item);
        const uint64_t hash = event_name_hash(name);
        items[i] = (struct decoder_name){name, name, hash, hash};
    }
    *out = items;
    *out_count = node->count;
    return true;
}

/* ---- constants and wanted fields ---- */

static bool read_fields(struct decoder_document *d, const struct yaml_node *node,
                        const struct field **out, uint32_t *out_count)
{
    if (node->kind != YAML_MAPPING)
        return decoder_document_refuse(d, node, STATUS_SYNTAX, "not-a-mapping",
                                       "want fields and their values");
    struct field *items = arena_zero(d->arena, (node->count ? node->count : 1) * sizeof *items);
    if (!items)
        return no_memory(d, node);
    for (uint32_t i = 0; i < node->count; i++) {
        const struct yaml_node *value = node->pairs[i].value;
        if (!decoder_document_text(d, node->pairs[i].key, &items[i].name))
            return false;
        if (value->kind != YAML_SCALAR)
            return decoder_document_refuse(d, value, STATUS_SYNTAX, "not-a-text", "want one value");
        items[i].hash = event_name_hash(items[i].name);
        items[i].type = yaml_is_null(value) ? VALUE_NULL : VALUE_STRING;
        items[i].value = arena_copy(d->arena, value->value);
        if (!items[i].value.at)
            return no_memory(d, value);
    }
    *out = items;
    *out_count = node->count;
    return true;
}

/* ---- patterns ---- */

struct reading {
    struct decoder_pattern *pattern;
    const struct decoder_names *names;
    bool is_format; /* written as a web server's format */
};

static bool read_pattern_name(struct decoder_document *d, const struct yaml_node *node, void *into)
{
    return decoder_document_text(d, node, &((struct reading *)into)->pattern->name);
}

static bool take_source(struct decoder_document *d, const struct yaml_node *node,
                        struct text source, struct decoder_pattern *pattern)
{
    if (pattern->regex)
        return decoder_document_refuse(d, node, STATUS_INVALID, "two-patterns",
                                       "a pattern has one of 'pcre2' and 'format'");
    if (!decoder_pattern_compile(d, node, source, &pattern->regex))
        return false;
    pattern->literal = decoder_index_literal(source, d->arena);
    pattern->is_never_empty = decoder_index_firsts(source, &pattern->firsts);
    return true;
}

static bool read_pcre2(struct decoder_document *d, const struct yaml_node *node, void *into)
{
    struct text source = TEXT_NONE;
    return decoder_document_text(d, node, &source) &&
           take_source(d, node, source, ((struct reading *)into)->pattern);
}

static bool read_format(struct decoder_document *d, const struct yaml_node *node, void *into)
{
    struct reading *r = into;
    struct text format = TEXT_NONE;
    struct text wrong = TEXT_NONE;
    if (!decoder_document_text(d, node, &format))
        return false;
    struct buffer source;
    buffer_init(&source, FORMAT_MOST);
    bool is_good = decoder_format_pattern(format, &source, &wrong);
    if (!is_good)
        (void)decoder_document_refuse(d, node, STATUS_INVALID, "bad-format",
                                      "no variable stands here: %.*s", TEXT_ARG(wrong));
    else if (source.has_failed)
        is_good = decoder_document_refuse(d, node, STATUS_LIMIT, "long-format",
                                          "a format may become %d bytes", FORMAT_MOST);
    is_good = is_good && take_source(d, node, buffer_text(&source), r->pattern);
    buffer_fini(&source);
    r->is_format = true;
    return is_good;
}

static bool read_set(struct decoder_document *d, const struct yaml_node *node, void *into)
{
    struct decoder_pattern *pattern = ((struct reading *)into)->pattern;
    return read_fields(d, node, &pattern->constants, &pattern->constant_count);
}

static bool read_times(struct decoder_document *d, const struct yaml_node *node, void *into)
{
    return own_time_read(d, node, &((struct reading *)into)->pattern->times);
}

static bool find_group(struct decoder_document *d, const struct yaml_node *node,
                       const struct decoder_pattern *pattern, uint32_t *out)
{
    struct text name = TEXT_NONE;
    for (uint32_t i = 0; pattern->regex && node && node->kind == YAML_SCALAR &&
                         decoder_regex_group(pattern->regex, i, &name, out);
         i++)
        if (text_equal(name, node->value))
            return true;
    return decoder_document_refuse(d, node, STATUS_INVALID, "unknown-group",
                                   "'group' must name a group of the pattern");
}

static bool read_char(struct decoder_document *d, const struct yaml_node *node, char *out)
{
    if (!node)
        return true;
    if (node->kind != YAML_SCALAR || node->value.len != 1)
        return decoder_document_refuse(d, node, STATUS_INVALID, "not-a-character",
                                       "want one character");
    *out = node->value.at[0];
    return true;
}

static bool read_spread(struct decoder_document *d, const struct yaml_node *node,
                        const struct decoder_pattern *pattern, struct decoder_spread *out)
{
    static const struct decoder_document_key keys[] = {
        {"group", NULL, true},  {"separator", NULL, false}, {"joiner", NULL, false},
        {"unset", NULL, false}, {"hex", NULL, false},       {"names", NULL, false},
    };
    if (!decoder_document_walk(d, node, "a spread group", keys, sizeof keys / sizeof *keys, out))
        return false;
    const struct yaml_node *hex = yaml_get(node, TEXT("hex"));
    const struct yaml_node *unset = yaml_get(node, TEXT("unset"));
    out->joiner = '=';
    return find_group(d, yaml_get(node, TEXT("group")), pattern, &out->group) &&
           read_char(d, yaml_get(node, TEXT("separator")), &out->separator) &&
           read_char(d, yaml_get(node, TEXT("joiner")), &out->joiner) &&
           (!hex || read_list(d, hex, &out->hex, &out->hex_count)) &&
           (!unset || decoder_document_text(d, unset, &out->unset));
}

static bool read_pairs(struct decoder_document *d, const struct yaml_node *node,
                       struct decoder_pattern *pattern)
{
    struct decoder_spread *spread = &pattern->spread;
    spread->kind = DECODER_SPREAD_PAIRS;
    spread->separator = ' ';
    return read_spread(d, node, pattern, spread);
}

static bool read_columns(struct decoder_document *d, const struct yaml_node *node,
                         struct decoder_pattern *pattern)
{
    struct decoder_spread *spread = &pattern->spread;
    spread->kind = DECODER_SPREAD_COLUMNS;
    spread->separator = ',';
    return read_spread(d, node, pattern, spread) &&
           read_list(d, yaml_get(node, TEXT("names")), &spread->columns, &spread->column_count);
}

static bool read_elements(struct decoder_document *d, const struct yaml_node *node,
                          struct decoder_pattern *pattern)
{
    struct decoder_spread *spread = &pattern->spread;
    spread->kind = DECODER_SPREAD_ELEMENTS;
    return read_spread(d, node, pattern, spread);
}

/* Named groups to fields; a group that is spread, or named '', is none. */
static bool list_captures(struct decoder_document *d, const struct yaml_node *node,
                          const struct reading *r)
{
    struct decoder_pattern *pattern = r->pattern;
    struct decoder_capture *captures = arena_alloc(d->arena, DECODER_GROUPS * sizeof *captures);
    if (!captures)
        return no_memory(d, node);
    struct text name = TEXT_NONE;
    uint32_t group = 0;
    for (uint32_t i = 0; decoder_regex_group(pattern->regex, i, &name, &group); i++) {
        const uint64_t hash = event_name_hash(name);
        const struct decoder_name *other = decoder_index_name(r->names, hash, name);
        if (other)
            name = other->to;
        else if (r->is_format)
            name = decoder_format_field(name);
        const bool is_spread = pattern->spread.kind && group == pattern->spread.group;
        if (is_spread || !name.len || pattern->capture_count == DECODER_GROUPS)
            continue;
        struct decoder_capture capture = {name, event_name_hash(name), group, false};
        for (uint32_t j = 0; j < pattern->capture_count && !capture.is_again; j++)
            capture.is_again = captures[j].hash == capture.hash;
        captures[pattern->capture_count++] = capture;
    }
    pattern->captures = captures;
    return true;
}

static bool read_pattern(struct decoder_document *d, const struct yaml_node *node,
                         struct reading *r)
{
    static const struct decoder_document_key keys[] = {
        {"name", read_pattern_name, true},
        {"pcre2", read_pcre2, false},
        {"format", read_format, false},
        {"set", read_set, false},
        {"pairs", NULL, false},
        {"columns", NULL, false},
        {"elements", NULL, false},
        {"time", read_times, false},
    };
    if (!decoder_document_walk(d, node, "a pattern", keys, sizeof keys / sizeof *keys, r))
        return false;
    if (!r->pattern->regex)
        return decoder_document_refuse(d, node, STATUS_INVALID, "missing-key",
                                       "a pattern needs the key 'pcre2' or 'format'");
    const struct yaml_node *pairs = yaml_get(node, TEXT("pairs"));
    const struct yaml_node *columns = yaml_get(node, TEXT("columns"));
    const struct yaml_node *elements = yaml_get(node, TEXT("elements"));
    if ((pairs != NULL) + (columns != NULL) + (elements != NULL) > 1)
        return decoder_document_refuse(d, node, STATUS_INVALID, "two-spreads",
                                       "a pattern has one of 'pairs', 'columns' and 'elements'");
    return (!pairs || read_pairs(d, pairs, r->pattern)) &&
           (!columns || read_columns(d, columns, r->pattern)) &&
           (!elements || read_elements(d, elements, r->pattern)) && list_captures(d, node, r);
}

bool decoder_pattern_list(struct decoder_document *d, const struct yaml_node *node,
                          struct decoder *decoder)
{
    if (node->kind != YAML_SEQUENCE || !node->count || node->count > UINT16_MAX)
        return decoder_document_refuse(d, node, STATUS_SYNTAX, "not-a-list",
                                       "patterns must be a list of {name, pcre2}");
    decoder->patterns = arena_zero(d->arena, node->count * sizeof *decoder->patterns);
    if (!decoder->patterns)
        return no_memory(d, node);
    decoder->pattern_count = node->count;
    bool is_good = true;
    for (uint32_t i = 0; i < node->count; i++) {
        struct reading r = {&decoder->patterns[i], &decoder->names, false};
        is_good = read_pattern(d, node->items[i], &r) && is_good;
    }
    return is_good;
}

/* ---- samples ---- */

static bool read_log(struct decoder_document *d, const struct yaml_node *node, void *into)
{
    return decoder_document_text(d, node, &((struct decoder_sample *)into)->log);
}

static bool read_program(struct decoder_document *d, const struct yaml_node *node, void *into)
{
    return decoder_document_text(d, node, &((struct decoder_sample *)into)->program);
}

static bool read_wanted_pattern(struct decoder_document *d, const struct yaml_node *node,
                                void *into)
{
    return decoder_document_text(d, node, &((struct decoder_sample *)into)->pattern);
}

static bool read_wanted(struct decoder_document *d, const struct yaml_node *node, void *into)
{
    struct decoder_sample *sample = into;
    return read_fields(d, node, &sample->fields, &sample->field_count);
}

static bool read_undecoded(struct decoder_document *d, const struct yaml_node *node, void *into)
{
    return yaml_bool(node, &((struct decoder_sample *)into)->is_undecoded) ||
           decoder_document_refuse(d, node, STATUS_SYNTAX, "not-a-boolean", "want true or false");
}

static bool read_wanted_time(struct decoder_document *d, const struct yaml_node *node, void *into)
{
    struct decoder_sample *sample = into;
    sample->has_time =
        node->kind == YAML_SCALAR && timestamp_parse(node->value, 0, &sample->time_us, NULL);
    return sample->has_time ||
           decoder_document_refuse(d, node, STATUS_SYNTAX, "not-a-time",
                                   "want the event's time like 2026-11-28T11:00:00Z");
}

bool decoder_pattern_samples(struct decoder_document *d, const struct yaml_node *node,
                             struct decoder *decoder)
{
    static const struct decoder_document_key keys[] = {
        {"log", read_log, true},
        {"program", read_program, false},
        {"fields", read_wanted, false},
        {"pattern", read_wanted_pattern, false},
        {"undecoded", read_undecoded, false},
        {"time", read_wanted_time, false},
    };
    if (node->kind != YAML_SEQUENCE)
        return decoder_document_refuse(d, node, STATUS_SYNTAX, "not-a-list",
                                       "samples must be a list of {log, fields}");
    struct decoder_sample *samples =
        arena_zero(d->arena, (node->count ? node->count : 1) * sizeof *samples);
    if (!samples)
        return no_memory(d, node);
    bool is_good = true;
    for (uint32_t i = 0; i < node->count; i++) {
        samples[i].line = node->items[i]->line;
        samples[i].column = node->items[i]->column;
        is_good = decoder_document_walk(d, node->items[i], "a sample", keys,
                                        sizeof keys / sizeof *keys, &samples[i]) &&
                  is_good;
    }
    decoder->samples = samples;
    decoder->sample_count = node->count;
    return is_good;
}
