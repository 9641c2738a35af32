/* SPDX-License-Identifier: Apache-2.0 */
#include "app/command.h"
#include "app/config.h"
#include "app/load.h"
#include "app/subcommands.h"
#include "base/json_write.h"
#include "rules/rules.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char usage[] =
    "Usage: tocsin check [--json] [--lists DIR] [--overrides FILE] PATH...\n\n"
    "Reads rules, correlations, filters, decoders (with their samples), mappings and\n"
    "configuration files, and says what is wrong or unwise in them, with file, line and column,\n"
    "and at the end how often which, most pressing first.\n"
    "A PATH is a file, a folder, or `share` for what ships. Exit status 1: there is an error.";

/* Findings of one code. */
enum { CODES = 64, EXAMPLE = 300 };
struct tally_code {
    const char *code; /* of the ruleset's own, which are literals */
    enum finding_severity severity;
    uint32_t count;
    char example[EXAMPLE]; /* the first: where, and what it says */
};

struct check {
    const char *lists, *overrides;
    bool is_json;
    uint32_t errors, warnings, hints;
    struct load_refusals refused;
    struct tally_code codes[CODES];
    uint32_t code_count;
};

static void print_json(const struct finding *f)
{
    static const char *const names[] = {"error", "warning", "hint"};
    struct buffer line;
    buffer_init(&line, 1 << 20);
    json_write_open(&line, NULL, '{');
    json_write_string(&line, "file", f->file);
    json_write_uint(&line, "line", f->line);
    json_write_uint(&line, "column", f->column);
    json_write_string(&line, "severity", text_of(names[f->severity]));
    json_write_string(&line, "code", text_of(f->code));
    json_write_string(&line, "message", f->message);
    if (f->rule.len)
        json_write_string(&line, "rule", f->rule);
    json_write_close(&line, '}');
    (void)printf("%.*s\n", TEXT_ARG(buffer_text(&line)));
    buffer_fini(&line);
}

static void count_code(struct check *c, const struct finding *f)
{
    uint32_t i = 0;
    while (i < c->code_count &&
           (strcmp(c->codes[i].code, f->code) != 0 || c->codes[i].severity != f->severity))
        i++;
    if (i == CODES)
        return;
    if (i == c->code_count) {
        struct tally_code *one = &c->codes[c->code_count++];
        *one = (struct tally_code){.code = f->code, .severity = f->severity};
        (void)snprintf(one->example, sizeof one->example, "%.*s:%u: %.*s", TEXT_ARG(f->file),
                       f->line, TEXT_ARG(f->message));
    }
    c->codes[i].count++;
}

static void tell(void *context, const struct finding *f)
{
    struct check *c = context;
    count_code(c, f);
    if (f->severity == FINDING_ERROR)
        load_count_refusal(&c->refused, f);
    c->errors += f->severity == FINDING_ERROR;
    c->warnings += f->severity == FINDING_WARNING;
    c->hints += f->severity == FINDING_HINT;
    if (c->is_json)
        print_json(f);
    else
        load_print_finding(NULL, f);
}

static int compare_codes(const void *a, const void *b)
{
    const struct tally_code *x = a;
    const struct tally_code *y = b;
    if (x->severity != y->severity)
        return x->severity < y->severity ? -1 : 1;
    if (x->count != y->count)
        return x->count > y->count ? -1 : 1;
    return strcmp(x->code, y->code);
}

static void print_json_summary(const struct check *c, const struct ruleset_summary *s)
{
    struct buffer line;
    buffer_init(&line, 1 << 16);
    json_write_open(&line, NULL, '{');
    json_write_uint(&line, "rules", s->rules);
    json_write_uint(&line, "correlations", s->correlations);
    json_write_uint(&line, "filters", s->filters);
    json_write_uint(&line, "decoders", s->decoders);
    json_write_uint(&line, "mappings", s->mappings);
    json_write_uint(&line, "errors", c->errors);
    json_write_uint(&line, "warnings", c->warnings);
    json_write_uint(&line, "hints", c->hints);
    json_write_uint(&line, "refused", c->refused.count);
    json_write_open(&line, "codes", '{');
    for (uint32_t i = 0; i < c->code_count; i++)
        json_write_uint(&line, c->codes[i].code, c->codes[i].count);
    json_write_close(&line, '}');
    json_write_close(&line, '}');
    (void)printf("%.*s\n", TEXT_ARG(buffer_text(&line)));
    buffer_fini(&line);
}

static void print_summary(struct check *c, const struct ruleset_summary *s)
{
    static const char *const names[] = {"error", "warning", "hint"};
    qsort(c->codes, c->code_count, sizeof *c->codes, compare_codes);
    if (c->is_json) {
        print_json_summary(c, s);
        return;
    }
    if (c->code_count)
        (void)printf("\n");
    for (uint32_t i = 0; i < c->code_count; i++)
        (void)printf("%6u %-7s %s\n               first: %s\n", c->codes[i].count,
                     names[c->codes[i].severity], c->codes[i].code, c->codes[i].example);
    (void)printf("%u rules, %u correlations, %u filters, %u decoders, %u mappings: "
                 "%u errors, %u warnings, %u hints",
                 s->rules, s->correlations, s->filters, s->decoders, s->mappings, c->errors,
                 c->warnings, c->hints);
    if (c->refused.count)
        (void)printf("; %u of %u rules and correlations are refused", c->refused.count,
                     c->refused.count + s->rules + s->correlations);
    (void)printf("\n");
}

/* Configuration files are told from rule files by their first key. */
static void split_paths(const char **paths, uint32_t count, struct check *c,
                        struct command_list *out_rules)
{
    for (uint32_t i = 0; i < count; i++) {
        if (config_is_one(paths[i]))
            config_check(paths[i], tell, c);
        else if (out_rules->count < COMMAND_LIST)
            out_rules->items[out_rules->count++] = paths[i];
        else
            command_say("check: more than %d paths: '%s' is left out", COMMAND_LIST, paths[i]);
    }
}

static int check_paths(struct check *c, const char **paths, uint32_t count)
{
    struct load_request request = {
        .overrides = c->overrides,
        .lists = c->lists,
        .tell = tell,
        .context = c,
        .has_lints = true,
        .goes_on = true,
    };
    split_paths(paths, count, c, &request.rules);
    struct ruleset_summary none = {0};
    struct ruleset *ruleset = NULL;
    struct error err = {0};
    if (request.rules.count && load_rules(&request, &ruleset, &err)) {
        command_say("check: %s", err.text);
        if (err.code != STATUS_IO)
            return COMMAND_UNFINISHED;
        c->errors += c->errors == 0;
    }
    print_summary(c, ruleset ? ruleset_get_summary(ruleset) : &none);
    ruleset_unref(ruleset);
    return c->errors ? COMMAND_NO : COMMAND_DONE;
}

int check_main(int argc, char **argv)
{
    struct check c = {0};
    const struct command_flag flags[] = {
        {"json", FLAG_SWITCH, &c.is_json, NULL, "one JSON object a finding, and a last one"},
        {"lists", FLAG_TEXT, &c.lists, "DIR", "value lists for expand"},
        {"overrides", FLAG_TEXT, &c.overrides, "FILE", "overrides.yml"},
    };
    const char **paths = calloc((size_t)argc + 1, sizeof(char *));
    uint32_t count = 0;
    if (!paths)
        return COMMAND_UNFINISHED;
    int code = COMMAND_USAGE;
    enum status status =
        command_flags(argc, argv, usage, flags, sizeof flags / sizeof *flags, paths, &count);
    if (status == STATUS_AGAIN)
        code = COMMAND_DONE;
    else if (!status && !count)
        command_say("check: name files or folders, or `share`");
    else if (!status)
        code = check_paths(&c, paths, count);
    free(paths);
    return code;
}
