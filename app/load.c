/* SPDX-License-Identifier: Apache-2.0 */
#include "app/load.h"
#include "base/path.h"
#include "base/printable.h"
#include "correlator/correlator.h"
#include <stdio.h>
#include <string.h>

bool load_parse_fire(const char *name, enum fire_policy *out)
{
    static const char *const names[] = {"edge", "level", "consume"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (strcmp(name, names[i]) == 0) {
            *out = (enum fire_policy)i;
            return true;
        }
    return false;
}

void load_print_finding(void *ignored, const struct diagnostic *f)
{
    (void)ignored;
    static const char *const names[] = {"error", "warning", "hint"};
    printable_print(stderr, "%.*s:%u:%u: %s: %.*s [%s]\n", TEXT_ARG(f->file), f->line, f->column,
                    names[f->severity], TEXT_ARG(f->message), f->code);
}

void load_count_refusal(struct load_refusals *r, const struct diagnostic *f)
{
    struct hasher h;
    hash_start(&h);
    hash_part_text(&h, f->file);
    if (f->rule.len)
        hash_part_text(&h, f->rule);
    else
        hash_part_u64(&h, f->line);
    struct hash128 me = hash_end(&h);
    r->count += !hash_equal(me, r->last);
    r->last = me;
}

struct load_request load_request_of(const struct config *config)
{
    struct load_request request = {
        .overrides = config->overrides.len ? config->overrides.at : NULL,
        .lists = config->lists.len ? config->lists.at : NULL,
        .fire = (enum fire_policy)config->correlation.fire,
        .lateness_us = config->correlation.lateness_us,
    };
    for (uint32_t i = 0; i < config->rules.count && i < COMMAND_LIST; i++)
        request.rules.items[request.rules.count++] = config->rules.items[i].at;
    for (uint32_t i = 0; i < config->decoders.count && i < COMMAND_LIST; i++)
        request.decoders.items[request.decoders.count++] = config->decoders.items[i].at;
    return request;
}

/* Between the ruleset and whoever is told. */
struct listener {
    const struct load_request *request;
    struct load_refusals refusals;
    uint32_t override_errors;
    uint32_t override_line;   /* of the first */
    char override_first[180]; /* "file:line: what is wrong" */
};

static void hear(void *context, const struct diagnostic *f)
{
    struct listener *l = context;
    const struct load_request *r = l->request;
    bool is_override = r->overrides && text_equal(f->file, text_of(r->overrides));
    if (f->severity == DIAGNOSTIC_ERROR && is_override && !l->override_errors++) {
        l->override_line = f->line;
        (void)snprintf(l->override_first, sizeof l->override_first, "%.*s:%u: %.*s",
                       TEXT_ARG(f->file), f->line, TEXT_ARG(f->message));
    } else if (f->severity == DIAGNOSTIC_ERROR && !is_override)
        load_count_refusal(&l->refusals, f);
    if (r->also)
        r->also(r->also_context, f);
    if (r->tell)
        r->tell(r->context, f);
    else if (!r->is_quiet)
        load_print_finding(NULL, f);
}

/* What was heard, when all was read. */
static enum status conclude(const struct listener *l, struct error *err)
{
    const struct load_request *r = l->request;
    if (l->refusals.count && !r->tell && !r->is_quiet)
        command_say("%u rules or documents are refused and left out", l->refusals.count);
    if (!l->override_errors || r->goes_on)
        return STATUS_OK;
    char more[40] = "";
    if (l->override_errors > 1)
        (void)snprintf(more, sizeof more, " (and %u more in the overrides)",
                       l->override_errors - 1);
    return error_set(err, STATUS_INVALID, l->override_line, "%s%s", l->override_first, more);
}

enum status load_rules(const struct load_request *request, struct ruleset **out, struct error *err)
{
    char share[PATH_ROOM];
    char shipped[PATH_ROOM];
    if (request->share)
        (void)snprintf(share, sizeof share, "%s", request->share);
    else
        (void)command_share(share, sizeof share);
    (void)command_path(shipped, sizeof shipped, share, "rules");
    const char *paths[COMMAND_LIST];
    for (uint32_t i = 0; i < request->rules.count; i++)
        paths[i] =
            strcmp(request->rules.items[i], "share") == 0 ? shipped : request->rules.items[i];
    struct listener listener = {.request = request};
    struct ruleset_options options = {
        .paths = paths,
        .path_count = request->rules.count,
        .decoder_paths = request->decoders.items,
        .decoder_path_count = request->decoders.count,
        .share = share,
        .overrides = request->overrides,
        .lists = request->lists,
        .has_routing = !request->is_any_logsource,
        .fire = request->fire,
        .lateness_us = request->lateness_us,
        .allows = shard_check,
        .has_lints = request->has_lints,
        .tell = hear,
        .context = &listener,
    };
    struct ruleset *ruleset = NULL;
    enum status status = ruleset_load(&options, &ruleset, err);
    if (status)
        return status;
    uint32_t count = 0;
    const struct correlation *all = ruleset_correlations(ruleset, &count);
    status = shard_check(all, count, err);
    if (!status)
        status = conclude(&listener, err);
    if (status)
        ruleset_unref(ruleset);
    else
        *out = ruleset;
    return status;
}
