/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include "base/arena.h"
#include "base/error.h"
#include "base/event.h"
#include "base/hash.h"
#include "base/yaml.h"
#include "rules/decode/decoder.h"
#include "rules/rules.h"
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * Reading one YAML document of a decoder or mapping. Every reader goes on after an error, so that
 * one run tells all of them; `status` then keeps the first.
 */
struct decoder_document {
    struct text file, name;
    struct arena *arena; /* what is read is copied here */
    diagnostic_fn tell;  /* may be NULL */
    void *context;
    enum status status;
};

/* Tells an error at `node` (may be NULL) and keeps its code. Always false. */
__attribute__((format(printf, 5, 6))) bool
decoder_document_refuse(struct decoder_document *d, const struct yaml_node *node,
                        enum status status, const char *code, const char *format, ...);

/* One key that a mapping node may have and who reads its value into `into`. */
typedef bool (*decoder_document_fn)(struct decoder_document *d, const struct yaml_node *value,
                                    void *into);
struct decoder_document_key {
    const char *name;
    decoder_document_fn read; /* NULL: read elsewhere, only allowed here */
    bool is_required;
};
/* Walks a mapping node: unknown keys and missing required ones are errors. */
bool decoder_document_walk(struct decoder_document *d, const struct yaml_node *node,
                           const char *what, const struct decoder_document_key *keys, size_t count,
                           void *into);

/* A non-empty scalar, copied. */
bool decoder_document_text(struct decoder_document *d, const struct yaml_node *node,
                           struct text *out);
/* A scalar or a sequence of scalars, copied; at least one. */
struct decoder_document_texts {
    const struct text *items;
    uint32_t count;
};
bool decoder_document_texts(struct decoder_document *d, const struct yaml_node *node,
                            struct decoder_document_texts *out);
/* {category, product, service}, at least one of them. Other keys are allowed where a reader of
 * them is given. */
bool decoder_document_logsource(struct decoder_document *d, const struct yaml_node *node,
                                struct logsource *out);
struct decoder_document_entities {
    const struct entity_field *items;
    uint32_t count;
};
/* A list of {field, kind, domain, charge}. */
bool decoder_document_entities(struct decoder_document *d, const struct yaml_node *node,
                               struct decoder_document_entities *out);
/* Hash of a document without its `samples`. */
struct hash128 decoder_document_content(const struct yaml_node *document);
/* True where an event's (source's) log source has all that is wanted, without case. */
bool decoder_document_covers(const struct logsource *is, const struct logsource *wanted);
