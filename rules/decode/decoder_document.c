/* SPDX-License-Identifier: Apache-2.0 */
#include "rules/decode/decoder_document.h"
#include <stdarg.h>
#include <stdio.h>

bool decoder_document_refuse(struct decoder_document *d, const struct yaml_node *node,
                             enum status status, const char *code, const char *format, ...)
{
    if (!d->status)
        d->status = status;
    if (!d->tell)
        return false;
    char message[512];
    va_list list;
    va_start(list, format);
    (void)vsnprintf(message, sizeof message, format, list);
    va_end(list);
    const struct diagnostic f = {.file = d->file,
                                 .line = node ? node->line : 0,
                                 .column = node ? node->column : 0,
                                 .severity = DIAGNOSTIC_ERROR,
                                 .code = code,
                                 .message = text_of(message),
                                 .rule = d->name};
    d->tell(d->context, &f);
    return false;
}

static const struct decoder_document_key *find_key(const struct decoder_document_key *keys,
                                                   size_t count, struct text name)
{
    for (size_t i = 0; i < count; i++)
        if (text_equal(text_of(keys[i].name), name))
            return &keys[i];
    return NULL;
}

static bool has_required(struct decoder_document *d, const struct yaml_node *node, const char *what,
                         const struct decoder_document_key *keys, size_t count)
{
    bool is_whole = true;
    for (size_t i = 0; i < count; i++)
        if (keys[i].is_required && !yaml_get(node, text_of(keys[i].name)))
            is_whole = decoder_document_refuse(d, node, STATUS_INVALID, "missing-key",
                                               "%s needs the key '%s'", what, keys[i].name);
    return is_whole;
}

bool decoder_document_walk(struct decoder_document *d, const struct yaml_node *node,
                           const char *what, const struct decoder_document_key *keys, size_t count,
                           void *into)
{
    if (!node || node->kind != YAML_MAPPING)
        return decoder_document_refuse(d, node, STATUS_SYNTAX, "not-a-mapping",
                                       "%s must be a mapping of keys to values", what);
    bool is_good = has_required(d, node, what, keys, count);
    for (uint32_t i = 0; i < node->count; i++) {
        const struct yaml_node *name = node->pairs[i].key;
        const struct decoder_document_key *key = find_key(keys, count, name->value);
        if (!key)
            is_good = decoder_document_refuse(d, name, STATUS_INVALID, "unknown-key",
                                              "%s has no key '%.*s'", what, TEXT_ARG(name->value));
        else if (key->read && !key->read(d, node->pairs[i].value, into))
            is_good = false;
    }
    return is_good;
}

bool decoder_document_text(struct decoder_document *d, const struct yaml_node *node,
                           struct text *out)
{
    if (!node || node->kind != YAML_SCALAR || yaml_is_null(node) || !node->value.len)
        return decoder_document_refuse(d, node, STATUS_SYNTAX, "not-a-text",
                                       "here a text is wanted that is not empty");
    *out = arena_copy(d->arena, node->value);
    return out->at || decoder_document_refuse(d, node, STATUS_NOMEM, "no-memory", "no memory");
}

bool decoder_document_texts(struct decoder_document *d, const struct yaml_node *node,
                            struct decoder_document_texts *out)
{
    const bool is_list = node && node->kind == YAML_SEQUENCE;
    const uint32_t count = is_list ? node->count : 1;
    if (!count)
        return decoder_document_refuse(d, node, STATUS_INVALID, "empty-list",
                                       "the list must not be empty");
    struct text *items = arena_alloc(d->arena, count * sizeof *items);
    if (!items)
        return decoder_document_refuse(d, node, STATUS_NOMEM, "no-memory", "no memory");
    for (uint32_t i = 0; i < count; i++)
        if (!decoder_document_text(d, is_list ? node->items[i] : node, &items[i]))
            return false;
    *out = (struct decoder_document_texts){items, count};
    return true;
}

static bool read_category(struct decoder_document *d, const struct yaml_node *node, void *into)
{
    return decoder_document_text(d, node, &((struct logsource *)into)->category);
}

static bool read_product(struct decoder_document *d, const struct yaml_node *node, void *into)
{
    return decoder_document_text(d, node, &((struct logsource *)into)->product);
}

static bool read_service(struct decoder_document *d, const struct yaml_node *node, void *into)
{
    return decoder_document_text(d, node, &((struct logsource *)into)->service);
}

bool decoder_document_logsource(struct decoder_document *d, const struct yaml_node *node,
                                struct logsource *out)
{
    static const struct decoder_document_key keys[] = {
        {"category", read_category, false},
        {"product", read_product, false},
        {"service", read_service, false},
        {"when", NULL, false}, /* mappings read it */
    };
    if (!decoder_document_walk(d, node, "a log source", keys, sizeof keys / sizeof *keys, out))
        return false;
    if (!out->category.len && !out->product.len && !out->service.len)
        return decoder_document_refuse(d, node, STATUS_INVALID, "empty-logsource",
                                       "a log source needs a category, product or service");
    return true;
}

static bool read_field(struct decoder_document *d, const struct yaml_node *node, void *into)
{
    return decoder_document_text(d, node, &((struct entity_field *)into)->field);
}

static bool read_domain(struct decoder_document *d, const struct yaml_node *node, void *into)
{
    return decoder_document_text(d, node, &((struct entity_field *)into)->domain);
}

static bool read_kind(struct decoder_document *d, const struct yaml_node *node, void *into)
{
    static const enum entity_kind kinds[] = {ENTITY_ADDRESS, ENTITY_HOST, ENTITY_USER,
                                             ENTITY_SERVICE};
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++)
        if (text_equal(node->value, text_of(correlation_entity_name(kinds[i])))) {
            ((struct entity_field *)into)->kind = kinds[i];
            return true;
        }
    return decoder_document_refuse(d, node, STATUS_INVALID, "unknown-kind",
                                   "an entity is an address, host, user or service");
}

static bool read_charge(struct decoder_document *d, const struct yaml_node *node, void *into)
{
    return yaml_bool(node, &((struct entity_field *)into)->is_charged) ||
           decoder_document_refuse(d, node, STATUS_SYNTAX, "not-a-boolean", "want true or false");
}

bool decoder_document_entities(struct decoder_document *d, const struct yaml_node *node,
                               struct decoder_document_entities *out)
{
    static const struct decoder_document_key keys[] = {
        {"field", read_field, true},
        {"kind", read_kind, true},
        {"domain", read_domain, false},
        {"charge", read_charge, false},
    };
    if (node->kind != YAML_SEQUENCE || !node->count)
        return decoder_document_refuse(d, node, STATUS_SYNTAX, "not-a-list",
                                       "entities must be a list of {field, kind}");
    struct entity_field *items = arena_zero(d->arena, node->count * sizeof *items);
    if (!items)
        return decoder_document_refuse(d, node, STATUS_NOMEM, "no-memory", "no memory");
    bool is_good = true;
    for (uint32_t i = 0; i < node->count; i++) {
        items[i].is_charged = true;
        is_good &= decoder_document_walk(d, node->items[i], "an entity", keys,
                                         sizeof keys / sizeof *keys, &items[i]);
    }
    *out = (struct decoder_document_entities){items, node->count};
    return is_good;
}

static void hash_node(struct hasher *h, const struct yaml_node *node, bool is_top)
{
    hash_part_u64(h, (uint64_t)node->kind);
    hash_part_u64(h, node->count);
    if (node->kind == YAML_SCALAR)
        hash_part_text(h, node->value);
    for (uint32_t i = 0; node->kind == YAML_SEQUENCE && i < node->count; i++)
        hash_node(h, node->items[i], false);
    for (uint32_t i = 0; node->kind == YAML_MAPPING && i < node->count; i++) {
        if (is_top && text_equal(node->pairs[i].key->value, TEXT("samples")))
            continue;
        hash_part_text(h, node->pairs[i].key->value);
        hash_node(h, node->pairs[i].value, false);
    }
}

struct hash128 decoder_document_content(const struct yaml_node *document)
{
    struct hasher h;
    hash_start(&h);
    hash_node(&h, document, true);
    return hash_end(&h);
}

static bool part_covers(struct text is, struct text wanted)
{
    return !wanted.len || text_equal_nocase(is, wanted);
}

bool decoder_document_covers(const struct logsource *is, const struct logsource *wanted)
{
    return part_covers(is->category, wanted->category) &&
           part_covers(is->product, wanted->product) && part_covers(is->service, wanted->service);
}
