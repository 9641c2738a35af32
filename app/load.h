/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include "app/command.h"
#include "app/config.h"
#include "base/hash.h"
#include "rules/rules.h"
#include <stdbool.h>

/* Rulesets as subcommands load them: from paths of the command line, findings to people. */

struct load_request {
    struct command_list rules;     /* the word "share" is the rules that ship */
    struct command_list decoders;  /* besides those that ship */
    const char *overrides, *lists; /* or NULL */
    const char *share;             /* instead of command_share(); or NULL */
    bool is_any_logsource;
    enum fire_policy fire;
    int64_t lateness_us;
    bool is_quiet;      /* tell nothing on standard error */
    bool has_lints;     /* warnings and hints too */
    bool goes_on;       /* `check`: overrides with errors do not end the load */
    diagnostic_fn tell; /* instead of standard error */
    void *context;
    diagnostic_fn also; /* besides; or NULL */
    void *also_context;
};

/* What a configuration says of rules, borrowed from it. */
struct load_request load_request_of(const struct config *config);
/* "--fire edge|level|consume" */
bool load_parse_fire(const char *name, enum fire_policy *out);
/* Refused rules are told on standard error (by `tell` where given) and left out; how many is said
 * there, unless `tell` or is_quiet. INVALID, with the place of the first, where the overrides have
 * an error: half of what somebody decided is not what he decided. */
NODISCARD enum status load_rules(const struct load_request *request, struct ruleset **out,
                                 struct error *err);
/* Counts rules with errors: several errors of one rule refuse it once. Zero to begin with. */
struct load_refusals {
    struct hash128 last;
    uint32_t count;
};
void load_count_refusal(struct load_refusals *r, const struct diagnostic *f);
/* One finding as a line for people: file:line:column: severity: message. */
void load_print_finding(void *ignored, const struct diagnostic *f);
