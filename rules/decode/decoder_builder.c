/* SPDX-License-Identifier: Apache-2.0 */
#include "rules/decode/decoder_document.h"
#include "rules/decode/decoder_parts.h"
#include "rules/decode/decoder_pattern.h"
#include <ctype.h>
#include <stdlib.h>
#include <string.h>

enum {
    SET_BYTES = 64 << 20, /* ceiling of what one set of decoders holds */
    DECODERS_MOST = 4096,
};

struct decoder_builder {
    struct decoder_set *set;
};

void decoder_builder_free(struct decoder_builder *b)
{
    if (!b)
        return;
    decoder_set_free(b->set);
    free(b);
}

enum status decoder_builder_new(struct decoder_builder **out, struct error *err)
{
    AUTO(decoder_builder) b = calloc(1, sizeof *b);
    if (b)
        b->set = calloc(1, sizeof *b->set);
    if (!b || !b->set)
        return error_set(err, STATUS_NOMEM, 0, "no memory for decoders");
    arena_init(&b->set->arena, SET_BYTES);
    *out = MOVE(b);
    return STATUS_OK;
}

/* ---- keys of a document ---- */

static bool read_name(struct decoder_document *d, const struct yaml_node *node, void *into)
{
    return decoder_document_text(d, node, &((struct decoder *)into)->name);
}

/* Lower case, so that a lookup compares bytes. */
static bool lower_program(struct decoder_document *d, const struct yaml_node *node,
                          struct text program, struct text *out)
{
    if (program.len > DECODER_PROGRAM)
        return decoder_document_refuse(d, node, STATUS_LIMIT, "long-program",
                                       "a program's name may have %d bytes", DECODER_PROGRAM);
    char *lower = arena_bytes(d->arena, program.len);
    if (!lower)
        return decoder_document_refuse(d, node, STATUS_NOMEM, "no-memory", "no memory");
    for (size_t i = 0; i < program.len; i++)
        lower[i] = (char)tolower((unsigned char)program.at[i]);
    *out = (struct text){lower, program.len};
    return true;
}

static bool read_programs(struct decoder_document *d, const struct yaml_node *node, void *into)
{
    struct decoder *decoder = into;
    struct decoder_document_texts texts = {0};
    if (!decoder_document_texts(d, node, &texts))
        return false;
    struct text *programs = arena_alloc(d->arena, texts.count * sizeof *programs);
    if (!programs)
        return decoder_document_refuse(d, node, STATUS_NOMEM, "no-memory", "no memory");
    for (uint32_t i = 0; i < texts.count; i++)
        if (!lower_program(d, node, texts.items[i], &programs[i]))
            return false;
    decoder->programs = programs;
    decoder->program_count = texts.count;
    return true;
}

static bool read_match(struct decoder_document *d, const struct yaml_node *node, void *into)
{
    struct decoder *decoder = into;
    decoder->has_match = true;
    if (!decoder_document_logsource(d, node, &decoder->match))
        return false;
    decoder->match_mark = decoder_index_mark(decoder->match.category) |
                          decoder_index_mark(decoder->match.product) |
                          decoder_index_mark(decoder->match.service);
    return true;
}

static bool read_when(struct decoder_document *d, const struct yaml_node *node, void *into)
{
    struct decoder *decoder = into;
    struct text pattern = TEXT_NONE;
    if (!decoder_document_text(d, node, &pattern) ||
        !decoder_pattern_compile(d, node, pattern, &decoder->when))
        return false;
    decoder->when_literal = decoder_index_literal(pattern, d->arena);
    decoder->is_when_never_empty = decoder_index_firsts(pattern, &decoder->when_firsts);
    return true;
}

/* One log source, or a list of them. */
static bool read_logsources(struct decoder_document *d, const struct yaml_node *node, void *into)
{
    struct decoder *decoder = into;
    const bool is_list = node->kind == YAML_SEQUENCE;
    const uint32_t count = is_list ? node->count : 1;
    if (!count || count > EVENT_LOGSOURCES)
        return decoder_document_refuse(d, node, STATUS_INVALID, "bad-list",
                                       "a decoder sets 1 to %d log sources", EVENT_LOGSOURCES);
    struct logsource *sources = arena_zero(d->arena, count * sizeof *sources);
    if (!sources)
        return decoder_document_refuse(d, node, STATUS_NOMEM, "no-memory", "no memory");
    for (uint32_t i = 0; i < count; i++)
        if (!decoder_document_logsource(d, is_list ? node->items[i] : node, &sources[i]))
            return false;
    decoder->logsources = sources;
    decoder->logsource_count = count;
    return true;
}

static bool read_entities(struct decoder_document *d, const struct yaml_node *node, void *into)
{
    struct decoder *decoder = into;
    struct decoder_document_entities entities = {0};
    if (!decoder_document_entities(d, node, &entities))
        return false;
    decoder->entities = entities.items;
    decoder->entity_count = entities.count;
    return true;
}

static bool read_names(struct decoder_document *d, const struct yaml_node *node, void *into)
{
    return decoder_pattern_names(d, node, &((struct decoder *)into)->names);
}

static bool read_times(struct decoder_document *d, const struct yaml_node *node, void *into)
{
    return own_time_read(d, node, &((struct decoder *)into)->times);
}

static bool read_parameters(struct decoder_document *d, const struct yaml_node *node, void *into)
{
    return yaml_bool(node, &((struct decoder *)into)->takes_parameters) ||
           decoder_document_refuse(d, node, STATUS_SYNTAX, "not-a-boolean", "want true or false");
}

static bool read_replace(struct decoder_document *d, const struct yaml_node *node, void *into)
{
    return yaml_bool(node, &((struct decoder *)into)->is_replacing) ||
           decoder_document_refuse(d, node, STATUS_SYNTAX, "not-a-boolean", "want true or false");
}

static bool read_part(struct decoder_document *d, const struct yaml_node *node, void *into)
{
    return yaml_bool(node, &((struct decoder *)into)->is_part) ||
           decoder_document_refuse(d, node, STATUS_SYNTAX, "not-a-boolean", "want true or false");
}

static bool read_patterns(struct decoder_document *d, const struct yaml_node *node, void *into)
{
    return decoder_pattern_list(d, node, into);
}

static bool read_samples(struct decoder_document *d, const struct yaml_node *node, void *into)
{
    return decoder_pattern_samples(d, node, into);
}

/* ---- documents ---- */

static bool check_whole(struct decoder_document *d, const struct yaml_node *document,
                        struct decoder *decoder)
{
    const bool has_source = decoder->program_count || decoder->has_match || decoder->when;
    if (decoder->is_part && (has_source || decoder->logsource_count || decoder->is_replacing ||
                             decoder->takes_parameters))
        return decoder_document_refuse(d, document, STATUS_INVALID, "part-with-source",
                                       "a part reads the fields that mappings name: it has no "
                                       "'program', 'match', 'when', 'logsource' or 'replace'");
    if (!decoder->is_part && !has_source)
        return decoder_document_refuse(
            d, document, STATUS_INVALID, "no-source",
            "a decoder needs 'program', 'match' or 'when', or 'part: true'");
    if (!decoder->pattern_count && !decoder->logsource_count)
        return decoder_document_refuse(d, document, STATUS_INVALID, "no-effect",
                                       "a decoder needs 'patterns' or a 'logsource'");
    return true;
}

static bool read_document(struct decoder_document *d, const struct yaml_node *document,
                          struct decoder *decoder)
{
    /* `names` and `patterns` in two rounds: a group's field depends on the names */
    static const struct decoder_document_key first[] = {
        {"decoder", read_name, true},       {"description", NULL, false},
        {"program", read_programs, false},  {"match", read_match, false},
        {"when", read_when, false},         {"logsource", read_logsources, false},
        {"names", read_names, false},       {"replace", read_replace, false},
        {"entities", read_entities, false}, {"patterns", NULL, false},
        {"time", read_times, false},        {"samples", NULL, false},
        {"part", read_part, false},         {"parameters", read_parameters, false},
    };
    bool is_good = decoder_document_walk(d, document, "a decoder", first,
                                         sizeof first / sizeof *first, decoder);
    const struct yaml_node *patterns = yaml_get(document, TEXT("patterns"));
    const struct yaml_node *samples = yaml_get(document, TEXT("samples"));
    is_good = (!patterns || read_patterns(d, patterns, decoder)) && is_good;
    is_good = (!samples || read_samples(d, samples, decoder)) && is_good;
    is_good = is_good && check_whole(d, document, decoder);
    if (is_good && !decoder_index_patterns(decoder, d->arena))
        return decoder_document_refuse(d, document, STATUS_NOMEM, "no-memory", "no memory");
    return is_good;
}

static const struct decoder *find(const struct decoder_set *s, struct text name)
{
    for (uint32_t i = 0; i < s->count; i++)
        if (text_equal(s->decoders[i]->name, name))
            return s->decoders[i];
    return NULL;
}

static bool grow(struct decoder_set *s)
{
    if (s->count < s->max)
        return true;
    uint32_t max = s->max ? s->max * 2 : 32;
    struct decoder **bigger =
        max > DECODERS_MOST ? NULL : realloc(s->decoders, max * sizeof(struct decoder *));
    if (!bigger)
        return false;
    s->decoders = bigger;
    s->max = max;
    return true;
}

enum status decoder_builder_add(struct decoder_builder *b, struct text file,
                                const struct yaml_node *document, bool is_shipped,
                                diagnostic_fn tell, void *context)
{
    struct decoder_set *s = b->set;
    struct decoder_document d = {
        .file = file, .arena = &s->arena, .tell = tell, .context = context};
    const struct yaml_node *name = yaml_get(document, TEXT("decoder"));
    if (name && name->kind == YAML_SCALAR)
        d.name = name->value;
    const struct decoder *older = find(s, d.name);
    if (older && is_shipped && !older->is_shipped)
        return STATUS_OK;
    struct decoder *decoder = arena_zero(&s->arena, sizeof *decoder);
    struct text copy = arena_copy(&s->arena, file);
    if (!decoder || !copy.at || !grow(s)) {
        (void)decoder_document_refuse(&d, document, STATUS_NOMEM, "no-memory", "no memory");
        return d.status;
    }
    if (older)
        (void)decoder_document_refuse(&d, name, STATUS_EXISTS, "duplicate-decoder",
                                      "a decoder '%.*s' stands in %.*s:%u already",
                                      TEXT_ARG(d.name), TEXT_ARG(older->file), older->line);
    if (!read_document(&d, document, decoder) || d.status) {
        decoder_release(decoder);
        return d.status;
    }
    decoder->file = copy;
    decoder->line = document->line;
    decoder->index = s->count;
    decoder->is_shipped = is_shipped;
    decoder->content = decoder_document_content(document);
    s->decoders[s->count++] = decoder;
    return STATUS_OK;
}

enum status decoder_builder_finish(struct decoder_builder *b, struct decoder_set **out,
                                   struct error *err)
{
    struct decoder_set *s = b->set;
    if (!decoder_index_set(s))
        return error_set(err, STATUS_NOMEM, 0, "no memory for decoders");
    decoder_wrapped_init(&s->wrapped);
    struct hasher h;
    hash_start(&h);
    for (uint32_t i = 0; i < s->count; i++) {
        hash_part_u64(&h, s->decoders[i]->content.lo);
        hash_part_u64(&h, s->decoders[i]->content.hi);
    }
    s->content = hash_end(&h);
    *out = MOVE(b->set);
    return STATUS_OK;
}
