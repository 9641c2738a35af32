/* SPDX-License-Identifier: Apache-2.0 */
#include "app/load.h"
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

void load_print_finding(void *ignored, const struct finding *f)
{
    (void)ignored;
    static const char *const names[] = {"error", "warning", "hint"};
    (void)fprintf(stderr, "%.*s:%u:%u: %s: %.*s [%s]\n", TEXT_ARG(f->file), f->line, f->column,
                  names[f->severity], TEXT_ARG(f->message), f->code);
}

enum status load_rules(const struct load_request *request, struct ruleset **out, struct error *err)
{
    char share[4096];
    char shipped[4200];
    if (request->share)
        (void)snprintf(share, sizeof share, "%s", request->share);
    else
        (void)command_share(share, sizeof share);
    (void)command_path(shipped, sizeof shipped, share, "rules");
    const char *paths[COMMAND_LIST];
    for (uint32_t i = 0; i < request->rules.count; i++)
        paths[i] =
            strcmp(request->rules.items[i], "share") == 0 ? shipped : request->rules.items[i];
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
        .tell = request->tell       ? request->tell
                : request->is_quiet ? NULL
                                    : load_print_finding,
        .context = request->context,
    };
    struct ruleset *ruleset = NULL;
    enum status status = ruleset_load(&options, &ruleset, err);
    if (status)
        return status;
    uint32_t count = 0;
    const struct correlation *all = ruleset_correlations(ruleset, &count);
    status = shard_check(all, count, err);
    if (status)
        ruleset_unref(ruleset);
    else
        *out = ruleset;
    return status;
}
