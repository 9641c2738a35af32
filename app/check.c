/* SPDX-License-Identifier: Apache-2.0 */
#include "app/command.h"
#include "app/config.h"
#include "app/load.h"
#include "app/subcommands.h"
#include "base/json_write.h"
#include "rules/rules.h"
#include <stdio.h>
#include <stdlib.h>

static const char usage[] =
    "Usage: tocsin check [--json] PATH...\n\n"
    "Reads rules, correlations, filters, decoders (with their samples), mappings and\n"
    "configuration files, and says what is wrong or unwise in them, with file, line and column.\n"
    "A PATH is a file, a folder, or `share` for what ships. Exit status 1: there is an error.";

struct check {
    bool is_json;
    uint32_t errors, warnings, hints;
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

static void tell(void *context, const struct finding *f)
{
    struct check *c = context;
    c->errors += f->severity == FINDING_ERROR;
    c->warnings += f->severity == FINDING_WARNING;
    c->hints += f->severity == FINDING_HINT;
    if (c->is_json)
        print_json(f);
    else
        load_print_finding(NULL, f);
}

static void print_summary(const struct check *c, const struct ruleset_summary *s)
{
    if (c->is_json)
        (void)printf("{\"rules\":%u,\"correlations\":%u,\"filters\":%u,\"decoders\":%u,"
                     "\"mappings\":%u,\"errors\":%u,\"warnings\":%u,\"hints\":%u}\n",
                     s->rules, s->correlations, s->filters, s->decoders, s->mappings, c->errors,
                     c->warnings, c->hints);
    else
        (void)printf("%u rules, %u correlations, %u filters, %u decoders, %u mappings: "
                     "%u errors, %u warnings, %u hints\n",
                     s->rules, s->correlations, s->filters, s->decoders, s->mappings, c->errors,
                     c->warnings, c->hints);
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
    struct load_request request = {.tell = tell, .context = c, .has_lints = true};
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
