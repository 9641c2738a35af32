/* SPDX-License-Identifier: Apache-2.0 */
#include "base/wall_clock.h"
#include "rules/lint/lint.h"
#include "rules/match/ruleset_state.h"
#include "rules/read/diagnostic.h"
#include "rules/read/linking.h"
#include "rules/read/override.h"
#include "rules/read/relation.h"
#include "rules/read/rulefile.h"
#include "rules/read/sigma.h"
#include "rules/read/sigma_filter.h"
#include "rules/ruleset_freeze.h"
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>

#define RULESET_BYTES ((size_t)2 << 30)

struct loading {
    const struct ruleset_options *options;
    struct ruleset *ruleset;
    struct diagnostics diagnostics;
    struct documents documents;
    struct arena nodes, scratch;
    struct valuelists lists;
    struct draft draft;
};

static void ruleset_free(struct ruleset *r)
{
    ruleset_unref(r);
}
AUTO_DEFINE(ruleset);

/* ---- reading ---- */

static enum status read_paths(struct loading *l, const char *const *paths, uint32_t count)
{
    enum status status = STATUS_OK;
    for (uint32_t i = 0; i < count; i++) {
        enum status one =
            rulefile_read(paths[i], l->options->share, &l->nodes, &l->diagnostics, &l->documents);
        status = status == STATUS_OK ? one : status;
    }
    return status;
}

static enum status read_share(struct loading *l)
{
    static const char *const folders[] = {"decoders", "mappings"};
    enum status status = STATUS_OK;
    for (size_t i = 0; i < 2 && l->options->share && !status; i++) {
        char path[PATH_MAX];
        (void)snprintf(path, sizeof path, "%s/%s", l->options->share, folders[i]);
        status = rulefile_read(path, l->options->share, &l->nodes, &l->diagnostics, &l->documents);
    }
    return status;
}

static void enter(struct loading *l, const struct document *d)
{
    l->diagnostics.file = d->file;
    l->diagnostics.rule = TEXT_NONE;
}

static enum status add_decoders(struct loading *l, struct error *err)
{
    AUTO(decoder_builder) decoders = NULL;
    AUTO(mapping_builder) mappings = NULL;
    enum status status = decoder_builder_new(&decoders, err);
    if (!status)
        status = mapping_builder_new(&mappings, err);
    for (uint32_t i = 0; !status && i < l->documents.count; i++) {
        const struct document *d = &l->documents.items[i];
        enum status one = STATUS_OK;
        enter(l, d);
        if (d->kind == DOCUMENT_DECODER)
            one = decoder_builder_add(decoders, d->file, d->root, d->is_shipped, diagnostic_pass,
                                      &l->diagnostics);
        else if (d->kind == DOCUMENT_MAPPING)
            one = mapping_builder_add(mappings, d->file, d->root, d->is_shipped, diagnostic_pass,
                                      &l->diagnostics);
        if (one == STATUS_NOMEM)
            status = error_set(err, one, 0, "no memory for decoders and mappings");
    }
    if (!status)
        status = decoder_builder_finish(decoders, &l->ruleset->decoders, err);
    if (!status)
        status = mapping_builder_finish(mappings, &l->ruleset->mappings, err);
    if (!status) {
        l->diagnostics.rule = TEXT_NONE;
        mapping_inner_link(l->ruleset->mappings, l->ruleset->decoders, diagnostic_pass,
                           &l->diagnostics);
    }
    if (!status && l->options->has_lints)
        (void)decoder_check_samples(l->ruleset->decoders, diagnostic_pass, &l->diagnostics);
    return status;
}

typedef enum status (*read_fn)(struct draft *d, const struct document *document);

static enum status read_kind(struct loading *l, enum document_kind kind, read_fn read,
                             uint32_t *count)
{
    for (uint32_t i = 0; i < l->documents.count; i++) {
        const struct document *d = &l->documents.items[i];
        if (d->kind != kind)
            continue;
        enter(l, d);
        enum status status = read(&l->draft, d);
        if (status == STATUS_NOMEM)
            return status;
        if (count && !status)
            ++*count;
    }
    return STATUS_OK;
}

static enum status read_rules(struct loading *l, struct error *err)
{
    enum status status = read_kind(l, DOCUMENT_RULE, sigma_read, NULL);
    if (!status)
        status = read_kind(l, DOCUMENT_FILTER, sigma_filter_apply, &l->ruleset->summary.filters);
    if (!status)
        status = read_kind(l, DOCUMENT_CORRELATION, relation_read, NULL);
    if (!status && l->options->overrides)
        status = override_apply(&l->draft, l->options->overrides, &l->nodes, wall_clock_us());
    if (status == STATUS_IO)
        return error_set(err, status, 0, "%s", l->diagnostics.first.text);
    if (!status)
        status = linking_run(&l->draft, l->ruleset->decoders, l->ruleset->mappings);
    return status == STATUS_OK ? status : error_set(err, status, 0, "no memory for the rules");
}

static enum status prepare(struct loading *l, struct error *err)
{
    struct ruleset *r = l->ruleset;
    arena_init(&r->arena, RULESET_BYTES);
    r->has_routing = l->options->has_routing;
    r->names = names_new(&r->arena);
    if (!r->names)
        return error_set(err, STATUS_NOMEM, 0, "no memory for a ruleset");
    enum status status = predicates_new(&r->arena, &r->predicates, err);
    if (!status)
        status = valuelist_load(l->options->lists, &r->arena, &l->lists, err);
    l->draft = (struct draft){
        .compiler = {.arena = &r->arena,
                     .scratch = &l->scratch,
                     .names = r->names,
                     .predicates = r->predicates,
                     .lists = &l->lists,
                     .diagnostics = &l->diagnostics},
        .options = l->options,
        .documents = &l->documents,
    };
    return status;
}

static enum status load(struct loading *l, struct error *err)
{
    enum status status = prepare(l, err);
    if (status)
        return status;
    status = read_paths(l, l->options->paths, l->options->path_count);
    if (!status)
        status = read_paths(l, l->options->decoder_paths, l->options->decoder_path_count);
    if (!status)
        status = read_share(l);
    if (status)
        return error_set(err, status, 0, "%s",
                         l->diagnostics.first.text[0] ? l->diagnostics.first.text : "no memory");
    status = add_decoders(l, err);
    if (!status)
        status = read_rules(l, err);
    if (!status)
        status = ruleset_freeze(l->ruleset, &l->draft, err);
    if (!status && l->options->has_lints &&
        lint_run(l->ruleset, &l->draft, &l->diagnostics) != STATUS_OK)
        status = error_set(err, STATUS_NOMEM, 0, "no memory for lints");
    if (!status && l->options->is_strict && l->ruleset->summary.errors)
        status = error_set(err, STATUS_INVALID, l->diagnostics.first.line, "%s",
                           l->diagnostics.first.text);
    return status;
}

enum status ruleset_load(const struct ruleset_options *options, struct ruleset **out,
                         struct error *err)
{
    AUTO(ruleset) r = calloc(1, sizeof *r);
    if (!r)
        return error_set(err, STATUS_NOMEM, 0, "no memory for a ruleset");
    atomic_init(&r->references, 1);
    struct loading l = {
        .options = options,
        .ruleset = r,
        .diagnostics = {.tell = options->tell,
                        .context = options->context,
                        .summary = &r->summary,
                        .has_lints = options->has_lints},
    };
    arena_init(&l.nodes, RULESET_BYTES);
    arena_init(&l.scratch, RULESET_BYTES);
    enum status status = load(&l, err);
    free(l.draft.rules);
    free(l.draft.relations);
    rulefile_fini(&l.documents);
    arena_fini(&l.nodes);
    arena_fini(&l.scratch);
    if (status)
        return status;
    r->summary.rules = r->rule_count;
    r->summary.correlations = r->relation_count;
    r->summary.decoders = decoder_count(r->decoders);
    r->summary.mappings = mapping_count(r->mappings);
    *out = MOVE(r);
    return STATUS_OK;
}

/* ---- asking ---- */

const struct ruleset_summary *ruleset_get_summary(const struct ruleset *r)
{
    return &r->summary;
}

struct hash128 ruleset_hash(const struct ruleset *r)
{
    return r->hash;
}

const struct rule *const *ruleset_rules(const struct ruleset *r, uint32_t *out_count)
{
    *out_count = r->rule_count + r->relation_count;
    return r->all;
}

const struct correlation *ruleset_correlations(const struct ruleset *r, uint32_t *out_count)
{
    *out_count = r->relation_count;
    return r->correlations;
}

const struct rule *ruleset_input(const struct ruleset *r, const struct correlation *c,
                                 uint32_t input)
{
    for (uint32_t i = 0; i < r->rule_count; i++)
        for (uint32_t k = 0; k < r->rules[i].feed_count; k++)
            if (r->rules[i].feeds[k].correlation == c->index && r->rules[i].feeds[k].input == input)
                return &r->rules[i].rule;
    for (uint32_t i = 0; i < r->relation_count; i++) {
        const struct correlation *from = &r->correlations[i];
        for (uint32_t k = 0; k < from->link_count; k++)
            if (from->links[k].correlation == c->index && from->links[k].input == input)
                return from->rule;
    }
    return NULL;
}

int64_t ruleset_lateness_us(const struct ruleset *r)
{
    int64_t longest = 0;
    for (uint32_t i = 0; i < r->relation_count; i++)
        if (r->correlations[i].lateness_us > longest)
            longest = r->correlations[i].lateness_us;
    return longest;
}

bool ruleset_reads(const void *ruleset, struct text name, uint64_t hash)
{
    const struct ruleset *r = ruleset;
    bool is_read = mapping_reads(r->mappings, hash) || decoder_set_reads(r->decoders, hash);
    for (uint32_t i = 0; i < r->map_count && !is_read; i++)
        is_read = fieldmap_reads(&r->maps[i], name, hash);
    return is_read;
}
