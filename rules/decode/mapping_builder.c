/* SPDX-License-Identifier: Apache-2.0 */
#include "rules/decode/mapping_condition.h"
#include <stdlib.h>
#include <string.h>

enum {
    SET_BYTES = 64 << 20, /* ceiling of what one set of mappings holds */
    MAPPINGS_MOST = 4096,
    SOURCES_MOST = 4096, /* of one mapping, alternatives counted */
};

struct mapping_builder {
    struct mapping_set *set;
};

void mapping_builder_free(struct mapping_builder *b)
{
    if (!b)
        return;
    mapping_set_free(b->set);
    free(b);
}

enum status mapping_builder_new(struct mapping_builder **out, struct error *err)
{
    AUTO(mapping_builder) b = calloc(1, sizeof *b);
    if (b)
        b->set = calloc(1, sizeof *b->set);
    if (!b || !b->set)
        return error_set(err, STATUS_NOMEM, 0, "no memory for mappings");
    arena_init(&b->set->arena, SET_BYTES);
    *out = MOVE(b);
    return STATUS_OK;
}

/* ---- keys of a document ---- */

static bool read_name(struct decoder_document *d, const struct yaml_node *node, void *into)
{
    return decoder_document_text(d, node, &((struct mapping_reading *)into)->mapping->name);
}

static bool read_fields(struct decoder_document *d, const struct yaml_node *node, void *into)
{
    struct mapping *m = ((struct mapping_reading *)into)->mapping;
    if (node->kind != YAML_MAPPING || !node->count)
        return decoder_document_refuse(d, node, STATUS_SYNTAX, "not-a-mapping",
                                       "fields maps Sigma's names to the event's");
    struct mapping_field *fields = arena_zero(d->arena, node->count * sizeof *fields);
    if (!fields)
        return mapping_condition_no_memory(d, node);
    for (uint32_t i = 0; i < node->count; i++) {
        const struct yaml_node *targets = node->pairs[i].value;
        if (!decoder_document_text(d, node->pairs[i].key, &fields[i].name) ||
            !decoder_document_texts(d, targets, &fields[i].targets))
            return false;
        if (fields[i].targets.count >= MAPPING_NAMES)
            return decoder_document_refuse(d, targets, STATUS_LIMIT, "too-many-names",
                                           "a field may stand for %d names", MAPPING_NAMES - 1);
    }
    m->fields = fields;
    m->field_count = node->count;
    return true;
}

static bool read_entities(struct decoder_document *d, const struct yaml_node *node, void *into)
{
    struct mapping *m = ((struct mapping_reading *)into)->mapping;
    struct decoder_document_entities entities = {0};
    if (!decoder_document_entities(d, node, &entities))
        return false;
    m->entities = entities.items;
    m->entity_count = entities.count;
    return true;
}

/* Its fields are watched, so that they are taken out of a document. */
static bool read_times(struct decoder_document *d, const struct yaml_node *node, void *into)
{
    const struct mapping_reading *r = into;
    struct own_times *times = &r->mapping->times;
    uint16_t slot = 0;
    if (!own_time_read(d, node, times))
        return false;
    for (uint32_t i = 0; i < times->count; i++) {
        const struct own_time_item *item = &times->items[i];
        const struct own_time_field *all[] = {&item->fields[0], &item->fields[1], &item->zone};
        for (size_t j = 0; j < sizeof all / sizeof *all; j++)
            if (all[j]->hash && !mapping_condition_watch_name(d, node, r->set, all[j]->name, &slot))
                return false;
    }
    return true;
}

static bool read_one_inner(struct decoder_document *d, const struct mapping_reading *r,
                           const struct yaml_node *node, struct mapping_inner *out)
{
    static const struct decoder_document_key keys[] = {
        {"field", NULL, true},
        {"decoder", NULL, false},
        {"join", NULL, false},
        {"when", NULL, false},
    };
    if (!decoder_document_walk(d, node, "what is decoded", keys, sizeof keys / sizeof *keys, NULL))
        return false;
    const struct yaml_node *when = yaml_get(node, TEXT("when"));
    const struct yaml_node *decoder = yaml_get(node, TEXT("decoder"));
    const struct yaml_node *join = yaml_get(node, TEXT("join"));
    if (!decoder + !join != 1)
        return decoder_document_refuse(d, node, STATUS_INVALID, "missing-key",
                                       "what is decoded has one of 'decoder' and 'join'");
    /* watched, so that the field is taken out of JSON */
    if (!decoder_document_text(d, yaml_get(node, TEXT("field")), &out->field) ||
        !decoder_document_text(d, decoder ? decoder : join, decoder ? &out->name : &out->joined) ||
        !mapping_condition_watch_name(d, node, r->set, out->field, &out->slot) ||
        (when && !mapping_condition_read(d, r, when, &out->when)))
        return false;
    out->hash = event_name_hash(out->field);
    out->line = node->line;
    out->column = node->column;
    return true;
}

static bool read_inner(struct decoder_document *d, const struct mapping_reading *r,
                       const struct yaml_node *node)
{
    if (node->kind != YAML_SEQUENCE || !node->count)
        return decoder_document_refuse(
            d, node, STATUS_SYNTAX, "not-a-list",
            "decode is a list of {field: name, decoder: name} or {field: name, join: name}");
    if (node->count > MAPPING_INNER_MOST)
        return decoder_document_refuse(d, node, STATUS_LIMIT, "too-many-decoded",
                                       "a mapping may decode %d fields", MAPPING_INNER_MOST);
    r->mapping->inner = arena_zero(d->arena, node->count * sizeof *r->mapping->inner);
    if (!r->mapping->inner)
        return mapping_condition_no_memory(d, node);
    for (uint32_t i = 0; i < node->count; i++)
        if (!read_one_inner(d, r, node->items[i], &r->mapping->inner[i]))
            return false;
    r->mapping->inner_count = node->count;
    return true;
}

static bool read_source(struct decoder_document *d, const struct mapping_reading *r,
                        const struct yaml_node *node, struct mapping_source *sources,
                        uint32_t *count)
{
    struct logsource *source = arena_zero(d->arena, sizeof *source);
    if (!source)
        return mapping_condition_no_memory(d, node);
    if (!decoder_document_logsource(d, node, source))
        return false;
    struct mapping_when when = {.count = 0};
    const struct yaml_node *condition = yaml_get(node, TEXT("when"));
    if (condition && !mapping_condition_read(d, r, condition, &when))
        return false;
    const uint32_t more = when.count ? when.count : 1;
    if (*count + more > SOURCES_MOST)
        return decoder_document_refuse(d, node, STATUS_LIMIT, "too-many-logsources",
                                       "a mapping may have %d log sources", SOURCES_MOST);
    for (uint32_t i = 0; i < more; i++)
        sources[(*count)++] = (struct mapping_source){
            .source = *source, .clause = when.count ? when.clauses[i] : (struct mapping_clause){0}};
    return true;
}

static uint32_t count_clauses(const struct yaml_node *list)
{
    uint32_t count = 0;
    for (uint32_t i = 0; i < list->count; i++) {
        const struct yaml_node *when = yaml_get(list->items[i], TEXT("when"));
        count += when && when->kind == YAML_SEQUENCE ? when->count + 1 : 1;
    }
    return count;
}

static bool read_sources(struct decoder_document *d, const struct mapping_reading *r,
                         const struct yaml_node *node)
{
    struct mapping *m = r->mapping;
    if (node->kind != YAML_SEQUENCE)
        return decoder_document_refuse(d, node, STATUS_SYNTAX, "not-a-list",
                                       "logsources must be a list");
    const uint32_t most = count_clauses(node) + 1;
    struct mapping_source *sources = arena_zero(d->arena, most * sizeof *sources);
    struct logsource *distinct = arena_zero(d->arena, most * sizeof *distinct);
    if (!sources || !distinct)
        return mapping_condition_no_memory(d, node);
    bool is_good = true;
    for (uint32_t i = 0; i < node->count; i++)
        is_good = read_source(d, r, node->items[i], sources, &m->source_count) && is_good;
    for (uint32_t i = 0; i < m->source_count; i++) {
        bool is_new = true;
        for (uint32_t j = 0; j < m->logsource_count && is_new; j++)
            is_new = !(decoder_document_covers(&distinct[j], &sources[i].source) &&
                       decoder_document_covers(&sources[i].source, &distinct[j]));
        if (is_new)
            distinct[m->logsource_count++] = sources[i].source;
    }
    m->sources = sources;
    m->logsources = distinct;
    return is_good;
}

static const struct mapping *find(const struct mapping_set *s, struct text name)
{
    for (uint32_t i = 0; i < s->count; i++)
        if (text_equal(s->mappings[i]->name, name))
            return s->mappings[i];
    return NULL;
}

/* The same conditions, on the fields as this mapping names them. */
static bool copy_source(struct decoder_document *d, const struct mapping_reading *r,
                        const struct yaml_node *node, const struct mapping_source *from,
                        struct mapping_source *out)
{
    struct mapping_condition *conditions =
        arena_alloc(d->arena, (from->clause.count + 1) * sizeof *conditions);
    if (!conditions)
        return mapping_condition_no_memory(d, node);
    for (uint32_t i = 0; i < from->clause.count; i++) {
        conditions[i] = from->clause.conditions[i];
        if (!mapping_condition_watch(d, node, r, &conditions[i]))
            return false;
    }
    *out =
        (struct mapping_source){.source = from->source, .clause = {conditions, from->clause.count}};
    return true;
}

/* Log sources, and entities where it has none of its own, of an earlier mapping. */
static bool read_like(struct decoder_document *d, const struct mapping_reading *r,
                      const struct yaml_node *node)
{
    struct mapping *m = r->mapping;
    const struct mapping *other = find(r->set, node->value);
    if (!other)
        return decoder_document_refuse(d, node, STATUS_NOTFOUND, "unknown-mapping",
                                       "no mapping '%.*s' stands before this one",
                                       TEXT_ARG(node->value));
    struct mapping_source *sources =
        arena_alloc(d->arena, (other->source_count + 1) * sizeof *sources);
    if (!sources)
        return mapping_condition_no_memory(d, node);
    for (uint32_t i = 0; i < other->source_count; i++)
        if (!copy_source(d, r, node, &other->sources[i], &sources[i]))
            return false;
    m->sources = sources;
    m->source_count = other->source_count;
    m->logsources = other->logsources;
    m->logsource_count = other->logsource_count;
    if (!m->entity_count) {
        m->entities = other->entities;
        m->entity_count = other->entity_count;
    }
    m->like = other->content;
    return true;
}

static bool read_document(struct decoder_document *d, const struct yaml_node *document,
                          struct mapping_reading *r)
{
    /* conditions need the fields, so they are read last */
    static const struct decoder_document_key keys[] = {
        {"mapping", read_name, true}, {"description", NULL, false},
        {"when", NULL, true},         {"fields", read_fields, false},
        {"logsources", NULL, false},  {"entities", read_entities, false},
        {"like", NULL, false},        {"time", read_times, false},
        {"decode", NULL, false},
    };
    if (!decoder_document_walk(d, document, "a mapping", keys, sizeof keys / sizeof *keys, r))
        return false;
    const struct yaml_node *sources = yaml_get(document, TEXT("logsources"));
    const struct yaml_node *like = yaml_get(document, TEXT("like"));
    const struct yaml_node *inner = yaml_get(document, TEXT("decode"));
    if (sources && like)
        return decoder_document_refuse(d, like, STATUS_INVALID, "two-sources",
                                       "a mapping has 'logsources' or 'like', not both");
    bool is_good =
        mapping_condition_read(d, r, yaml_get(document, TEXT("when")), &r->mapping->when);
    is_good = (!sources || read_sources(d, r, sources)) && is_good;
    is_good = (!like || read_like(d, r, like)) && is_good;
    is_good = (!inner || read_inner(d, r, inner)) && is_good;
    if (is_good && !mapping_dispatch_build(r->mapping, d->arena))
        return mapping_condition_no_memory(d, document);
    return is_good;
}

/* ---- documents ---- */

static bool grow(struct mapping_set *s)
{
    if (s->count < s->max)
        return true;
    uint32_t max = s->max ? s->max * 2 : 32;
    struct mapping **bigger =
        max > MAPPINGS_MOST ? NULL : realloc(s->mappings, max * sizeof(struct mapping *));
    if (!bigger)
        return false;
    s->mappings = bigger;
    s->max = max;
    return true;
}

static void hash_content(struct hasher *h, struct hash128 content)
{
    hash_part_u64(h, content.lo);
    hash_part_u64(h, content.hi);
}

enum status mapping_builder_add(struct mapping_builder *b, struct text file,
                                const struct yaml_node *document, bool is_shipped,
                                diagnostic_fn tell, void *context)
{
    struct mapping_set *s = b->set;
    struct decoder_document d = {
        .file = file, .arena = &s->arena, .tell = tell, .context = context};
    const struct yaml_node *name = yaml_get(document, TEXT("mapping"));
    if (name && name->kind == YAML_SCALAR)
        d.name = name->value;
    const struct mapping *older = find(s, d.name);
    if (older && is_shipped && !older->is_shipped)
        return STATUS_OK;
    struct mapping *m = arena_zero(&s->arena, sizeof *m);
    struct text copy = arena_copy(&s->arena, file);
    if (!m || !copy.at || !grow(s)) {
        (void)mapping_condition_no_memory(&d, document);
        return d.status;
    }
    if (older)
        (void)decoder_document_refuse(&d, name, STATUS_EXISTS, "duplicate-mapping",
                                      "a mapping '%.*s' stands in %.*s:%u already",
                                      TEXT_ARG(d.name), TEXT_ARG(older->file), older->line);
    struct mapping_reading r = {s, m};
    if (!read_document(&d, document, &r) || d.status)
        return d.status;
    m->file = copy;
    m->line = document->line;
    m->is_shipped = is_shipped;
    struct hasher h;
    hash_start(&h);
    hash_content(&h, decoder_document_content(document));
    hash_content(&h, m->like);
    m->content = hash_end(&h);
    s->mappings[s->count++] = m;
    return STATUS_OK;
}

static bool build_watch(struct mapping_set *s)
{
    uint32_t size = 64;
    while (size < s->slot_count * 4)
        size *= 2;
    s->watch = arena_zero(&s->arena, size * sizeof *s->watch);
    if (!s->watch)
        return false;
    s->watch_mask = size - 1;
    for (uint32_t i = 0; i < s->slot_count; i++) {
        const uint64_t hash = event_name_hash(s->slot_names[i]);
        uint32_t at = (uint32_t)hash & s->watch_mask;
        while (s->watch[at].slot)
            at = (at + 1) & s->watch_mask;
        s->watch[at] = (struct mapping_watch){hash, i + 1};
        const uint32_t bit = (uint32_t)(hash >> 32) % MAPPING_FILTER;
        s->filter[bit / 64] |= UINT64_C(1) << (bit % 64);
    }
    return true;
}

enum status mapping_builder_finish(struct mapping_builder *b, struct mapping_set **out,
                                   struct error *err)
{
    struct mapping_set *s = b->set;
    mapping_envelope_build(s);
    if (!build_watch(s) || !mapping_gate_build(s))
        return error_set(err, STATUS_NOMEM, 0, "no memory for mappings, or more than %d conditions",
                         MAPPING_CLAUSES);
    struct hasher h;
    hash_start(&h);
    for (uint32_t i = 0; i < s->count; i++) {
        hash_content(&h, s->mappings[i]->content);
    }
    s->content = hash_end(&h);
    *out = MOVE(b->set);
    return STATUS_OK;
}
